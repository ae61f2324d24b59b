"""As much of HTTP/1.1 as the senders and the upstream need."""

import asyncio
import collections

Answer = collections.namedtuple("Answer", "status headers body")


async def read_message(reader):
    """One message: its first line, its headers by lower-case name, its body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {}
    for line in head[1:]:
        name, _, text = line.partition(":")
        headers[name.lower()] = text.strip()
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(await reader.readuntil(b"\r\n"), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readexactly(2)
    else:
        body = await reader.readexactly(int(headers.get("content-length") or 0))
    return head[0], headers, body


class Connection:
    """One connection that is kept alive, and opened again when it was closed."""

    def __init__(self, port):
        self.port = port
        self.writer = None

    async def ask(self, request, timeout=15):
        """Raises OSError or EOFError where there is no answer."""
        try:
            return await asyncio.wait_for(self._ask(request), timeout)
        except BaseException:
            self.close()
            raise

    async def _ask(self, request):
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writer.write(request)
        first, headers, body = await read_message(self.reader)
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Answer(int(first.split(" ")[1]), headers, body)

    def close(self):
        if self.writer is not None:
            self.writer.transport.abort()
            self.writer = None


async def get(port, path, method="GET"):
    connection, length = Connection(port), "Content-Length: 0\r\n" if method != "GET" else ""
    try:
        return await connection.ask(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{length}\r\n".encode())
    finally:
        connection.close()
