#!/usr/bin/env bash
# run.sh [SECONDS [NAME...]]: builds the fuzzers, runs all of them or those named for so many seconds each (10), and
# prints what they did. What they find is kept in Tests/Fuzzers/Findings and tried first by every later run; 1 is the
# exit code then.
#   SEED      for libFuzzer's choices (1)
#   SCRATCH   the build folder (.build/fuzz). Inputs that reached something new stay in it, and a later run begins there.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-10}
[ $# -eq 0 ] || shift
scratch=${SCRATCH:-.build/fuzz}
findings=$PWD/Tests/Fuzzers/Findings

# The archive comes with the compiler: clang's runtimes, next to Swift's own.
resources=$(swiftc -print-target-info | sed -n 's/.*"runtimeResourcePath": "\(.*\)".*/\1/p')
PATCHBAY_FUZZ=$(find -L "$resources/clang/lib" -name "libclang_rt.fuzzer_no_main*.a" |
    grep -m 1 -E "no_main(-$(uname -m))?\.a$" || true)
[ -n "$PATCHBAY_FUZZ" ] || { echo "run.sh: this Swift toolchain has no libFuzzer" >&2; exit 1; }
export PATCHBAY_FUZZ
build=(swift build --scratch-path "$scratch" --product Fuzz)
mkdir -p "$scratch"
"${build[@]}" >"$scratch/fuzz-build.log" 2>&1 || { grep -E 'error:' "$scratch/fuzz-build.log" | sort -u >&2; exit 1; }
fuzz=$(realpath "$("${build[@]}" --show-bin-path)/Fuzz")

# A trap of Swift's is for libFuzzer to report, not for Swift's own handler.
export SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0

run() {
    local name=$1 folder=$scratch/fuzzed/$1
    rm -rf "$folder/seeds" "$folder/found"
    mkdir -p "$folder/corpus" "$folder/found"
    "$fuzz" --prepare "$name" "$folder"
    local options=(-seed="${SEED:-1}" -max_total_time="$seconds" -timeout=25 -rss_limit_mb=2048 -print_final_stats=1)
    [ ! -s "$folder/words" ] || options+=(-dict="$folder/words")
    local state=none
    "$fuzz" "$name" "${options[@]}" -artifact_prefix="$folder/found/" "$folder/corpus" "$folder/seeds" \
        >"$folder/log" 2>&1 || state=FOUND
    awk -v name="$name" -v state="$state" '
        / cov: / { for (i = 1; i < NF; i++) last[$i] = $(i + 1) }
        /^stat::number_of_executed_units/ { runs = $2 }
        /^stat::average_exec_per_sec/ { rate = $2 }
        /^Done/ { time = $(NF - 1) }
        END {
            sub("/.*", "", last["corp:"])
            printf "%-16s %11d %8d %7d %9d %7d %5s  %s\n",
                name, runs, rate, last["cov:"], last["ft:"], last["corp:"], time ? time : "-", state
        }
    ' "$folder/log"
    [ $state = none ] || {
        grep -aE 'NOT SO|Fatal error|^SUMMARY|^Base64' "$folder/log" | sed 's/^/    /' || true
        mkdir -p "$findings/$name"
        cp "$folder/found/"* "$findings/$name/" || true
        touch "$scratch/fuzzed/found"
    }
}
export -f run
export fuzz findings scratch seconds

rm -f "$scratch/fuzzed/found"
printf '%-16s %11s %8s %7s %9s %7s %5s  %s\n' decoder executions per_s edges features corpus s findings
{ if [ $# -gt 0 ]; then printf '%s\n' "$@"; else "$fuzz" --list; fi; } |
    xargs -P "$(nproc)" -I NAME bash -euo pipefail -c 'run NAME'
[ ! -e "$scratch/fuzzed/found" ]
