#!/usr/bin/env bash
# run.sh [BINARY]: a running relay under hostile callers. The corpus and the misbehaviour of run_corpus.py against it, with
# memory judged and 10,000 connections idle; the corpus behind HAProxy (as HTTP, and as TCP with PROXY v2) and behind nginx,
# where no request may arrive that the proxy did not see; slowhttptest's four modes beside a caller that behaves; and a flood of requests
# that are sent far ahead. Exits 1 on anything unsafe. Figures are printed and judge nothing, but for the flood's, far above its goal. Without BINARY the release is built. SHORT=1: the same in under a minute.
set -euo pipefail
cd "$(dirname "$0")/../.."
deploy/packages.sh python3 haproxy nginx slowhttptest
binary=${1:-}
if [ -z "$binary" ]; then
    swift build -c release --static-swift-stdlib --product patchbay
    binary=.build/release/patchbay
fi
[ -x "$binary" ] || { echo "run.sh: there is no $binary" >&2; exit 1; }
# 10,000 connections, and their other ends in another process.
ulimit -n "$(ulimit -Hn)"
idle=10000 peers=1000 seconds=20 jobs=16 flood=900
[ "${SHORT:-0}" = 0 ] || { idle=2000 peers=300 seconds=5 jobs=32; }
# All but what is tried is out of the way; empty for the defaults.
limits='limits: { source: 1000000/s burst 1000000, failures_per_ip: none }'
# A line for each request, also of strangers.
level=debug

work=$(mktemp -d)
# nginx's workers are not root where the script is.
chmod 755 "$work"
pids=()
finish() {
    [ ${#pids[@]} -eq 0 ] || { kill "${pids[@]}" 2>/dev/null && wait "${pids[@]}" 2>/dev/null; } || true
    rm -rf "$work"
}
trap finish EXIT

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

# port: one that nobody uses now.
port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# answers PORT: waits until something does.
answers() {
    for _ in $(seq 100); do
        if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then return; fi
        sleep 0.05
    done
    echo "run.sh: nothing listens on $1" >&2
    cat "$work"/*.log >&2
    return 1
}

"$binary" sandbox --listen 127.0.0.1:0 --key secret_live_test --any-profile >"$work/sandbox.log" 2>&1 &
pids+=($!)
upstream=$(started "$work/sandbox.log" '^Sandbox on http:\/\/(.*)$')

# relay NAME [SETTING...]: a relay with its log in NAME.log. Sets `relay` and `relay_pid`. Nothing asks for the source whose
# path is as long as the corpus's /smuggled but requests that were hidden.
relay() {
    local name=$1
    shift
    {
        cat <<YAML
listen: 127.0.0.1:0
admin: { listen: 127.0.0.1:0 }
outbox: sqlite:$work/$name.db
drain: { delay: 0s, timeout: 5s }
$limits
log: { level: $level }
apps:
  main: { upstream: "http://$upstream", secret_key: env:SECRET_KEY, rate: { per_minute: 6000000, burst: 10000 } }
sources:
  appsflyer: { vendor: appsflyer, app: main, auth: none }
  zz: { vendor: appsflyer, app: main, auth: none }
YAML
        printf '%s\n' "$@"
    } >"$work/$name.yaml"
    SECRET_KEY=secret_live_test "$binary" serve --config "$work/$name.yaml" >"$work/$name.log" 2>&1 &
    relay_pid=$!
    pids+=("$relay_pid")
    relay=$(started "$work/$name.log" '.*"message":"serving".*"listen":"([^"]+)".*')
}

failed=0
# corpus PORT LOG [OPTION...]
corpus() {
    local port=$1 log=$2
    shift 2
    timeout 300 python3 Tests/ListenerTests/run_corpus.py 127.0.0.1 "$port" /hooks/appsflyer --jobs "$jobs" \
        --json '{"appsflyer_id":"1-2","customer_user_id":"u"}' --hidden /hooks/zz --log "$log" "$@" || failed=1
}

echo "== The relay alone"
relay alone
alone=$relay alone_pid=$relay_pid
corpus "${alone#*:}" "$work/alone.log" --pid "$alone_pid" --idle "$idle"

# Both configurations are those of deploy, with addresses of this machine, no TLS, and one node: a request that is tried
# again at a second one would be counted twice.
front=$(port)
relay haproxy
sed -e 's/^    maxconn 20000/    maxconn 5000/' -e "s|bind :443 .*|bind 127.0.0.1:$front|" -e '/bind :80$/d' -e '/redirect scheme/d' -e '/ssl-default/d' \
    -e "s|server node1 .*|server node1 $relay|" -e '/server node2/d' deploy/haproxy.cfg >"$work/haproxy.cfg"
haproxy -db -f "$work/haproxy.cfg" >"$work/haproxy-http.log" 2>&1 &
pids+=($!)
answers "$front"
# Its health check has to have found the node.
sleep 2
echo "== Behind HAProxy, as HTTP"
corpus "$front" "$work/haproxy.log" --behind --behav 0 --proxy-log "$work/haproxy-http.log"

front=$(port)
relay tcp 'trusted_proxies: []' 'proxy_protocol: [127.0.0.1/32]'
tcp=$relay
sed -n '/^# TCP/,$p' deploy/haproxy.cfg | sed -nE 's/^#( {4}.*|[a-z].*)$/\1/p' | sed \
    -e "s|bind :.*|bind 127.0.0.1:$front|" -e "s|server node1 [^ ]*|server node1 $relay|" -e '/server node2/d' >"$work/tcp.cfg"
haproxy -db -f "$work/tcp.cfg" >"$work/haproxy-tcp.log" 2>&1 &
pids+=($!)
answers "$front"
sleep 2
echo "== Behind HAProxy, as TCP with PROXY v2"
corpus "$front" "$work/tcp.log" --behav 0

front=$(port)
relay nginx
{
    printf 'daemon off;\npid %s/nginx.pid;\nerror_log %s/nginx-error.log;\nevents { worker_connections 4096; }\nhttp {\n' "$work" "$work"
    for kind in client_body proxy fastcgi uwsgi scgi; do printf '%s_temp_path %s/%s;\n' "$kind" "$work" "$kind"; done
    sed -e "s|listen 443 ssl;|listen 127.0.0.1:$front;|" -e '/ssl_/d' -e "s|/var/log/nginx/|$work/|" \
        -e "s|server 10.0.0.11:8080|server $relay|" -e '/server 10.0.0.12/d' deploy/nginx.conf
    echo '}'
} >"$work/nginx.conf"
nginx -e "$work/nginx-error.log" -c "$work/nginx.conf" >"$work/nginx-out.log" 2>&1 &
pids+=($!)
answers "$front"
echo "== Behind nginx"
corpus "$front" "$work/nginx.log" --behind --behav 0 --proxy-log "$work/patchbay.log"

echo "== slowhttptest: $peers connections for $seconds s each, beside a caller that behaves"
healthy() { python3 Tests/Hostile/healthy.py 127.0.0.1 "${alone#*:}" /hooks/appsflyer "$1"; }
printf '%-14s' undisturbed; healthy "$((seconds / 2))"
# slow NAME OPTION...
slow() {
    local name=$1
    shift
    timeout "$((seconds + 15))" slowhttptest -c "$peers" -r "$((peers / 2))" -l "$seconds" -i 2 -p 3 -u "http://$alone/hooks/appsflyer" "$@" \
        >"$work/slow.log" 2>&1 &
    local attacker=$!
    pids+=("$attacker")
    sleep 2
    printf '%-14s' "$name"
    healthy "$((seconds - 3))" || failed=1
    kill "$attacker" 2>/dev/null || true
    wait "$attacker" 2>/dev/null || true
}
slow "slow headers" -H
slow "slow body" -B -t POST -s 8192
slow "ranges" -R -t HEAD -a 10 -b 3000
slow "slow read" -X -w 1 -y 16 -n 5 -z 32 -k 3
printf '%-14s' afterwards; healthy "$((seconds / 2))"

echo "== $flood connections of one address, each with 65 kB of tiny requests ahead, beside a caller that behaves; default limits"
limits='' level=info
relay flood
echo "before turns:  p50 12269.00 ms  p99 22816.00 ms  longest 23034.00 ms, 373 MB of log in a minute; the goal now: 50 ms"
timeout "$((seconds + 40))" python3 Tests/Hostile/flood.py 127.0.0.1 "${relay#*:}" "$flood" 65000 "$((seconds + 5))" >"$work/ahead.log" 2>&1 &
attacker=$!
pids+=("$attacker")
sleep 1
figure=$(timeout "$((seconds + 60))" python3 Tests/Hostile/healthy.py 127.0.0.1 "${relay#*:}" /hooks/appsflyer "$seconds" 100)
printf '%-14s%s\n' "with turns" "$figure"
wait "$attacker" || failed=1
cat "$work/ahead.log"
echo "log: $(($(stat -c %s "$work/flood.log") / 1000)) kB"
# This machine's other work included; without turns it is seconds, and hundreds of MB.
awk -v p99="$(sed -E 's/.*p99 +([0-9.]+) ms.*/\1/' <<<"$figure")" 'BEGIN { exit p99 < 1000 ? 0 : 1 }' || failed=1
[ "$(stat -c %s "$work/flood.log")" -lt 50000000 ] || failed=1

[ "$failed" -eq 0 ] && echo "Nothing unsafe." || { echo "UNSAFE or failed: see above." >&2; exit 1; }
