#!/usr/bin/env bash
# run.sh [--short]: Patchbay beside nginx with Lua, which does the same and stores nothing, in one table, ratios first.
#
# Every round measures each case with the peer and then with Patchbay, each for SECONDS_PER_ROUND as fast as it can, and
# for as long again at half of that speed. A figure is the median over the rounds, with the lowest and the highest
# behind it. Machines differ and have other work: ratios within a round say more than what stands below them.
#
#   realistic     each profile is seen 20 times
#   every new     each event is a profile of its own
#   client waits  client apps, each time a new profile; they wait for the upstream's answer
#   TLS upstream  every new, and the upstream speaks TLS
#   two loops     realistic, with two loops; the peer has two workers then, and else one
#
# CPU is that of the whole process, user and system, all threads, from the first event until the last is delivered. What
# the outbox puts off beyond that, the fold of its log and a checkpoint, is a line of its own: the process is stopped
# after each round, which does all of it. The outbox stays from round to round. Upstream requests are counted upstream.
# At half the speed requests are due at random times, whatever the server does, and latency counts from then on.
#
# --short is for CI, half a minute: the first two cases, two rounds of two seconds, as fast as they can, and one line of
# each with the ratio. It fails where something is broken, never because something is slow.
#
# From the environment: ROUNDS (3); SECONDS_PER_ROUND (4); CASES, those to measure (realistic new client tls loops);
# and what site.sh takes: PATCHBAY, TMPDIR, CONNECTIONS, KEEP, COUNTERS.
set -euo pipefail
case ${1:-} in
"") short="" half=half ;;
--short) short=1 half="" ROUNDS=2 SECONDS_PER_ROUND=2 CASES="realistic new" ;;
*) echo "usage: run.sh [--short]" >&2 && exit 64 ;;
esac
# shellcheck source=site.sh
source "$(dirname "$0")/site.sh"
# shellcheck source=measure.sh
source "$here/measure.sh"
rounds=${ROUNDS:-3} seconds=${SECONDS_PER_ROUND:-4} cases=${CASES:-realistic new client tls loops}

use_case() { # use_case CASE
    kind=hook seen=1 loops=1 upstream=$plain_upstream
    case $1 in
    realistic) seen=20 ;;
    new) ;;
    client) kind=client ;;
    tls) upstream=$tls_upstream ;;
    loops) seen=20 loops=2 ;;
    *) fail "no such case: $1" ;;
    esac
}

start_upstream
start_peer 1
[[ $cases != *loops* ]] || start_peer 2
for ((round = 1; round <= rounds; round++)); do
    for each in $cases; do
        printf '\rround %d of %d, %-9s ' "$round" "$rounds" "$each" >&2
        use_case "$each"
        measure_peer "$each" "$seconds" "$half"
        measure_patchbay "$each" "$seconds" "$half"
    done
done
round=0
[ -n "$short" ] || measure_idle idle 10000
printf '\r%30s\r' '' >&2
echo "$(describe), $rounds rounds of $seconds s, ${CONNECTIONS:-64} connections"
awk -v short="$short" -v cases="$cases" -f "$here/summary.awk" -f "$here/table.awk" "$work/figures"
