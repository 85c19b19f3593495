# What the collector knows, kept aside while a newer version is tried; sourced, not run. Expects $home,
# $settings and `say` and `refuse` of install.sh.
#
# A newer version upgrades the database when it starts, and an older one does not open a newer
# database: going back has to bring the data back too.

kept=$home/before-upgrade

# database_of VERSION: the database's address in the settings in force.
database_of() {
    "$1/bin/roommood" collector show-config --config "$settings/collector.yaml" 2>/dev/null | sed -n 's/^database: //p' | tr -d "'\""
}

# keep_data VERSION: copies what the version before knows, with its collector stopped. Refuses, with the collector running
# again, where that cannot be done.
keep_data() {
    local database path unit
    database=$(database_of "$1")
    # Nobody writes to the database while it is copied, no backup either.
    for unit in roommood-backup.timer roommood-backup.service roommood-erasures.path; do
        [ ! -e "/etc/systemd/system/$unit" ] || systemctl stop "$unit"
    done
    systemctl stop roommood-collector.service
    rm -rf "$kept"
    mkdir -m 700 "$kept"
    date -u +%Y-%m-%dT%H:%M:%SZ >"$kept/stopped"
    printf '%s\n' "$database" >"$kept/address"
    case $database in
        sqlite:///*)
            path=${database#sqlite:///}
            for end in '' -wal -journal; do
                [ ! -e "$path$end" ] || cp -a "$path$end" "$kept/database$end" || not_kept "$path"
            done ;;
        *)
            "$1/bin/roommood" collector backup --config "$settings/collector.yaml" --out "$kept/backup.tar.gz" >&2 ||
                not_kept "its database" ;;
    esac
    [ ! -e "$home/audit.head" ] || cp -a "$home/audit.head" "$kept/"
    say "what the collector knows is in $kept until the next upgrade"
}

# back_up_again: the timers that keep_data stopped, where this version has them; others are left as IT set them.
back_up_again() {
    local unit
    for unit in roommood-backup.timer roommood-erasures.path; do
        [ ! -e "/etc/systemd/system/$unit" ] || ! systemctl is-enabled --quiet "$unit" || systemctl start "$unit" || true
    done
}

not_kept() {
    rm -rf "$kept"
    systemctl start roommood-collector.service || true
    back_up_again
    refuse "no copy of $1 could be made, see above: make room below $home. Nothing was changed, and the collector runs as before"
}

# bring_back VERSION: the data as they were when the version before was stopped. What was erased stays on the list of
# erasures, by which the older collector erases it again; what devices sent since is asked for again.
bring_back() {
    local database path end
    [ -e "$kept/address" ] || return 0
    database=$(cat "$kept/address")
    systemctl stop roommood-collector.service || true
    [ ! -e "$kept/audit.head" ] || cp -a "$kept/audit.head" "$home/"
    case $database in
        sqlite:///*)
            path=${database#sqlite:///}
            rm -f "$path-wal" "$path-shm" "$path-journal"
            for end in '' -wal -journal; do
                [ ! -e "$kept/database$end" ] || cp -a --remove-destination "$kept/database$end" "$path$end"
            done
            "$1/bin/roommood" collector resend --config "$settings/collector.yaml" --since "$(cat "$kept/stopped")" >&2 || true ;;
        *)
            say "the database is not on this machine's disk. If the previous version does not open it: make an empty one, name it in $settings/collector.yaml, and run"
            say "    sudo roommood collector restore --from $kept/backup.tar.gz --config $settings/collector.yaml" ;;
    esac
}
