"""Who counts as a member: everybody except managers, ignored people and people who opted out, as of the query."""

from collections.abc import Collection
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, union_all, update

from bot.store import forgetting, tables
from bot.store.engine import AsyncConnection
from bot.store.insertion import insert_into
from bot.store.prepared import Given, prepared

_FRAGMENTS = 128
"""How many conditions are kept: each is made of many small objects, and the same few stand in most statements."""


@lru_cache(_FRAGMENTS)
def manager_ids(guild_id: int) -> Select[tuple[int]]:
    """A subquery for the ids of the managers."""
    return select(tables.manager.c.manager_id).where(tables.manager.c.guild_id == guild_id)


@lru_cache(_FRAGMENTS)
def is_member(column: ColumnElement[int], guild_id: int) -> ColumnElement[bool]:
    """The condition that a column holds the id of a member."""
    others = union_all(
        manager_ids(guild_id),
        select(tables.ignored.c.target_id).where(
            tables.ignored.c.guild_id == guild_id, tables.ignored.c.is_role.is_(False)
        ),
        select(tables.member.c.member_id).where(
            tables.member.c.guild_id == guild_id, tables.member.c.opted_out_at.is_not(None)
        ),
    )
    return column.not_in(others)


@lru_cache(_FRAGMENTS)
def is_counted(channel_id: ColumnElement[int], guild_id: int) -> ColumnElement[bool]:
    """The condition that a channel is not excluded, and that its parent is not either if it is a thread.

    A thread from files that do not tell its parent may be in any channel: it does not count while one is excluded.
    """
    excluded = select(tables.excluded_channel.c.channel_id).where(tables.excluded_channel.c.guild_id == guild_id)
    threads = (
        select(table.c.channel_id).where(table.c.parent_id.in_(excluded))
        for table in (tables.span, tables.imported_channel)
    )
    imported, span = tables.imported_channel.c, tables.span.c
    told = select(span.channel_id).where(span.channel_id == imported.channel_id, span.parent_id.is_not(None))
    unplaced = select(imported.channel_id).where(
        imported.guild_id == guild_id,
        imported.is_thread.is_(True),
        imported.parent_id.is_(None),
        ~told.exists(),
        excluded.exists(),
    )
    return channel_id.not_in(union_all(excluded, *threads, unplaced))


async def opted_out(connection: AsyncConnection, guild_id: int) -> frozenset[int]:
    """The people who opted out."""
    query = select(tables.member.c.member_id).where(
        tables.member.c.guild_id == guild_id, tables.member.c.opted_out_at.is_not(None)
    )
    return frozenset(await connection.scalars(query))


async def departed(
    connection: AsyncConnection, guild_id: int, by: datetime | None = None, among: Collection[int] | None = None
) -> frozenset[int]:
    """The members who were found to have left (up to `by`, if given) and have not written since.

    `among` are a few members who are asked about, instead of all.
    """
    member = tables.member.c
    if among is not None:  # each is looked up; with a condition in SQL on when they left, all who left would be read
        query = select(member.member_id, member.left_at).where(
            member.guild_id == guild_id, member.member_id.in_(sorted(among))
        )
        left = [row for row in await connection.execute(query) if row.left_at is not None]
        return frozenset(row.member_id for row in left if by is None or row.left_at <= by)
    gone = member.left_at.is_not(None) if by is None else member.left_at <= by
    return frozenset(await connection.scalars(select(member.member_id).where(member.guild_id == guild_id, gone)))


async def ignored(connection: AsyncConnection, guild_id: int) -> tuple[frozenset[int], frozenset[int]]:
    """The ignored people and the ignored roles."""
    query = select(tables.ignored.c.target_id, tables.ignored.c.is_role).where(tables.ignored.c.guild_id == guild_id)
    rows = (await connection.execute(query)).all()
    return (
        frozenset(row.target_id for row in rows if not row.is_role),
        frozenset(row.target_id for row in rows if row.is_role),
    )


async def mark_departed(connection: AsyncConnection, guild_id: int, member_id: int, at: datetime) -> None:
    """Mark a member as having left; the member's next counted message undoes it."""
    if member_id in await forgetting.unrecorded(connection, guild_id):
        return  # erased or opted out in the meantime
    statement = insert_into(connection, tables.member).values(guild_id=guild_id, member_id=member_id, left_at=at)
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["guild_id", "member_id"],
            set_={"left_at": func.coalesce(tables.member.c.left_at, statement.excluded.left_at)},
        )
    )


async def proxied(connection: AsyncConnection, guild_id: int) -> frozenset[int]:
    """The people who write through a proxy bot."""
    return frozenset(await connection.scalars(*_proxied(guild_id)))


@prepared
def _proxied(guild_id: Given) -> Select[Any]:
    member = tables.member.c
    return select(member.member_id).where(member.guild_id == guild_id, member.proxied.is_not(None))


async def all_proxied(connection: AsyncConnection) -> tuple[tuple[int, int], ...]:
    """The people who write through a proxy bot, each with the guild before."""
    table = tables.member.c
    query = select(table.guild_id, table.member_id).where(table.proxied.is_not(None))
    return tuple((row.guild_id, row.member_id) for row in await connection.execute(query))


async def set_proxied(connection: AsyncConnection, guild_id: int, member_id: int, *, proxied: bool) -> None:
    """Store whether a person writes through a proxy bot; of somebody who may not be recorded, nothing."""
    table = tables.member
    if not proxied:
        statement = update(table).where(table.c.guild_id == guild_id, table.c.member_id == member_id)
        await connection.execute(statement.values(proxied=None))
    elif member_id not in await forgetting.unrecorded(connection, guild_id):
        row = insert_into(connection, table).values(guild_id=guild_id, member_id=member_id, proxied=True)
        await connection.execute(
            row.on_conflict_do_update(index_elements=["guild_id", "member_id"], set_={"proxied": True})
        )
