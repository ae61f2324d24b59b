#!/usr/bin/env bash
# stages.sh: what the stages of an event cost, each alone. Prints a table: nanoseconds per event (the median of some
# batches, the lowest and the highest), instructions and allocations per event.
# stages.sh --check: counts instructions and compares them with instructions.txt; fails where a stage takes more than
# 10 % more than what is kept there.
# stages.sh --keep: counts instructions and writes that file.
#
# Instructions are counted by callgrind, while a stage's events are done and on their thread alone. Valgrind stands in
# for the processor and hides some of what it can do, so the counts hardly depend on the machine, nor on what else it
# does. Another libc or Swift, or a processor for which they choose other code, can still move them: the versions stand
# in the file. Allocations are the calls of malloc and its kin; of two runs their difference counts.
#
#   SCRATCH   the build folder (.build)
#   COUNT     so many events are counted of each stage (300)
#   TMPDIR    where the outbox is written: put it on a disk that counts
set -euo pipefail
cd "$(dirname "$0")/../.."
mode=${1:-}
case $mode in '' | --check | --keep) ;; *) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 64 ;; esac
scratch=${SCRATCH:-.build}
kept=Tests/Benchmarks/instructions.txt
export LC_ALL=C PATCHBAY_STAGES=1
if [ "$mode" = --check ]; then
    machine=$(sed -n '3s/.*, \([^ ,]*\), [^,]*$/\1/p' "$kept")
    [ "$machine" = "$(uname -m)" ] || { echo "The kept counts are of $machine: nothing to compare here."; exit 0; }
fi
deploy/packages.sh valgrind binutils

# As the program that is delivered.
build=(swift build --scratch-path "$scratch" -c release --static-swift-stdlib --product Stages)
mkdir -p "$scratch"
log=$scratch/stages-build.log
"${build[@]}" >"$log" 2>&1 || { grep -E 'error:' "$log" | sort -u >&2; exit 1; }
built=$("${build[@]}" --show-bin-path)/Stages

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Callgrind needs the names of functions only, and would read the rest at every start.
strip --strip-debug -o "$work/stages" "$built"
export work mode count=${COUNT:-300}

# sums NAME COUNT: the instructions of so many events, and the allocations of the whole run.
sums() {
    local file=$work/$1.$2
    # Hashes are seeded at random otherwise, and each process would take other turns. An environment of other length
    # moves what is on the stack.
    env -i SWIFT_DETERMINISTIC_HASHING=1 TMPDIR="$work" "$(command -v valgrind)" --tool=callgrind \
        --toggle-collect='*countedEvents*' --callgrind-out-file="$file" "$work/stages" "$1" "$2" >"$file.log" 2>&1 ||
        { cat "$file.log" >&2; return 1; }
    awk '
        # A name stands in full where it comes first, and is a number from then on.
        /^c?fn=/ {
            match($0, /\([0-9]+\)/)
            called = substr($0, RSTART, RLENGTH)
            name = substr($0, RSTART + RLENGTH + 1)
            if (name ~ /^(malloc|calloc|realloc|posix_memalign|aligned_alloc)$/) isAllocation[called] = 1
        }
        /^calls=/ && called in isAllocation { split($1, part, "="); allocations += part[2] }
        /^totals:/ { instructions = $2 }
        END {
            if (!instructions) { print "callgrind did not find countedEvents" >"/dev/stderr"; exit 1 }
            print instructions, allocations + 0
        }
    ' "$file"
    rm "$file"
}

# counts NAME: the name and the instructions of one event; for the table also its allocations.
counts() {
    local one two=
    one=$(sums "$1" "$count")
    [ -n "$mode" ] || two=$(sums "$1" $((2 * count)))
    echo "$one $two" | awk -v name="$1" -v count="$count" '{
        printf "%s %.0f %.1f\n", name, $1 / count, ($4 - $2) / count
    }'
}
export -f sums counts

names=$("$work/stages" --steady)
echo "$names" | xargs -P "$(nproc)" -I NAME bash -euo pipefail -c 'counts NAME' >"$work/counts"
# Parts that run beside each other end in any order.
sorted() { awk 'NR == FNR { line[$1] = $0; next } { print line[$1] }' "$work/counts" <(echo "$names"); }

versions="$(swift --version 2>/dev/null | sed -n '1s/.*\(Swift version [^ ]*\).*/\1/p'), $(getconf GNU_LIBC_VERSION), "
versions+="$(valgrind --version), $(uname -m), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)"

case $mode in
--keep)
    {
        echo "# Instructions per event of each stage: by Tests/Benchmarks/stages.sh --keep, compared by --check."
        echo "# Another processor, libc or Swift can move them. These are of:"
        echo "# $versions"
        sorted | cut -d ' ' -f 1,2
    } >"$kept"
    echo "Kept: $kept"
    ;;
--check)
    sorted | awk -v versions="$versions" '
        NR == FNR {
            if (NR == 3) keptVersions = substr($0, 3)
            if (!/^#/) before[$1] = $2
            next
        }
        !($1 in before) { print $1 ": not kept yet; run stages.sh --keep"; failed = 1; next }
        {
            isThere[$1] = 1
            change = 100 * ($2 / before[$1] - 1)
            words = sprintf("%s: %d instructions per event, %d before (%+.1f %%)", $1, $2, before[$1], change)
            if (change > 10) { print words; failed = 1 }
            else if (change < -10) print words ": good; stages.sh --keep guards it"
        }
        END {
            for (name in before) {
                if (!(name in isThere)) print name ": kept, and no stage any more; run stages.sh --keep"
            }
            if (keptVersions != versions) print "Counted with " versions "\n   kept with " keptVersions
            if (failed) print "Where that is worth it: stages.sh --keep"
            else print "No stage takes more than 10 % more instructions than before."
            exit failed
        }
    ' "$kept" -
    ;;
*)
    # On one core at a time, when nothing else is measured.
    "$work/stages" >"$work/times"
    printf '%-18s %9s %9s %9s %13s %12s\n' stage ns lowest highest instructions allocations
    awk 'NR == FNR { counts[$1] = sprintf("%13s %12s", $2, $3); next }
        !($1 in counts) { counts[$1] = sprintf("%13s %12s", "-", "-") }
        { printf "%-18s %9s %9s %9s %s\n", $1, $2, $3, $4, counts[$1] }
    ' "$work/counts" "$work/times"
    echo "$versions"
    ;;
esac
