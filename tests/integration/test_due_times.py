"""Due work is found by its due times: always what the rules say of every row, by few questions however many rows."""

import ast
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text

from bot.clock import DrivenClock
from bot.domain.delivery import UNSETTLED, Delivery, DeliveryKind, DeliveryState
from bot.domain.digest import due_digest, due_personal_digest
from bot.domain.guild import GuildSettings, ManagerSettings
from bot.domain.nudge_time import due_nudge
from bot.domain.snowflake import first_id_at
from bot.services.delivery import due_times as looks
from bot.services.delivery import periods
from bot.services.delivery.due_times import DueTimes
from bot.services.delivery.outbox import new_delivery
from bot.services.digest.due import due_digests, due_personal_digests, is_open
from bot.services.nudge.due import deals_with, due_nudges
from bot.store import deliveries, due_times, guilds, managers
from bot.store.database import Connection, Database
from tests.support.statements import statements
from tests.support.ticking import Ticking, idle_guilds

START = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
ZONES = [ZoneInfo(name) for name in ("UTC", "Europe/Berlin", "America/Los_Angeles", "Pacific/Auckland")]
GUILDS = (1, 2, 3)
TEAM = (101, 102)
SEEDS, STEPS = (7,), 50
STORE = Path(__file__).parents[2] / "bot" / "store"
WRITTEN = {"tables.guild", "tables.manager", "tables.delivery"}
KINDS_OF_ROWS = (due_times.DIGEST, due_times.PURGE, due_times.NUDGE, due_times.PERSONAL_DIGEST)
KINDS = (DeliveryKind.DIGEST, DeliveryKind.NUDGE, DeliveryKind.PERSONAL_DIGEST)

Due = set[tuple[DeliveryKind, int, int, date]]


async def due_by_the_rules(database: Database, now: datetime) -> Due:
    """What is due, found by asking the rules about every guild and every manager."""
    found: Due = set()
    async with database.reading() as connection:
        for guild in await guilds.all_settings(connection):
            guild_id, channel_id = guild.guild_id, guild.digest_channel_id
            if (week := due_digest(guild, now)) is not None:
                key = guild_id, DeliveryKind.DIGEST, None, week.week_on
                if is_open(await periods.dealt_with(connection, *key, now), week, channel_id):
                    found.add((DeliveryKind.DIGEST, guild_id, 0, week.week_on))
            for manager in await managers.all_settings(connection, guild_id):
                own = guild_id, DeliveryKind.NUDGE, manager.manager_id
                day = due_nudge(manager, guild.zone, now)
                if day is not None and not deals_with(await periods.dealt_with(connection, *own, day, now), day):
                    found.add((DeliveryKind.NUDGE, guild_id, manager.manager_id, day))
                if (week := due_personal_digest(guild, manager, now)) is not None:
                    letter = guild_id, DeliveryKind.PERSONAL_DIGEST, manager.manager_id, week.week_on
                    if is_open(await periods.dealt_with(connection, *letter, now), week, None):
                        found.add((DeliveryKind.PERSONAL_DIGEST, guild_id, manager.manager_id, week.week_on))
    return found


class Looks:
    """What is due, found by the due times. Made anew, as at a restart, it trusts nothing that is stored."""

    def __init__(self, database: Database) -> None:
        self._nudges = DueTimes(database, due_times.NUDGE, due_nudges)
        self._digests = DueTimes(database, due_times.DIGEST, due_digests)
        self._letters = DueTimes(database, due_times.PERSONAL_DIGEST, due_personal_digests)

    async def due(self, now: datetime) -> Due:
        found: Due = set()
        for schedule, day in await self._nudges.look(now):
            found.add((DeliveryKind.NUDGE, schedule.guild.guild_id, schedule.manager.manager_id, day))
        for guild, week in await self._digests.look(now):
            found.add((DeliveryKind.DIGEST, guild.guild_id, 0, week.week_on))
        for schedule, week in await self._letters.look(now):
            manager_id = schedule.manager.manager_id
            found.add((DeliveryKind.PERSONAL_DIGEST, schedule.guild.guild_id, manager_id, week.week_on))
        return found


@dataclass
class History:
    """Random changes of everything that due times depend on, made as the services make them."""

    database: Database
    random: Random
    clock: DrivenClock = field(default_factory=lambda: DrivenClock(START))
    due: Due = field(default_factory=set)

    async def begin(self) -> None:
        async with self.database.writing() as connection:
            for guild_id in GUILDS:
                await guilds.watch(connection, guild_id, START)
                settings = GuildSettings(guild_id, self.random.choice(ZONES), digest_channel_id=5)
                await guilds.save(connection, replace(settings, digest_from_at=START - timedelta(days=9)))
                await managers.add(connection, guild_id, TEAM)
        for _ in GUILDS * 3:
            await self.guild_changes()
            await self.manager_changes()

    async def time_passes(self) -> None:
        most = self.random.choice((timedelta(minutes=30), timedelta(hours=12), timedelta(days=3), timedelta(days=20)))
        self.clock.set(self.clock.now() + most * self.random.random())

    async def clock_is_set_back(self) -> None:
        most = self.random.choice((timedelta(hours=1), timedelta(days=2), timedelta(days=9)))
        self.clock.set(self.clock.now() - most * self.random.random(), back=True)

    async def guild_changes(self) -> None:
        now, draw = self.clock.now(), self.random
        changes: dict[str, object] = {
            "zone": draw.choice(ZONES),
            "digest_channel_id": draw.choice((None, 5, 6)),
            "digest_weekday": draw.randrange(7),
            "digest_hour": draw.randrange(24),
            "digest_from_at": now - timedelta(days=draw.randrange(-1, 15)),
            "language": "de",
        }
        async with self.database.writing() as connection:
            settings = await guilds.settings_of(connection, draw.choice(GUILDS))
            if settings is not None:
                name = draw.choice(list(changes))
                await guilds.save(connection, replace(settings, **{name: changes[name]}))

    async def manager_changes(self) -> None:
        now, draw = self.clock.now(), self.random
        changes: dict[str, object] = {
            "enrolled_at": draw.choice((None, now, now - timedelta(days=9))),
            "zone": draw.choice((None, *ZONES)),
            "nudge_hour": draw.randrange(24),
            "nudge_weekdays": frozenset(draw.sample(range(7), draw.randrange(8))),
            "paused_until_on": draw.choice((None, now.date() + timedelta(days=draw.randrange(-1, 12)))),
            "refused_at": None,
        }
        guild_id, manager_id = draw.choice(GUILDS), draw.choice(TEAM)
        async with self.database.writing() as connection:
            manager = await managers.settings_of(connection, guild_id, manager_id)
            if manager is not None:
                name = draw.choice(list(changes))
                enrolled = {"enrolled_at": manager.enrolled_at or now - timedelta(days=3)}
                await managers.save(connection, replace(manager, **{**enrolled, name: changes[name]}))

    async def list_changes(self) -> None:
        guild_id, manager_id = self.random.choice(GUILDS), self.random.choice(TEAM)
        async with self.database.writing() as connection:
            if self.random.random() < 0.3:
                await managers.remove(connection, guild_id, [manager_id])
            await managers.add(connection, guild_id, TEAM)

    async def dms_close_or_open(self) -> None:
        at = self.random.choice((None, self.clock.now()))
        async with self.database.writing() as connection:
            await managers.mark_refused(connection, self.random.choice(TEAM), at)

    async def spade_is_removed_or_back(self) -> None:
        async with self.database.writing() as connection:
            if self.random.random() < 0.4:
                await guilds.mark_removed(connection, self.random.choice(GUILDS), self.clock.now())
            else:
                await guilds.mark_present(connection, GUILDS)

    async def something_is_claimed(self) -> None:
        if self.due:
            kind, guild_id, manager_id, due_on = self.random.choice(sorted(self.due))
            await self._claim(kind, guild_id, manager_id or None, due_on)

    async def something_is_claimed_on_request(self) -> None:
        async with self.database.reading() as connection:
            found = [
                (one.guild_id, one.manager_id, one.due_on)
                for kind in KINDS
                for guild_id in GUILDS
                for manager_id in TEAM
                if (one := await deliveries.newest(connection, guild_id, kind, manager_id)) is not None
                and kind is DeliveryKind.NUDGE
            ]
        if found:
            guild_id, manager_id, due_on = self.random.choice(found)
            await self._claim(DeliveryKind.NUDGE, guild_id, manager_id, due_on)

    async def _claim(self, kind: DeliveryKind, guild_id: int, manager_id: int | None, due_on: date) -> None:
        state = self.random.choice((DeliveryState.CLAIMED, DeliveryState.CLAIMED, DeliveryState.NOTHING))
        delivery = new_delivery(kind, guild_id, manager_id, due_on, self.clock, state)
        if kind is DeliveryKind.DIGEST:
            delivery = replace(delivery, channel_id=self.random.choice((5, 6)))
        async with self.database.writing() as connection:
            await deliveries.forget_unsent(connection, guild_id, kind, manager_id, due_on)
            await periods.claim(connection, delivery)

    async def something_is_settled(self) -> None:
        async with self.database.writing() as connection:
            waiting: list[Delivery] = list(await deliveries.unsettled(connection))
            if waiting:
                state = self.random.choice((DeliveryState.SENT, DeliveryState.REFUSED, *sorted(UNSETTLED)))
                changes = {"message_id": first_id_at(self.clock.now())} if state is DeliveryState.SENT else {}
                await deliveries.move(connection, self.random.choice(waiting), state, **changes)


@pytest.mark.parametrize("seed", SEEDS)
async def test_the_due_times_find_what_the_rules_find(
    database: Database, seed: int, monkeypatch: pytest.MonkeyPatch, sqlite_without_threads: None
) -> None:
    monkeypatch.setattr(looks, "ROWS_AT_ONCE", 3)
    random = Random(seed)
    history = History(database, random)
    await history.begin()
    found, seen, steps = Looks(database), set[DeliveryKind](), 0
    happens: list[Callable[[], object]] = [
        *[history.time_passes] * 4,
        *[history.something_is_claimed] * 4,
        *[history.something_is_settled] * 3,
        *[history.manager_changes] * 3,
        *[history.guild_changes] * 2,
        history.clock_is_set_back,
        history.list_changes,
        history.dms_close_or_open,
        history.spade_is_removed_or_back,
        history.something_is_claimed_on_request,
    ]
    for _ in range(STEPS):
        what = random.choice(happens)
        await what()  # type: ignore[misc]  # all of them are coroutine functions
        if random.random() < 0.1:
            found = Looks(database)
        if random.random() < 0.7:  # else more happens between two ticks
            history.due = await due_by_the_rules(database, history.clock.now())
            assert await found.due(history.clock.now()) == history.due, what
            seen |= {kind for kind, *_ in history.due}
            steps += bool(history.due)
    assert seen == set(KINDS)
    assert steps > 10


async def test_an_idle_tick_asks_as_often_for_fifty_guilds_as_for_five(
    database: Database, monkeypatch: pytest.MonkeyPatch, sqlite_without_threads: None
) -> None:
    counts = []
    for many in (5, 50):
        await idle_guilds(database, many, 5)
        ticking = Ticking(database)
        await ticking.tick()
        with statements() as asked, monkeypatch.context() as patch:
            patch.setattr(Database, "writing", None)
            await ticking.tick()
        assert (ticking.sent, ticking.failing) == (0, [])
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 15


async def test_after_a_look_every_due_time_lies_ahead(database: Database) -> None:
    await idle_guilds(database, 3, 2)
    ticking = Ticking(database)
    await ticking.tick()
    async with database.reading() as connection:
        for kind, rows in (
            (due_times.DIGEST, 3),
            (due_times.NUDGE, 6),
            (due_times.PERSONAL_DIGEST, 6),
        ):
            ahead = list(await connection.scalars(select(kind.column)))
            assert len(ahead) == rows
            assert all(at is not None and at > ticking.clock.now() for at in ahead)
        kept = await connection.scalars(select(due_times.PURGE.column))
        assert list(kept) == [None] * 3  # they keep everything


async def test_what_is_never_due_is_looked_at_once(database: Database) -> None:
    """Where Spade was removed, or the zone is unknown, or there are no settings yet."""
    await idle_guilds(database, 2, 2)
    async with database.writing() as connection:
        await guilds.mark_removed(connection, 1, START)
        await connection.execute(text("UPDATE guild SET time_zone = 'Area/Renamed' WHERE guild_id = 2"))
        await managers.add(connection, 3, [101])
    await Looks(database).due(START)
    async with database.reading() as connection:
        for kind in (due_times.DIGEST, due_times.NUDGE, due_times.PERSONAL_DIGEST):
            assert set(await connection.scalars(select(kind.column))) == {None}


ANN, BEN = (1, 101), (1, 102)
OWN = {(due_times.NUDGE, ANN), (due_times.PERSONAL_DIGEST, ANN)}
ALL = {
    *((kind, key) for kind in (due_times.NUDGE, due_times.PERSONAL_DIGEST) for key in (ANN, BEN)),
    *((kind, (1, 0)) for kind in (due_times.DIGEST, due_times.PURGE)),
}
Change = Callable[[Connection], Awaitable[object]]
_CLAIMED = Delivery("a" * 16, 1, DeliveryKind.NUDGE, 101, START.date(), DeliveryState.CLAIMED, "nonce", START)
_POSTED = replace(_CLAIMED, delivery_id="b" * 16, kind=DeliveryKind.DIGEST, manager_id=None)
_LETTER = replace(_CLAIMED, delivery_id="c" * 16, kind=DeliveryKind.PERSONAL_DIGEST)


def _moved(delivery: Delivery, to: DeliveryState) -> Change:
    return lambda connection: deliveries.move(connection, delivery, to)


async def _found_empty(connection: Connection) -> None:
    await deliveries.move(connection, _CLAIMED, DeliveryState.NOTHING)
    for kind in KINDS_OF_ROWS:
        key = (1, 0) if len(kind.key) == 1 else ANN
        await due_times.move_on(connection, kind, {key: START})
    await deliveries.forget_unsent(connection, 1, DeliveryKind.NUDGE, 101, START.date())


async def _removed_and_back(connection: Connection) -> None:
    await guilds.mark_removed(connection, 1, START)
    await guilds.mark_present(connection, [1, 2])


async def _refused_and_open_again(connection: Connection) -> None:
    await managers.mark_refused(connection, 101, START)
    for kind in (due_times.NUDGE, due_times.PERSONAL_DIGEST):
        await due_times.move_on(connection, kind, {ANN: None})
    await managers.mark_refused(connection, 101, None)


async def _off_and_on_the_list(connection: Connection) -> None:
    await managers.remove(connection, 1, [101])
    await managers.add(connection, 1, [101])


@pytest.mark.parametrize(
    ("change", "due_again"),
    [
        (lambda connection: guilds.save(connection, GuildSettings(1, ZONES[1])), ALL),
        (_removed_and_back, ALL),
        (lambda connection: guilds.mark_present(connection, [1, 2]), set()),
        (lambda connection: managers.save(connection, ManagerSettings(1, 101)), OWN),
        (lambda connection: managers.mark_refused(connection, 101, START), OWN),
        (_refused_and_open_again, OWN),
        (lambda connection: managers.mark_refused(connection, 101, None), set()),
        (_off_and_on_the_list, OWN),
        (_moved(_CLAIMED, DeliveryState.PENDING), {(due_times.NUDGE, ANN)}),
        (_moved(_CLAIMED, DeliveryState.REFUSED), {(due_times.NUDGE, ANN)}),
        (_moved(_CLAIMED, DeliveryState.UNKNOWN), set()),
        (_moved(_CLAIMED, DeliveryState.SENT), set()),
        (_moved(_POSTED, DeliveryState.REFUSED), {(due_times.DIGEST, (1, 0))}),
        (_moved(_LETTER, DeliveryState.PENDING), {(due_times.PERSONAL_DIGEST, ANN)}),
        (_found_empty, {(due_times.NUDGE, ANN)}),
    ],
)
async def test_whatever_due_times_depend_on_makes_its_row_due_for_a_look(
    database: Database, change: Change, due_again: set[tuple[due_times.DueColumn, due_times.Key]]
) -> None:
    async with database.writing() as connection:
        for guild_id in (1, 2):
            await guilds.save(connection, GuildSettings(guild_id, ZONES[0]))
            await managers.add(connection, guild_id, [101, 102])
        for delivery in (_CLAIMED, _POSTED, _LETTER):
            assert await deliveries.claim(connection, delivery)
        for kind in KINDS_OF_ROWS:
            rows = await due_times.due(connection, kind, START, after=None, limit=9)
            assert len(rows) == (2 if len(kind.key) == 1 else 4)  # new rows are due for a look
            await due_times.move_on(connection, kind, {row.key: START + timedelta(days=1) for row in rows})
        await change(connection)
        found = {
            (kind, row.key)
            for kind in KINDS_OF_ROWS
            for row in await due_times.due(connection, kind, due_times.AT_ONCE, after=None, limit=9)
            if row.key[0] == 1
        }
    assert found == due_again


async def test_what_is_due_is_found_by_an_index(database: Database) -> None:
    await idle_guilds(database, 40, 5)
    before = due_times.DueRow(due_times.AT_ONCE, (1, 1))
    with statements() as asked:
        async with database.reading() as connection:
            for kind in KINDS_OF_ROWS:
                for after in (None, before):
                    await due_times.due(connection, kind, START, after=after, limit=5)
            await guilds.removed_before(connection, START)
            await deliveries.unsettled(connection)
    queries = [statement for statement in asked if statement.startswith("SELECT")]
    assert len(queries) == 10
    for statement in queries:
        plan = await _plan(database, statement)
        assert "ix_" in plan, plan
        assert "SCAN " not in plan
        assert "Seq Scan" not in plan


async def _plan(database: Database, statement: str) -> str:
    """How the database answers a statement; on PostgreSQL, where it may not read a small table as a whole."""
    if database.dialect == "sqlite":
        async with database.reading() as connection:
            raw = (await connection.get_raw_connection()).driver_connection
            assert raw is not None
            asking = f"EXPLAIN QUERY PLAN {statement}"
            async with raw.execute(asking, [1] * statement.count("?")) as cursor:
                return "\n".join(row[3] for row in await cursor.fetchall())
    bound = re.sub(r"\$\d+::VARCHAR", "'x'", re.sub(r"\$\d+::(BIGINT|INTEGER)", "1", statement))
    async with database.reading() as connection:
        await connection.execute(text("SET LOCAL enable_seqscan = off"))
        return "\n".join(await connection.scalars(text(f"EXPLAIN {bound}")))


def test_whoever_writes_what_due_times_depend_on_is_known() -> None:
    """Only these modules write rows of guilds, managers and deliveries: they make them due for a look."""
    writers: dict[str, set[str]] = {}
    for path in sorted(STORE.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                table = ast.unparse(node.args[-1]) if node.args else ""
                if node.func.id in {"insert", "insert_into", "update"} and table in WRITTEN:
                    writers.setdefault(table, set()).add(path.stem)
    assert writers == {
        "tables.guild": {"guilds"},
        "tables.manager": {"managers", "due_times"},
        "tables.delivery": {"deliveries"},
    }
