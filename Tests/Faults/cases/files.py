"""The outbox cannot be opened, or somebody else has it: one clear line, exit code 1, and nothing is changed."""

import asyncio
import hashlib
import os
import random
import shutil
import sqlite3

from driver.node import Ended
from driver.senders import Senders
from driver.site import Skipped, until


async def bad_files(site):
    """Damaged, not a database, cut short, in use, where nothing can be written, where nothing can be made."""
    node = site.node()
    await node.start()
    await site.upstream.down()
    async with Senders(site.ledger, node.port, profiles=100):
        await asyncio.sleep(1)
    await node.stop()
    good = f"{site.directory}/good.db"
    shutil.copy(node.outbox, good)
    rounds = 0

    for _ in range(site.options.choose(5, 50)):
        shutil.copy(good, node.outbox)
        _damage(node.outbox)
        await _is_refused(site, node, "damaged", "is damaged")
        rounds += 1
    for name, content in {
        "no database": b"these are my notes. " * 500,
        "cut short": open(good, "rb").read()[: os.path.getsize(good) // 2 // 4096 * 4096],
    }.items():
        with open(node.outbox, "wb") as file:
            file.write(content)
        await _is_refused(site, node, name, "is damaged")
        rounds += 1
    other = sqlite3.connect(f"{site.directory}/other.db")
    other.execute("CREATE TABLE mine (id INTEGER)")
    other.close()
    shutil.copy(f"{site.directory}/other.db", node.outbox)
    await _is_refused(site, node, "another program's database", "no outbox")
    shutil.copy(good, node.outbox)

    second = site.node("second", outbox=node.outbox)
    await node.start()
    await _is_refused(site, second, "in use by another node", f"held by process {node.process.pid}", same=False)
    await node.stop()
    shell = sqlite3.connect(node.outbox, isolation_level=None)
    shell.execute("BEGIN EXCLUSIVE")
    await _is_refused(site, node, "locked by another program", "in use by another process")
    shell.close()
    missing = site.node("missing", outbox="/proc/nowhere/patchbay.db")
    await _is_refused(site, missing, "no such directory", "cannot be written", same=False)
    rounds += 4
    try:
        disk = await site.mount("readonly", "size=1m,ro")
        await _is_refused(
            site, site.node("disk", outbox=f"{disk}/patchbay.db"), "read-only", "cannot be written", same=False)
        rounds += 1
        readonly = "read-only"
    except Skipped:
        readonly = "no read-only disk, for mounting is not allowed here"

    # And the good one still has everything.
    await site.upstream.up()
    await node.start()
    await site.delivered(node)
    return site.row(rounds, f"damaged, no database, cut short, in use, locked, {readonly}, no directory")


async def _is_refused(site, node, name, words, same=True):
    """same: the file is as it was."""
    before = _digest(node.outbox) if same else None
    try:
        await node.start(within=20)
    except Ended as end:
        lines = end.words.strip().splitlines()
        site.expect(end.code == 1, f"{name}: {end}")
        site.expect(len(lines) == 1 and words in lines[0], f"{name}: not one clear line: {lines}")
    else:
        site.expect(False, f"{name}: it starts")
        await node.kill()
    site.expect(not same or _digest(node.outbox) == before, f"{name}: the file was changed")
    for leftover in ("-wal", "-shm"):
        if same and os.path.exists(node.outbox + leftover):
            os.remove(node.outbox + leftover)


def _damage(path):
    """Random bytes in every fourth page or so, beyond the first page."""
    pages = os.path.getsize(path) // 4096
    with open(path, "r+b") as file:
        for page in random.sample(range(1, pages), max(1, pages // 4)):
            file.seek(page * 4096)
            file.write(random.randbytes(random.choice([64, 512, 4096])))


def _digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


async def locked(site):
    """Somebody's shell locks the file of a running node; in the long form for longer than it waits."""
    node = site.node()
    rounds, seconds = site.options.choose((1, 3), (3, 8))
    await node.start()
    async with Senders(site.ledger, node.port):
        for _ in range(rounds):
            await asyncio.sleep(0.5)
            shell = sqlite3.connect(node.outbox, isolation_level=None)
            shell.execute("BEGIN IMMEDIATE")
            await asyncio.sleep(seconds)
            shell.execute("ROLLBACK")
            shell.close()
            site.expect(await until(node.is_ready, 15) is not None, "not ready after the lock was gone")
            await asyncio.sleep(0.5)
    await site.delivered(node)
    return site.row(rounds, f"locked for {seconds} s; {site.ledger.refused[503]} x 503")
