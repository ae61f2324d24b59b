"""The upstream resets, stalls, drips, answers garbage, refuses, is down."""

import asyncio

from driver import upstream
from driver.senders import Senders

# Long waits of the node pass in short ones of ours; what may take long for a slow machine may take as much longer.
FAST = {"CLOCK_SPEED": "20"}
PATIENCE = "deadlines: { headers: 5m, body: 5m, idle: 1h, write: 5m }"


async def resets(site):
    return await _misbehaves(site, upstream.reset)


async def stalls(site):
    return await _misbehaves(site, upstream.stall)


async def drips(site):
    return await _misbehaves(site, upstream.drip)


async def garbage(site):
    return await _misbehaves(site, upstream.garbage)


async def too_many(site):
    return await _misbehaves(site, upstream.too_many)


async def unavailable(site):
    return await _misbehaves(site, upstream.unavailable)


async def _misbehaves(site, fault):
    """Always, then now and then, then no more; webhooks are accepted all the while."""
    node = site.node(shims=["clock"], environment=FAST, settings=PATIENCE, app="    timeout: 20s")
    await node.start()
    rounds = site.options.choose(1, 5)
    for _ in range(rounds):
        site.upstream.behave = fault
        async with Senders(site.ledger, node.port, count=4, pause=0.005):
            await asyncio.sleep(site.options.choose(1, 3))
            site.upstream.behave = upstream.sometimes(fault, 0.3)
            await asyncio.sleep(site.options.choose(1, 3))
        site.upstream.behave = None
    took = await site.delivered(node, within=90)
    dead = await node.metric("patchbay_dead_letters")
    site.expect(dead == 0, f"{dead:.0f} dead letters")
    site.expect(not site.ledger.refused, f"not accepted meanwhile: {dict(site.ledger.refused)}")
    asked, applied = site.upstream.asked, site.upstream.record.requests
    return site.row(rounds, f"{asked - applied} of {asked} attempts failed; delivered {took:.1f} s after it was well")


async def down_for_an_hour(site):
    """Nobody listens for an hour, then somebody does."""
    speed = site.options.choose(360, 60)
    node = site.node(
        shims=["clock"], environment={"CLOCK_SPEED": str(speed)}, app="    timeout: 10m\n    connect_timeout: 5m",
        settings="deadlines: { headers: 10m, body: 10m, idle: 1h, write: 10m }")
    await node.start()
    await site.upstream.down()
    async with Senders(site.ledger, node.port, count=4, pause=0.02):
        await asyncio.sleep(3600 / speed)
        waiting = await node.waiting()
    await site.upstream.up()
    took = await site.delivered(node, within=60)
    dead = await node.metric("patchbay_dead_letters")
    site.expect(dead == 0, f"{dead:.0f} dead letters")
    return site.row(
        1, f"{speed} times as fast; {waiting:.0f} profiles waited, delivered {took * speed:.0f} s of its time after")
