#!/usr/bin/env bash
# run.sh [--short] [FAULT...]: faults that running nodes have to survive, and one table of what came of each.
#
# Senders post values that grow with each event of a profile; an upstream keeps what it is given. At the end every event
# that was answered 2xx must have arrived, or a newer value of its profile and field, and no value may have gone back.
#
#   rounds          how often the fault befell
#   accepted        events answered 2xx
#   delivered       of these, those that arrived, or a newer value in their place
#   lost            the others: 0, or the run fails
#   requests        that the upstream applied: patches of a profile merge on their way
#   duplicates      of these, those that said what the upstream knew
#   unavailable_ms  the longest time in which no event was answered 2xx
#
# --short is for CI, about two minutes on two cores; the whole takes about a quarter of an hour. Exits 1 where anything
# was lost, went back, or was answered what is not true.
# `run.sh million` is a proof of its own, minutes long, on a release build: a million profiles wait while the upstream
# is down.
#
# From the environment: PATCHBAY (the program; default .build/debug/patchbay, built if it is not there; for million
# .build/release/patchbay), TMPDIR (where the outboxes are).
#
# Disks are mounted in a mount namespace of the run's own, which goes with it; where that is not allowed, the table says
# what was skipped. Libraries made of disk_shim.c and clock_shim.c stand between a node and its disk and its clock.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)

packages=(python3 haproxy)
build=debug options=()
if [[ " $* " == *" million "* ]]; then
    packages+=(nginx wrk)
    build=release options=(-c release --static-swift-stdlib)
fi
"$top/deploy/packages.sh" "${packages[@]}"
export PATCHBAY=${PATCHBAY:-$top/.build/$build/patchbay}
[ -x "$PATCHBAY" ] || (cd "$top" && swift build "${options[@]}" --product patchbay)

namespace=()
if unshare --mount true 2>/dev/null; then
    namespace=(unshare --mount)
elif unshare --map-root-user --mount true 2>/dev/null; then
    namespace=(unshare --map-root-user --mount)
fi
export CAN_MOUNT=$((${#namespace[@]} > 0)) PYTHONDONTWRITEBYTECODE=1
exec "${namespace[@]}" python3 "$here/faults.py" "$@"
