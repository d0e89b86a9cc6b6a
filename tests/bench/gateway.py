"""The real bot at the sandbox's gateway, and beside it a bare client that is sent the same messages."""

import asyncio
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bot.sandbox import PostedMessage, Sandbox
from tests.bench.client import DATABASE
from tests.bench.clients import Client, Report
from tests.bench.crowd import Crowd
from tests.bench.measure import MEGABYTE
from tests.bench.row import Of, Row, alone, at_least, at_most, beside
from tests.bench.sizes import Sizes

FLOOD, STEADY, IDLE = "intake at full flood", "200 messages a second", "running bot"
_BARE = "bare client"
_QUIET_SECONDS = 3.0
"""So long after it is ready, the memory of an idle bot is read."""
_RECORDED_WITHIN = 240.0
_POLL_SECONDS = 0.02
_TAIL = 0.99


@dataclass(slots=True)
class Window:
    """What both clients cost for what was said while one rate was kept up for some seconds."""

    seconds: float
    ours: tuple[Report, Report]
    theirs: tuple[Report, Report]

    @property
    def shares(self) -> tuple[float, float]:
        """Of a core, in percent."""
        ours, theirs = (100 * (after.cpu - before.cpu) / self.seconds for before, after in (self.ours, self.theirs))
        return ours, theirs

    @property
    def stalls(self) -> tuple[float, float]:
        """A minute."""
        minutes = self.seconds / 60
        ours, theirs = ((after.stalls - before.stalls) / minutes for before, after in (self.ours, self.theirs))
        return ours, theirs

    @property
    def worst(self) -> tuple[float, float]:
        """In milliseconds."""
        return 1000 * self.ours[1].worst, 1000 * self.theirs[1].worst


@dataclass(slots=True)
class Measured:
    """All samples; `floods` are messages per CPU second, `memory` is at its most in the first flood, and before it."""

    starts: list[tuple[float, float]] = field(default_factory=list)
    idle: tuple[Report, Report] | None = None
    hundred: list[Window] = field(default_factory=list)
    two_hundred: list[Window] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    floods: list[tuple[float, float]] = field(default_factory=list)
    memory: tuple[float, float] | None = None


class Spans:
    """Looks into the bot's database how far it has recorded, and how long each message took."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        self._sent: dict[int, deque[tuple[int, float]]] = {}
        self.latencies: list[float] = []

    def close(self) -> None:
        self._database.close()

    def said(self, message: PostedMessage) -> None:
        """A message is being sent now."""
        self._sent.setdefault(message.channel_id, deque()).append((message.id, time.monotonic()))

    def recorded(self) -> dict[int, int]:
        """The newest position on record of each channel."""
        return dict(self._database.execute("SELECT channel_id, max(last_id) FROM span GROUP BY channel_id"))

    def look(self) -> None:
        """Note how long it took of each message that is on record now."""
        now = time.monotonic()
        for channel_id, position in self.recorded().items():
            sent = self._sent.get(channel_id, deque())
            while sent and sent[0][0] <= position:
                self.latencies.append(now - sent.popleft()[1])

    @property
    def open(self) -> bool:
        """Whether a message is not on record yet."""
        return any(self._sent.values())

    async def keep_looking(self) -> None:
        """Look every few milliseconds, until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(_POLL_SECONDS)


@contextmanager
def _spans(folder: Path) -> Iterator[Spans]:
    with closing(Spans(folder / DATABASE)) as spans:
        yield spans


def gateway(sizes: Sizes, folder: Path) -> tuple[Row, ...]:
    """Intake, a steady rate and the idle bot."""
    return rows(asyncio.run(_measured(sizes, folder)), sizes)


async def _measured(sizes: Sizes, folder: Path) -> Measured:
    found, pairs = Measured(), min(sizes.pairs, 3)
    async with Sandbox(now=_now, strict=False) as sandbox:
        crowd, ours, theirs = Crowd(sandbox), folder / "spade", folder / "bare"
        async with Client("spade", sandbox, ours):
            await crowd.set_up()
        for _ in range(pairs - 1):
            async with Client("bare", sandbox, theirs) as bare:
                pass
            async with Client("spade", sandbox, ours) as spade:
                found.starts.append((spade.ready_after, bare.ready_after))
        async with Client("spade", sandbox, ours) as spade:
            async with Client("bare", sandbox, theirs) as bare:
                found.starts.append((spade.ready_after, bare.ready_after))
                await asyncio.sleep(_QUIET_SECONDS)
                found.idle = await spade.report(), await bare.report()
                with _spans(ours) as spans:
                    await _steadily(found, crowd, spade, bare, spans, pairs, sizes.window)
            await _floods(found, crowd, spade, folder, sizes)
    return found


async def _steadily(
    found: Measured, crowd: Crowd, spade: Client, bare: Client, spans: Spans, pairs: int, seconds: float
) -> None:
    looking = asyncio.create_task(spans.keep_looking())
    await _window(crowd, spade, bare, spans, 100, 1.0)  # everything is done once before it is measured
    for _ in range(pairs):
        found.hundred.append(await _window(crowd, spade, bare, spans, 100, seconds))
    await spade.watch()
    await bare.watch()
    spans.latencies.clear()
    for _ in range(pairs):
        found.two_hundred.append(await _window(crowd, spade, bare, spans, 200, seconds))
    looking.cancel()
    found.latencies = spans.latencies


async def _window(crowd: Crowd, spade: Client, bare: Client, spans: Spans, a_second: int, seconds: float) -> Window:
    """Keep up a rate, and wait for what it made to do: a client that has put it off has not saved it."""
    before = await spade.report(), await bare.report()
    sent = await crowd.talk(a_second, seconds, spans.said)
    while (await bare.report()).messages < before[1].messages + sent:
        await asyncio.sleep(_POLL_SECONDS)
    await _until(lambda: not spans.open)
    after = await spade.report(), await bare.report()
    return Window(seconds, (before[0], after[0]), (before[1], after[1]))


async def _floods(found: Measured, crowd: Crowd, spade: Client, folder: Path, sizes: Sizes) -> None:
    """The bare client has a sandbox of its own, so that each of the two is flooded alone."""
    began = time.monotonic()
    async with Sandbox(now=_now, strict=False) as sandbox:
        others = Crowd(sandbox)
        async with Client("bare", sandbox, folder / "flooded") as bare:
            while len(found.floods) < sizes.pairs and not (found.floods and time.monotonic() - began > sizes.seconds):
                theirs = await _flooded_bare(others, bare, sizes.flood)
                ours = await _flooded(found, crowd, spade, folder / "spade", sizes.flood)
                found.floods.append((sizes.flood / ours, sizes.flood / theirs))


async def _flooded_bare(crowd: Crowd, bare: Client, messages: int) -> float:
    before = await bare.report()
    await crowd.flood(messages)
    while (now := await bare.report()).messages < before.messages + messages:
        await asyncio.sleep(0.1)
    return now.cpu - before.cpu


async def _flooded(found: Measured, crowd: Crowd, spade: Client, folder: Path, messages: int) -> float:
    before = await spade.report()
    newest = await crowd.flood(messages)
    with _spans(folder) as spans:
        await _until(lambda: _holds(spans.recorded(), newest), 0.2)
    after = await spade.report()
    if found.memory is None:
        found.memory = after.peak / MEGABYTE, before.resident / MEGABYTE
    return after.cpu - before.cpu


def _holds(recorded: Mapping[int, int], newest: Mapping[int, int]) -> bool:
    return all(recorded.get(channel_id, 0) >= message_id for channel_id, message_id in newest.items())


async def _until(condition: Callable[[], bool], every: float = _POLL_SECONDS) -> None:
    async with asyncio.timeout(_RECORDED_WITHIN):
        while not condition():
            await asyncio.sleep(every)


def rows(found: Measured, sizes: Sizes) -> tuple[Row, ...]:
    """The three rows of these samples."""
    assert found.idle is not None
    assert found.memory is not None
    spade, bare = found.idle
    return (
        Row(
            f"{FLOOD}, {sizes.flood:,} messages",
            (
                beside("messages recorded", "per CPU second", _BARE, found.floods, at_least(0.8, Of.RATIO)),
                beside("memory at its most", "MB", "before the flood", [found.memory], at_most(1.25, Of.RATIO)),
            ),
        ),
        Row(
            STEADY,
            (
                beside("CPU", "% of a core", _BARE, [one.shares for one in found.two_hundred], at_most(4.0, Of.MORE)),
                alone("from sent to committed, median", "s", [_quantile(found.latencies, 0.5)]),
                alone("from sent to committed, 99 of 100", "s", [_quantile(found.latencies, _TAIL)], at_most(1.5)),
                beside(
                    "stalls over 25 ms",
                    "a minute",
                    _BARE,
                    [one.stalls for one in found.two_hundred],
                    at_most(3.0, Of.MORE),
                ),
                beside("longest stall", "ms", _BARE, [one.worst for one in found.two_hundred]),
            ),
        ),
        Row(
            IDLE,
            (
                beside(
                    "memory, idle", "MB", _BARE, [(spade.resident / MEGABYTE, bare.resident / MEGABYTE)], at_most(80.0)
                ),
                beside("threads, idle", "", _BARE, [(spade.threads, bare.threads)]),
                beside("ready after, on the wall", "s", _BARE, found.starts, at_most(3.0)),
                beside(
                    "CPU at 100 messages a second",
                    "% of a core",
                    _BARE,
                    [one.shares for one in found.hundred],
                    at_most(3.0),
                ),
            ),
        ),
    )


def _quantile(values: Sequence[float], part: float) -> float:
    return sorted(values)[min(int(part * len(values)), len(values) - 1)]


def _now() -> datetime:
    return datetime.now(UTC)
