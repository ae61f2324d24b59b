# measure.sh: what is measured, of which process, and where it is written down. Sourced after site.sh.
#
# Figures are lines of ROUND CASE FIGURE VALUE in $work/figures, whole numbers with their unit in the figure's name.

hook=/hooks/appsflyer
client_route=/api/v2/server-side-api/integration/profile/set/integration-identifiers/
round=0

note() { echo "$round $1 $2 $3" >>"$work/figures"; } # note CASE FIGURE VALUE

# MARK: Processes

# User and system, of all threads and of a master's workers.
cpu_ms() { # cpu_ms PID
    local each
    for each in "$1" $(workers "$1"); do cat "/proc/$each/stat"; done | spent_ms
}

thread_ms() { # thread_ms PID NAME: of the threads whose names begin so
    cat "/proc/$1"/task/*/stat | grep -F "($2" | spent_ms
}

spent_ms() { # reads lines of /proc/PID/stat
    awk -v hz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); sum += $12 + $13 } END { printf "%d", sum * 1000 / hz }'
}

workers() { cat "/proc/$1/task/$1/children"; } # workers PID: of a master

memory_kib() { # memory_kib VmRSS|VmHWM PID...: of these together
    local key=$1 each
    shift
    for each in "$@"; do cat "/proc/$each/status"; done |
        awk -v key="$key:" '$1 == key { sum += $2 } END { print sum + 0 }'
}

# What these execute from here on, with all threads that they have or make, until count_to.
count_from() { # count_from PID...
    [ -n "${COUNTERS:-}" ] || return 0
    perf stat -x, -e instructions -p "$(tr ' ' , <<<"$*")" -o "$work/counters" 2>"$work/counters.err" &
    counters=$!
    running[$counters]=counters
    sleep 0.2
}

count_to() { # count_to CASE
    local counted
    [ -n "${COUNTERS:-}" ] || return 0
    unset "running[$counters]"
    kill -INT "$counters"
    wait "$counters" || true
    counted=$(awk -F, -v n="$events" '/instructions/ { printf "%d", $1 / n }' "$work/counters")
    ((counted > 0)) || fail "perf counts no instructions on this machine: run without COUNTERS"
    note "$1" instructions "$counted"
}

# MARK: What they say themselves

# The question counts itself, so two of them are one too many.
upstream_count() { get "$upstream_port" /count | awk '/^ *[0-9]+ [0-9]+ [0-9]+/ { print $3 }'; }

metric() { # metric NAME: 0 where there is none yet, -1 where there is no answer
    get "$admin" /metrics | tr -d '\r' | awk -v name="$1" '
        NR == 1 { answered = / 200 / }
        index($0, name) == 1 { sum += $2 }
        END { printf "%d", answered ? sum : -1 }'
}

waiting() { metric patchbay_profiles_waiting; }

# Asking costs processor time that those who deliver could use: where it takes long it is asked less often.
await_delivered() { # await_delivered SECONDS [PAUSE_SECONDS]
    local begin=$SECONDS
    while [ "$(waiting)" != 0 ]; do
        ((SECONDS - begin < $1)) || fail "not delivered after $1 seconds"
        sleep "${2:-0.02}"
    done
}

# MARK: Load

# Sets events, load_us, p50, p99, p999. Of webhooks or of client apps, as $kind says.
load() { # load NAME PORT PATH BOUND_SECONDS OPTION...
    local name=$1 to=$2 path=$3 bound=$4 bad what generator
    shift 4
    what=(-b "$here/appsflyer.json")
    [ "$kind" = hook ] || what=(-k "$BENCHMARK_CLIENT_KEY")
    # Waited for like this, a signal ends the run at once.
    timeout "$bound" "$work/arrivals" "${what[@]}" -c "${CONNECTIONS:-64}" -u "$name" "$@" "$to" "$path" \
        >"$work/arrivals.out" 2>"$work/arrivals.err" &
    generator=$!
    running[$generator]=load
    wait "$generator" || fail "the load generator failed, or took longer than $bound s"
    unset "running[$generator]"
    read -r events bad load_us p50 p99 p999 _ <"$work/arrivals.out"
    ((bad == 0)) || fail "$bad of $events requests went wrong"
}

note_speed() { # note_speed CASE CPU_MS
    note "$1" cpu_ns $(($2 * 1000000 / events))
    note "$1" events_per_second $((events * 1000000 / load_us))
}

# At half of the speed that was just seen, with random gaps.
load_half() { # load_half CASE NAME PORT PATH SECONDS SEEN
    local rate=$((events * 500000 / load_us))
    load "$2" "$3" "$4" $(($5 + 120)) -s "$6" -d "$5" -r "$rate" -j "$round"
    note "$1" half_per_second "$rate"
    note "$1" p50_us "$p50"
    note "$1" p99_us "$p99"
    note "$1" p999_us "$p999"
}

# MARK: A case, which sets kind (hook or client), seen (how often each profile), loops and upstream

peer_pid() { # peer_pid NAME
    local each
    for each in "${!running[@]}"; do [ "${running[$each]}" != "$1" ] || echo "$each"; done
}

measure_peer() { # measure_peer CASE SECONDS [half]
    local peer of path cpu asked port=${peer_ports[$loops]}
    peer=$(peer_pid "peer$loops")
    read -r -a of <<<"$(workers "$peer")"
    path=$hook
    [ "$upstream" = "$plain_upstream" ] || path=/tls$hook
    [ "$kind" = hook ] || path=$client_route
    count_from "${of[@]}"
    cpu=$(cpu_ms "$peer") asked=$(upstream_count)
    load "$1$round" "$port" "$path" $(($2 + 120)) -s "$seen" -d "$2"
    cpu=$(($(cpu_ms "$peer") - cpu))
    count_to "peer_$1"
    asked=$(($(upstream_count) - asked - 1))
    ((asked == events)) || fail "the peer asked the upstream $asked times for $events events"
    note_speed "peer_$1" "$cpu"
    note "peer_$1" upstream_millionths $((asked * 1000000 / events))
    # The most so far: the peer runs on from case to case.
    note "peer_$1" memory_kib "$(memory_kib VmHWM "${of[@]}")"
    [ -z "${3:-}" ] || load_half "peer_$1" "$1${round}half" "$port" "$path" "$2" "$seen"
}

measure_patchbay() { # measure_patchbay CASE SECONDS [half]
    local path="$hook?token=$BENCHMARK_TOKEN" cpu asked delivered begin accepted unchanged of_loops of_outbox
    [ "$kind" = hook ] || path=$client_route
    start_patchbay "$1" "$loops" "$upstream"
    note "$1" ready_ms "$ready_ms"
    count_from "$pid"
    cpu=$(cpu_ms "$pid") of_loops=$(thread_ms "$pid" loop) of_outbox=$(thread_ms "$pid" outbox)
    asked=$(upstream_count)
    load "$1$round" "$port" "$path" $(($2 + 120)) -s "$seen" -d "$2"
    begin=${EPOCHREALTIME/./}
    await_delivered 30
    note "$1" delivered_ms $(((${EPOCHREALTIME/./} - begin) / 1000))
    cpu=$(($(cpu_ms "$pid") - cpu))
    of_loops=$(($(thread_ms "$pid" loop) - of_loops)) of_outbox=$(($(thread_ms "$pid" outbox) - of_outbox))
    count_to "$1"
    delivered=$(($(upstream_count) - asked - 1))
    accepted=$(metric 'patchbay_patches_total{result="accepted"}')
    unchanged=$(metric 'patchbay_patches_total{result="unchanged"}')
    # What was answered was accepted or known, and what was accepted was delivered: each profile at least once; where
    # all are new each by itself, because there is nothing to merge it with.
    ((accepted + unchanged == events)) || fail "$events answers, but $accepted accepted and $unchanged unchanged"
    ((delivered <= accepted && delivered >= events / seen)) || fail "$delivered deliveries of $accepted patches"
    note_speed "$1" "$cpu"
    note "$1" loops_ns $((of_loops * 1000000 / events))
    note "$1" outbox_ns $((of_outbox * 1000000 / events))
    note "$1" upstream_millionths $((delivered * 1000000 / events))
    note "$1" memory_kib "$(memory_kib VmHWM "$pid")"
    stop_patchbay
    note "$1" all_cpu_ns $((all_cpu_ms * 1000000 / events))
    [ -n "${3:-}" ] || return 0
    start_patchbay "$1" "$loops" "$upstream"
    load_half "$1" "$1${round}half" "$port" "$path" "$2" "$seen"
    # By its own clock: not in it is what a request waited for the generator, or in the kernel.
    note "$1" within_5ms_millionths $(($(metric 'patchbay_request_seconds_bucket{le="0.005"}') * 1000000 / events))
    await_delivered 30
    stop_patchbay
}

# MARK: Connections that ask nothing

measure_idle() { # measure_idle CASE CONNECTIONS
    local most=$(($(ulimit -n) - 200)) idle fd n holder
    ((most < $2)) || most=$2
    start_patchbay idle 1 "$plain_upstream"
    sleep 0.5
    idle=$(memory_kib VmRSS "$pid")
    note "$1" memory_kib "$idle"
    note "$1" ready_ms "$ready_ms"
    rm -f "$work/opened" "$work/hold"
    mkfifo "$work/opened" "$work/hold"
    # Each has had an answer, and is kept open for the next request; the answers stay unread.
    (
        for ((n = 0; n < most; n++)); do
            exec {fd}<>"/dev/tcp/127.0.0.1/$port"
            printf 'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n' >&"$fd"
        done
        echo >"$work/opened"
        read -r -t 60 _ <>"$work/hold"
    ) 2>"$work/idle.err" &
    holder=$!
    running[$holder]=idle
    disown
    read -r -t 60 _ <>"$work/opened" || fail "no $most connections within a minute"
    sleep 0.5
    note "$1" connections_kib $(($(memory_kib VmRSS "$pid") - idle))
    n=$(find "/proc/$pid/fd" -lname 'socket:*' | wc -l)
    ((n >= most)) || fail "only $n of $most connections are open"
    note "$1" connections "$most"
    stop idle
    stop_patchbay
}
