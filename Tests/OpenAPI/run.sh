#!/usr/bin/env bash
# run.sh [BINARY]: a running relay against its own /openapi.json, with requests that schemathesis makes up from it. No 5xx,
# no status that is not documented, every answer as described. Needs python3 with venv, and PyPI. The seed is fixed.
set -euo pipefail
cd "$(dirname "$0")/../.."
binary=${1:-.build/debug/patchbay}
[ -x "$binary" ] || { echo "run.sh: there is no $binary; build it, or name one" >&2; exit 1; }

work=$(mktemp -d)
pids=()
finish() {
    [ ${#pids[@]} -eq 0 ] || { kill "${pids[@]}" 2>/dev/null && wait "${pids[@]}" 2>/dev/null; } || true
    rm -rf "$work"
}
trap finish EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check schemathesis==4.32.5

# started LOG PATTERN: the address that a process says it listens on.
started() {
    for _ in $(seq 200); do
        address=$(sed -nE "s/$2/\1/p" "$1" | head -n 1)
        [ -z "$address" ] || { echo "$address"; return; }
        sleep 0.05
    done
    echo "run.sh: nothing listens:" >&2
    cat "$1" >&2
    return 1
}

"$binary" sandbox --listen 127.0.0.1:0 --key secret_live_test --any-profile >"$work/sandbox.log" 2>&1 &
pids+=($!)
upstream=$(started "$work/sandbox.log" '^Sandbox on http:\/\/(.*)$')

cat >"$work/patchbay.yaml" <<YAML
listen: 127.0.0.1:0
admin: { listen: 127.0.0.1:0 }
outbox: sqlite:$work/patchbay.db
drain: { delay: 0s, timeout: 5s }
limits: { source: 1000000/s, client_key: 1000000/s, client_ip: 1000000/s, profile: 1000000/s }
apps:
  new: { upstream: "http://$upstream", secret_key: env:SECRET_KEY, rate: { per_minute: 6000000, burst: 10000 } }
  old: { upstream: "http://$upstream", api: v1, secret_key: env:SECRET_KEY, rate: { per_minute: 6000000, burst: 10000 } }
sources:
  appsflyer: { vendor: appsflyer, app: new, auth: none }
  mixpanel: { vendor: mixpanel, app: old, auth: none }
client_keys:
  new: { app: new, key: env:NEW_KEY, scopes: [write, read] }
  old: { app: old, key: env:OLD_KEY, scopes: [write, read] }
YAML
SECRET_KEY=secret_live_test NEW_KEY=key-new OLD_KEY=key-old \
    "$binary" serve --config "$work/patchbay.yaml" >"$work/relay.log" 2>&1 &
pids+=($!)
relay=$(started "$work/relay.log" '.*"message":"serving".*"listen":"([^"]+)".*')

# check KEY SOURCE [OPTION...]: every route with that key, the hooks of that source.
check() {
    local key=$1 source=$2
    shift 2
    # A random name of a source would be 404 and nothing else. 400 to data that fits the schemas: OpenAPI cannot say that
    # exactly one of two headers is required, nor which short names each vendor has. Undeclared methods are tried with
    # bodies, and GET, DELETE and TRACE with one are 400 before anybody looks who allows them; PublicAPITests has the 405s.
    cat >"$work/schemathesis.toml" <<TOML
[parameters]
"path.source" = "$source"

[checks]
unsupported_method.enabled = false
positive_data_acceptance.expected-statuses = ["2xx", 400, 401, 403, 404, 405]
TOML
    # In the temporary folder: it leaves notes where it runs.
    (cd "$work" && venv/bin/schemathesis --config-file schemathesis.toml run "http://$relay/openapi.json" \
        --header "Authorization: Api-Key $key" --seed 20261121 --max-examples 25 --generation-database none \
        --continue-on-failure --warnings off --no-color "$@") || { tail -n 5 "$work/relay.log" >&2; return 1; }
}

check key-new appsflyer
# Mixpanel hears of a bad call in a 200: it pauses the whole sync on anything else.
check key-old mixpanel --exclude-checks negative_data_rejection
echo "The running relay answers as /openapi.json says."
