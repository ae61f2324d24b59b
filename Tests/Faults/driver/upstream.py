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


class Request:
    """Called, it is applied; it can be later than it is answered."""

    def __init__(self, record, profile, identifiers):
        self.record, self.profile, self.identifiers = record, profile, identifiers

    def __call__(self):
        self.record.apply(self.profile, self.identifiers)


class Upstream:
    """behave: a coroutine of its own, called as behave(writer, request) for each request; it answers, or does not, and
    applies the request by calling it, or does not. None for an upstream at its best."""

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
                request = Request(self.record, profile, json.loads(body))
                await (self.behave or well)(writer, request)
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


def _number(text):
    return int(text[1:]) if isinstance(text, str) and text[1:].isdigit() else 0


def is_refused(profile):
    """One profile in ten, as long as the firewall is there."""
    return sum(profile.encode()) % 10 == 0


class Mixed:
    """A firewall that refuses some profiles with HTML, values that are refused by their field, 425, connections that
    drop before or after the request was applied, and requests that are applied after their attempt was given up.

    late: seconds after which those are applied. healed: nothing of it happens any more, but that some values are
    refused."""

    def __init__(self, late):
        self.late, self.healed, self.tasks = late, False, set()

    async def __call__(self, writer, request):
        bad = {field for field, text in request.identifiers.items() if field == "branch_id" and _number(text) % 5 == 0}
        if not self.healed:
            chance = random.random()
            if is_refused(request.profile):
                return writer.write(_html(403))
            if chance < 0.05:
                return writer.write(_answer(425, b""))
            if chance < 0.10:
                return await reset(writer, (lambda: None) if bad else request)
            if chance < 0.15 and not bad:
                task = asyncio.create_task(self._apply_late(request))
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)
                return await stall(writer, request)
        if bad:
            request.record.refuse(request.profile, {field: request.identifiers[field] for field in bad})
            errors = json.dumps([{"source": field, "errors": ["refused"]} for field in bad])
            body = f'{{"errors":{errors},"error_code":"validation_error","status_code":400}}'.encode()
            return writer.write(_answer(400, body))
        await well(writer, request)

    async def _apply_late(self, request):
        await asyncio.sleep(self.late)
        request()


def _html(status, body=b"<html>Attention Required</html>"):
    return (
        f"HTTP/1.1 {status} Some\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def sometimes(fault, probability):
    async def behave(writer, apply):
        await (fault if random.random() < probability else well)(writer, apply)

    return behave
