"""The disk is full, fails to sync, or is slow."""

import asyncio
import errno
import os
import random

from driver.senders import Senders
from driver.site import until

from .killed import lose_what_was_not_synced


async def disk_full(site):
    """Another file takes all the room, then goes: 503 meanwhile, and again 200 without a restart."""
    # More than the outbox's log may take: what fills the disk here is somebody else's.
    disk = await site.mount("disk", "size=128m")
    node = site.node(outbox=f"{disk}/patchbay.db")
    rounds = site.options.choose(2, 20)
    await node.start()
    took = 0
    async with Senders(site.ledger, node.port, profiles=200):
        for _ in range(rounds):
            await asyncio.sleep(0.5)
            _fill(f"{disk}/filler")
            refused = site.ledger.refused[503]

            async def refuses():
                _fill(f"{disk}/filler")  # also what a checkpoint gave back
                return site.ledger.refused[503] >= refused + 20 and not await node.is_ready()

            site.expect(await until(refuses, 20) is not None, "a full disk is not answered with 503")
            code, words = await node.command("outbox", "--limit", "0")
            site.expect(
                code == 1 and "cannot be written" in words and "Make room" in words, f"outbox: {code}: {words}")
            os.remove(f"{disk}/filler")
            back = await until(node.is_ready, 15)
            site.expect(back is not None, "not ready again after there was room again")
            took = max(took, back or 0)
    await site.delivered(node)
    alarms = [line for line in node.log() if line["level"] in ("error", "critical")]
    # A probe may find room that a checkpoint gave back, for a moment.
    site.expect(rounds <= len(alarms) <= 3 * rounds, f"{len(alarms)} alarms in the log for {rounds} full disks")
    return site.row(
        rounds, f"{site.ledger.refused[503]} x 503; ready again {took * 1000:.0f} ms after there was room"
        f"; {len(alarms)} alarms in the log")


async def small_disk(site):
    """The outbox itself fills a disk of 12 MiB while the upstream is down: 503, and 200 again once that is delivered."""
    disk = await site.mount("disk", "size=12m")
    node = site.node(outbox=f"{disk}/patchbay.db")
    rounds = site.options.choose(1, 3)
    await node.start()
    took = 0
    for _ in range(rounds):
        await site.upstream.down()
        refused = site.ledger.refused[503]

        async def refuses():
            return site.ledger.refused[503] >= refused + 20 and not await node.is_ready()

        async with Senders(site.ledger, node.port, count=32, fresh=True):
            site.expect(await until(refuses, 120) is not None, "a small disk never fills")
        await site.upstream.up()
        back = await until(node.is_ready, 60)
        site.expect(back is not None, "not ready again after what filled the disk was delivered")
        took = max(took, back or 0)
    await site.delivered(node)
    return site.row(rounds, f"{site.ledger.refused[503]} x 503; ready again {took:.1f} s after the upstream was")


def _fill(path):
    try:
        with open(path, "ab", buffering=0) as file:
            for size in (65536, 4096):  # to the last page
                while file.write(bytes(size)) == size:
                    pass
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise


async def fsync_fails(site):
    """A sync fails once or goes on failing. Whatever is answered 2xx then is on the disk nevertheless: the process is
    killed, and of every file only what was synced remains."""
    rounds = site.options.choose(3, 30)
    node = site.node(shims=["disk"])
    node.disk["keeps"] = 1
    await node.start()
    stopped = ended = 0
    for round in range(rounds):
        async with Senders(site.ledger, node.port):
            await asyncio.sleep(random.uniform(0.1, 0.5))
            failed, refused = node.disk["failed"], sum(site.ledger.refused.values())
            node.disk["fails"] = 1

            async def has_failed():
                return node.disk["failed"] > failed

            site.expect(await until(has_failed, 15) is not None, "nothing was synced: nothing is proven")
            # Once is enough: the kernel says that all is well the next time, and may have thrown the pages away.
            if round % 2 == 0:
                node.disk["fails"] = 0
            await asyncio.sleep(0.5)
            is_ready = node.is_running and await node.is_ready()
            ended += not node.is_running
            stopped += not is_ready
            site.expect(not is_ready, "ready after a sync failed")
            site.expect(sum(site.ledger.refused.values()) > refused, "it goes on accepting after a sync failed")
        await node.kill()
        node.disk["fails"] = 0
        lose_what_was_not_synced(node)
        await node.start()
    await site.delivered(node)
    return site.row(rounds, f"stopped accepting {stopped} times, ended by itself in {ended} of them")


async def slow_disk(site):
    """Every sync takes 50 to 500 ms."""
    node = site.node(shims=["disk"])
    await node.start()
    rounds = site.options.choose(3, 10)
    for round in range(rounds):
        node.disk["delay_us"] = (50_000, 200_000, 500_000)[round % 3]
        async with Senders(site.ledger, node.port, count=32):
            await asyncio.sleep(site.options.choose(1.5, 5))
    node.disk["delay_us"] = 0
    await site.delivered(node)
    site.expect(not site.ledger.refused, f"refused by a slow disk: {dict(site.ledger.refused)}")
    return site.row(rounds, "50, 200 and 500 ms a sync")
