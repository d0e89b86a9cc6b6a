"""Reads the touches of managers on members, in channels that are not excluded."""

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, func, or_, select, type_coerce

from bot.domain.touch import Touch, TouchKind
from bot.store import tables
from bot.store.columns import Id
from bot.store.engine import AsyncConnection
from bot.store.people import is_counted, is_member, manager_ids
from bot.store.streaming import chunks, rows, unindexed

_touch = tables.touch.c
_before = tables.touch.alias("before").c
_MILLISECOND = timedelta(milliseconds=1)
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


def counted(guild_id: int, kinds: Collection[TouchKind]) -> tuple[ColumnElement[bool], ...]:
    """The conditions that a touch is of these kinds, by a manager to a member, in a channel that is not excluded."""
    return _counted(guild_id, tuple(sorted(kinds)))


@lru_cache(128)
def _counted(guild_id: int, kinds: tuple[TouchKind, ...]) -> tuple[ColumnElement[bool], ...]:
    return (
        _touch.guild_id == guild_id,
        _touch.kind.in_(kinds),
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
        .where(*counted(guild_id, kinds), _touch.touched_at >= since, _touch.touched_at < until)
        .order_by(_touch.touched_at, _touch.message_id, _touch.member_id)
    )
    return tuple([_read(row) async for row in rows(connection, query)])


async def after_offers(
    connection: AsyncConnection,
    guild_id: int,
    since: datetime,
    until: datetime,
    within: timedelta,
    kinds: Collection[TouchKind],
) -> tuple[Touch, ...]:
    """The touches on members who had been offered to that manager from `since` up to `until`, `within` a time of that.

    Oldest first.
    """
    offered = tables.nudge_member.c
    followed = select(offered.delivery_id).where(
        offered.guild_id == guild_id,
        offered.member_id == _touch.member_id,
        offered.offered_at >= since,
        offered.offered_at < until,
        unindexed(offered.manager_id) == _touch.manager_id,
        offered.offered_at < _touch.touched_at,
        type_coerce(_touch.touched_at, Id) - type_coerce(offered.offered_at, Id) <= within // _MILLISECOND,
    )
    query = (
        select(tables.touch)
        .where(
            *counted(guild_id, kinds),
            _touch.touched_at >= since,
            _touch.touched_at < until + within,
            followed.correlate(tables.touch).exists(),
        )
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
            *counted(guild_id, kinds),
            _touch.manager_id == manager_id,
            _touch.touched_at < until,
            *([] if since is None else [_touch.touched_at >= since]),
        )
        .order_by(_touch.touched_at, _touch.message_id, _touch.member_id)
    )
    return tuple([_read(row) async for some in chunks(connection, query) for row in some])


async def of_member(
    connection: AsyncConnection, guild_id: int, member_id: int, kinds: Collection[TouchKind]
) -> tuple[Touch, ...]:
    """The touches on one member, oldest first."""
    query = (
        select(tables.touch)
        .where(*counted(guild_id, kinds), _touch.member_id == member_id)
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


async def met_among(
    connection: AsyncConnection, guild_id: int, people: Collection[int], until: datetime, kinds: Collection[TouchKind]
) -> frozenset[int]:
    """Those of `people` whom any manager touched before `until`; for a small number of people."""
    if not people:
        return frozenset()
    query = (
        select(_touch.member_id)
        .distinct()
        .where(*counted(guild_id, kinds), _touch.touched_at < until, _touch.member_id.in_(sorted(people)))
    )
    return frozenset(await connection.scalars(query))


async def met_at(
    connection: AsyncConnection, guild_id: int, member_id: int, until: datetime, kinds: Collection[TouchKind]
) -> datetime | None:
    """When any manager first touched a member before `until`; None if never."""
    query = select(func.min(_touch.touched_at, type_=_touch.touched_at.type)).where(
        *counted(guild_id, kinds), _touch.member_id == member_id, _touch.touched_at < until
    )
    found: datetime | None = (await connection.execute(query)).scalar_one()
    return found


def was_met(
    member_id: ColumnElement[int],
    guild_id: int,
    until: datetime | ColumnElement[Any],
    kinds: Collection[TouchKind],
    *,
    by: int | ColumnElement[int | None] | None = None,
    since: ColumnElement[int] | None = None,
) -> ColumnElement[bool]:
    """The condition that any manager touched a member before `until`; `member_id` is a column of another table.

    With `by`, that this manager did; where it is a column that holds NULL, any. With `since`, not before that either.
    """
    before = _before
    query = select(before.message_id).where(
        before.guild_id == guild_id,
        before.member_id == member_id,
        before.touched_at < until,
        before.kind.in_(sorted(kinds)),
        unindexed(before.manager_id).in_(manager_ids(guild_id)),
        is_counted(before.channel_id, guild_id),
    )
    if by is not None:
        own = unindexed(before.manager_id) == by
        query = query.where(own if isinstance(by, int) else or_(by.is_(None), own))
    if since is not None:
        query = query.where(before.touched_at >= since)
    return query.exists()
