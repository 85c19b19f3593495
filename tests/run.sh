#!/usr/bin/env bash
# Lint, types and all tests, on a fresh machine too: installs what they need first.
#   tests/run.sh [OPTION...]         everything, as CI runs it; options go to pytest
#   tests/run.sh --fast [OPTION...]  lint, types and the tests that wait for nothing
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
# shellcheck source=deploy/environment.sh
. "$root/deploy/environment.sh"

# Half of what a child of a test does would be to compile its modules, anew in each.
unset PYTHONDONTWRITEBYTECODE

fast=
if [ "${1:-}" = --fast ]; then
    fast=1
    shift
fi

# Debian's packages: the servers, the browser (libatomic: for what drives it), GStreamer, which
# plays a network camera through Debian's own Python, and Prometheus (19 MB) for its promtool.
libs=/usr/lib/$(uname -m)-linux-gnu
[ -n "$fast" ] || need_packages python3 python3 /usr/bin/python3 python3 \
    /usr/sbin/mosquitto mosquitto /usr/sbin/nats-server nats-server /usr/sbin/nginx nginx-light /usr/lib/postgresql postgresql \
    "$libs/libpangoft2-1.0.so.0" libpangoft2-1.0-0 "$libs/libharfbuzz-subset.so.0" libharfbuzz-subset0 \
    /usr/bin/ansible-playbook ansible-core /usr/bin/systemd-analyze systemd /usr/bin/tcpdump tcpdump /usr/bin/promtool prometheus /usr/bin/chromium chromium /usr/bin/chromium-headless-shell chromium-headless-shell \
    "$libs/libatomic.so.1" libatomic1 \
    /usr/lib/python3/dist-packages/gi python3-gi \
    "$libs/girepository-1.0/GstRtspServer-1.0.typelib" gir1.2-gst-rtsp-server-1.0 \
    "$libs/gstreamer-1.0/libgstjpeg.so" gstreamer1.0-plugins-good
python=$(find_python)
pins=$(constraints_for "$python")

have_uv "$python"
make_environment build/test "$python" dev "$pins"

# More workers than cores, since most tests wait more than they compute. Files whose tests wait long
# begin first (tests/conftest.py), so that none is left alone at the end.
cores=$(nproc)
suite=(-n "$((cores < 4 ? cores + 2 : 5))" --dist loadfile --no-loadscope-reorder)
# The second Python runs beside the first, and each worker reads all files of tests anew.
again=(-n "$((cores < 4 ? cores : 4))" --dist loadfile --no-loadscope-reorder --hypothesis-profile=again)

lint() {
    build/test/bin/ruff format --check .
    build/test/bin/ruff check .
    build/test/bin/mypy
}

if [ -n "$fast" ]; then
    lint
    exec build/test/bin/pytest -m "not train and not once and not server and not long" --ignore=tests/system --ignore=tests/deploy \
        "${suite[@]}" "$@"
fi

# What needs another environment: training, which has packages that the others do without, and the
# other dependency set, where its interpreter is present.
others() {
    make_environment build/test-train "$python" train "$(constraints_for "$python" train-)" \
        pytest pytest-timeout
    # One thread: where cores are shared, torch's wait for each other in a loop.
    OMP_NUM_THREADS=1 build/test-train/bin/python -m pytest -m train tests/models
    local version other
    for version in 3.11 3.13; do
        other=$(find_version "$version")
        if [ -n "$other" ] && [ "$(constraints_for "$other")" != "$pins" ]; then
            make_environment build/test-other "$other" dev "$(constraints_for "$other")"
            build/test-other/bin/pytest -m "not train and not once" "${again[@]}" "$@" ||
                { [ $? = 5 ] && (($#)); } # of the tests asked for, none is run twice
        fi
    done
}

# In good order, so that its tests stop what they started; whoever ignores that is ended all the same.
end_beside() {
    local _
    kill -INT -- "-$beside" 2>/dev/null || return 0
    for _ in {1..20}; do
        sleep 0.5
        kill -0 -- "-$beside" 2>/dev/null || return 0
    done
    kill -TERM -- "-$beside" 2>/dev/null || true
}

# A real OpenID Connect provider, which is no part of ours, in an environment of its own.
if [ ! -x build/test-oidc/bin/canaille ]; then
    say "installing a provider into build/test-oidc (once)"
    fill_environment build/test-oidc "$python" 'canaille[front,oidc,server,sqlite]==0.3.6'
fi

# Beside the suite; what it says comes at the end.
set -m # a group of its own, which can be ended whole
(others "$@") </dev/null >build/others.log 2>&1 &
beside=$!
set +m
trap end_beside EXIT

lint
build/test/bin/pytest -m "not train" "${suite[@]}" "$@"
status=0
wait "$beside" || status=$?
trap - EXIT
cat build/others.log
exit "$status"
