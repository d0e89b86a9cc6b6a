"""Reading touches: those of managers, on members."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.touch import Touch, TouchKind
from bot.store import tables
from bot.store.people import is_counted, is_member, manager_ids

_touch = tables.touch.c


def _read(row: Row[Any]) -> Touch:
    return Touch(
        kind=TouchKind(row.kind),
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
        _touch.manager_id.in_(manager_ids(guild_id)),
        is_member(_touch.member_id, guild_id),
        is_counted(_touch.channel_id, guild_id),
    )


async def between(
    connection: AsyncConnection, guild_id: int, since: datetime, until: datetime, kinds: Collection[TouchKind]
) -> tuple[Touch, ...]:
    """Touches from `since` up to `until`, oldest first."""
    query = (
        select(tables.touch)
        .where(*_of(guild_id, kinds), _touch.touched_at >= since, _touch.touched_at < until)
        .order_by(_touch.touched_at, _touch.message_id, _touch.member_id)
    )
    return tuple(_read(row) for row in await connection.execute(query))


async def of_manager(
    connection: AsyncConnection, guild_id: int, manager_id: int, until: datetime, kinds: Collection[TouchKind]
) -> tuple[Touch, ...]:
    """Everything one manager did before `until`, oldest first."""
    query = (
        select(tables.touch)
        .where(*_of(guild_id, kinds), _touch.manager_id == manager_id, _touch.touched_at < until)
        .order_by(_touch.touched_at, _touch.message_id, _touch.member_id)
    )
    return tuple(_read(row) for row in await connection.execute(query))


async def of_member(
    connection: AsyncConnection, guild_id: int, member_id: int, kinds: Collection[TouchKind]
) -> tuple[Touch, ...]:
    """Everything managers did to one member, oldest first."""
    query = (
        select(tables.touch)
        .where(*_of(guild_id, kinds), _touch.member_id == member_id)
        .order_by(_touch.touched_at, _touch.message_id)
    )
    return tuple(_read(row) for row in await connection.execute(query))


async def take_back_logged(
    connection: AsyncConnection, guild_id: int, manager_id: int, member_id: int, message_id: int
) -> bool:
    """Forget a contact that a manager logged themselves; False when there is none such."""
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
    connection: AsyncConnection, guild_id: int, until: datetime, kinds: Collection[TouchKind]
) -> dict[tuple[int, int], datetime]:
    """For each manager and member, their first touch, where that lies before `until`."""
    query = (
        select(_touch.manager_id, _touch.member_id, func.min(_touch.touched_at).label("first_at"))
        .where(*_of(guild_id, kinds), _touch.touched_at < until)
        .group_by(_touch.manager_id, _touch.member_id)
    )
    return {(row.manager_id, row.member_id): row.first_at for row in await connection.execute(query)}
