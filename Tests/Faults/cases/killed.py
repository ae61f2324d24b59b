"""The process ends at a random moment: by kill -9, with the power, or because it is asked to."""

import asyncio
import os
import random
import shutil
import signal
import time

from driver import upstream
from driver.senders import Senders
from driver.site import until


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


async def mixed(site):
    """kill -9, while the upstream refuses some profiles and some values, answers 425, drops, and applies late: sound
    profiles do not wait for the others, and in the end the newest of each is held."""
    node = site.node(app="    timeout: 1s\n    settle_after: 3s")
    site.upstream.behave = behave = upstream.Mixed(late=1.3)
    rounds = site.options.choose(5, 100)
    await node.start()
    watch = asyncio.create_task(_longest_wait(site))
    async with Senders(site.ledger, node.port, count=4, pause=0.005):
        for _ in range(rounds):
            await asyncio.sleep(random.uniform(0.3, 1.2))
            await node.kill()
            await node.start()
    # Those that the firewall refuses still wait; all others are done before it is gone.
    took = await until(lambda: _is_sound(site), within=60)
    site.expect(took is not None, "sound profiles still wait after 60 s")
    watch.cancel()
    behave.healed = True
    await asyncio.sleep(1.5)  # the last of those that are applied late
    await node.retry_now()
    await site.delivered(node, within=60)
    changes = len({(key, number) for key, numbers in site.ledger.accepted.items() for number in numbers})
    wait = max(site.longest_wait, default=0)
    return site.row(
        rounds, f"sound profiles waited {wait:.1f} s at most; {site.upstream.asked / changes:.2f} requests a change; "
        f"{await node.metric('patchbay_dead_letters'):.0f} dead letters; {site.upstream.record.backwards} set right",
        may_go_back=True)


async def _is_sound(site):
    return not _behind(site)


def _behind(site):
    """Sound profiles' fields that do not hold the newest value that was accepted."""
    record = site.upstream.record
    return [
        key for key, numbers in site.ledger.accepted.items()
        if not upstream.is_refused(key[0])
        and max(numbers) > max(record.held.get(key, 0), record.refused.get(key, 0))]


async def _longest_wait(site):
    """How long a sound profile's field was behind, at most, looked at ten times a second."""
    site.longest_wait, since = [0.0], {}
    while True:
        now = time.monotonic()
        since = {key: since.get(key, now) for key in _behind(site)}
        site.longest_wait[0] = max([site.longest_wait[0]] + [now - begun for begun in since.values()])
        await asyncio.sleep(0.1)


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
