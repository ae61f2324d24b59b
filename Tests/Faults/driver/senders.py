"""Vendors and client apps that send, over connections kept alive, values that grow with each event of a profile."""

import asyncio
import datetime
import random
import time

from .http import Connection
from .ledger import value
from .node import CLIENT_KEY, TOKEN

# Well before every clock of every fault: a vendor's time ahead of the node's would not be believed.
EPOCH = int(time.time()) - 20 * 86400


def event_time(number):
    moment = datetime.datetime.fromtimestamp(EPOCH + number, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%d %H:%M:%S.000")


def _post(path, body, headers=""):
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{headers}"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def appsflyer(profile, number):
    body = f'{{"appsflyer_id":"{value(number)}","customer_user_id":"{profile}","event_time":"{event_time(number)}"}}'
    return _post(f"/hooks/appsflyer?token={TOKEN}", body)


def amplitude(profile, number):
    body = f'{{"device_id":"{value(number)}","user_id":"{profile}","event_time":"{event_time(number)}"}}'
    return _post(f"/hooks/amplitude?token={TOKEN}", body)


def adjust(profile, number):
    query = f"token={TOKEN}&adid={value(number)}&customer_user_id={profile}&created_at={EPOCH + number}"
    return f"GET /hooks/adjust?{query} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def client(profile, number):
    """A client app names no time: its order is that of its requests."""
    headers = f"Authorization: Api-Key {CLIENT_KEY}\r\nadapty-customer-user-id: {profile}\r\nPrefer: respond-async\r\n"
    return _post("/client/branch", f'{{"identity":"{value(number)}"}}', headers)


VENDORS = {
    "appsflyer_id": appsflyer,
    "amplitude_device_id": amplitude,
    "adjust_device_id": adjust,
    "branch_id": client,
}


class Senders:
    """Send while the block runs. Each sender has profiles of its own, so that their order is known; what was not
    answered is not sent again: the next value is.

    fresh: every event is of a profile of its own. pause: seconds between two events of a sender.
    """

    names = 0

    def __init__(self, ledger, port, count=8, profiles=25, fresh=False, pause=0.0):
        self.ledger, self.port, self.profiles, self.fresh, self.pause = ledger, port, profiles, fresh, pause
        Senders.names += 1
        self.prefix = f"p{Senders.names}"
        self.count = count
        self.is_stopping = False

    async def __aenter__(self):
        self.ledger.begin()
        self.tasks = [asyncio.create_task(self._send(index)) for index in range(self.count)]
        return self

    async def __aexit__(self, *_):
        """What is on its way has its answer, or its end."""
        self.is_stopping = True
        await asyncio.gather(*self.tasks)
        self.ledger.end()

    async def _send(self, index):
        connection, number = Connection(self.port), 0
        while not self.is_stopping:
            number += 1
            profile = f"{self.prefix}-{index}-{number if self.fresh else random.randrange(self.profiles)}"
            field, request = random.choice(list(VENDORS.items()))
            await self._post(connection, request(profile, number), (profile, field), number)
            if self.pause:
                await asyncio.sleep(self.pause)
        connection.close()

    async def _post(self, connection, request, key, number):
        try:
            answer = await connection.ask(request)
        except (OSError, EOFError, asyncio.TimeoutError) as error:
            self.ledger.not_answered(type(error).__name__)
            return await asyncio.sleep(0.02)
        if 200 <= answer.status < 300:
            self.ledger.answered([key], number)
        else:
            self.ledger.not_answered(answer.status, answer.headers)
            await asyncio.sleep(0.02)
