"""Reading who was active when. Members only."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.snowflake import first_id_at
from bot.store import tables
from bot.store.people import is_member

_activity = tables.activity.c
_member = tables.member.c
_CHUNK = 500


async def active(connection: AsyncConnection, guild_id: int, first_on: date, last_on: date) -> frozenset[int]:
    """The members who wrote on one of these local days (both included)."""
    query = (
        select(_activity.member_id)
        .distinct()
        .where(
            _activity.guild_id == guild_id,
            _activity.day >= first_on,
            _activity.day <= last_on,
            is_member(_activity.member_id, guild_id),
        )
    )
    return frozenset(await connection.scalars(query))


async def active_days(
    connection: AsyncConnection, guild_id: int, first_on: date, last_on: date, *, at_least: int
) -> dict[int, int]:
    """Members who wrote on at least so many of these days: on how many."""
    days = func.count()
    query = (
        select(_activity.member_id, days.label("days"))
        .where(
            _activity.guild_id == guild_id,
            _activity.day >= first_on,
            _activity.day <= last_on,
            is_member(_activity.member_id, guild_id),
        )
        .group_by(_activity.member_id)
        .having(days >= at_least)
    )
    return {row.member_id: row.days for row in await connection.execute(query)}


@dataclass(frozen=True, slots=True)
class Trace:
    """A member's first and last counted message, as ids, with where they stand."""

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


async def newcomers(connection: AsyncConnection, guild_id: int, since: datetime, until: datetime) -> dict[int, Trace]:
    """The members whose first counted message lies between two moments, both included."""
    query = select(*_TRACE).where(
        _member.guild_id == guild_id,
        _member.first_message_id >= first_id_at(since),
        _member.first_message_id < first_id_at(until + timedelta(milliseconds=1)),
        is_member(_member.member_id, guild_id),
    )
    return {row.member_id: _trace(row) for row in await connection.execute(query)}


async def traces(connection: AsyncConnection, guild_id: int, people: Collection[int]) -> dict[int, Trace]:
    """The traces of some people who have written."""
    ordered = sorted(people)
    found: dict[int, Trace] = {}
    for start in range(0, len(ordered), _CHUNK):
        query = select(*_TRACE).where(
            _member.guild_id == guild_id,
            _member.member_id.in_(ordered[start : start + _CHUNK]),
            _member.first_message_id.is_not(None),
        )
        found.update({row.member_id: _trace(row) for row in await connection.execute(query)})
    return found


async def first_day(connection: AsyncConnection, guild_id: int) -> date | None:
    """The first local day with anything on record; None for an empty record."""
    query = select(func.min(_activity.day, type_=_activity.day.type)).where(_activity.guild_id == guild_id)
    found: date | None = (await connection.execute(query)).scalar_one()
    return found
