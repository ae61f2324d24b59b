"""The process ends at a random moment: by kill -9, with the power, or because it is asked to."""

import asyncio
import os
import random
import shutil
import signal

from driver.senders import Senders


async def kill9(site):
    """kill -9 at random moments, on one outbox."""
    node = site.node()
    rounds = site.options.choose(5, 100)
    await node.start()
    async with Senders(site.ledger, node.port):
        for _ in range(rounds):
            await asyncio.sleep(random.uniform(0.05, 1))
            await node.kill()
            await node.start()
    await site.delivered(node)
    return site.row(rounds, _starts(node))


async def power_cut(site):
    """kill -9, and of every file only what was synced remains: the harshest disk that keeps its word."""
    node = site.node(shims=["disk"])
    node.disk["keeps"] = 1
    rounds = site.options.choose(3, 30)
    await node.start()
    async with Senders(site.ledger, node.port):
        for _ in range(rounds):
            await asyncio.sleep(random.uniform(0.05, 1))
            await node.kill()
            lose_what_was_not_synced(node)
            await node.start()
    await site.delivered(node)
    return site.row(rounds, _starts(node))


def lose_what_was_not_synced(node):
    """The shared index of the log is never synced, and SQLite makes it anew."""
    for path in (node.outbox, node.outbox + "-wal", node.outbox + "-shm"):
        if os.path.exists(path + ".synced"):
            shutil.copy(path + ".synced", path)
        elif os.path.exists(path):
            os.remove(path)


async def sigterm(site):
    return await _stopped(site, signal.SIGTERM)


async def sigint(site):
    return await _stopped(site, signal.SIGINT)


async def _stopped(site, number):
    """Asked to end under load: it ends with 0, whatever is in flight."""
    node = site.node()
    rounds = site.options.choose(2, 20)
    await node.start()
    async with Senders(site.ledger, node.port):
        for _ in range(rounds):
            await asyncio.sleep(random.uniform(0.2, 1))
            code = await node.stop(number)
            site.expect(code == 0, f"exit code {code} after {signal.Signals(number).name}")
            await node.start()
    await site.delivered(node)
    return site.row(rounds, _starts(node))


def _starts(node):
    """A short name for: how long it took at most until it was ready again."""
    return f"ready again within {max(node.starts) * 1000:.0f} ms"
