#!/usr/bin/env bash
# The whole system on this machine: installs what it needs into .venv, then runs `roommood demo`.
# Every option is passed on: ./deploy/demo.sh --help
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=deploy/environment.sh
. "$root/deploy/environment.sh"

(find_python) >/dev/null 2>&1 || need_packages python3 python3  # in a subshell, which its refusal ends
python=$(find_python)
make_environment "$root/.venv" "$python" demo "$(constraints_for "$python")"
exec "$root/.venv/bin/roommood" demo "$@"
