#!/usr/bin/env bash
# run.sh: Patchbay beside nginx with Lua, which does the same and stores nothing. Prints one table, ratios first.
#
# Every round measures the peer, then Patchbay with realistic traffic, then with events that are all new, for
# SECONDS_PER_ROUND each; a figure is the median over the rounds, with the lowest and the highest behind it. Machines
# differ and have other work: ratios within a round say more than what stands below them.
#
# CPU is that of the whole process, user and system, all threads, from the first event until the last is delivered. What
# the outbox puts off beyond that, the fold of its log and a checkpoint, is a line of its own: the process is stopped
# after each round, which does all of it. The outbox stays from round to round. Upstream requests are counted upstream.
#
# From the environment: ROUNDS, SECONDS_PER_ROUND, CONNECTIONS (of the load generator), PATCHBAY (the program; default
# .build/release/patchbay, built if it is not there), TMPDIR (where the outbox is written: put it on a disk that counts),
# UPSTREAM_PORT and PEER_PORT (free ones are found), KEEP=1 (leave the directory with logs and configurations),
# COUNTERS=1 (count instructions with perf: they hardly depend on what else the machine does. Counting costs time at
# every switch between threads, so the other lines are not to be quoted from such a run).
#
# Installs what is missing: nginx with Lua and wrk. Where systemd runs, Debian's nginx package also starts a server of
# its own on port 80.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
rounds=${ROUNDS:-3} seconds=${SECONDS_PER_ROUND:-4} connections=${CONNECTIONS:-64}
patchbay=${PATCHBAY:-$top/.build/release/patchbay}
export LC_ALL=C
export BENCHMARK_TOKEN=0b5f1c3de8a94b6c BENCHMARK_SECRET_KEY=secret_live_benchmark
hook="/hooks/appsflyer"

"$top/deploy/packages.sh" nginx libnginx-mod-http-lua lua-cjson wrk ${COUNTERS:+linux-perf}
[ -x "$patchbay" ] || (cd "$top" && swift build -c release --static-swift-stdlib --product patchbay)

# MARK: What is started, and how it ends

work=$(mktemp -d)
chmod 755 "$work" # nginx's worker is another user
mkdir "$work/temp"
declare -A running=() # pid -> name

stop() { # stop NAME: by pid, and waits for the end
    local pid
    for pid in "${!running[@]}"; do
        [ "${running[$pid]}" = "$1" ] || continue
        unset "running[$pid]"
        kill "$pid" 2>/dev/null || true
        while kill -0 "$pid" 2>/dev/null; do sleep 0.02; done
    done
}

finish() {
    local status=$? name
    trap - EXIT
    for name in idle counters patchbay peer upstream; do stop "$name"; done
    [ -n "${KEEP:-}" ] && echo "Kept: $work" || rm -rf "$work"
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

fail() {
    echo "run.sh: $*" >&2
    tail -n 3 "$work"/*.err >&2 || true
    exit 1
}

free_port() {
    local port
    while true; do
        # Below the range from which the kernel takes ports of its own.
        port=$((10000 + RANDOM % 20000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    echo "$port"
}

get() { # get PORT PATH: the answer with its head; nothing while nobody listens
    {
        exec 3<>"/dev/tcp/127.0.0.1/$1" || return 0
        printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$2" >&3
        timeout 5 cat <&3
        exec 3>&-
    } 2>/dev/null || true
}

# What differs between machines and runs, put into a configuration.
configure() { # configure FILE [OUTBOX]
    sed -e "s|@UPSTREAM_PORT@|$upstream_port|; s|@PEER_PORT@|$peer_port|; s|@MODULES@|$modules|; s|@OUTBOX@|${2:-}|" \
        "$here/$1" >"$work/$1"
}

start_nginx() { # start_nginx NAME PORT
    local tries
    configure "$1.conf"
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

# Sets pid, port, admin, ready_ms and, for what starting took, started_ms.
start_patchbay() { # start_patchbay OUTBOX
    local log=$work/patchbay.log begin=${EPOCHREALTIME/./} tries
    configure patchbay.yaml "$work/$1.db"
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
    for ((tries = 0; tries < 2000; tries++)); do
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

# MARK: What is measured

# User and system, of all threads and of a master's workers.
cpu_ms() {
    local each
    for each in "$1" $(cat "/proc/$1/task/$1/children"); do cat "/proc/$each/stat"; done |
        awk -v hz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); sum += $12 + $13 } END { printf "%d", sum * 1000 / hz }'
}

worker() { tr -d ' ' <"/proc/$1/task/$1/children"; } # of a master with one

memory_kib() { awk -v key="$2:" '$1 == key { print $2 }' "/proc/$1/status"; }

# The question counts itself, so two of them are one too many.
upstream_count() { get "$upstream_port" /count | awk '/^ *[0-9]+ [0-9]+ [0-9]+/ { print $3 }'; }

metric() { # metric NAME: 0 where there is none yet
    get "$admin" /metrics | tr -d '\r' | awk -v name="$1" 'index($0, name) == 1 { sum += $2 } END { printf "%d", sum }'
}

note() { echo "$round $1 $2 $3" >>"$work/figures"; } # note CASE FIGURE VALUE

# What PID executes from here on, with all threads that it has or makes, until count_to.
count_from() { # count_from PID
    [ -n "${COUNTERS:-}" ] || return 0
    perf stat -x, -e instructions -p "$1" -o "$work/counters" 2>"$work/counters.err" &
    counters=$!
    running[$counters]=counters
    sleep 0.2
}

count_to() { # count_to CASE
    [ -n "${COUNTERS:-}" ] || return 0
    unset "running[$counters]"
    kill -INT "$counters"
    wait "$counters" || true
    note "$1" instructions "$(awk -F, -v n="$events" '/instructions/ { printf "%d", $1 / n }' "$work/counters")"
}

# Sets events, load_us, p50 and p99.
load() { # load CASE SEEN URL [GAP_MS]
    local out
    out=$(BODY=$here/appsflyer.json RUN="$1$round" SEEN=$2 GAP_MS=${4:-0} \
        wrk -t1 -c"$connections" -d"${seconds}s" -s "$here/post.lua" "http://127.0.0.1:$3") || fail "wrk: $out"
    read -r _ events bad load_us p50 p99 <<<"$(grep '^result ' <<<"$out")"
    ((events > 0)) || fail "no event was answered: $out"
    ((bad == 0)) || fail "$bad of $events events went wrong"
}

note_load() {
    note "$1" events_per_second $((events * 1000000 / load_us))
    note "$1" p50_us "$p50"
    note "$1" p99_us "$p99"
}

measure_peer() {
    local peer cpu asked pid
    for pid in "${!running[@]}"; do [ "${running[$pid]}" != peer ] || peer=$pid; done
    count_from "$(worker "$peer")"
    cpu=$(cpu_ms "$peer") asked=$(upstream_count)
    load peer 20 "$peer_port$hook"
    count_to peer
    note peer cpu_ns $((($(cpu_ms "$peer") - cpu) * 1000000 / events))
    note peer upstream_millionths $((($(upstream_count) - asked - 1) * 1000000 / events))
    note peer memory_kib "$(memory_kib "$(worker "$peer")" VmHWM)"
    note_load peer
}

measure_patchbay() { # measure_patchbay CASE SEEN
    local asked cpu delivered begin now user system
    start_patchbay "$1"
    note "$1" ready_ms "$ready_ms"
    count_from "$pid"
    cpu=$(cpu_ms "$pid") asked=$(upstream_count)
    load "$1" "$2" "$port$hook?token=$BENCHMARK_TOKEN"
    begin=${EPOCHREALTIME/./}
    while [ "$(metric patchbay_profiles_waiting)" != 0 ]; do
        ((${EPOCHREALTIME/./} - begin < 30000000)) || fail "not delivered after 30 seconds"
        sleep 0.02
    done
    now=${EPOCHREALTIME/./}
    cpu=$(($(cpu_ms "$pid") - cpu))
    count_to "$1"
    delivered=$(($(upstream_count) - asked - 1))
    # What was accepted was delivered; of new profiles each by itself, because there is nothing to merge it with.
    accepted=$(metric 'patchbay_patches_total{result="accepted"}')
    [ "$1" != new ] || ((delivered == accepted)) || fail "$delivered deliveries of $accepted patches that were all new"
    note "$1" cpu_ns $((cpu * 1000000 / events))
    note "$1" upstream_millionths $((delivered * 1000000 / events))
    note "$1" delivered_ms $(((now - begin) / 1000))
    note "$1" memory_kib "$(memory_kib "$pid" VmHWM)"
    note_load "$1"
    stop patchbay
    while kill -0 "$timer" 2>/dev/null; do sleep 0.02; done
    read -r user system <"$work/patchbay.cpu"
    note "$1" all_cpu_ns "$(awk -v s="$user" -v t="$system" -v started="$started_ms" -v n="$events" \
        'BEGIN { printf "%d", ((s + t) * 1000 - started) * 1000000 / n }')"
}

# Each connection pauses for so long that all together come to half of what was seen at full load.
measure_half() { # measure_half CASE SEEN
    local peak gap
    peak=$(awk -v name="$1" '$2 == name && $3 == "events_per_second" { sum += $4; n++ } END { printf "%d", sum / n }' \
        "$work/figures")
    gap=$(awk -v peak="$peak" -v connections="$connections" 'BEGIN { printf "%.1f", connections * 2000 / peak }')
    start_patchbay "$1"
    round=half load "$1" "$2" "$port$hook?token=$BENCHMARK_TOKEN" "$gap"
    note "$1" half_events_per_second $((events * 1000000 / load_us))
    note "$1" half_p50_us "$p50"
    note "$1" half_p99_us "$p99"
    stop patchbay
}

measure_idle() {
    local most idle full fd n
    most=$(($(ulimit -n) - 200))
    ((most < 10000)) || most=10000
    start_patchbay idle
    sleep 0.5
    idle=$(memory_kib "$pid" VmRSS)
    note idle memory_kib "$idle"
    note idle ready_ms "$ready_ms"
    mkfifo "$work/opened" "$work/hold"
    # Each has had an answer, and is kept open for the next request; the answers stay unread.
    (
        for ((n = 0; n < most; n++)); do
            exec {fd}<>"/dev/tcp/127.0.0.1/$port"
            printf 'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n' >&"$fd"
        done
        echo >"$work/opened"
        read -r _ <"$work/hold"
    ) 2>"$work/idle.err" &
    running[$!]=idle
    disown
    read -r -t 60 _ <>"$work/opened" || fail "no $most connections within a minute"
    sleep 0.5
    full=$(memory_kib "$pid" VmRSS)
    n=$(find "/proc/$pid/fd" -lname 'socket:*' | wc -l)
    ((n >= most)) || fail "only $n of $most connections are open"
    note idle connections "$most"
    note idle connections_kib $((full - idle))
    stop idle
    stop patchbay
}

# MARK: The run

ulimit -n "$(ulimit -Hn | awk '{ print ($1 == "unlimited" || $1 > 65536) ? 65536 : $1 }')"
modules=$(nginx -V 2>&1 | grep -o -- '--modules-path=[^ ]*' | cut -d= -f2)
upstream_port=${UPSTREAM_PORT:-$(free_port)} peer_port=${PEER_PORT:-$(free_port)}
while [ "$peer_port" = "$upstream_port" ]; do peer_port=$(free_port); done
round=0
start_nginx upstream "$upstream_port"
start_nginx peer "$peer_port"
for ((round = 1; round <= rounds; round++)); do
    printf '\rround %d of %d ' "$round" "$rounds" >&2
    measure_peer
    measure_patchbay realistic 20
    measure_patchbay new 1
done
round=0
printf '\rhalf the load, and none ' >&2
measure_half realistic 20
measure_half new 1
measure_idle
printf '\r%30s\r' '' >&2
echo "Patchbay $("$patchbay" --version), $(nginx -v 2>&1 | cut -d/ -f2 | sed 's/^/nginx /')"
echo "$(nproc) cores, Linux $(uname -r), outbox on $(stat -f -c %T "$work"), $rounds rounds of $seconds s, $connections connections"
awk -f "$here/table.awk" "$work/figures"
