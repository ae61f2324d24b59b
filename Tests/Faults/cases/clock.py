"""The wall clock is set while deliveries fail and are tried again."""

import asyncio

from driver import upstream
from driver.senders import Senders

from .upstreams import PATIENCE

HOUR = 3600 * 10**9
STEPS = {
    "+1 h": HOUR, "back": 0, "-1 h": -HOUR, "-1 day": -24 * HOUR, "ahead again": 0, "+3 days": 72 * HOUR, "at last": 0,
}


async def clock_jumps(site):
    """The clock jumps ahead and back. Nothing is lost, and what failed is tried again as soon as ever."""
    speed = 10
    node = site.node(shims=["clock"], environment={"CLOCK_SPEED": str(speed)}, settings=PATIENCE)
    await node.start()
    took = {}
    for name, offset in STEPS.items():
        site.upstream.behave = upstream.sometimes(upstream.unavailable, 0.5)
        async with Senders(site.ledger, node.port, count=4, pause=0.01):
            await asyncio.sleep(1)
            # What failed until now was given the time of its next attempt before the step.
            node.clock["offset_ns"] = offset
            await asyncio.sleep(0.5)
        site.upstream.behave = None
        took[name] = await site.delivered(node, within=40)
        if site.wrong:
            break
    dead = await node.metric("patchbay_dead_letters")
    site.expect(dead == 0, f"{dead:.0f} dead letters because of the clock")
    longest = max(took, key=took.get)
    return site.row(len(took), f"all delivered within {took[longest] * speed:.0f} s of each step ({longest})")
