#!/usr/bin/env bash
# run.sh [BINARY]: a running relay against signers that are not ours: the vendors' own libraries. What each signs is
# accepted, and every way to tamper with it is 401. Needs python3 with venv, and PyPI.
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
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
    standardwebhooks==1.1.0 svix==2.9.1 stripe==16.1.0 slack_sdk==3.47.0 PyNaCl==1.6.2 cryptography==50.0.2

cat >"$work/patchbay.yaml" <<YAML
listen: 127.0.0.1:0
admin: { listen: 127.0.0.1:0 }
outbox: sqlite:$work/patchbay.db
drain: { delay: 0s, timeout: 5s }
limits: { source: 1000000/s }
trusted_proxies: [127.0.0.1/32]
apps: { main: { upstream: "http://127.0.0.1:9", secret_key: env:ADAPTY_SECRET_KEY } }
sources:
  standardwebhooks: { vendor: posthog, app: main, auth: { standard_webhooks: [env:WEBHOOK_NEW, env:WEBHOOK_OLD, env:WEBHOOK_PUBLIC] } }
  svix: { vendor: posthog, app: main, auth: { svix: [env:WEBHOOK_NEW, env:WEBHOOK_OLD] } }
  stripe: { vendor: posthog, app: main, auth: { stripe: [env:STRIPE_NEW, env:STRIPE_OLD] } }
  slack: { vendor: posthog, app: main, auth: { slack: [env:TEXT_NEW, env:TEXT_OLD] } }
  github: { vendor: posthog, app: main, auth: { github: [env:TEXT_NEW, env:TEXT_OLD] } }
  shopify: { vendor: posthog, app: main, auth: { shopify: [env:TEXT_NEW, env:TEXT_OLD] } }
  ed25519:
    vendor: posthog
    app: main
    auth:
      ed25519: [env:RAW_PUBLIC, "file:$work/public.pem"]
      header: X-Signature-Ed25519
      timestamp: X-Signature-Timestamp
      signed: "{timestamp}{body}"
  hmac:
    vendor: posthog
    app: main
    auth:
      hmac: [env:TEXT_NEW, env:TEXT_OLD]
      algorithm: sha512
      header: X-Signature
      encoding: base64url
      prefix: v9=
      signed: "{method} {path}?{query}|{header:X-Id}|{timestamp}|{body}"
      timestamp: X-Signature:t
      tolerance: 1m
  query: { vendor: posthog, app: main, auth: { token: [env:TEXT_NEW, env:TEXT_OLD], in: query } }
  path: { vendor: posthog, app: main, auth: { token: [env:TEXT_NEW, env:TEXT_OLD], in: path } }
  header: { vendor: posthog, app: main, auth: { token: [env:TEXT_NEW, env:TEXT_OLD], prefix: Bearer } }
  basic: { vendor: posthog, app: main, auth: { basic: [env:BASIC_NEW, env:BASIC_OLD] } }
  address: { vendor: posthog, app: main, auth: { token: env:TEXT_NEW, addresses: [203.0.113.0/24, "2001:db8::/32"] } }
YAML
"$work/venv/bin/python" Tests/Signers/sign.py keys "$work"
set -a
# shellcheck disable=SC1091
. "$work/secrets"
ADAPTY_SECRET_KEY=secret_live_test
set +a
"$binary" serve --config "$work/patchbay.yaml" >"$work/relay.log" 2>&1 &
pids+=($!)
relay=
for _ in $(seq 200); do
    relay=$(sed -nE 's/.*"message":"serving".*"listen":"([^"]+)".*/\1/p' "$work/relay.log" | head -n 1)
    [ -z "$relay" ] || break
    sleep 0.05
done
[ -n "$relay" ] || { echo "run.sh: nothing listens:" >&2; cat "$work/relay.log" >&2; exit 1; }

"$work/venv/bin/python" Tests/Signers/sign.py post "$relay"
# Every secret has this in it.
! grep -n canary "$work/relay.log" || { echo "run.sh: a secret is in the log" >&2; exit 1; }
