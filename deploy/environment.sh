# Functions for the scripts that install roommood from a checkout; sourced, not run.
# They expect $root, the checkout's folder.

say() { printf 'roommood: %s\n' "$*" >&2; }

# Debian packages that are missing: installed when we are root, else named. A command or file, then
# the package that brings it, in turn.
need_packages() {
    local missing=()
    while (($#)); do
        command -v "$1" >/dev/null || [ -e "$1" ] || missing+=("$2")
        shift 2
    done
    ((${#missing[@]})) || return 0
    if [ "$(id -u)" != 0 ]; then
        say "needs Debian packages that are not installed. Run, as root: apt-get install ${missing[*]}"
        exit 2
    fi
    say "installing ${missing[*]}"
    local quick=(-o Acquire::Retries=0 -o Acquire::http::Timeout=10 -o Acquire::https::Timeout=10)
    # What is known already may do, where the lists cannot be renewed.
    apt-get update -qq "${quick[@]}" >&2 || true
    if ! DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${quick[@]}" "${missing[@]}" >&2; then
        say "Debian's packages could not be fetched, see apt's own words above: ${missing[*]}."
        say "Check the network and /etc/apt/sources.list. Behind a proxy: sudo http_proxy=http://PROXY:PORT https_proxy=http://PROXY:PORT $0 …"
        exit 2
    fi
}

# keep_proxies: what whoever called sudo says of proxies, which sudo itself takes away; else apt's own.
keep_proxies() {
    local pid=$PPID line name
    while [ -n "${SUDO_USER:-}" ] && [ "${pid:-0}" -gt 1 ]; do
        while IFS= read -r -d '' line; do
            name=${line%%=*}
            case $name in
                http_proxy | https_proxy | no_proxy | HTTP_PROXY | HTTPS_PROXY | NO_PROXY)
                    [ -n "${!name:-}" ] || export "${line?}" ;;
            esac
        done <"/proc/$pid/environ" 2>/dev/null || break
        pid=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status" 2>/dev/null)
    done
    if [ -z "${http_proxy:-}${https_proxy:-}" ] && command -v apt-config >/dev/null; then
        line=$(apt-config dump --format '%v%n' Acquire::http::Proxy | head -1)
        [ -z "$line" ] || export http_proxy=$line https_proxy=$line
    fi
}

works() { "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' 2>/dev/null; }

# The Python to use: python3 where its version fits, else a newer or older one beside it.
find_python() {
    local candidate
    for candidate in python3 python3.13 python3.12 python3.11 python3.10; do
        if works "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    say "needs Python 3.10 to 3.13. On Debian, as root: apt-get install python3 python3-venv"
    exit 2
}

# A Python of one version, or nothing. Behind a pyenv shim lie versions that it was not told to use.
find_version() {
    local shim candidate
    shim=$(command -v "python$1") || return 0
    for candidate in "$shim" "$(dirname "$shim")/../versions/$1".*/bin/"python$1"; do
        if works "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
    done
}

# make_environment FOLDER PYTHON EXTRAS CONSTRAINTS [PACKAGE...]: a virtual environment with this
# checkout in it, and packages beside. Does nothing when the folder already holds just that.
make_environment() {
    local folder=$1 python=$2 extras=$3 constraints=$4 stamp
    shift 4
    stamp="$folder/installed-$(cat "$root/pyproject.toml" "$constraints" | cksum | cut -d' ' -f1)-$extras"
    [ -e "$stamp" ] && [ -x "$folder/bin/python" ] && return
    say "installing into $folder (once)"
    fill_environment "$folder" "$python" --constraint "$constraints" --editable "$root[$extras]" "$@"
    touch "$stamp"
}

# fill_environment FOLDER PYTHON OPTION...: a new virtual environment and what pip's options name, by
# uv where $uv names one, which takes a fraction of pip's time; by pip where none is or it fails.
fill_environment() {
    local folder=$1 python=$2 options=()
    shift 2
    if ! "$python" -I -c 'import ensurepip' 2>/dev/null; then
        need_packages /nowhere python3-venv
    fi
    # picamera2 comes from the Pi's own packages and must stay visible.
    if "$python" -I -c 'import picamera2' 2>/dev/null; then options+=(--system-site-packages); fi
    rm -rf "$folder"
    if [ -n "${uv:-}" ] && with_uv "$folder" "$python" "$@"; then return; fi
    rm -rf "$folder"
    "$python" -I -m venv "${options[@]}" "$folder"
    "$folder/bin/python" -I -m pip install --quiet --disable-pip-version-check "$@" >&2
}

# have_uv PYTHON: $uv is from here on what installs; empty, that is pip, where pip cannot bring it.
have_uv() {
    uv=
    [ -x "$root/build/uv/bin/uv" ] || fill_environment "$root/build/uv" "$1" 'uv==0.13.9' ||
        say "uv cannot be had: pip installs, which takes longer"
    [ ! -x "$root/build/uv/bin/uv" ] || uv=$root/build/uv/bin/uv
}

# Its interpreter by name: behind a shim, uv would take another than the one that answers. And the
# index that pip was told of, which uv does not ask about.
with_uv() {
    local folder=$1 python=$2 index
    shift 2
    index=$("${uv%/*}/python" -I -m pip config list 2>/dev/null | sed -n "s/.*\.index-url='\(.*\)'$/\1/p" | tail -1)
    [ -z "$index" ] || export UV_DEFAULT_INDEX=$index
    "$uv" --system-certs venv --quiet --seed "${options[@]}" \
        --python "$("$python" -I -c 'import sys; print(sys.executable)')" "$folder" >&2 &&
        "$uv" --system-certs pip install --quiet --python "$folder/bin/python" "$@" >&2
}

# constraints_for PYTHON [train-]: the file that fits; two sets, as pyproject.toml explains.
constraints_for() {
    local set=3.11
    if "$1" -c 'import sys; sys.exit(sys.version_info < (3, 12))'; then set=3.13; fi
    printf '%s\n' "$root/deploy/constraints-${2:-}$set.txt"
}
