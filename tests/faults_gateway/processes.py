"""`spade run` as a process of its own, through a few outages in real time."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests.faults_gateway.hostile import TOKEN, Fault, HostileDiscord, Moment
from tests.faults_gateway.ways import WAYS

PLAYED = (
    ("http-503", Moment.BEFORE_HELLO, False),
    ("json-null", Moment.BEFORE_HELLO, False),
    ("ready-null", Moment.BEFORE_READY, False),
    ("op-9", Moment.IN_READY, False),
    ("bad-compression", Moment.LATER, True),
    ("close-4009", Moment.IN_RESUME, True),
)
"""Ways and moments, and whether the process is connected before."""
OUTAGE_SECONDS = 3.0
BACK_WITHIN = 60.0


@dataclass
class Ended:
    """How a process came through: its exit status, and how many seconds after the server's return it was back."""

    way: str
    moment: Moment
    status: int | None
    back: float
    tracebacks: int

    @property
    def ended(self) -> bool:
        """Whether it ended by itself, or not as it was told to."""
        return self.status != 0

    @property
    def failed(self) -> bool:
        """Whether it was not as it has to be."""
        return self.ended or self.back > BACK_WITHIN or self.tracebacks > 0


async def play_processes() -> list[Ended]:
    """Play each of them, three at a time."""
    at_once = asyncio.Semaphore(3)

    async def one(name: str, moment: Moment, connected: bool) -> Ended:
        async with at_once:
            with tempfile.TemporaryDirectory(prefix="spade-gateway-") as folder:
                return await _play(name, moment, Path(folder), connected=connected)

    return list(await asyncio.gather(*(one(*played) for played in PLAYED)))


async def _play(name: str, moment: Moment, folder: Path, *, connected: bool) -> Ended:
    server, fault = HostileDiscord(), Fault(next(way for way in WAYS if way.name == name), moment)
    await server.start()
    if not connected:
        await server.fail(fault)
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).parent / "spade"),
        *("run", "--discord-url", server.address),
        cwd=folder,
        env={**os.environ, "SPADE_TOKEN": TOKEN},
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        if connected:
            await _until_recorded(server, folder, process)
            await server.fail(fault)
            if moment is not Moment.LATER:
                server.cut(keep_sessions=True)
                await server.post()
        while not fault.struck and process.returncode is None:
            await asyncio.sleep(0.05)
        await asyncio.sleep(OUTAGE_SECONDS)
        await server.heal()
        time = asyncio.get_running_loop().time
        returned_at = time()
        await _until_recorded(server, folder, process)
        back = time() - returned_at
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        _, errors = await asyncio.wait_for(process.communicate(), 30)
        return Ended(name, moment, process.returncode, back, errors.count(b"Traceback"))
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
        await server.stop()


async def _until_recorded(server: HostileDiscord, folder: Path, process: asyncio.subprocess.Process) -> None:
    """Let people write until a message of theirs is on record; gives up after two minutes."""
    first = await server.post()
    for _ in range(480):
        await asyncio.sleep(0.25)
        await server.post()
        if process.returncode is not None or _recorded(folder / "spade.db") >= first:
            return


def _recorded(database: Path) -> int:
    if not database.exists():
        return 0
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        try:
            found = connection.execute("SELECT max(last_message_id) FROM member").fetchone()
        except sqlite3.OperationalError:
            return 0
    return found[0] or 0
