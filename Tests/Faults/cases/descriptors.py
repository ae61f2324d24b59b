"""There are no more file descriptors."""

import asyncio

from driver.senders import Senders
from driver.site import until


async def descriptors(site):
    """Connections that say nothing take every descriptor, and go. Who is connected is served all the while."""
    node = site.node(descriptors=256)
    rounds = site.options.choose(2, 20)
    await node.start()
    took = 0
    for _ in range(rounds):
        async with Senders(site.ledger, node.port, count=4, pause=0.002):
            await asyncio.sleep(0.3)
            before = site.ledger.count
            idle = [await _connect(node.port) for _ in range(400)]
            site.expect(not await _is_served(node), "a connection beyond the descriptors is served: nothing is proven")
            site.expect(site.ledger.count > before, "who was connected before is not served any more")
            for writer in idle:
                writer.transport.abort()
            back = await until(lambda: _is_served(node), 15)
            site.expect(back is not None, "new connections are not served after the others went")
            took = max(took, back or 0)
    await site.delivered(node)
    site.expect(not site.ledger.refused, f"refused: {dict(site.ledger.refused)}")
    return site.row(rounds, f"400 idle connections on 256 descriptors; new ones served {took * 1000:.0f} ms after")


async def _connect(port):
    return (await asyncio.open_connection("127.0.0.1", port))[1]


async def _is_served(node):
    try:
        return await asyncio.wait_for(node.is_ready(), 1)
    except asyncio.TimeoutError:
        return False
