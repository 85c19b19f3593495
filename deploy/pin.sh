#!/usr/bin/env bash
# Pins anew: resolves pyproject.toml in fresh environments and writes the constraints files.
# Needs python3.11 and python3.13; name others with PYTHON311 and PYTHON313.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

pin() { # PYTHON EXTRAS FILE TITLE [REQUIREMENT]
    "$1" -m venv "$work/$3"
    "$work/$3/bin/python" -m pip install --quiet --disable-pip-version-check "$root[$2]" ${5:+"$5"}
    {
        printf '# %s. Written by deploy/pin.sh.\n' "$4"
        # A local version such as +cpu names one build of a release: any build of it will do.
        "$work/$3/bin/python" -m pip freeze --exclude roommood | sed -E 's/\+[a-z0-9.]+$//'
    } >"$root/deploy/$3"
}

pin "${PYTHON311:-python3.11}" dev constraints-3.11.txt "Versions for Python 3.10 and 3.11"
pin "${PYTHON313:-python3.13}" dev constraints-3.13.txt "Versions for Python 3.12 and 3.13"
# The newest torch that all of litert-torch's parts were tried with.
pin "${PYTHON311:-python3.11}" train constraints-train.txt "Versions for training, Python 3.10 and 3.11" torch==2.13.0
