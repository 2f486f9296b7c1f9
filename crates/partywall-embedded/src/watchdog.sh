# Runs `initdb` once and then `postgres`, for the program at the other end of standard input. When that end closes, for
# whatever reason, `postgres` is stopped. When `postgres` ends, for whatever reason, this ends.
# Standard output is the lock, held until the end; standard error is the log; the first line of input is the password.
# Exit codes: 0 stopped as asked, 3 `initdb` failed, 4 `postgres` ended by itself.
set -u
# Only the end of the program counts, not what a terminal or a service manager sends to everybody.
trap '' HUP INT TERM
data=$1 staging=$2 initdb=$3 sync=$4 stop=$5 scratch=$6
shift 6

child='' ended='' pressure=0
send() { if [ -n "$child" ]; then kill -s "$1" "$child" 2>/dev/null; fi; }
trap 'ended=yes; send "$stop"' USR1
trap 'pressure=$((pressure + 1)); if [ "$pressure" -lt 2 ]; then send QUIT; else send KILL; fi' USR2

guard=''
leave() {
    if [ -n "$guard" ]; then kill -s KILL "$guard" 2>/dev/null; fi
    # What a killed `initdb` leaves running may still write for a moment.
    if [ -n "$scratch" ]; then
        for _ in 1 2 3 4 5; do rm -rf -- "$scratch" && break; sleep 1; done
    fi
    exit "$1"
}

# Waits for the newest background process. A signal interrupts `wait`, so it is repeated until the process is gone.
await() {
    child=$!
    if [ -n "$ended" ]; then send "$stop"; fi
    wait "$child"; status=$?
    while kill -s 0 "$child" 2>/dev/null; do wait "$child"; status=$?; done
    child=''
}

IFS= read -r password || leave 0

# The guard reads until the pipe closes, and then insists: a signal can come too early, before anyone listens.
exec 3<&0 </dev/null
{
    while read -r _ <&3; do :; done
    seconds=0
    while kill -s USR1 $$ 2>/dev/null; do
        sleep 1
        seconds=$((seconds + 1))
        case $seconds in 20 | 30) kill -s USR2 $$ 2>/dev/null ;; esac
    done
} </dev/null >/dev/null 2>&1 &
guard=$!
exec 3<&-

if [ ! -e "$data" ]; then
    rm -rf -- "$staging"
    printf '%s\n' "$password" | "$initdb" --pgdata="$staging" --username=postgres --pwfile=/dev/stdin \
        --auth=scram-sha-256 --encoding=UTF8 --locale=C ${sync:+"$sync"} >&2 &
    await
    if [ -n "$ended" ]; then leave 0; fi
    if [ "$status" -ne 0 ]; then leave 3; fi
    mv -- "$staging" "$data" || leave 3
fi

# Left by a server that was killed; the program has made sure that it is dead.
rm -f -- "$data/postmaster.pid"
"$@" </dev/null >&2 &
await
if [ -n "$ended" ]; then leave 0; fi
leave 4
