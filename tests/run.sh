#!/usr/bin/env bash
# Lint, types and all tests, on a fresh machine too: installs what they need first.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
# shellcheck source=deploy/environment.sh
. "$root/deploy/environment.sh"

need_packages /usr/sbin/mosquitto mosquitto /usr/bin/chromium chromium \
    /usr/lib/postgresql postgresql python3 python3
python=$(find_python)

make_environment build/test "$python" dev "$(constraints_for "$python")"
build/test/bin/ruff format --check .
build/test/bin/ruff check .
build/test/bin/mypy
build/test/bin/pytest -m "not train" "$@"

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
        build/test-other/bin/pytest -m "not train" "$@"
    fi
done
