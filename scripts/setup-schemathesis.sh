#!/usr/bin/env bash
# Finds Schemathesis, for the test that asks the example's API whatever its document allows, and gets it if it is missing.
# Prints the path of the program.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/common.sh
. scripts/common.sh

REQUIREMENTS=scripts/schemathesis.requirements.txt

# Prints the version that is pinned.
pinned() { sed -n 's/^schemathesis==\([0-9.]*\).*/\1/p' "$REQUIREMENTS"; }

# works PROGRAM: runs, and is the version that is pinned: others have other options.
works() {
    local text
    [ -x "$1" ] && text=$("$1" --version 2>/dev/null </dev/null) || return 1
    [[ $text == *" $(pinned)" ]]
}

# Fails with 2 where there is none, and says what is wrong where it was told which.
find_schemathesis() {
    local program
    if [ -n "${PARTYWALL_SCHEMATHESIS:-}" ]; then
        works "$PARTYWALL_SCHEMATHESIS" ||
            die "\`PARTYWALL_SCHEMATHESIS\` is \`$PARTYWALL_SCHEMATHESIS\`, which is no Schemathesis $(pinned) that runs: correct or unset it"
        printf '%s\n' "$PARTYWALL_SCHEMATHESIS"
        return
    fi
    for program in "$PWD/.partywall/schemathesis/bin/schemathesis" "$(command -v schemathesis || true)"; do
        if works "$program"; then
            printf '%s\n' "$program"
            return
        fi
    done
    return 2
}

if found=$(find_schemathesis); then
    printf '%s\n' "$found"
    exit
elif [ $? -ne 2 ]; then
    exit 1
fi
say "Schemathesis is missing; getting it (once)"
found=$(pip_install schemathesis schemathesis "-m schemathesis.cli" && find_schemathesis) ||
    die "Schemathesis is missing and could not be had: install Python 3.11 or newer with pip (\`apt-get install python3-pip\`, \`brew install python\`), or set \`PARTYWALL_SCHEMATHESIS\` to the program of \`pip install schemathesis==$(pinned)\`"
say "  Schemathesis is \`$found\`"
printf '%s\n' "$found"
