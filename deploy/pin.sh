#!/usr/bin/env bash
# Pins anew: resolves pyproject.toml for both dependency sets and writes the constraints files.
# Each set is resolved for its oldest Python, 3.10 and 3.12, which need not be here. Then, for what root
# installs, the same versions with the hashes of their files, for every Python and machine: deploy/pins.
# With `hashes` as its one word it does the latter alone. Installs nothing but uv, which resolves for other Pythons.
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

pin_all() {
    pin 3.10 constraints-3.11.txt "Versions for Python 3.10 and 3.11" dev
    # LiteRT 2.3 is twice the size of 2.1 on disk, and an agent must stay under 300 MB.
    pin 3.12 constraints-3.13.txt "Versions for Python 3.12 and 3.13" dev 'ai-edge-litert<2.1.1'
    # The newest torch that all parts of litert-torch were tried with.
    # backports.strenum 1.3 is for Python 3.10 alone, 1.2 for 3.11 too. On 3.10 newer cryptography wants
    # newer typing_extensions than xdsl, a part of litert-torch, bears.
    pin 3.10 constraints-train-3.11.txt "Versions for training, Python 3.10 and 3.11" train \
        torch==2.13.0 'backports.strenum<1.3' 'cryptography<45'
    pin 3.12 constraints-train-3.13.txt "Versions for training, Python 3.12 and 3.13" train torch==2.13.0
}

# hashed NAME OPTION...: a list for `pip install --require-hashes`, of all that its part needs.
hashed() {
    local name=$1
    shift
    "$uv" --system-certs pip compile --quiet --no-header --no-annotate --universal --python-version 3.10 --generate-hashes \
        --constraint "$work/both" --output-file "$work/hashed" "$@"
    { printf '# What %s needs, with the hashes of its files. Written by deploy/pin.sh.\n' "$name"; cat "$work/hashed"; } >"deploy/pins/$name.txt"
    rm "$work/hashed" # uv would keep to what is in it
}

[ "${1:-}" = hashes ] || pin_all
for set in "3.11 <" "3.13 >="; do
    sed "/^#/d; s/\$/; python_version ${set#* } '3.12'/" "deploy/constraints-${set% *}.txt"
done >"$work/both"
mkdir -p deploy/pins
for extra in calendar kiosk noise pi school; do hashed "$extra" --extra "$extra" pyproject.toml; done
# To build our own wheel: what pyproject.toml names.
printf '%s\n' 'setuptools>=77' 'setuptools-scm>=8' >"$work/build"
hashed build "$work/build"
