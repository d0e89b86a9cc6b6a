"""Starting and asking the processes of `client`."""

import asyncio
import json
import os
import signal
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from bot.sandbox import Sandbox
from tests.bench.client import CONNECTED
from tests.bench.measure import ROOT

_PATIENCE = 90.0
_LOOK_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Report:
    """What a client has cost so far. `worst` is its longest stall since the last report."""

    cpu: float
    resident: int
    peak: int
    threads: int
    stalls: int
    worst: float
    messages: int


class Client:
    """One client's process. `ready_after` is how many seconds it took from its start until it was ready."""

    def __init__(self, kind: str, sandbox: Sandbox, folder: Path) -> None:
        self._kind, self._sandbox, self._folder = kind, sandbox, folder
        self.ready_after = 0.0

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start the process, and wait until it is ready."""
        self._folder.mkdir(exist_ok=True)
        log = self._folder / f"{self._kind}.log"
        ours, theirs = socket.socketpair()
        began = time.monotonic()
        with log.open("wb") as output, theirs:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.bench.client"),
                *(self._kind, self._sandbox.url, self._sandbox.token, str(theirs.fileno())),
                cwd=self._folder,
                env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
                stdout=output,
                stderr=output,
                pass_fds=[theirs.fileno()],
            )
        while CONNECTED not in log.read_text(encoding="utf-8", errors="replace"):
            if self._process.returncode is not None or time.monotonic() - began > _PATIENCE:
                raise RuntimeError(f"{self._kind} was not ready: {log.read_text(errors='replace')[-400:]}")
            await asyncio.sleep(_LOOK_SECONDS)
        self.ready_after = time.monotonic() - began
        self._reader, self._writer = await asyncio.open_connection(sock=ours)

    async def report(self) -> Report:
        """Ask it; that takes until its event loop has a turn."""
        return await self._asked(b"?")

    async def watch(self) -> None:
        """Have it look for stalls from now on."""
        await self._asked(b"!")

    async def _asked(self, what: bytes) -> Report:
        self._writer.write(what)
        told: dict[str, Any] = json.loads(await self._reader.readline())
        return Report(**told)

    async def stop(self) -> None:
        """End it, as a supervisor would."""
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM if self._kind == "spade" else signal.SIGKILL)
            try:
                async with asyncio.timeout(20):
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        self._writer.close()
