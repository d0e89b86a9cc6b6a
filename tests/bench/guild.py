"""The record of a made-up server, as two years of Spade would have left it. The same size and seed, the same record."""

import asyncio
import sqlite3
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from bot.domain.snowflake import first_id_at
from bot.store import forgetting
from bot.store.database import open_database

GUILD = 7_000_000_000_000_000
NOW = datetime(2026, 3, 6, 9, 30, tzinfo=UTC)
DAYS = 730
MEMBER_IDS_FROM = first_id_at(NOW - timedelta(days=3000))
MANAGER_IDS_FROM = first_id_at(NOW - timedelta(days=2500))
CHANNEL_IDS_FROM = first_id_at(NOW - timedelta(days=DAYS + 30))
CHANNELS = 60

_FIRST_DAY = (NOW - timedelta(days=DAYS)).date()
_MIDNIGHT = datetime(_FIRST_DAY.year, _FIRST_DAY.month, _FIRST_DAY.day, tzinfo=UTC)
_UNIX = datetime(1970, 1, 1, tzinfo=UTC)
_KINDS = ("reply",) * 14 + ("mention",) * 3 + ("answer",) * 2 + ("thread",)

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Size:
    """How much is on record."""

    members: int
    managers: int
    activity: int
    touches: int
    waiting: int
    threads: int
    opted_out: int
    nudges: int
    """To each manager, of five members each."""

    @property
    def rows(self) -> int:
        """Roughly how many rows that makes."""
        nudges = self.managers * self.nudges * 6
        return self.members + self.activity + self.touches + 2 * self.waiting + self.threads + nudges


LARGE = Size(
    members=500_000,
    managers=30,
    activity=5_000_000,
    touches=300_000,
    waiting=50_000,
    threads=5_000,
    opted_out=1_000,
    nudges=500,
)


def part_of(size: Size, parts: int) -> Size:
    """A server that is so many times smaller."""
    return Size(
        members=size.members // parts,
        managers=max(3, size.managers // parts),
        activity=size.activity // parts,
        touches=size.touches // parts,
        waiting=size.waiting // parts,
        threads=size.threads // parts,
        opted_out=size.opted_out // parts,
        nudges=size.nudges,
    )


def member_id(number: int) -> int:
    """The id of a member."""
    return MEMBER_IDS_FROM + (number << 22)


def manager_id(number: int) -> int:
    """The id of a manager."""
    return MANAGER_IDS_FROM + (number << 22)


def channel_id(number: int) -> int:
    """The id of a channel, or behind the last of them of a thread."""
    return CHANNEL_IDS_FROM + (number << 22)


async def make(path: Path, size: Size, seed: int = 1) -> None:
    """Write the record into a new SQLite file."""
    database = await open_database(f"sqlite:///{path}", write=True)
    try:
        async with database.writing() as connection:
            for number in range(size.opted_out // 5):
                await forgetting.remember(connection, GUILD, member_id(size.members + number))
    finally:
        await database.close()
    await asyncio.to_thread(_Maker(path, size, seed).fill)


class _Maker:
    def __init__(self, path: Path, size: Size, seed: int) -> None:
        self._path = path
        self._size = size
        self._random = Random(seed)
        self._by_day = [array("L") for _ in range(DAYS)]
        """Who wrote on a day."""
        self._circles = [[self._random.randrange(size.members) for _ in range(25)] for _ in range(size.managers)]
        """Whom a manager keeps talking to."""

    def fill(self) -> None:
        database = sqlite3.connect(self._path)
        try:
            database.execute("PRAGMA synchronous = OFF")
            database.execute("PRAGMA cache_size = -200000")
            # Building an index at the end is many times faster than keeping it up meanwhile.
            indexes = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql <> ''")
            kept = indexes.fetchall()
            for name, _ in kept:
                database.execute(f"DROP INDEX {name}")
            self._settings(database)
            _insert(database, "activity", self._activity())
            _insert(database, "member", self._members(), columns=8)
            _insert(database, "touch", self._touches())
            waiting, addressed = self._waiting()
            _insert(database, "waiting", waiting)
            _insert(database, "waiting_for", addressed)
            self._nudges(database)
            for _, statement in kept:
                database.execute(statement)
            database.commit()
        finally:
            database.close()

    def _settings(self, database: sqlite3.Connection) -> None:
        size, rng = self._size, self._random
        database.execute(
            "INSERT INTO guild (guild_id, time_zone, digest_channel_id, digest_weekday, digest_hour, watched_since) "
            "VALUES (?, 'Europe/Berlin', ?, 0, 9, ?)",
            (GUILD, channel_id(0), _ms(_MIDNIGHT)),
        )
        database.executemany(
            "INSERT INTO manager (guild_id, manager_id, enrolled_at) VALUES (?, ?, ?)",
            [(GUILD, manager_id(number), _ms(_MIDNIGHT)) for number in range(size.managers)],
        )
        _insert(database, "excluded_channel", [(GUILD, channel_id(number)) for number in range(3)])
        ignored = rng.sample(range(size.members), size.opted_out // 10)
        _insert(database, "ignored", [(GUILD, member_id(number), 0, None) for number in ignored])
        newest = first_id_at(NOW - timedelta(minutes=5))
        _insert(
            database,
            "span",
            [
                (channel_id(number), channel_id(number), newest, GUILD, self._parent(number))
                for number in range(CHANNELS + size.threads)
            ],
        )
        dismissed = {(manager, rng.randrange(size.members)) for manager in range(size.managers) for _ in range(50)}
        _insert(
            database,
            "snooze",
            [(GUILD, manager_id(manager), member_id(member), None) for manager, member in sorted(dismissed)],
        )

    @staticmethod
    def _parent(number: int) -> int | None:
        return None if number < CHANNELS else channel_id(number % CHANNELS)

    def _activity(self) -> Iterator[Row]:
        """Most write on a few days, some on many; nobody before they came."""
        rng, size = self._random, self._size
        usual = size.activity / size.members
        first_number = (_FIRST_DAY - _UNIX.date()).days
        silent = size.opted_out
        for number in range(size.members - silent):
            joined = rng.randrange(DAYS)
            count = min(int(rng.paretovariate(1.25) * usual * 0.29) + 1, 300)
            days = {joined}
            for _ in range(count):
                day = joined + int(rng.expovariate(1 / 60))
                if day < DAYS:
                    days.add(day)
            weeks: dict[int, list[int]] = {}
            for day in sorted(days):
                self._by_day[day].append(number)
                weekday = (first_number + day + 3) % 7  # the first day of 1970 was a Thursday
                week = weeks.setdefault(first_number + day - weekday, [0] * 7)
                week[weekday] = 1 + int(rng.expovariate(0.3))
            for week_on, counts in weeks.items():
                yield GUILD, week_on, member_id(number), *counts

    def _members(self) -> Iterator[Row]:
        rng = self._random
        first, last = array("h", [-1]) * self._size.members, array("h", [-1]) * self._size.members
        for day, writers in enumerate(self._by_day):
            for number in writers:
                if first[number] < 0:
                    first[number] = day
                last[number] = day
        for number in range(self._size.members):
            if first[number] < 0:
                yield GUILD, member_id(number), None, None, None, None, _ms(NOW - timedelta(days=20)), None
                continue
            gone = last[number] < DAYS - 90 and rng.random() < 0.1
            ids = sorted((self._message_id(first[number]), self._message_id(last[number])))
            left_at = _ms(_MIDNIGHT + timedelta(days=last[number] + 30)) if gone else None
            yield GUILD, member_id(number), ids[0], self._channel(), ids[1], self._channel(), None, left_at

    def _message_id(self, day: int) -> int:
        """An id of some moment of a day, before now."""
        end = min(86_400_000, (_ms(NOW) - _ms(_MIDNIGHT)) - day * 86_400_000)
        moment = _MIDNIGHT + timedelta(days=day, milliseconds=self._random.randrange(end))
        return first_id_at(moment) + self._random.randrange(1 << 22)

    def _channel(self) -> int:
        rng = self._random
        return channel_id(rng.randrange(CHANNELS if rng.random() < 0.7 else CHANNELS + self._size.threads))

    def _touches(self) -> Iterator[Row]:
        rng, size = self._random, self._size
        for _ in range(size.touches):
            day = rng.randrange(DAYS)
            manager = min(rng.randrange(size.managers), rng.randrange(size.managers))
            member = rng.choice(self._circles[manager]) if rng.random() < 0.4 else self._writer(day)
            message_id, kind = self._message_id(day), rng.choice(_KINDS)
            touched_at = _touched_at(message_id)
            replied_to = (
                first_id_at(_UNIX + timedelta(milliseconds=touched_at) - timedelta(hours=rng.expovariate(0.5)))
                if kind == "reply"
                else None
            )
            yield (
                *(message_id, member_id(member), manager_id(manager), GUILD),
                *(self._channel(), kind, touched_at, replied_to),
            )

    def _waiting(self) -> tuple[list[Row], list[Row]]:
        """A fifth of them in the last two weeks."""
        rng, size = self._random, self._size
        entries: list[Row] = []
        addressed: list[Row] = []
        for number in range(size.waiting):
            day = rng.randrange(DAYS - 14, DAYS) if number % 5 == 0 else rng.randrange(DAYS)
            message_id = self._message_id(day)
            reply_to = message_id - (rng.randrange(60_000_000) << 22) if rng.random() < 0.4 else None
            closed_at = _touched_at(message_id) + 3_600_000 if rng.random() < 0.2 else None
            member = member_id(self._writer(day))
            entries.append((message_id, GUILD, self._channel(), member, reply_to, closed_at))
            if rng.random() < 0.8:
                addressed.append((message_id, manager_id(rng.randrange(size.managers))))
        return entries, addressed

    def _nudges(self, database: sqlite3.Connection) -> None:
        rng, size = self._random, self._size
        deliveries: list[Row] = []
        members: list[Row] = []
        for manager in range(size.managers):
            for back in range(1, size.nudges + 1):
                sent_at = NOW - timedelta(days=back, minutes=manager)
                key, on = f"{manager}-{back}", sent_at.date().isoformat()
                deliveries.append(
                    (key, GUILD, "nudge", manager_id(manager), on, "sent", key, *[_ms(sent_at)] * 3, 1, 1, None)
                )
                for position in range(1, 6):
                    member = member_id(self._writer(max(0, DAYS - 1 - back)))
                    members.append(
                        (
                            *(
                                key,
                                position,
                                GUILD,
                                manager_id(manager),
                                member,
                            ),
                            *("unmet", _ms(sent_at), None, None, 0, 0, 3, None, None, 0, _ms(sent_at), on),
                            *(rng.choice(("done", None)), None, _ms(sent_at) if back % 2 else None),
                        )
                    )
        _insert(database, "delivery", deliveries)
        _insert(database, "nudge_member", members)

    def _writer(self, day: int) -> int:
        """Somebody who wrote on a day; where nobody did, anybody."""
        writers = self._by_day[day]
        return self._random.choice(writers) if writers else self._random.randrange(self._size.members)


def _insert(database: sqlite3.Connection, table: str, rows: Iterable[Row], *, columns: int | None = None) -> None:
    width = columns or len(database.execute(f"PRAGMA table_info({table})").fetchall())
    database.executemany(f"INSERT OR IGNORE INTO {table} VALUES ({', '.join('?' * width)})", rows)


def _ms(moment: datetime) -> int:
    return (moment - _UNIX) // timedelta(milliseconds=1)


def _touched_at(message_id: int) -> int:
    """When a message was written, as the database keeps times."""
    return (message_id >> 22) + 1_420_070_400_000
