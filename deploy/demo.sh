#!/usr/bin/env bash
# demo.sh: from a fresh clone to webhooks delivered. Installs the packages, builds the release, runs `patchbay demo`.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v swift >/dev/null || { echo "demo.sh: Swift 6.2 or newer is needed: https://www.swift.org/install/linux/" >&2; exit 1; }
deploy/packages.sh
swift build -c release --static-swift-stdlib --product patchbay
exec .build/release/patchbay demo "$@"
