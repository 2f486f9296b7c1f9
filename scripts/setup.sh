#!/usr/bin/env bash
# Sets up what the repository needs besides Rust, once: PostgreSQL, and for the tests its other versions, PgBouncer,
# Chromium, Schemathesis and Django.
# Sourced, it exports where those are; PostgreSQL is found by `partywall-embedded` itself.
#   scripts/setup.sh [postgresql] [versions] [pgbouncer] [chromium] [schemathesis] [django]

setup() {
    local scripts found
    scripts=$(dirname "${BASH_SOURCE[0]}")
    while [ $# -gt 0 ]; do
        case $1 in
            postgresql) "$scripts/setup-postgresql.sh" >/dev/null || return ;;
            versions) "$scripts/setup-postgresql-versions.sh" || return ;;
            pgbouncer)
                PARTYWALL_PGBOUNCER=$("$scripts/setup-pgbouncer.sh") || return
                export PARTYWALL_PGBOUNCER
                ;;
            chromium)
                found=$("$scripts/setup-chromium.sh") || return
                PARTYWALL_CHROMIUM=${found%%$'\n'*}
                PARTYWALL_CHROMEDRIVER=${found#*$'\n'}
                export PARTYWALL_CHROMIUM PARTYWALL_CHROMEDRIVER
                ;;
            schemathesis)
                PARTYWALL_SCHEMATHESIS=$("$scripts/setup-schemathesis.sh") || return
                export PARTYWALL_SCHEMATHESIS
                ;;
            django)
                PARTYWALL_DJANGO=$("$scripts/setup-django.sh") || return
                export PARTYWALL_DJANGO
                ;;
            *)
                printf 'error: `%s` is nothing that can be set up: use `postgresql`, `versions`, `pgbouncer`, `chromium`, `schemathesis` or `django`\n' "$1" >&2
                return 2
                ;;
        esac
        shift
    done
}

# Says what is wrong before the first line of Rust is compiled.
need_cargo() {
    if ! command -v cargo >/dev/null 2>&1 && [ -x "$HOME/.cargo/bin/cargo" ]; then
        PATH="$HOME/.cargo/bin:$PATH"
        export PATH
    fi
    command -v cargo >/dev/null 2>&1 && return
    printf 'error: `cargo` is missing: install Rust 1.94 or newer with rustup, then open a new terminal\n' >&2
    return 1
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    set -euo pipefail
    if [ $# -eq 0 ]; then set -- postgresql versions pgbouncer chromium schemathesis django; fi
    setup "$@"
    printf 'ready\n'
fi
