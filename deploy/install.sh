# Functions that the two installers share; sourced, not run. They expect $root, the checkout, and
# $part, `agent` or `collector`.

. "$root/deploy/environment.sh"

prefix=/opt/roommood/$part
settings=/etc/roommood

refuse() { say "$*"; exit 2; }

# A machine this cannot work on is told why, before anything is changed.
check_host() {
    [ "$(uname -s)" = Linux ] || refuse "this is $(uname -s): roommood runs on Debian, Raspberry Pi OS and Ubuntu"
    [ "$(id -u)" = 0 ] || refuse "needs root, to make a user and services: sudo $0"
    [ -d /run/systemd/system ] || refuse "systemd is not running here; in a container use 'roommood $part run' directly"
    command -v apt-get >/dev/null || refuse "no apt-get: roommood's packages come from Debian's"
    keep_proxies
    case $(uname -m) in
        x86_64 | aarch64) ;;
        *) refuse "$(uname -m): there is no TFLite for it; use a 64-bit system (on a Pi: Raspberry Pi OS, 64-bit)" ;;
    esac
    local free
    free=$(df --output=avail -m /opt | tail -1)
    [ "$free" -ge 700 ] || refuse "/opt has $free MB free: make room for 700"
}

# version_folder EXTRAS PYTHON: of this version, named by what is in the checkout and what comes with it, so that the same
# is installed once, and by the interpreter, which a newer Debian replaces.
version_folder() {
    local sum
    sum=$(cd "$root" && printf '%s\n' "$1" | cat - pyproject.toml systemd/* deploy/libexec/* \
        $(find edge collector models/*.py models/packs deploy -type f ! -name '*.pyc' | LC_ALL=C sort) | cksum | cut -d' ' -f1)
    printf '%s/versions/%s-%s-py%s\n' "$prefix" \
        "$(sed -n 's/^fallback_version = "\(.*\)"/\1/p' "$root/pyproject.toml")" "$sum" \
        "$("$2" -I -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
}

# What kills processes on purpose, trains and measures is for a checkout, not for a device in a room, nor for the school's server.
from_a_checkout=(deploy/bench models/data models/measure models/training)

# copy_source FOLDER: the checkout as it is installed. With .git where there is one, since the version comes from
# its tags; they read "changed" where a file lacks, so git is told not to look for those that stay behind.
copy_source() {
    tar -C "$root" --exclude=./build --exclude=./.venv -cf - . | tar -C "$1" --no-same-owner -xf -
    if [ -e "$1/.git" ] && command -v git >/dev/null; then
        git -C "$1" ls-files -z "${from_a_checkout[@]}" | git -C "$1" update-index -z --skip-worktree --stdin
    fi
    (cd "$1" && rm -rf "${from_a_checkout[@]}")
}

# install_version EXTRAS WHEELS: a virtual environment in the version's folder; there already only if its Python runs. Our own
# wheel and the pins stay in it, from which libexec/mend-environment makes it again for another Python.
install_version() {
    local extras=$1 wheels=$2 folder python from=() source
    python=$(find_python)
    folder=$(version_folder "$extras" "$python")
    "$folder/bin/python" -I -c 'import deploy.commands.cli' 2>/dev/null && { printf '%s\n' "$folder"; return; }
    "$python" -I -c 'import ensurepip' 2>/dev/null || need_packages /nowhere python3-venv
    [ -z "$wheels" ] || from=(--no-index --find-links "$wheels")
    say "installing into $folder"
    rm -rf "$folder"
    mkdir -p "$folder/keep/pins" "$folder/libexec" "$folder/systemd"
    cp "$root"/deploy/libexec/* "$folder/libexec/"
    cp "$root"/systemd/* "$folder/systemd/"
    cp "$root"/deploy/pins/*.txt "$folder/keep/pins/"
    printf '%s\n' "$extras" >"$folder/keep/extras"
    local options=()
    if "$python" -I -c 'import picamera2' 2>/dev/null || [ -e /etc/nv_tegra_release ]; then
        options+=(--system-site-packages)
    fi
    "$python" -I -m venv "${options[@]}" "$folder" >&2
    source=$(mktemp -d)
    copy_source "$source"
    # Root runs what builds our wheel, too: it comes by its hashes, in an environment that goes again.
    if ! { "$python" -I -m venv "$folder/builder" >&2 &&
        "$folder/builder/bin/python" -I -m pip install --quiet --disable-pip-version-check --no-cache-dir \
            "${from[@]}" --require-hashes --only-binary :all: --requirement "$root/deploy/pins/build.txt" >&2 &&
        TMPDIR=$(dirname "$folder") "$folder/builder/bin/python" -I -m pip wheel --quiet --disable-pip-version-check --no-cache-dir \
            --no-index --no-build-isolation --no-deps --wheel-dir "$folder/keep" "$source" >&2 &&
        "$folder/libexec/fill-environment" "$folder" "$python" "$wheels" >&2; }; then
        rm -rf "$folder" "$source"
        refuse "pip could not install, see above; without a network use --wheels FOLDER"
    fi
    rm -rf "$source" "$folder/builder"
    # For libexec/mend-environment, which nobody calls with them.
    env | grep -i '^\(https\?\|no\)_proxy=' >"$prefix/proxies" || rm -f "$prefix/proxies"
    [ ! -e "$prefix/proxies" ] || chmod 600 "$prefix/proxies"
    if [ -n "$wheels" ]; then
        rm -rf "$prefix/wheels"
        cp -r "$wheels" "$prefix/wheels"
    fi
    printf '%s\n' "$folder"
}

# switch_to FOLDER: from now on this version runs; the one before stays, to go back to.
switch_to() {
    local before
    before=$(readlink "$prefix/current" || true)
    [ "$before" = "$1" ] && return
    [ -z "$before" ] || ln -sfn "$before" "$prefix/previous"
    ln -sfn "$1" "$prefix/current.new"
    mv -T "$prefix/current.new" "$prefix/current"
}

# go_back UNIT...: to the version before, with its units.
go_back() {
    local before
    before=$(readlink "$prefix/previous" || true)
    [ -n "$before" ] || return 1
    ln -sfn "$before" "$prefix/current.new"
    mv -T "$prefix/current.new" "$prefix/current"
    put_units "$@"
}

# Versions that are neither in use nor the one before.
tidy_versions() {
    local folder
    for folder in "$prefix"/versions/*; do
        case $folder in
            "$(readlink "$prefix/current")" | "$(readlink "$prefix/previous" || true)") ;;
            *) rm -rf "$folder" ;;
        esac
    done
}

# put_units NAME...: units, users and folders, as the version in use has them. One that it does not
# have yet, after going back, stays as it is.
put_units() {
    local unit from=$prefix/current/systemd
    for unit in "$@"; do
        [ -e "$from/$unit" ] || continue
        case $unit in
            *.sysusers) install -D -m 644 "$from/$unit" "/etc/sysusers.d/${unit%.sysusers}.conf" ;;
            *.tmpfiles) install -D -m 644 "$from/$unit" "/etc/tmpfiles.d/${unit%.tmpfiles}.conf" ;;
            *) install -D -m 644 "$from/$unit" "/etc/systemd/system/$unit" ;;
        esac
    done
    systemd-sysusers
    for unit in "$@"; do
        [ -e "/etc/tmpfiles.d/${unit%.tmpfiles}.conf" ] || continue
        systemd-tmpfiles --create "/etc/tmpfiles.d/${unit%.tmpfiles}.conf"
    done
    systemctl daemon-reload
}

# is_well UNIT SECONDS: it runs, and goes on running without a new start.
is_well() {
    local end=$((SECONDS + $2)) starts
    starts=$(systemctl show -P NRestarts "$1")
    while ((SECONDS < end)); do
        sleep 2
        [ "$(systemctl show -P NRestarts "$1")" = "$starts" ] || return 1
        systemctl is-failed --quiet "$1" && return 1
    done
    systemctl is-active --quiet "$1"
}

# tidy_command LINK PREFIXES: the command leads to a part that is still installed, or is gone.
tidy_command() {
    local other
    [ -L "$1" ] && [ ! -e "$1" ] || return 0
    rm -f "$1"
    for other in collector agent; do
        [ ! -x "$2/$other/current/bin/roommood" ] || { ln -s "$2/$other/current/bin/roommood" "$1"; return; }
    done
}

# remove NAME...: units, users and folders of the part; $purge says whether what it knows goes too.
remove() {
    local unit
    for unit in "$@"; do
        case $unit in
            *.sysusers) rm -f "/etc/sysusers.d/${unit%.sysusers}.conf" ;;
            *.tmpfiles) rm -f "/etc/tmpfiles.d/${unit%.tmpfiles}.conf" ;;
            *) systemctl disable --now --quiet "$unit" 2>/dev/null || true
               rm -rf "/etc/systemd/system/$unit" "/etc/systemd/system/$unit.d" "/run/systemd/system.control/$unit.d" ;;
        esac
    done
    systemctl daemon-reload
    rm -rf "$prefix"
    rmdir /opt/roommood 2>/dev/null || true
    tidy_command /usr/local/bin/roommood /opt/roommood
}
