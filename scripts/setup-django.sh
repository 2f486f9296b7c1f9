#!/usr/bin/env bash
# Finds a Python with Django and django-rls-tenants, for the test that audits a database of theirs, and gets them if they are
# missing. Prints the path of a program that is that Python.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/common.sh
. scripts/common.sh

REQUIREMENTS=scripts/django.requirements.txt

# Prints the version that is pinned.
pinned() { sed -n 's/^django-rls-tenants==\([0-9.]*\).*/\1/p' "$REQUIREMENTS"; }

# works PROGRAM: runs, and has the version that is pinned, Django and a driver that loads.
works() {
    local text
    [ -x "$1" ] && text=$("$1" -c 'import django, psycopg, importlib.metadata as m; print(m.version("django-rls-tenants"))' 2>/dev/null </dev/null) || return 1
    [ "$text" = "$(pinned)" ]
}

# Fails with 2 where there is none, and says what is wrong where it was told which.
find_django() {
    local program
    if [ -n "${PARTYWALL_DJANGO:-}" ]; then
        works "$PARTYWALL_DJANGO" ||
            die "\`PARTYWALL_DJANGO\` is \`$PARTYWALL_DJANGO\`, which is no Python with django-rls-tenants $(pinned), Django and psycopg: correct or unset it"
        printf '%s\n' "$PARTYWALL_DJANGO"
        return
    fi
    program=$PWD/.partywall/django/bin/python
    if works "$program"; then
        printf '%s\n' "$program"
        return
    fi
    return 2
}

if found=$(find_django); then
    printf '%s\n' "$found"
    exit
elif [ $? -ne 2 ]; then
    exit 1
fi
say "Django with django-rls-tenants is missing; getting it (once)"
found=$(pip_install django python && find_django) ||
    die "Django with django-rls-tenants is missing and could not be had: install Python 3.11 or newer with pip (\`apt-get install python3-pip\`, \`brew install python\`), or set \`PARTYWALL_DJANGO\` to a Python that has \`pip install django-rls-tenants==$(pinned) 'psycopg[binary]'\`"
say "  Django is \`$found\`"
printf '%s\n' "$found"
