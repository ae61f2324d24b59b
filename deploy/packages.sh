#!/usr/bin/env bash
# packages.sh [NAME...]: install what Patchbay is built with, and the packages named; only what is missing. For root and for
# a user with sudo.
set -euo pipefail
packages=(libevent-dev libcurl4-openssl-dev libsimdjson-dev libmimalloc-dev libsqlite3-dev libssl-dev zlib1g-dev pkg-config ca-certificates "$@")

missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "packages.sh: not root, and there is no sudo" >&2; exit 1; }
    as_root=(sudo)
fi
echo "Installing: ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
