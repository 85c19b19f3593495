#!/usr/bin/env bash
# Pins anew: resolves pyproject.toml for both dependency sets and writes the constraints files.
# Each set is resolved on its oldest Python, 3.10 and 3.12: name others with OLD and NEW. Installs nothing.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

pin() { # PYTHON FILE TITLE REQUIREMENT...
    local python=$1 file=$2 title=$3
    shift 3
    "$python" -I -m venv "$work/$file"
    "$work/$file/bin/python" -I -m pip install --quiet --disable-pip-version-check \
        --dry-run --ignore-installed --report "$work/report.json" "$@"
    "$python" - "$work/report.json" "$title" >"$root/deploy/$file" <<'END'
import json, sys

# What torch pins itself differs from machine to machine and is left to it. A local version such as
# +cpu names one build of a release: any build of it will do.
LEFT = ("nvidia-", "cuda-", "triton", "roommood")
found = [one["metadata"] for one in json.load(open(sys.argv[1]))["install"]]
print(f"# {sys.argv[2]}. Written by deploy/pin.sh.")
for one in sorted(found, key=lambda one: one["name"].lower()):
    if not one["name"].startswith(LEFT):
        print(f"{one['name']}=={one['version'].split('+')[0]}")
END
}

old=${OLD:-python3.10}
new=${NEW:-python3.12}
pin "$old" constraints-3.11.txt "Versions for Python 3.10 and 3.11" "$root[dev]"
# LiteRT 2.3 is twice the size of 2.1 on disk, and an agent must stay under 300 MB.
pin "$new" constraints-3.13.txt "Versions for Python 3.12 and 3.13" "$root[dev]" \
    'ai-edge-litert<2.1.1'
# The newest torch that all parts of litert-torch were tried with.
# backports.strenum 1.3 is for Python 3.10 alone, 1.2 for 3.11 too. On 3.10 newer cryptography wants
# newer typing_extensions than xdsl, a part of litert-torch, bears.
pin "$old" constraints-train-3.11.txt "Versions for training, Python 3.10 and 3.11" \
    "$root[train]" torch==2.13.0 'backports.strenum<1.3' 'cryptography<45'
pin "$new" constraints-train-3.13.txt "Versions for training, Python 3.12 and 3.13" \
    "$root[train]" torch==2.13.0
