"""Patchbay as a process."""

import asyncio
import ctypes
import json
import mmap
import os
import resource
import signal
import struct
import time

from .http import get

TOKEN, CLIENT_KEY, SECRET_KEY = "faults-token", "faults-client-key", "secret_live_faults"
CONFIGURATION = """\
listen: 127.0.0.1:{port}
admin: {{ listen: 127.0.0.1:0 }}
outbox: sqlite:{outbox}
loops: 2
drain: {{ delay: {drain}, timeout: 10s }}
log: {{ level: notice }}
limits: {{ source: 1000000/s, client_key: 1000000/s, client_ip: 1000000/s, profile: 1000000/s }}
apps:
  main:
    upstream: http://127.0.0.1:{upstream}
    secret_key: env:FAULTS_SECRET_KEY
    rate: {{ per_minute: 60000000, burst: 1000000 }}
{app}
sources:
  appsflyer: {{ vendor: appsflyer, app: main, auth: {{ token: env:FAULTS_TOKEN, in: query, name: token }} }}
  amplitude: {{ vendor: amplitude, app: main, auth: {{ token: env:FAULTS_TOKEN, in: query, name: token }} }}
  adjust: {{ vendor: adjust, app: main, auth: {{ token: env:FAULTS_TOKEN, in: query, name: token }} }}
client_keys:
  app: {{ app: main, key: env:FAULTS_CLIENT_KEY }}
{settings}
"""


class Ended(Exception):
    """It ended instead of serving: its exit code, and what it said on standard error."""

    def __init__(self, code, words):
        super().__init__(f"exit code {code}: {words.strip() or 'not a word'}")
        self.code, self.words = code, words


def end_with_parent():
    """The kernel ends it if the driver is killed (prctl PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Node:
    """One outbox, served by one process after another on the same port.

    environment: of the process, beyond its secrets. descriptors: the most it may have. app, settings: more of the
    configuration, as lines of YAML.
    """

    def __init__(self, program, directory, port, upstream, outbox=None, drain="0s", app="", settings="",
                 environment=None, descriptors=None):
        self.program, self.directory, self.port = program, directory, port
        self.outbox = outbox or f"{directory}/patchbay.db"
        self.log_path, self.error_path = f"{directory}/log", f"{directory}/errors"
        self.descriptors = descriptors
        self.environment = {
            **os.environ, "FAULTS_TOKEN": TOKEN, "FAULTS_CLIENT_KEY": CLIENT_KEY, "FAULTS_SECRET_KEY": SECRET_KEY,
            **(environment or {}),
        }
        self.process = None
        self.starts = []  # how long each start took, in seconds
        os.makedirs(directory, exist_ok=True)
        self.configuration = f"{directory}/patchbay.yaml"
        with open(self.configuration, "w") as file:
            file.write(CONFIGURATION.format(
                port=port, upstream=upstream, outbox=self.outbox, drain=drain, app=app, settings=settings))

    def _prepare(self):
        end_with_parent()
        if self.descriptors:
            resource.setrlimit(resource.RLIMIT_NOFILE, (self.descriptors, self.descriptors))

    async def start(self, within=30):
        """Returns when it is ready; raises Ended where it ends instead."""
        begin = time.monotonic()
        with open(self.log_path, "ab") as log, open(self.error_path, "wb") as errors:
            seen = log.tell()
            self.process = await asyncio.create_subprocess_exec(
                self.program, "serve", "--config", self.configuration, stdout=log, stderr=errors,
                stdin=asyncio.subprocess.DEVNULL, env=self.environment, preexec_fn=self._prepare)
        while True:
            if self.process.returncode is not None:
                raise Ended(self.process.returncode, self.errors)
            serving = [line for line in self.log(seen) if line.get("message") == "serving"]
            if serving:
                self.admin = int(serving[0]["admin"].rsplit(":", 1)[1])
                if await self.is_ready():
                    break
            if time.monotonic() - begin > within:
                await self.kill()
                raise Ended(None, f"not ready within {within} s")
            await asyncio.sleep(0.005)
        self.starts.append(time.monotonic() - begin)

    def log(self, begin=0):
        """The whole lines so far, from a byte on."""
        with open(self.log_path, "rb") as file:
            file.seek(begin)
            return [json.loads(line) for line in file.read().split(b"\n")[:-1] if line.startswith(b"{")]

    @property
    def errors(self):
        with open(self.error_path, errors="replace") as file:
            return file.read()

    @property
    def is_running(self):
        return self.process is not None and self.process.returncode is None

    async def kill(self):
        if self.is_running:
            self.process.kill()
            await self.process.wait()

    async def stop(self, number=signal.SIGTERM, within=30):
        """Its exit code; None, and it is killed, where it does not stop."""
        self.process.send_signal(number)
        try:
            return await asyncio.wait_for(self.process.wait(), within)
        except asyncio.TimeoutError:
            await self.kill()

    async def is_ready(self):
        try:
            return (await get(self.port, "/readyz")).status == 200
        except (OSError, EOFError, asyncio.TimeoutError):
            return False

    async def command(self, *arguments):
        """Asks this node; the exit code, and what was said on both outputs."""
        process = await asyncio.create_subprocess_exec(
            self.program, *arguments, "--config", self.configuration, "--admin", f"127.0.0.1:{self.admin}",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env=self.environment,
            preexec_fn=end_with_parent)
        words, _ = await asyncio.wait_for(process.communicate(), 60)
        return process.returncode, words.decode(errors="replace")

    async def metric(self, name):
        """Summed over its labels; 0 where there is none."""
        text = (await get(self.admin, "/metrics")).body.decode()
        lines = [line for line in text.splitlines() if line.startswith((name + " ", name + "{"))]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines)

    async def retry_now(self):
        """What failed is due now, as `outbox replay --state retrying` has it."""
        path = "/outbox/replay?state=retrying"
        while path:
            answer = json.loads((await get(self.admin, path, "POST")).body)
            path = answer["next"] and f"/outbox/replay?state=retrying&from={answer['next']}"

    async def waiting(self):
        return await self.metric("patchbay_profiles_waiting")

    def memory(self):
        """Resident, in bytes."""
        with open(f"/proc/{self.process.pid}/status") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmRSS"))


class Control:
    """Numbers that a shim reads while a process runs."""

    def __init__(self, path, names):
        with open(path, "wb") as file:
            file.write(bytes(8 * len(names)))
        with open(path, "r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 0)
        self._places = {name: 8 * index for index, name in enumerate(names)}

    def __setitem__(self, name, number):
        struct.pack_into("=q", self._memory, self._places[name], int(number))

    def __getitem__(self, name):
        return struct.unpack_from("=q", self._memory, self._places[name])[0]
