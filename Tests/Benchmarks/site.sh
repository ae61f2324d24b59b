# site.sh: what a benchmark starts, and how it ends: the upstream, the peer, Patchbay. Sourced by run.sh and growth.sh.
#
# From the environment, for both:
#   PATCHBAY     the program; default .build/release/patchbay, built if it is not there
#   TMPDIR       where the outbox is written: put it on a disk that counts
#   CONNECTIONS  of the load generator, 64 by default
#   KEEP=1       leave the directory with logs, figures and configurations
#   COUNTERS=1   count instructions with perf: they hardly depend on what else the machine does. Counting costs time at
#                every switch between threads, so the other lines are not to be quoted from such a run
#
# Installs what is missing. Where systemd runs, Debian's nginx package also starts a server of its own on port 80.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
patchbay=${PATCHBAY:-$top/.build/release/patchbay}
# Patchbay's `retention.profiles_in_memory`, its default.
in_memory=100000
export LC_ALL=C
export BENCHMARK_TOKEN=0b5f1c3de8a94b6c BENCHMARK_SECRET_KEY=secret_live_benchmark
export BENCHMARK_CLIENT_KEY=client_benchmark_5d0e7c1b9a42

"$top/deploy/packages.sh" nginx libnginx-mod-http-lua lua-cjson openssl gcc libc6-dev ${COUNTERS:+linux-perf}
[ -x "$patchbay" ] || (cd "$top" && swift build -c release --static-swift-stdlib --product patchbay)

work=$(mktemp -d)
chmod 755 "$work" # nginx's workers are another user
mkdir "$work/temp"
declare -A running=() # pid -> name

# MARK: The end

# By pid, and waits for the end: of Patchbay that is when all is written that it put off.
stop() { # stop NAME
    local pid begin
    for pid in "${!running[@]}"; do
        [ "${running[$pid]}" = "$1" ] || continue
        unset "running[$pid]"
        kill "$pid" 2>/dev/null || true
        begin=$SECONDS
        while kill -0 "$pid" 2>/dev/null; do
            if ((SECONDS - begin > 120)); then
                kill -KILL "$pid"
                fail "$1 does not end within two minutes"
            fi
            sleep 0.02
        done
    done
}

finish() {
    local status=$? name
    trap - EXIT
    # Each by itself: what does not end must not keep the others.
    for name in load idle counters patchbay peer1 peer2 upstream; do (stop "$name") || status=1; done
    if [ -n "${KEEP:-}" ]; then echo "Kept: $work"; else rm -rf "$work"; fi
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

fail() {
    echo "${0##*/}: $*" >&2
    find "$work" -name '*.err' -size +0 -exec tail -v -n 3 {} + >&2 || true
    exit 1
}

describe() { # what was measured, and on what
    echo "$("$patchbay" --version), $(nginx -v 2>&1 | sed 's|.*/|nginx |'), $(nproc) cores, Linux $(uname -r)," \
        "outbox on $(stat -f -c %T "$work")"
}

# MARK: The start

taken=" "
pick_port() { # pick_port VARIABLE
    local -n picked=$1
    while true; do
        # Below the range from which the kernel takes ports of its own.
        picked=$((10000 + RANDOM % 20000))
        [[ $taken != *" $picked "* ]] || continue
        (exec 3<>"/dev/tcp/127.0.0.1/$picked") 2>/dev/null || break
    done
    taken+="$picked "
}

get() { # get PORT PATH: the answer with its head; nothing while nobody listens
    {
        exec 3<>"/dev/tcp/127.0.0.1/$1" || return 0
        printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$2" >&3
        timeout 5 cat <&3
        exec 3>&-
    } 2>/dev/null || true
}

# What differs between machines and runs, put into a configuration in the place of @NAME@.
configure() { # configure FROM TO NAME=VALUE...
    local from=$1 to=$2 pair script=""
    shift 2
    for pair in "$@" "WORK=$work" "UPSTREAM_PORT=$upstream_port" "TLS_PORT=$tls_port"; do
        script+="s|@${pair%%=*}@|${pair#*=}|g;"
    done
    sed -e "$script" "$here/$from" >"$work/$to"
}

start_nginx() { # start_nginx NAME PORT
    local tries
    nginx -e "$work/$1.err" -p "$work" -c "$work/$1.conf" 2>/dev/null &
    running[$!]=$1
    disown
    for ((tries = 0; tries < 250; tries++)); do
        sleep 0.02
        kill -0 $! 2>/dev/null || break
        [ -z "$(get "$2" /)" ] || return 0
    done
    fail "nginx does not start as $1 on port $2"
}

start_upstream() {
    configure upstream.conf upstream.conf
    start_nginx upstream "$upstream_port"
}

# Sets peer_ports[WORKERS].
peer_ports=()
start_peer() { # start_peer WORKERS
    local modules
    modules=$(nginx -V 2>&1 | grep -o -- '--modules-path=[^ ]*' | cut -d= -f2)
    pick_port "peer_ports[$1]"
    configure peer.conf "peer$1.conf" "NAME=peer$1" "WORKERS=$1" "PEER_PORT=${peer_ports[$1]}" "MODULES=$modules" \
        "CLIENT_KEY=$BENCHMARK_CLIENT_KEY"
    start_nginx "peer$1" "${peer_ports[$1]}"
}

# Sets pid, port, admin, ready_ms and, for what starting took, started_ms.
start_patchbay() { # start_patchbay OUTBOX LOOPS UPSTREAM
    local log=$work/patchbay.log begin=${EPOCHREALTIME/./} line
    configure patchbay.yaml patchbay.yaml "OUTBOX=$work/$1.db" "LOOPS=$2" "UPSTREAM=$3" "IN_MEMORY=$in_memory"
    rm -f "$work/patchbay.pid" "$work/patchbay.cpu"
    : >"$log"
    # The shell waits for it and says in the end what CPU it took, to the millisecond: after that /proc knows nothing.
    (
        TIMEFORMAT='%3U %3S'
        time sh -c 'echo $$ >"$0.pid"; exec "$1" serve --config "$0.yaml" >"$2" 2>"$0.err"' \
            "$work/patchbay" "$patchbay" "$log"
    ) 2>"$work/patchbay.cpu" &
    timer=$!
    disown
    while ((${EPOCHREALTIME/./} - begin < 120000000)); do
        if read -r line <"$log" && [[ $line =~ \"listen\":\"[^\"]*:([0-9]+)\",\"admin\":\"[^\"]*:([0-9]+)\" ]]; then
            port=${BASH_REMATCH[1]} admin=${BASH_REMATCH[2]}
            read -r pid <"$work/patchbay.pid"
            running[$pid]=patchbay
            [[ $(get "$port" /readyz) == "HTTP/1.1 200"* ]] || continue
            ready_ms=$(((${EPOCHREALTIME/./} - begin) / 1000))
            started_ms=$(cpu_ms "$pid")
            return
        fi
        kill -0 "$timer" 2>/dev/null || break
        sleep 0.005
    done
    fail "Patchbay does not start"
}

# Sets all_cpu_ms: what it took since it was ready, the end with all that was put off included.
stop_patchbay() {
    local user system tries
    stop patchbay
    for ((tries = 0; tries < 250; tries++)); do
        kill -0 "$timer" 2>/dev/null || break
        sleep 0.02
    done
    read -r user system <"$work/patchbay.cpu" || fail "Patchbay did not end well"
    all_cpu_ms=$(awk -v s="$user" -v t="$system" 'BEGIN { printf "%d", (s + t) * 1000 }')
    all_cpu_ms=$((all_cpu_ms - started_ms))
}

# MARK: What it all needs

ulimit -n "$(ulimit -Hn | awk '{ print ($1 == "unlimited" || $1 > 65536) ? 65536 : $1 }')"
cc -std=gnu17 -O2 -Wall -o "$work/arrivals" "$here/arrivals.c" -lm
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$work/upstream.key" -out "$work/upstream.pem" \
    2>"$work/openssl.err" || fail "openssl makes no certificate"
rm "$work/openssl.err"
pick_port upstream_port
pick_port tls_port
plain_upstream=http://127.0.0.1:$upstream_port tls_upstream=https://127.0.0.1:$tls_port
