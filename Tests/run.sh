#!/usr/bin/env bash
# run.sh: every check and every test, from a fresh clone. Installs what they need first.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v swift >/dev/null || { echo "run.sh: Swift 6.2 or newer is needed: https://www.swift.org/install/linux/" >&2; exit 1; }
deploy/packages.sh python3 python3-venv python3-requests nodejs curl openssl

echo "== format"
swift format lint --strict --recursive Package.swift Sources Tests
# The formatter leaves comments and strings alone; in tests a payload may be longer.
long=$(git ls-files Package.swift 'Sources/*.swift' 'Sources/*.h' 'Sources/*.cpp' | xargs awk 'length($0) > 120 { print FILENAME ":" FNR }')
[ -z "$long" ] || { printf 'Longer than 120 columns:\n%s\n' "$long"; exit 1; }

echo "== imports: no target uses what it does not declare"
swift build --explicit-target-dependency-import-check error

echo "== tests"
if [ $# -gt 0 ]; then
    # With a filter, that is all that was asked for.
    exec swift test --explicit-target-dependency-import-check error "$@"
fi
# One after the other: many of them block a thread for a while, the pool has one for each core, and on two cores the
# others then waited for a thread longer than for what they are about.
swift test --explicit-target-dependency-import-check error --no-parallel --skip patchbayTests
# Whole processes, which wait for each other and not for the pool.
swift test --skip-build --filter patchbayTests

echo "== a running relay against its own description"
Tests/OpenAPI/run.sh .build/debug/patchbay

echo "== a running relay and the vendors' own ways to sign"
Tests/Signers/run.sh .build/debug/patchbay

echo "== faults that it survives, in short"
PATCHBAY=$PWD/.build/debug/patchbay Tests/Faults/run.sh --short

echo "== fuzzers, five seconds each"
# In the same build folder: the packages that Patchbay depends on are there already.
SCRATCH=.build Tests/Fuzzers/run.sh 5

echo "== instructions of each stage, beside those that are kept"
Tests/Benchmarks/stages.sh --check

echo "== CPU beside the peer, in short: for reading, nothing fails by it"
Tests/Benchmarks/run.sh --short
