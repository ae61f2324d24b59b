"""Two nodes behind HAProxy, each with its own outbox, restarted in turn under load."""

import asyncio
import re

from driver.node import end_with_parent
from driver.senders import Senders
from driver.site import free_port, until
from driver.http import get


async def rolling_restart(site):
    """No request fails. Every event is of a profile of its own: between two outboxes there is no order to keep."""
    nodes = [site.node(name, drain="5s") for name in ("node1", "node2")]
    for node in nodes:
        await node.start()
    port = free_port()
    configuration = f"{site.directory}/haproxy.cfg"
    with open(f"{site.options.top}/deploy/haproxy.cfg") as given, open(configuration, "w") as file:
        file.write(_here(given.read(), port, [node.port for node in nodes]))
    with open(f"{site.directory}/haproxy.log", "wb") as log:
        haproxy = await asyncio.create_subprocess_exec(
            "haproxy", "-db", "-f", configuration, stdout=log, stderr=log, preexec_fn=end_with_parent)
    try:
        if await until(lambda: _answers(port), 10) is None:
            raise RuntimeError(f"HAProxy does not answer: {open(log.name).read()[-500:]}")
        rounds = 0
        async with Senders(site.ledger, port, count=8, fresh=True, pause=0.002):
            for node in nodes * site.options.choose(1, 5):
                await asyncio.sleep(1)
                code = await node.stop()
                site.expect(code == 0, f"exit code {code}")
                await node.start()
                # HAProxy looks once a second whether it is back.
                await asyncio.sleep(2)
                rounds += 1
    finally:
        if haproxy.returncode is None:
            haproxy.kill()
            await haproxy.wait()
    await site.delivered(*nodes)
    site.expect(not site.ledger.refused, f"requests that failed: {dict(site.ledger.refused)}")
    return site.row(rounds, f"{sum(site.ledger.refused.values())} requests failed")


def _here(text, port, nodes):
    """deploy/haproxy.cfg without TLS, and with addresses of this machine."""
    text = re.sub(r"\n *bind :443.*", "", text)
    text = re.sub(r"\n *http-request redirect scheme https.*", "", text)
    # Each connection takes two descriptors, and a machine for tests may have few.
    text = text.replace("bind :80", f"bind 127.0.0.1:{port}").replace("maxconn 20000", "maxconn 2000")
    addresses = iter(nodes)
    return re.sub(r"(\n *server \w+) \S+", lambda match: f"{match[1]} 127.0.0.1:{next(addresses)}", text)


async def _answers(port):
    try:
        return (await get(port, "/readyz")).status == 200
    except (OSError, EOFError, asyncio.TimeoutError):
        return False
