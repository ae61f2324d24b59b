"""What one fault needs around it, and what came of it."""

import asyncio
import dataclasses
import os
import random
import shutil
import socket
import tempfile
import time

from .ledger import Ledger
from .node import Control, Node
from .upstream import Upstream


class Skipped(Exception):
    """This fault cannot be made here, and why."""


@dataclasses.dataclass
class Row:
    fault: str
    rounds: int = 0
    accepted: int = 0
    delivered: int = 0
    lost: int = 0
    requests: int = 0
    duplicates: int = 0
    unavailable_ms: int = 0
    remark: str = ""
    wrong: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Options:
    program: str
    shims: dict  # name: library
    is_short: bool
    can_mount: bool
    top: str  # of the repository

    def choose(self, short, long):
        return short if self.is_short else long


class Site:
    """A directory, an upstream, a ledger; ends and removes all of it."""

    def __init__(self, fault, options):
        self.fault, self.options = fault, options
        self.ledger, self.upstream = Ledger(), Upstream()
        self.nodes, self.wrong, self.mounts = [], [], []

    async def __aenter__(self):
        self.directory = tempfile.mkdtemp(prefix="patchbay-faults-")
        await self.upstream.up()
        return self

    async def __aexit__(self, *_):
        for node in self.nodes:
            await node.kill()
        await self.upstream.down()
        for path in self.mounts:
            await run("umount", "--lazy", path)
        shutil.rmtree(self.directory, ignore_errors=True)

    def node(self, name="node", shims=(), environment=None, **more):
        """Not started yet. With shims, its control is `node.disk` or `node.clock`."""
        environment, controls = dict(environment or {}), {}
        names = {"disk": ["fails", "delay_us", "keeps", "failed"], "clock": ["offset_ns"]}
        for shim in shims:
            path = f"{self.directory}/{name}.{shim}"
            controls[shim] = Control(path, names[shim])
            environment[f"{shim.upper()}_SHIM"] = path
        if shims:
            environment["LD_PRELOAD"] = ":".join(self.options.shims[shim] for shim in shims)
        node = Node(
            self.options.program, f"{self.directory}/{name}", free_port(), self.upstream.port,
            environment=environment, **more)
        node.disk, node.clock = controls.get("disk"), controls.get("clock")
        self.nodes.append(node)
        return node

    async def mount(self, name, options):
        """A small disk of its own, in memory."""
        if not self.options.can_mount:
            raise Skipped("mounting is not allowed here")
        path = f"{self.directory}/{name}"
        os.mkdir(path)
        if await run("mount", "-t", "tmpfs", "-o", options, "tmpfs", path) != 0:
            raise Skipped("mounting a tmpfs is not allowed here")
        self.mounts.append(path)
        return path

    def expect(self, is_so, words):
        if not is_so and words not in self.wrong:
            self.wrong.append(words)

    async def delivered(self, *nodes, within=60):
        """Waits until nothing waits; how long that took, in seconds."""
        begin = time.monotonic()
        while True:
            waiting = sum([await node.waiting() for node in nodes])
            took = time.monotonic() - begin
            if waiting == 0 or took > within:
                self.expect(waiting == 0, f"{waiting:.0f} profiles still wait after {within} s")
                return took
            await asyncio.sleep(0.05)

    def row(self, rounds, remark="", may_go_back=False):
        """What came of it. Nothing may be lost, and no profile's value may have gone back, unless only for a while."""
        record = self.upstream.record
        accepted, delivered = self.ledger.count, record.delivered(self.ledger)
        self.expect(accepted > 0, "nothing was accepted: nothing is proven")
        self.expect(delivered == accepted, f"{accepted - delivered} events answered 2xx are lost")
        self.expect(may_go_back or record.backwards == 0, f"{record.backwards} requests put an older value in a newer one's place")
        self.expect(self.ledger.without_retry_after == 0, "a 503 without Retry-After")
        strange = [why for why in self.ledger.refused if isinstance(why, int) and why != 503]
        self.expect(not strange, f"answers that are neither 2xx nor 503: {strange}")
        for node in self.nodes:
            crashes = [line for line in node.errors.splitlines() if "Fatal error" in line or "Crash" in line]
            self.expect(not crashes, f"a crash: {crashes[:1]}")
        return Row(
            self.fault, rounds, accepted, delivered, accepted - delivered, record.requests, record.duplicates,
            round(self.ledger.longest_gap * 1000), remark, self.wrong)


def free_port():
    """Below those that the kernel gives away, so that it is still free for the next process."""
    while True:
        port = random.randrange(10000, 30000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


async def run(*arguments):
    """The exit code of a command, which says nothing."""
    process = await asyncio.create_subprocess_exec(
        *arguments, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL)
    return await process.wait()


async def until(condition, within):
    """Waits for a condition; how long that took in seconds, or None."""
    begin = time.monotonic()
    while time.monotonic() - begin < within:
        if await condition():
            return time.monotonic() - begin
        await asyncio.sleep(0.02)
    return None
