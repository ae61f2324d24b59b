#!/usr/bin/env bash
# growth.sh [PART...]: how Patchbay's cost grows. Prints a table of each part:
#
#   loops    events per second and CPU per event with one loop and with two. The load generator and the upstream run
#            on the same machine: on two cores they take most of what a second loop would gain
#   known    CPU per event where 1 thousand to 1 million profiles are known: events that say nothing new, of profiles
#            chosen evenly among all of them. Beyond those that are kept in memory each is looked up in the file: the
#            most of them once more with all in memory
#   idle     memory per connection that asks nothing
#   waiting  memory and file per profile that waits while the upstream is down; whether the last are accepted as fast
#            as the first; and how fast all are delivered when it is back
#
# All by default. Within each part the node, its limits and its upstream are those of run.sh. On two idle cores it takes
# about ten minutes, most of it for filling; FULL=1 goes on to 10 million known profiles, which takes half an hour more.
#
# From the environment: ROUNDS (3) of SECONDS_PER_ROUND (4), for loops and known; KNOWN (numbers of profiles, rising);
# FULL=1; WAITING (how many wait, 1000000); IDLE (numbers of connections); and what site.sh takes: PATCHBAY, TMPDIR,
# CONNECTIONS, KEEP, COUNTERS.
set -euo pipefail
# shellcheck source=site.sh
source "$(dirname "$0")/site.sh"
# shellcheck source=measure.sh
source "$here/measure.sh"
rounds=${ROUNDS:-3} seconds=${SECONDS_PER_ROUND:-4}
kind=hook upstream=$plain_upstream loops=1

# MARK: What is printed

row() { # row LABEL CELL...
    printf '%-26s' "$1"
    shift
    while [ $# -gt 1 ]; do printf '%-20s' "$1" && shift; done
    printf '%s\n' "$1"
}

# Over the rounds: the median, the lowest and the highest.
noted() { # noted CASE FIGURE UNIT
    awk -v kind="$1" -v key="$2" -v unit="$3" -f "$here/summary.awk" \
        -f <(echo 'END { print values(kind, key, unit) }') "$work/figures"
}

ratio() { # ratio CASE FIGURE OTHER_CASE OTHER_FIGURE: within each round
    awk -v kind="$1" -v key="$2" -v other="$3" -v other_key="$4" -f "$here/summary.awk" \
        -f <(echo 'END { print ratios(kind, key, other, other_key) }') "$work/figures"
}

per() { awk -v a="$1" -v b="$2" -v format="${3:-%.2f}" 'BEGIN { printf format, a / b }'; } # per A B [FORMAT]

file_bytes() { # file_bytes OUTBOX: with its log
    local each sum=0
    for each in "$work/$1.db" "$work/$1.db-wal"; do [ ! -e "$each" ] || sum=$((sum + $(stat -c %s "$each"))); done
    echo "$sum"
}

# MARK: Loops

over_loops() {
    local what
    for ((round = 1; round <= rounds; round++)); do
        for loops in 1 2; do
            seen=20 measure_patchbay "realistic$loops" "$seconds"
            seen=1 measure_patchbay "new$loops" "$seconds"
        done
    done
    loops=1 round=0
    row "" "one loop" "two loops" "two / one"
    for what in realistic new; do
        row_of_loops "$what, 1000 / s" "$what" events_per_second
        row_of_loops "  CPU per event, us" "$what" cpu_ns
        row_of_loops "  of the loops' threads" "$what" loops_ns
        row_of_loops "  of the outbox's thread" "$what" outbox_ns
    done
}

row_of_loops() { # row_of_loops LABEL WHAT FIGURE
    row "$1" "$(noted "${2}1" "$3" 1000)" "$(noted "${2}2" "$3" 1000)" "$(ratio "${2}2" "$3" "${2}1" "$3")"
}

# MARK: Known profiles

over_known() {
    local numbers=${KNOWN:-1000 10000 100000 1000000} number known=0
    [ -z "${FULL:-}" ] || numbers+=" 10000000"
    row "profiles known" "CPU per event, us" "events / s, 1000s" "p99, ms" "memory (RSS), MiB" "file, MiB; ready, ms"
    for number in $numbers; do
        fill "$known" "$number"
        known=$number
        for ((round = 1; round <= rounds; round++)); do measure_known "$number"; done
        row_of_known "$number" "$number"
    done
    if ((known > in_memory)); then
        # Once: a node that just started reads all of them, which takes longer than the rounds.
        in_memory=$known round=1
        measure_known "$known" _in_memory
        row_of_known "$known, all in memory" "${known}_in_memory"
        in_memory=100000
    fi
    rm -f "$work"/known.db*
}

row_of_known() { # row_of_known LABEL NUMBER[SUFFIX]
    round=0
    row "$1" "$(noted "known$2" cpu_ns 1000)" "$(noted "known$2" events_per_second 1000)" \
        "$(noted "known$2" p99_us 1000)" "$(noted "known$2" memory_kib 1024)" \
        "$(per "$(file_bytes known)" 1048576 %.0f); $(noted "known$2" ready_ms 1)"
}

# Each is delivered before it counts as known. Ended after it: what was put off is not to be measured with what follows.
fill() { # fill FROM TO
    local count=$(($2 - $1)) asked
    asked=$(upstream_count)
    start_patchbay known "$loops" "$upstream"
    load known "$port" "$hook?token=$BENCHMARK_TOKEN" $((120 + count / 500)) -f "$1" -n "$count"
    await_delivered $((60 + count / 1000)) 0.2
    stop_patchbay
    asked=$(($(upstream_count) - asked - 1))
    ((asked == count)) || fail "$asked deliveries of $count new profiles"
}

measure_known() { # measure_known PROFILES [SUFFIX]
    local asked cpu case=known$1${2:-}
    asked=$(upstream_count)
    start_patchbay known "$loops" "$upstream"
    note "$case" ready_ms "$ready_ms"
    # A node that just started has none in memory. This reads as many as it will keep, and then some.
    if ((in_memory < $1)); then
        load known "$port" "$hook?token=$BENCHMARK_TOKEN" 300 -p "$1" -j 0 -n $((in_memory * 3))
    else
        load known "$port" "$hook?token=$BENCHMARK_TOKEN" 600 -f 0 -n "$1"
    fi
    cpu=$(cpu_ms "$pid")
    load known "$port" "$hook?token=$BENCHMARK_TOKEN" $((seconds + 120)) -p "$1" -j "$round" -d "$seconds"
    note_speed "$case" $(($(cpu_ms "$pid") - cpu))
    note "$case" p99_us "$p99"
    note "$case" memory_kib "$(memory_kib VmHWM "$pid")"
    stop_patchbay
    asked=$(($(upstream_count) - asked - 1))
    ((asked == 0)) || fail "$asked deliveries of what was known"
}

# MARK: Idle connections

over_idle() {
    local number
    row "idle connections" "memory, MiB" "KiB for each"
    for number in ${IDLE:-1000 10000}; do
        measure_idle "idle$number" "$number"
        row "$(noted "idle$number" connections 1)" "$(noted "idle$number" connections_kib 1024)" \
            "$(ratio "idle$number" connections_kib "idle$number" connections)"
    done
}

# MARK: Waiting profiles

over_waiting() {
    local all=${WAITING:-1000000} few first last first_cpu last_cpu idle full begin noticed took
    few=$((all / 4 < 100000 ? all / 4 : 100000))
    start_patchbay waiting "$loops" "$upstream"
    stop upstream
    sleep 0.5
    idle=$(memory_kib VmRSS "$pid")
    accept 0 "$few"
    first=$((events * 1000000 / load_us)) first_cpu=$cpu
    accept "$few" $((all - few))
    accept $((all - few)) "$all"
    last=$((events * 1000000 / load_us)) last_cpu=$cpu
    [ "$(waiting)" = "$all" ] || fail "$(waiting) profiles wait instead of $all"
    full=$(memory_kib VmRSS "$pid")
    row "profiles waiting" "memory, MiB" "bytes for each" "file, MiB" "bytes for each"
    row "$all" "$(per $((full - idle)) 1024 %.0f)" "$(per $(((full - idle) * 1024)) "$all" %.0f)" \
        "$(per "$(file_bytes waiting)" 1048576 %.0f)" "$(per "$(file_bytes waiting)" "$all" %.0f)"

    # Its count begins anew with it.
    start_upstream
    begin=$SECONDS
    while [ "$(waiting)" = "$all" ]; do
        ((SECONDS - begin < 180)) || fail "nothing is delivered within 3 minutes after the upstream is back"
        sleep 0.1
    done
    noticed=$((SECONDS - begin))
    begin=${EPOCHREALTIME/./}
    await_delivered $((60 + all / 1000)) 0.2
    took=$((${EPOCHREALTIME/./} - begin))
    (($(upstream_count) > all)) || fail "the upstream was asked $(upstream_count) times for $all profiles"
    row "accepted / s: first $few" "last $few" "last / first" "CPU per event, us" "last / first"
    row "$first" "$last" "$(per "$last" "$first")" "$(per "$first_cpu" "$few")" "$(per "$last_cpu" "$first_cpu")"
    row "delivered / s" "begun after, s" "memory then, MiB"
    row "$(per $((all * 1000)) $((took / 1000 + 1)) %.0f)" "$noticed" "$(per "$(memory_kib VmRSS "$pid")" 1024 %.0f)"
    stop_patchbay
    rm -f "$work"/waiting.db*
}

# Sets cpu, us.
accept() { # accept FROM TO
    cpu=$(cpu_ms "$pid")
    load waiting "$port" "$hook?token=$BENCHMARK_TOKEN" $((120 + ($2 - $1) / 500)) -f "$1" -n $(($2 - $1))
    cpu=$((($(cpu_ms "$pid") - cpu) * 1000))
}

# MARK: The run

[ $# -gt 0 ] || set -- loops known idle waiting
for part in "$@"; do
    [[ " loops known idle waiting " == *" $part "* ]] || fail "no such part: $part"
done
describe
start_upstream
for part in "$@"; do
    echo
    "over_$part"
done
