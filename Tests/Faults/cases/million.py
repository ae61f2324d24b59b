"""A million profiles wait while the upstream is down; then it comes back."""

import asyncio
import os
import time

from driver.node import TOKEN, end_with_parent
from driver.site import Row

PROFILES = int(os.environ.get("PROFILES", 1_000_000))
MEASURED = min(50_000, PROFILES // 4)
NGINX = """\
worker_processes 1;
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/nginx.err warn;
events {{ worker_connections 1024; }}
http {{
  log_format profile $http_adapty_customer_user_id;
  access_log {directory}/asked profile buffer=1m flush=1s;
  keepalive_requests 10000000;
  client_body_temp_path {directory}/temp; proxy_temp_path {directory}/temp; fastcgi_temp_path {directory}/temp;
  uwsgi_temp_path {directory}/temp; scgi_temp_path {directory}/temp;
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 "{{}}"; }} }}
}}
"""


async def million(site):
    """Memory, size of the file, how fast the first and the last are accepted, how long it takes to deliver them all."""
    node = site.node()
    await node.start()
    await site.upstream.down()
    idle = node.memory()
    first = await _post(site, node, 0, MEASURED)
    middle = await _post(site, node, MEASURED, PROFILES - 2 * MEASURED)
    last = await _post(site, node, PROFILES - MEASURED, MEASURED)
    waiting = await node.waiting()
    site.expect(waiting == PROFILES, f"{waiting:.0f} profiles wait instead of {PROFILES}")
    memory, size = node.memory(), sum(os.path.getsize(node.outbox + end) for end in ("", "-wal"))

    nginx = await _start_nginx(site)
    try:
        begin = time.monotonic()
        while await node.waiting() == PROFILES and time.monotonic() - begin < 120:
            await asyncio.sleep(0.1)
        noticed = time.monotonic() - begin
        took = await site.delivered(node, within=600)
    finally:
        nginx.terminate()
        await nginx.wait()
    with open(f"{site.directory}/asked") as file:
        asked = file.read().split()
    arrived = len(set(asked))
    site.expect(arrived == PROFILES, f"{PROFILES - arrived} profiles are lost")
    code = await node.stop()
    site.expect(code == 0, f"exit code {code}")
    await node.start(within=60)
    mib = 1 << 20
    return Row(
        site.fault, 1, PROFILES, arrived, PROFILES - arrived, len(asked), len(asked) - arrived, 0,
        f"accepted first {MEASURED}: {first}; between: {middle}; last {MEASURED}: {last}; "
        f"memory {idle / mib:.0f} MiB idle, {memory / mib:.0f} MiB with all waiting; file {size / mib:.0f} MiB; "
        f"delivery began {noticed:.1f} s after the upstream was back and took {took:.1f} s, "
        f"{PROFILES / max(took, 0.001):.0f} a second; memory afterwards {node.memory() / mib:.0f} MiB", site.wrong)


async def _post(site, node, first, count):
    """In words: how fast these were accepted."""
    process = await asyncio.create_subprocess_exec(
        "wrk", "-t1", "-c64", "-d600s", "--timeout", "30s", "-s", os.path.dirname(__file__) + "/../million.lua",
        f"http://127.0.0.1:{node.port}/hooks/appsflyer?token={TOKEN}", stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "FIRST": str(first), "COUNT": str(count)}, preexec_fn=end_with_parent)
    output, _ = await process.communicate()
    results = [line.split()[1:] for line in output.decode().splitlines() if line.startswith("result ")]
    if not results:
        raise RuntimeError(f"wrk: {output.decode()}")
    answered, bad, microseconds, p50, p99 = map(int, results[0])
    site.expect(answered >= count and bad == 0, f"{answered} of {count} answered, {bad} not well")
    return f"{count * 1_000_000 / microseconds:.0f}/s, p50 {p50 / 1000:.1f} ms, p99 {p99 / 1000:.1f} ms"


async def _start_nginx(site):
    """In the place of the upstream: a fast one, that writes down whose profile each request is about."""
    configuration = f"{site.directory}/nginx.conf"
    with open(configuration, "w") as file:
        file.write(NGINX.format(directory=site.directory, port=site.upstream.port))
    os.chmod(site.directory, 0o755)  # nginx's worker is another user
    return await asyncio.create_subprocess_exec(
        "nginx", "-e", f"{site.directory}/nginx.err", "-p", site.directory, "-c", configuration,
        stderr=asyncio.subprocess.DEVNULL, preexec_fn=end_with_parent)
