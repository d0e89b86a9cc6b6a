"""Reads which members were active when."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, case, func, select, true

from bot.domain.calendar import just_after
from bot.domain.snowflake import first_id_at
from bot.domain.touch import TouchKind
from bot.store import tables
from bot.store.engine import AsyncConnection
from bot.store.people import is_member
from bot.store.prepared import Given, prepared
from bot.store.streaming import rows, unindexed
from bot.store.touches import was_met
from bot.store.written_days import days, number_within, of_guild, within

_activity = tables.activity.c
_member = tables.member.c
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Trace:
    """The ids of a member's first and last counted message, with their channels."""

    first_message_id: int
    first_channel_id: int
    last_message_id: int
    last_channel_id: int


_TRACE: tuple[ColumnElement[Any], ...] = (
    _member.member_id,
    _member.first_message_id,
    _member.first_channel_id,
    _member.last_message_id,
    _member.last_channel_id,
)


def _trace(row: Row[Any]) -> Trace:
    return Trace(row.first_message_id, row.first_channel_id, row.last_message_id, row.last_channel_id)


async def active(connection: AsyncConnection, guild_id: int, first_on: date, last_on: date) -> frozenset[int]:
    """The members who wrote from `first_on` to `last_on`, local days, both included."""
    query = (
        select(unindexed(_activity.member_id))
        .distinct()
        .where(_activity.guild_id == guild_id, within(first_on, last_on), is_member(_activity.member_id, guild_id))
    )
    return frozenset([row.member_id async for row in rows(connection, query)])


async def active_among(
    connection: AsyncConnection, guild_id: int, people: Collection[int], first_on: date, last_on: date
) -> frozenset[int]:
    """Those of `people` who are members and wrote from `first_on` to `last_on`, local days, both included."""
    found: set[int] = set()
    for some in _chunks(people):
        query = (
            select(_activity.member_id)
            .distinct()
            .where(
                *of_guild(guild_id, first_on, last_on),
                _activity.member_id.in_(some),
                within(first_on, last_on),
                is_member(_activity.member_id, guild_id),
            )
        )
        found.update(await connection.scalars(query))
    return frozenset(found)


async def active_days(connection: AsyncConnection, guild_id: int, member_id: int, first_on: date, last_on: date) -> int:
    """The number of days from `first_on` to `last_on`, both included, on which a person wrote."""
    query = select(func.coalesce(func.sum(number_within(first_on, last_on)), 0)).where(
        *of_guild(guild_id, first_on, last_on), _activity.member_id == member_id
    )
    return int((await connection.execute(query)).scalar_one())


async def unmet_regulars(
    connection: AsyncConnection,
    guild_id: int,
    first_on: date,
    last_on: date,
    *,
    at_least: int,
    by: datetime,
    kinds: Collection[TouchKind],
) -> dict[int, tuple[int, Trace]]:
    """Members who wrote on `at_least` of these days, never touched before `by`: their number of days and trace."""
    days = func.sum(number_within(first_on, last_on))
    regular = (
        select(unindexed(_activity.member_id), days.label("days"))
        .where(_activity.guild_id == guild_id, within(first_on, last_on), is_member(_activity.member_id, guild_id))
        .group_by(unindexed(_activity.member_id))
        .having(days >= at_least)
        .subquery()
    )
    query = select(regular.c.days, *_TRACE).where(
        _member.guild_id == guild_id,
        _member.member_id == regular.c.member_id,
        ~was_met(regular.c.member_id, guild_id, by, kinds),
    )
    return {row.member_id: (row.days, _trace(row)) async for row in rows(connection, query)}


@dataclass(frozen=True, slots=True)
class Unmet:
    """A page of the members who wrote in a period and were never met, by their first message.

    `total` is the number of all of them, `active` the number of all members who wrote.
    """

    active: int
    total: int
    members: tuple[tuple[int, Trace], ...]


async def unmet(
    connection: AsyncConnection,
    guild_id: int,
    first_on: date,
    last_on: date,
    *,
    by: datetime,
    kinds: Collection[TouchKind],
    offset: int,
    limit: int,
) -> Unmet:
    """A page of the members who wrote on one of these days, have not left and were never touched before `by`."""
    wrote = (
        select(unindexed(_activity.member_id))
        .distinct()
        .where(_activity.guild_id == guild_id, within(first_on, last_on), is_member(_activity.member_id, guild_id))
        .subquery()
    )
    met = case((was_met(wrote.c.member_id, guild_id, by, kinds), 1), else_=0)
    there = (
        select(_member.member_id, _member.first_message_id, met.label("met"))
        .where(_member.guild_id == guild_id, _member.member_id == wrote.c.member_id, _member.left_at.is_(None))
        .cte("there")
        .prefix_with("MATERIALIZED")  # it is looked at three times
    )
    page = (
        select(there.c.member_id, there.c.first_message_id)
        .where(there.c.met == 0)
        .order_by(there.c.first_message_id, there.c.member_id)
        .offset(offset)
        .limit(limit)
        .subquery()
    )
    counts = select(func.count().label("active"), func.count().filter(there.c.met == 0).label("total")).subquery()
    query = (
        select(counts.c.active, counts.c.total, page.c.member_id)
        .select_from(counts.outerjoin(page, true()))
        .order_by(page.c.first_message_id, page.c.member_id)
    )
    found = (await connection.execute(query)).all()
    listed = [row.member_id for row in found if row.member_id is not None]
    known = await traces(connection, guild_id, listed)
    return Unmet(found[0].active, found[0].total, tuple((member_id, known[member_id]) for member_id in listed))


def _chunks(people: Collection[int]) -> Iterator[list[int]]:
    ordered = sorted(people)
    return (ordered[start : start + _CHUNK] for start in range(0, len(ordered), _CHUNK))


async def unmet_newcomers(
    connection: AsyncConnection,
    guild_id: int,
    since: datetime,
    until: datetime,
    *,
    by: datetime,
    kinds: Collection[TouchKind],
) -> dict[int, Trace]:
    """Members whose first counted message lies from `since` to `until`, both included, never touched before `by`."""
    query = select(*_TRACE).where(
        _member.guild_id == guild_id,
        _member.first_message_id >= first_id_at(since),
        _member.first_message_id < first_id_at(just_after(until)),
        is_member(_member.member_id, guild_id),
        ~was_met(_member.member_id, guild_id, by, kinds),
    )
    return {row.member_id: _trace(row) async for row in rows(connection, query)}


async def traces(connection: AsyncConnection, guild_id: int, people: Collection[int]) -> dict[int, Trace]:
    """The traces of those of `people` who have written."""
    found: dict[int, Trace] = {}
    for some in _chunks(people):
        for row in await connection.execute(*_traces(guild_id, some)):
            # Not a condition in SQL: SQLite would then scan everybody who has written.
            if row.first_message_id is not None:
                found[row.member_id] = _trace(row)
    return found


@prepared
def _traces(guild_id: Given, people: Given) -> Select[Any]:
    return select(*_TRACE).where(_member.guild_id == guild_id, _member.member_id.in_(people))


async def days_of(connection: AsyncConnection, guild_id: int, people: Collection[int]) -> dict[int, tuple[date, date]]:
    """The first and the last local day on which some people wrote."""
    found: dict[int, tuple[date, date]] = {}
    for some in _chunks(people):
        query = select(tables.activity).where(*of_guild(guild_id), _activity.member_id.in_(some))
        for week in (await connection.execute(query)).mappings():
            for day, _ in days(week):
                first_on, last_on = found.get(week["member_id"], (day, day))
                found[week["member_id"]] = min(first_on, day), max(last_on, day)
    return found


async def first_day(connection: AsyncConnection, guild_id: int) -> date | None:
    """The first local day with activity; None if the record is empty."""
    here, week_on = _activity.guild_id == guild_id, _activity.week_on
    first = await connection.scalar(select(func.min(week_on, type_=week_on.type)).where(here))
    if first is None:
        return None
    weekdays = case(*((_activity[name] > 0, number) for number, name in enumerate(tables.WEEKDAYS)))
    number = await connection.scalar(select(func.min(weekdays)).where(here, week_on == first))
    return None if number is None else first + timedelta(days=number)
