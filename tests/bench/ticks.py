"""A tick with nothing to do: how much work it is to find that out."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from bot.app import App, open_app
from bot.clock import DrivenClock
from bot.config import Settings
from bot.services.record.follower import Follower
from tests.bench import schema
from tests.bench.counting import counting
from tests.bench.measure import cpu, cpu_of
from tests.bench.row import Row, alone, at_most, beside
from tests.bench.sizes import Sizes

NAME = "idle tick"
NOW = datetime(2026, 3, 6, 12, 30, tzinfo=UTC)
"""A Friday at noon: every nudge was sent in the morning, and every digest on Monday."""
FIRST_GUILD = 8_000_000_000_000_000
MANAGERS = 5
_WEEK = "2026-02-23"


@dataclass(frozen=True, slots=True)
class IdleTick:
    """CPU seconds, what SQLite was asked, and hops, of one tick; and of the same ticks one indexed query's CPU."""

    seconds: float
    statements: int
    hops: int
    plain: float


async def make(path: Path, guilds: int, managers: int) -> None:
    """So many guilds, each with so many enrolled managers, to all of whom digests and nudges were sent."""

    def fill(database: sqlite3.Connection) -> None:
        since, sent = _ms(NOW - timedelta(days=400)), _ms(NOW - timedelta(hours=4))
        ids = [FIRST_GUILD + number for number in range(guilds)]
        team = [(guild_id, 1 + number) for guild_id in ids for number in range(managers)]
        schema.insert(
            database,
            "guild",
            "guild_id, time_zone, digest_channel_id, digest_weekday, digest_hour, digest_from_at, keep_months, "
            "watched_since",
            [(guild_id, "Europe/Berlin", 1, 0, 9, since, None if guild_id % 10 else 24, since) for guild_id in ids],
        )
        schema.insert(database, "manager", "guild_id, manager_id, enrolled_at", [(*member, since) for member in team])
        schema.insert(
            database,
            "delivery",
            "delivery_id, guild_id, kind, manager_id, due_on, state, nonce, claimed_at, tried_at, settled_at, "
            "channel_id, message_id",
            _deliveries(ids, team, sent),
        )

    await schema.make(path, fill)


def _deliveries(ids: list[int], team: list[tuple[int, int]], sent: int) -> Iterator[tuple[object, ...]]:
    for guild_id in ids:
        yield _delivery(guild_id, "digest", 0, _WEEK, sent)
    for guild_id, manager_id in team:
        yield _delivery(guild_id, "personal digest", manager_id, _WEEK, sent)
        yield _delivery(guild_id, "nudge", manager_id, "2026-03-06", sent)


def _delivery(guild_id: int, kind: str, manager_id: int, due_on: str, sent: int) -> tuple[object, ...]:
    key = f"{kind}-{guild_id}-{manager_id}"
    return key, guild_id, kind, manager_id, due_on, "sent", key[:25], sent, sent, sent, 1, 1


async def idle_tick(path: Path, guilds: int, managers: int) -> IdleTick:
    """Make the database, and let the real schedule tick on it. Discord is left out: nothing has to be sent."""
    await make(path, guilds, managers)
    with counting() as counter, patch.object(Follower, "guild_caught_up", return_value=True):
        async with open_app(Settings(database=f"sqlite:///{path}"), DrivenClock(NOW), tick_seconds=3600) as app:
            app.bot.is_ready = lambda: True
            app.bot.joined = lambda: range(FIRST_GUILD, FIRST_GUILD + guilds)
            for cog in app.bot._cogs_to_load:
                await app.bot.add_cog(cog)
            await _ticked(app)  # a start has things to do that an idle bot has not
            before = cpu(), counter.now()
            await _ticked(app)
            seconds, counts = cpu() - before[0], counter.now() - before[1]
    with closing(sqlite3.connect(path)) as database:
        team = database.execute("SELECT guild_id, manager_id FROM manager").fetchall()
    assert len(team) == guilds * managers
    return IdleTick(
        seconds, counts.statements, counts.hops, await cpu_of(lambda: _plain(path.with_suffix(".due"), team))
    )


async def _ticked(app: App) -> None:
    """Let the schedule tick, and wait for what takes longer than a tick waits."""
    await app.schedule.tick()
    while running := app.schedule._attempts._running:
        await asyncio.wait(set(running.values()))


async def _plain(path: Path, team: list[tuple[int, int]]) -> None:
    """One query for what is due, on a table with nothing but that, its making included."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE due (guild_id INTEGER, manager_id INTEGER, due_at INTEGER)")
        database.execute("CREATE INDEX due_by_time ON due (due_at)")
        database.executemany("INSERT INTO due VALUES (?, ?, ?)", [(*one, _ms(NOW) + 1) for one in team])
        database.execute("SELECT guild_id, manager_id FROM due WHERE due_at <= ?", (_ms(NOW),)).fetchall()


def tick(sizes: Sizes, folder: Path) -> Row:
    """The idle tick of many guilds, whose goal is bound to how many they are."""
    found = asyncio.run(idle_tick(folder / "ticks.db", sizes.guilds, MANAGERS))
    milliseconds = at_most(50.0) if sizes.full else None
    return Row(
        f"{NAME}, {sizes.guilds:,} guilds of {MANAGERS} managers",
        (
            beside(
                "CPU",
                "ms",
                "a table of due times, made and asked",
                [(1000 * found.seconds, 1000 * found.plain)],
                milliseconds,
            ),
            alone("statements", "", [found.statements]),
            alone("hops", "", [found.hops]),
        ),
    )


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
