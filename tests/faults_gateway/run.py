"""One outage after another for the real bot: `spade run`'s own loop, with a client that has no database."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import logging
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from random import Random
from types import SimpleNamespace
from typing import Any

import discord
from discord.gateway import DiscordWebSocket
from yarl import URL

import bot.cli.run
from bot.client import SpadeBot
from bot.clock import Clock
from bot.config import Settings
from bot.discord_io.connection import gateway
from bot.discord_io.connection.message_feed import ReceivedMessage
from tests.faults_gateway.hostile import TOKEN, Fault, HostileDiscord, Moment, Way
from tests.support.fast_loop import FastLoop

BACK_WITHIN = 60.0
PATIENCE = 600.0
"""How long it is waited for the bot before it is given up."""
OUTAGES = ((0.0, 3.0), (3.0, 60.0), (60.0, 600.0))
"""Ranges of the length of an outage, in seconds."""
STATES = 3
"""How many different lines an outage may have in the log: at most the fault itself, how it goes on, and the login."""
_here: contextvars.ContextVar[Stand] = contextvars.ContextVar("_here")


@dataclass
class Outcome:
    """What came of an outage. `back` is how many seconds after the server's return the bot received a message."""

    way: str
    moment: Moment
    back: float = 0.0
    ended: bool = False
    never_back: bool = False
    lines: list[str] = field(default_factory=list)
    tracebacks: list[str] = field(default_factory=list)

    @property
    def chatty(self) -> bool:
        """Whether the log says one thing twice, or too many things."""
        return any(count > 1 for count in Counter(self.lines).values()) or len(self.lines) > STATES

    @property
    def failed(self) -> bool:
        """Whether it was not as it has to be."""
        return bool(self.ended or self.never_back or self.back > BACK_WITHIN or self.chatty or self.tracebacks)

    def told(self) -> str:
        """What went wrong, for people."""
        if self.ended:
            return "it ended"
        if self.never_back:
            return "it never came back"
        return f"back after {self.back:.1f} s, {len(self.lines)} lines, {len(self.tracebacks)} tracebacks"


class Stand:
    """One Discord, and one bot at a time."""

    def __init__(self) -> None:
        self.server = HostileDiscord()
        self.outcome: Outcome | None = None
        self.heard: set[int] = set()
        self.terminate: Callable[[], object] = lambda: None
        """What the bot does at SIGTERM."""
        self._running: asyncio.Task[None] | None = None
        self._context = contextvars.copy_context()
        self._context.run(_here.set, self)

    async def play(self, way: Way, moment: Moment, random: Random) -> Outcome:
        """Play one outage: at the first connection or a later one, for a random time."""
        outcome = self.outcome = Outcome(way.name, moment)
        loop = asyncio.get_running_loop()
        fault = Fault(way, moment, rest=way.at_request and _passing_for_login(way) and random.random() < 0.5)
        at_first = moment not in {Moment.LATER, Moment.IN_RESUME} and random.random() < 0.5
        if at_first:
            server = await self.restart(fault)
        else:
            server = self.server
            if self._running is None or self._running.done() or random.random() < 0.2:
                server = await self.restart(None)
            await self._hears()
            await asyncio.sleep(random.choice((0.0, 10.0, 100.0)))
            await server.fail(fault)
            if moment is not Moment.LATER:
                server.cut(keep_sessions=moment is Moment.IN_RESUME or random.random() < 0.3)
                await server.post()
                await server.post()
        assert self._running is not None
        flowing = self._context.run(asyncio.create_task, self._flow())
        try:
            await self._until(lambda: fault.struck or self._running.done())
            if not way.resume_address:
                await asyncio.sleep(random.uniform(*random.choice(OUTAGES)))
                await server.heal()
            returned_at = loop.time()
            outcome.never_back = not await self._hears()
            outcome.back = loop.time() - returned_at
            await server.heal()
        finally:
            flowing.cancel()
        if self._running.done():
            outcome.ended = True
            error = self._running.exception()
            if error is not None:
                outcome.tracebacks.append("".join(traceback.format_exception(error)))
        return outcome

    async def restart(self, fault: Fault | None) -> HostileDiscord:
        """Start the bot anew, with nothing left of the one before."""
        await self.stop()
        await self.server.start()
        if fault is not None:
            await self.server.fail(fault)
        self._running = self._context.run(asyncio.create_task, bot.cli.run._run(Settings(), TOKEN))
        return self.server

    async def stop(self) -> None:
        """Stop the bot and its Discord."""
        if self._running is not None:
            self.terminate()
            await asyncio.gather(self._running, return_exceptions=True)
            await self.server.stop()
            self._running = None
        self.server = HostileDiscord()

    async def _flow(self) -> None:
        """People write all the time."""
        while True:
            await asyncio.sleep(10.0)
            await self.server.post()

    async def _hears(self) -> bool:
        """Whether a message that is written from now on arrives in time."""
        first = await self.server.post()
        while not await self._until(lambda: any(one >= first for one in self.heard), 1.0):
            await self.server.post()
            if self._running.done() or self._spent > PATIENCE:
                return False
            self._spent += 1.0
        self._spent = 0.0
        self.heard.clear()
        return True

    _spent = 0.0

    async def _until(self, condition: Any, seconds: float = PATIENCE) -> bool:
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while not condition():
            if loop.time() >= until:
                return False
            await asyncio.sleep(0.25)
        return True


def _passing_for_login(way: Way) -> bool:
    """Whether a login that fails so is worth another try: what Discord refuses for good ends Spade."""
    return way.name in {"http-429", "no-http-answer", "request-reset"} or way.name.startswith("http-5")


_LATE = "Can't keep up"
"""What discord.py's heartbeat says in its own thread, by the machine's time, where this loop has another: it tells of
the load of the machine, not of an outage."""


class _Ear(logging.Handler):
    """Gives each line of the log to the outage that it was written in. `astray` are tracebacks of no outage."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.astray: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        stand = _here.get(None)
        text = record.getMessage()
        outcome = None if stand is None else stand.outcome
        if record.exc_info or "Traceback" in text:
            (self.astray if outcome is None else outcome.tracebacks).append(logging.Formatter().format(record))
        elif outcome is not None and not text.startswith(_LATE):
            outcome.lines.append(text)


class _Here:
    """What discord.py is pointed at, for each bot its own server."""

    def __init__(self, make: Callable[[HostileDiscord], object]) -> None:
        self._make = make

    def __get__(self, _instance: object, _owner: type) -> Any:
        return self._make(_here.get().server)


@asynccontextmanager
async def _client_alone(_settings: Settings, clock: Clock) -> AsyncIterator[SimpleNamespace]:
    """In place of the whole app: its client, without cogs."""
    client, stand = SpadeBot(clock), _here.get()
    client.equip(None, ())

    def hear(received: ReceivedMessage) -> None:
        stand.heard.add(received.raw.message.message_id)

    client.feed.listen(hear)
    try:
        never_lost = SimpleNamespace(lost=asyncio.Event().wait)
        yield SimpleNamespace(bot=client, schedule=SimpleNamespace(start=lambda: None), database=never_lost)
    finally:
        await client.close()


@contextmanager
def _installed(defect: str | None) -> Iterator[_Ear]:
    ear = _Ear()
    kept = [
        (discord.http.Route, "BASE", _Here(lambda server: f"{server.address}/api/v10")),
        (DiscordWebSocket, "DEFAULT_GATEWAY", _Here(lambda server: URL(f"{server.address}/gateway"))),
        (bot.cli.run, "open_app", _client_alone),
        *(DEFECTS[defect] if defect is not None else ()),
    ]
    before = [(owner, name, vars(owner)[name]) for owner, name, _ in kept]
    for owner, name, value in kept:
        setattr(owner, name, value)
    root = logging.getLogger()
    level = root.level
    root.addHandler(ear)
    root.setLevel(logging.WARNING)
    try:
        yield ear
    finally:
        root.removeHandler(ear)
        root.setLevel(level)
        for owner, name, value in before:
            setattr(owner, name, value)


def _keep_stopper(_number: int, stop: Callable[[], object]) -> None:
    """In place of a signal handler: each bot of the process is stopped by itself."""
    _here.get().terminate = stop


async def _play(runs: list[tuple[Way, Moment]], seed: int, at_once: int) -> list[Outcome]:
    outcomes: list[Outcome] = []
    left = iter(enumerate(runs))

    async def one_after_another() -> None:
        stand = Stand()
        try:
            for number, (way, moment) in left:
                outcomes.append(await stand.play(way, moment, Random(f"{seed} {number} {way.name} {moment}")))
        finally:
            await stand.stop()

    await asyncio.gather(*(one_after_another() for _ in range(at_once)))
    return outcomes


def play(
    runs: list[tuple[Way, Moment]], seed: int, *, at_once: int = 50, defect: str | None = None
) -> tuple[list[Outcome], list[str]]:
    """Play outages, many bots at a time in a loop that does not really wait; also the tracebacks of none of them."""
    with _installed(defect) as ear, asyncio.Runner(loop_factory=FastLoop) as runner:
        runner.get_loop().add_signal_handler = _keep_stopper
        outcomes = runner.run(_play(runs, seed, at_once))
    gc.collect()
    return outcomes, ear.astray


# Defects to plant: names in modules and classes, with what they become.
DEFECTS: dict[str, list[tuple[Any, str, Any]]] = {
    "own-loop": [(SpadeBot, "connect", discord.Client.connect)],
    "unbounded": [(gateway, "LONGEST_DELAY_SECONDS", 1024.0)],
    "patient": [(gateway, "ANSWER_SECONDS", 1e9)],
}
