"""`python -m tests.bench.client bare|spade URL TOKEN DESCRIPTOR`: a client of a sandbox, in a process of its own.

`spade` is the real `spade run`, `bare` a `discord.Client` that counts messages. Both answer each byte on a socket with
a line of JSON: what the process has cost so far, and how often its event loop was late.
"""

import asyncio
import json
import os
import socket
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any

from tests.bench.usage import peak_memory, resident_memory, threads

PROBED_EVERY, LATE = 0.01, 0.025
"""The loop is asked for a turn so often, in seconds; one that comes so much later is a stall."""
DATABASE = "spade.db"
"""In the folder in which the process runs."""
CONNECTED = "Connected to Discord"
"""What stands in the output once the client is ready."""


class Probe:
    """Notes the stalls of an event loop, and reports on the process."""

    def __init__(self, report: socket.socket, messages: Callable[[], int]) -> None:
        self._report = report
        self._messages = messages
        self._stalls, self._worst = 0, 0.0

    def start(self) -> None:
        """Listen in the running loop. Stalls are looked for from the first b"!" on, since that costs something, too."""
        asyncio.get_running_loop().add_reader(self._report, self._answer)

    async def _watch(self) -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(PROBED_EVERY)
            late = time.perf_counter() - before - PROBED_EVERY
            self._stalls += late > LATE
            self._worst = max(self._worst, late)

    def _answer(self) -> None:
        asked, loop = self._report.recv(1), asyncio.get_running_loop()
        if not asked:
            loop.remove_reader(self._report)
            return
        if asked == b"!":
            self._task = loop.create_task(self._watch())
        told = {
            "cpu": time.process_time(),
            "resident": resident_memory(),
            "peak": peak_memory(),
            "threads": threads(),
            "stalls": self._stalls,
            "worst": self._worst,
            "messages": self._messages(),
        }
        self._worst = 0.0
        self._report.sendall(json.dumps(told).encode() + b"\n")


def spade(url: str, token: str, report: socket.socket) -> None:
    """`spade run`, with a probe in its loop."""
    run = asyncio.run

    def probed(main: Coroutine[Any, Any, Any], **options: Any) -> Any:
        async def whole() -> Any:
            Probe(report, lambda: 0).start()
            return await main

        return run(whole(), **options)

    asyncio.run = probed
    os.environ["SPADE_TOKEN"] = token
    sys.argv = ["spade", "run", "--discord-url", url, "--database", f"sqlite:///{DATABASE}"]
    from bot.cli.main import run_command  # noqa: PLC0415 - the other client must not pay for it

    sys.exit(run_command())


def bare(url: str, token: str, report: socket.socket) -> None:
    """A client with Spade's intents that counts messages, and keeps nothing that Spade does not keep."""
    import discord  # noqa: PLC0415 - as above

    from bot.discord_io.connection.address import point_at  # noqa: PLC0415 - as above

    class Client(discord.Client):
        messages = 0

        async def on_ready(self) -> None:
            print(CONNECTED, flush=True)

        async def on_message(self, _message: discord.Message) -> None:
            self.messages += 1

    async def main() -> None:
        point_at(url)
        client = Client(
            intents=discord.Intents(guilds=True, guild_messages=True, guild_reactions=True),
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
        )
        Probe(report, lambda: client.messages).start()
        await client.start(token)

    asyncio.run(main())


if __name__ == "__main__":
    kind, *where = sys.argv[1:]
    {"bare": bare, "spade": spade}[kind](where[0], where[1], socket.socket(fileno=int(where[2])))
