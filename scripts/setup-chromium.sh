#!/usr/bin/env bash
# Finds Chromium and the ChromeDriver of the same version, for the tests of the example's pages, and gets them if they are
# missing. Prints the paths of both programs, a line each.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/common.sh
. scripts/common.sh

# Prints the first number of a program's version; fails if the program does not run.
major() {
    local text
    [ -x "$1" ] && text=$("$1" --version 2>/dev/null </dev/null) || return 1
    [[ $text =~ ([0-9]+)\.[0-9.]+ ]] && printf '%s\n' "${BASH_REMATCH[1]}"
}

# A driver drives browsers of its own version and no others.
fit() {
    local browser driver
    browser=$(major "$1") && driver=$(major "$2") && [ "$browser" = "$driver" ]
}

# Fails with 2 where there is none, and says what is wrong where it was told which.
find_chromium() {
    local browser driver browsers drivers
    local unpacked=$PWD/.partywall/chromium/bin
    browsers=("$(command -v chromium || true)" "$(command -v chromium-browser || true)" "$(command -v google-chrome || true)"
        /usr/bin/chromium /opt/homebrew/bin/chromium "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
        "/Applications/Chromium.app/Contents/MacOS/Chromium" "$unpacked/chromium")
    drivers=("$(command -v chromedriver || true)" /usr/bin/chromedriver /usr/lib/chromium/chromedriver
        /opt/homebrew/bin/chromedriver "$unpacked/chromedriver")
    if [ -n "${PARTYWALL_CHROMIUM:-}" ]; then
        browsers=("$PARTYWALL_CHROMIUM")
        major "${browsers[0]}" >/dev/null ||
            die "\`PARTYWALL_CHROMIUM\` is \`$PARTYWALL_CHROMIUM\`, which does not run: correct or unset it"
    fi
    if [ -n "${PARTYWALL_CHROMEDRIVER:-}" ]; then
        drivers=("$PARTYWALL_CHROMEDRIVER")
        major "${drivers[0]}" >/dev/null ||
            die "\`PARTYWALL_CHROMEDRIVER\` is \`$PARTYWALL_CHROMEDRIVER\`, which does not run: correct or unset it"
    fi
    for browser in "${browsers[@]}"; do
        for driver in "${drivers[@]}"; do
            if fit "$browser" "$driver"; then
                printf '%s\n' "$browser" "$driver"
                return
            fi
        done
    done
    return 2
}

from_deb() {
    has apt-get && has dpkg || return 1
    say "  … from this distribution's packages, without installing them"
    # The driver's package wants the browser's of the same version.
    apt_unpack "$1" chromium-driver || return 1
    mkdir "$1/bin"
    wrap "$1" usr/lib/chromium/chromium >"$1/bin/chromium"
    wrap "$1" usr/bin/chromedriver >"$1/bin/chromedriver"
    chmod -R a+rX "$1"
    chmod a+x "$1/bin/chromium" "$1/bin/chromedriver"
    fit "$1/bin/chromium" "$1/bin/chromedriver" || return 1
    install_folder "$1" chromium
}

from_apt() {
    may_apt || return 1
    say "  … with apt-get"
    apt_install chromium chromium-driver
}

get_chromium() {
    local way scratch ways=(from_deb from_apt)
    # Root has the system to itself; others are spared a change of the whole system as long as there is another way.
    if is_root; then ways=(from_apt from_deb); fi
    for way in "${ways[@]}"; do
        scratch=$(scratch_folder)
        if "$way" "$scratch"; then
            rm -rf -- "$scratch"
            find_chromium && return
        fi
        rm -rf -- "$scratch"
    done
    return 1
}

if found=$(find_chromium); then
    printf '%s\n' "$found"
    exit
elif [ $? -ne 2 ]; then
    exit 1
fi
if [ -n "${PARTYWALL_CHROMIUM:-}${PARTYWALL_CHROMEDRIVER:-}" ]; then
    die "\`PARTYWALL_CHROMIUM\` and \`PARTYWALL_CHROMEDRIVER\` are no browser and driver of one version: correct or unset them"
fi
say "Chromium is missing; getting it (once)"
found=$(get_chromium) ||
    die "Chromium or its ChromeDriver is missing and could not be had: install both (\`apt-get install chromium chromium-driver\`), or set \`PARTYWALL_CHROMIUM\` and \`PARTYWALL_CHROMEDRIVER\` to programs of one version"
say "  Chromium is \`${found%%$'\n'*}\`"
printf '%s\n' "$found"
