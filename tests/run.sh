#!/usr/bin/env bash
# Lint, types and all tests, on a fresh machine too: installs what they need first.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
# shellcheck source=deploy/environment.sh
. "$root/deploy/environment.sh"

# Debian's packages: the servers, the browser (libatomic: for what drives it), and GStreamer, which
# plays a network camera through Debian's own Python.
libs=/usr/lib/$(uname -m)-linux-gnu
need_packages python3 python3 /usr/bin/python3 python3 \
    /usr/sbin/mosquitto mosquitto /usr/lib/postgresql postgresql \
    "$libs/libpangoft2-1.0.so.0" libpangoft2-1.0-0 "$libs/libharfbuzz-subset.so.0" libharfbuzz-subset0 \
    /usr/bin/systemd-analyze systemd /usr/bin/tcpdump tcpdump /usr/bin/chromium chromium "$libs/libatomic.so.1" libatomic1 \
    /usr/lib/python3/dist-packages/gi python3-gi \
    "$libs/girepository-1.0/GstRtspServer-1.0.typelib" gir1.2-gst-rtsp-server-1.0 \
    "$libs/gstreamer-1.0/libgstjpeg.so" gstreamer1.0-plugins-good
python=$(find_python)

make_environment build/test "$python" dev "$(constraints_for "$python")"
# A real OpenID Connect provider, which is no part of ours, in an environment of its own.
if [ ! -x build/test-oidc/bin/canaille ]; then
    echo "roommood: installing a provider into build/test-oidc (once)" >&2
    "$python" -m venv build/test-oidc
    build/test-oidc/bin/python -m pip install --quiet --disable-pip-version-check \
        'canaille[front,oidc,server,sqlite]==0.3.6'
fi

build/test/bin/ruff format --check .
build/test/bin/ruff check .
build/test/bin/mypy
build/test/bin/pytest -m "not train" -n 2 --dist loadfile "$@"

# Training needs packages that the others do without, so it has an environment of its own.
pins=$(constraints_for "$python" train-)
make_environment build/test-train "$python" train "$pins"
build/test-train/bin/python -m pip install --quiet --disable-pip-version-check \
    --constraint "$pins" pytest pytest-timeout
build/test-train/bin/python -m pytest -m train tests/models

# The other dependency set, where its interpreter is present.
for version in 3.11 3.13; do
    other=$(find_version "$version")
    if [ -n "$other" ] && [ "$(constraints_for "$other")" != "$(constraints_for "$python")" ]; then
        make_environment build/test-other "$other" dev "$(constraints_for "$other")"
        build/test-other/bin/pytest -m "not train and not once" -n 2 --dist loadfile "$@"
    fi
done
