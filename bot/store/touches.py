"""Reads the touches of managers on members, in channels that are not excluded."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.touch import Touch, TouchKind
from bot.store import tables
from bot.store.people import is_counted, is_member, manager_ids
from bot.store.streaming import rows, unindexed

_touch = tables.touch.c
_KINDS = {kind.value: kind for kind in TouchKind}


def _read(row: Row[Any]) -> Touch:
    return Touch(
        kind=_KINDS[row.kind],
        manager_id=row.manager_id,
        member_id=row.member_id,
        message_id=row.message_id,
        channel_id=row.channel_id,
        touched_at=row.touched_at,
        replied_to_id=row.replied_to_id,
    )


def _of(guild_id: int, kinds: Collection[TouchKind]) -> tuple[ColumnElement[bool], ...]:
    return (
        _touch.guild_id == guild_id,
        _touch.kind.in_(sorted(kinds)),
        unindexed(_touch.manager_id).in_(manager_ids(guild_id)),
        is_member(_touch.member_id, guild_id),
        is_counted(_touch.channel_id, guild_id),
    )


async def between(
    connection: AsyncConnection, guild_id: int, since: datetime, until: datetime, kinds: Collection[TouchKind]
) -> tuple[Touch, ...]:
    """The touches from `since` up to, not including, `until`, oldest first."""
    query = (
        select(tables.touch)
        .where(*_of(guild_id, kinds), _touch.touched_at >= since, _touch.touched_at < until)
        .order_by(_touch.touched_at, _touch.message_id, _touch.member_id)
    )
    return tuple([_read(row) async for row in rows(connection, query)])


async def of_manager(
    connection: AsyncConnection,
    guild_id: int,
    manager_id: int,
    until: datetime,
    kinds: Collection[TouchKind],
    since: datetime | None = None,
) -> tuple[Touch, ...]:
    """The touches of one manager before `until`, and not before `since` if given, oldest first."""
    query = (
        select(tables.touch)
        .where(
            *_of(guild_id, kinds),
            _touch.manager_id == manager_id,
            _touch.touched_at < until,
            *([] if since is None else [_touch.touched_at >= since]),
        )
        .order_by(_touch.touched_at, _touch.message_id, _touch.member_id)
    )
    return tuple([_read(row) async for row in rows(connection, query)])


async def of_member(
    connection: AsyncConnection, guild_id: int, member_id: int, kinds: Collection[TouchKind]
) -> tuple[Touch, ...]:
    """The touches on one member, oldest first."""
    query = (
        select(tables.touch)
        .where(*_of(guild_id, kinds), _touch.member_id == member_id)
        .order_by(_touch.touched_at, _touch.message_id)
    )
    return tuple([_read(row) async for row in rows(connection, query)])


async def take_back_logged(
    connection: AsyncConnection, guild_id: int, manager_id: int, member_id: int, message_id: int
) -> bool:
    """Delete a contact that this manager logged; False if there is none."""
    result = await connection.execute(
        delete(tables.touch).where(
            _touch.guild_id == guild_id,
            _touch.manager_id == manager_id,
            _touch.member_id == member_id,
            _touch.message_id == message_id,
            _touch.kind == TouchKind.LOGGED.value,
        )
    )
    return result.rowcount == 1


async def first_touches(
    connection: AsyncConnection, guild_id: int, since: datetime, until: datetime, kinds: Collection[TouchKind]
) -> dict[tuple[int, int], datetime]:
    """The time of the first touch ever of each manager and member, if it lies from `since` up to `until`."""
    before = tables.touch.alias("before")
    earlier = (
        select(before.c.message_id)
        .where(
            before.c.guild_id == guild_id,
            before.c.member_id == _touch.member_id,
            before.c.touched_at < since,
            unindexed(before.c.manager_id) == _touch.manager_id,
            before.c.kind.in_(sorted(kinds)),
            is_counted(before.c.channel_id, guild_id),
        )
        .correlate(tables.touch)
        .exists()
    )
    query = (
        select(_touch.manager_id, _touch.member_id, func.min(_touch.touched_at).label("first_at"))
        .where(*_of(guild_id, kinds), _touch.touched_at >= since, _touch.touched_at < until, ~earlier)
        .group_by(_touch.manager_id, _touch.member_id)
    )
    return {(row.manager_id, row.member_id): row.first_at async for row in rows(connection, query)}


async def met(
    connection: AsyncConnection, guild_id: int, until: datetime, kinds: Collection[TouchKind]
) -> frozenset[int]:
    """The members whom any manager touched before `until`."""
    query = select(_touch.member_id).distinct().where(*_of(guild_id, kinds), _touch.touched_at < until)
    return frozenset([row.member_id async for row in rows(connection, query)])


async def met_among(
    connection: AsyncConnection, guild_id: int, people: Collection[int], until: datetime, kinds: Collection[TouchKind]
) -> frozenset[int]:
    """Those of `people` whom any manager touched before `until`; for a small number of people."""
    query = (
        select(_touch.member_id)
        .distinct()
        .where(*_of(guild_id, kinds), _touch.touched_at < until, _touch.member_id.in_(sorted(people)))
    )
    return frozenset(await connection.scalars(query))


async def met_at(
    connection: AsyncConnection, guild_id: int, member_id: int, until: datetime, kinds: Collection[TouchKind]
) -> datetime | None:
    """When any manager first touched a member before `until`; None if never."""
    query = select(func.min(_touch.touched_at, type_=_touch.touched_at.type)).where(
        *_of(guild_id, kinds), _touch.member_id == member_id, _touch.touched_at < until
    )
    found: datetime | None = (await connection.execute(query)).scalar_one()
    return found


def was_met(
    member_id: ColumnElement[int], guild_id: int, until: datetime, kinds: Collection[TouchKind]
) -> ColumnElement[bool]:
    """The condition that any manager touched a member before `until`; `member_id` is a column of another table."""
    return (
        select(_touch.message_id)
        .where(
            _touch.guild_id == guild_id,
            _touch.member_id == member_id,
            _touch.touched_at < until,
            _touch.kind.in_(sorted(kinds)),
            unindexed(_touch.manager_id).in_(manager_ids(guild_id)),
            is_counted(_touch.channel_id, guild_id),
        )
        .exists()
    )
