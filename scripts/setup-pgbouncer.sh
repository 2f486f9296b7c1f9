#!/usr/bin/env bash
# Finds PgBouncer, and gets it if there is none. Prints the path of the program.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/common.sh
. scripts/common.sh

# Runs, as the user it will run as: PgBouncer refuses root as PostgreSQL does.
works() { [ -x "$1" ] && as_server_user "$1" --version >/dev/null 2>&1; }

find_pgbouncer() {
    local program
    if [ -n "${PARTYWALL_PGBOUNCER:-}" ]; then
        works "$PARTYWALL_PGBOUNCER" ||
            die "\`PARTYWALL_PGBOUNCER\` is \`$PARTYWALL_PGBOUNCER\`, which does not run: correct or unset it"
        printf '%s\n' "$PARTYWALL_PGBOUNCER"
        return
    fi
    for program in "$(command -v pgbouncer || true)" /usr/sbin/pgbouncer /opt/homebrew/bin/pgbouncer \
        /usr/local/bin/pgbouncer "$PWD/.partywall/pgbouncer/bin/pgbouncer"; do
        if works "$program"; then
            printf '%s\n' "$program"
            return
        fi
    done
    return 1
}

from_deb() {
    has apt-get && has dpkg || return 1
    say "  … from this distribution's packages, without installing them"
    apt_unpack "$1" pgbouncer || return 1
    mkdir "$1/bin"
    wrap "$1" usr/sbin/pgbouncer >"$1/bin/pgbouncer"
    chmod -R a+rX "$1"
    chmod a+x "$1/bin/pgbouncer"
    works "$1/bin/pgbouncer" || return 1
    install_folder "$1" pgbouncer
}

from_apt() {
    may_apt || return 1
    say "  … with apt-get"
    apt_install pgbouncer || return 1
    # The package enables a service; the tests start their own.
    local sudo=()
    is_root || sudo=(sudo -n)
    if has systemctl; then "${sudo[@]}" systemctl --quiet disable pgbouncer.service >/dev/null 2>&1 || true; fi
}

get_pgbouncer() {
    local way scratch ways=(from_deb from_apt)
    # Root has the system to itself; others are spared a change of the whole system as long as there is another way.
    if is_root; then ways=(from_apt from_deb); fi
    for way in "${ways[@]}"; do
        scratch=$(scratch_folder)
        if "$way" "$scratch"; then
            rm -rf -- "$scratch"
            find_pgbouncer && return
        fi
        rm -rf -- "$scratch"
    done
    return 1
}

if found=$(find_pgbouncer); then
    printf '%s\n' "$found"
    exit
fi
if [ -n "${PARTYWALL_PGBOUNCER:-}" ]; then exit 1; fi
say "PgBouncer is missing; getting it (once)"
found=$(get_pgbouncer) ||
    die "PgBouncer is missing and could not be had: install it (\`apt-get install pgbouncer\`, \`brew install pgbouncer\`), or set \`PARTYWALL_PGBOUNCER\` to the program"
say "  PgBouncer is \`$found\`"
printf '%s\n' "$found"
