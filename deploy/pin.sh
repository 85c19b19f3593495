#!/usr/bin/env bash
# Pins anew: resolves pyproject.toml for both dependency sets and writes the constraints files.
# Each set is resolved for its oldest Python, 3.10 and 3.12, which need not be here. Installs nothing but
# uv, which resolves for other Pythons.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
# shellcheck source=deploy/environment.sh
. "$root/deploy/environment.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

have_uv "$(find_python)"
[ -n "$uv" ] || { say "pip could not install uv: look above"; exit 2; }

# What torch pins itself differs from machine to machine and is left to it. A local version such as
# +cpu names one build of a release: any build of it will do.
left='^(nvidia-|cuda-|triton|roommood)'

pin() { # VERSION FILE TITLE EXTRA REQUIREMENT...
    local version=$1 file=$2 title=$3 extra=$4
    shift 4
    printf '%s\n' "$@" >"$work/wanted"
    "$uv" --system-certs pip compile --quiet --no-header --no-annotate --output-file "$work/$file" \
        --python-version "$version" --extra "$extra" --constraint "$work/wanted" pyproject.toml
    {
        printf '# %s. Written by deploy/pin.sh.\n' "$title"
        grep -vE "$left" "$work/$file" | sed 's/+[^ ]*$//'
    } >"deploy/$file"
}

pin 3.10 constraints-3.11.txt "Versions for Python 3.10 and 3.11" dev
# LiteRT 2.3 is twice the size of 2.1 on disk, and an agent must stay under 300 MB.
pin 3.12 constraints-3.13.txt "Versions for Python 3.12 and 3.13" dev 'ai-edge-litert<2.1.1'
# The newest torch that all parts of litert-torch were tried with.
# backports.strenum 1.3 is for Python 3.10 alone, 1.2 for 3.11 too. On 3.10 newer cryptography wants
# newer typing_extensions than xdsl, a part of litert-torch, bears.
pin 3.10 constraints-train-3.11.txt "Versions for training, Python 3.10 and 3.11" train \
    torch==2.13.0 'backports.strenum<1.3' 'cryptography<45'
pin 3.12 constraints-train-3.13.txt "Versions for training, Python 3.12 and 3.13" train torch==2.13.0
