"""The outbox's files are taken away under a running node, or opened by another name."""

import asyncio
import os
import shutil
import time

from driver.node import Ended
from driver.senders import Senders
from driver.site import until

WITHIN = 1.0  # in which a node has to notice
NAMES = {"database": "", "log": "-wal", "lock": ".lock"}


async def taken_away(site):
    """Database, write-ahead log, lock and directory, each deleted and each replaced; and the file by a second name.

    While senders post, and while nobody does. The node notices within a second, accepts nothing more, says so, and
    exits 74. What it answered 2xx until then was in the files, and is delivered on the way out; every event is of a
    profile of its own, so that a start on older files puts nothing back.
    """
    # Each start follows an end without a word, after which it says once more what was under way.
    node = site.node(outbox=f"{site.directory}/data/patchbay.db", app="    settle_after: 200ms")
    slowest = rounds = 0
    for what in (*NAMES, "directory"):
        for is_replaced in (False, True):
            for is_busy in (True, False):
                took = await _take(site, node, what, is_replaced, is_busy)
                slowest = max(slowest, took)
                rounds += 1
    await _other_names(site, node)
    await site.delivered(node)
    return site.row(rounds + 2, f"noticed within {slowest * 1000:.0f} ms, exit 74; refused by its other names")


async def _take(site, node, what, is_replaced, is_busy):
    """Returns how long it took to be noticed, in seconds."""
    name = f"{what} {'replaced' if is_replaced else 'deleted'} while {'busy' if is_busy else 'idle'}"
    await node.start()
    seen = os.path.getsize(node.log_path)
    async with Senders(site.ledger, node.port, count=2, fresh=True, pause=0.005) as senders:
        await asyncio.sleep(0.3)
        if not is_busy:
            senders.is_stopping = True
            await asyncio.gather(*senders.tasks)
        await site.delivered(node)
        begin = time.monotonic()
        _happen(node, what, is_replaced)

        async def is_noticed():
            return not node.is_running or not await node.is_ready()

        took = await until(is_noticed, 10)
        site.expect(took is not None, f"{name}: not noticed")
        took = time.monotonic() - begin
        accepted = site.ledger.count
        site.expect(took <= WITHIN, f"{name}: noticed after {took:.1f} s")
        await asyncio.sleep(0.2)
        site.expect(site.ledger.count == accepted, f"{name}: {site.ledger.count - accepted} accepted after that")
    try:
        code = await asyncio.wait_for(node.process.wait(), 20)
    except asyncio.TimeoutError:
        code = "none"
        await node.kill()
    site.expect(code == 74, f"{name}: exit code {code}")
    said = [line for line in node.log(seen) if line["level"] == "critical"]
    site.expect(len(said) == 1 and " in use" in said[0]["error"], f"{name}: not said in one critical line: {said}")
    return took


def _happen(node, what, is_replaced):
    if what == "directory":
        directory = os.path.dirname(node.outbox)
        shutil.rmtree(directory + ".gone", ignore_errors=True)
        os.rename(directory, directory + ".gone")
        if is_replaced:
            shutil.copytree(directory + ".gone", directory)
        return
    path = node.outbox + NAMES[what]
    if is_replaced:
        shutil.copy(path, path + ".new")
        os.rename(path + ".new", path)
    else:
        os.remove(path)


async def _other_names(site, node):
    """Who comes by a hard link or a symbolic one is told that the file is in use, and the node works on."""
    await node.start()
    for name, link in (("hard", os.link), ("symbolic", os.symlink)):
        other = site.node(name, outbox=f"{site.directory}/{name}.db")
        link(node.outbox, other.outbox)
        async with Senders(site.ledger, node.port, count=2, fresh=True):
            try:
                await other.start(within=20)
            except Ended as end:
                site.expect(end.code == 1 and "in use by another process" in end.words, f"{name} link: {end}")
            else:
                site.expect(False, f"{name} link: two nodes on one file")
                await other.kill()
            await asyncio.sleep(0.2)
        site.expect(await node.is_ready(), f"{name} link: the node is not ready any more")
        os.remove(other.outbox)
