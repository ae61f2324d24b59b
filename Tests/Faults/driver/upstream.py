"""An Adapty of the driver's own, which keeps what it was given and misbehaves when it is told to."""

import asyncio
import json
import random

from .http import read_message
from .ledger import Record

OK = b'{"data":{}}'


def _answer(status, body=OK, headers=""):
    return (
        f"HTTP/1.1 {status} Some\r\nContent-Type: application/json\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


ERROR = b'{"errors":["told to"],"error_code":"error","status_code":0}'


class Upstream:
    """behave: a coroutine of its own, called as behave(writer, apply) for each request; it answers, or does not, and
    applies the request, or does not. None for an upstream at its best."""

    def __init__(self):
        self.record = Record()
        self.behave = None
        self.asked = 0
        self.server = None
        self.port = 0
        self.writers = set()

    async def up(self):
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=1024)
        self.port = self.server.sockets[0].getsockname()[1]

    async def down(self):
        """Nobody listens any more, and nobody is answered."""
        if self.server:
            self.server.close()
            self.server = None
        for writer in list(self.writers):
            writer.transport.abort()
        while self.writers:
            await asyncio.sleep(0.02)

    async def _serve(self, reader, writer):
        self.writers.add(writer)
        try:
            while True:
                _, headers, body = await read_message(reader)
                self.asked += 1
                profile = headers.get("adapty-customer-user-id") or headers.get("adapty-profile-id")

                def apply():
                    self.record.apply(profile, json.loads(body))

                if self.behave:
                    await self.behave(writer, apply)
                else:
                    apply()
                    writer.write(_answer(200))
        except (OSError, EOFError):
            pass
        finally:
            self.writers.discard(writer)
            writer.close()


async def well(writer, apply):
    apply()
    writer.write(_answer(200))


async def reset(writer, apply):
    """Half of them after it applied what it was sent: the answer is lost."""
    if random.random() < 0.5:
        apply()
    writer.transport.abort()
    raise EOFError


async def stall(writer, apply):
    while not writer.transport.is_closing():
        await asyncio.sleep(0.1)
    raise EOFError


async def drip(writer, apply):
    """A byte now and then, never a whole answer within the time that an attempt may take."""
    for byte in _answer(200):
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.3)


async def garbage(writer, apply):
    writer.write(random.randbytes(random.randint(1, 4096)))
    await writer.drain()
    writer.close()
    raise EOFError


async def too_many(writer, apply):
    writer.write(_answer(429, ERROR, "Retry-After: 1\r\n"))


async def unavailable(writer, apply):
    writer.write(_answer(random.choice([500, 502, 503, 504]), ERROR))


def sometimes(fault, probability):
    async def behave(writer, apply):
        await (fault if random.random() < probability else well)(writer, apply)

    return behave
