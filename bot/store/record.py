"""Writes what was derived from a stretch, and takes back what was deleted. The caller provides the transaction."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Column, Table, case, cast, delete, func, null, or_, select, union, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.derivation import Derived
from bot.domain.stretch import Place
from bot.domain.touch import Touch, TouchKind
from bot.domain.waiting import WaitingEntry
from bot.store import tables
from bot.store.columns import Id
from bot.store.insertion import insert_into

_CHUNK = 500


async def add_activity(connection: AsyncConnection, place: Place, derived: Derived) -> None:
    """Add a stretch's messages to the counts. Not idempotent: the caller must not add a stretch twice."""
    guild_id = place.guild_id
    counts = insert_into(connection, tables.activity)
    counts = counts.on_conflict_do_update(
        index_elements=["guild_id", "member_id", "day"],
        set_={"messages": tables.activity.c.messages + counts.excluded.messages},
    )
    if derived.activity:
        await connection.execute(
            counts,
            [
                {"guild_id": guild_id, "member_id": member_id, "day": day, "messages": messages}
                for (member_id, day), messages in derived.activity.items()
            ],
        )
    seen = insert_into(connection, tables.member)
    known, new = tables.member.c, seen.excluded
    known_first = known.first_message_id <= new.first_message_id
    known_last = known.last_message_id >= new.last_message_id
    seen = seen.on_conflict_do_update(
        index_elements=["guild_id", "member_id"],
        set_={
            "first_message_id": case((known_first, known.first_message_id), else_=new.first_message_id),
            "first_channel_id": case((known_first, known.first_channel_id), else_=new.first_channel_id),
            "last_message_id": case((known_last, known.last_message_id), else_=new.last_message_id),
            "last_channel_id": case((known_last, known.last_channel_id), else_=new.last_channel_id),
            # A member who writes again is back; an old message that is found late does not show that.
            "left_at": case((known_last, known.left_at), else_=None),
        },
    )
    if derived.appearances:
        await connection.execute(
            seen,
            [
                {
                    "guild_id": guild_id,
                    "member_id": member_id,
                    "first_message_id": appearance.first_id,
                    "first_channel_id": place.channel_id,
                    "last_message_id": appearance.last_id,
                    "last_channel_id": place.channel_id,
                }
                for member_id, appearance in derived.appearances.items()
            ],
        )


def _touch_row(guild_id: int, touch: Touch) -> dict[str, Any]:
    return {
        "guild_id": guild_id,
        "message_id": touch.message_id,
        "member_id": touch.member_id,
        "manager_id": touch.manager_id,
        "channel_id": touch.channel_id,
        "kind": touch.kind.value,
        "touched_at": touch.touched_at,
        "replied_to_id": touch.replied_to_id,
    }


def _waiting_row(guild_id: int, entry: WaitingEntry) -> dict[str, Any]:
    return {
        "guild_id": guild_id,
        "message_id": entry.message_id,
        "channel_id": entry.channel_id,
        "member_id": entry.member_id,
        "reply_to_id": entry.reply_to_id,
    }


async def _add_missing(connection: AsyncConnection, table: Table, rows: list[dict[str, Any]]) -> None:
    if rows:
        await connection.execute(insert_into(connection, table).on_conflict_do_nothing(), rows)


async def add_touches(connection: AsyncConnection, guild_id: int, touches: Collection[Touch]) -> None:
    """Store touches; existing ones are not changed."""
    await _add_missing(connection, tables.touch, [_touch_row(guild_id, touch) for touch in touches])


async def add_waiting(connection: AsyncConnection, guild_id: int, entries: Collection[WaitingEntry]) -> None:
    """Store waiting entries and the managers they address; existing entries are only completed.

    When history is read again for a new manager, a message may address one manager more, or be a Reply to one.
    """
    added = insert_into(connection, tables.waiting)
    reply_to_id = func.coalesce(tables.waiting.c.reply_to_id, added.excluded.reply_to_id)
    added = added.on_conflict_do_update(index_elements=["message_id"], set_={"reply_to_id": reply_to_id})
    if entries:
        await connection.execute(added, [_waiting_row(guild_id, entry) for entry in entries])
    await _add_missing(
        connection,
        tables.waiting_for,
        [
            {"message_id": entry.message_id, "manager_id": manager_id}
            for entry in entries
            for manager_id in sorted(entry.addressed)
        ],
    )


async def _delete_where_in(connection: AsyncConnection, column: Column[int], ids: Collection[int]) -> None:
    ordered = sorted(ids)
    for start in range(0, len(ordered), _CHUNK):
        await connection.execute(delete(column.table).where(column.in_(ordered[start : start + _CHUNK])))


async def take_back(connection: AsyncConnection, message_ids: Collection[int]) -> None:
    """Delete the touches and waiting entries of deleted messages. Activity stays: it counts what was sent."""
    await _delete_where_in(connection, tables.touch.c.message_id, message_ids)
    await _delete_where_in(connection, tables.waiting_for.c.message_id, message_ids)
    await _delete_where_in(connection, tables.waiting.c.message_id, message_ids)


async def take_back_channel(connection: AsyncConnection, channel_id: int) -> None:
    """Delete the touches, waiting entries and known gaps of a deleted channel and its threads, and work on them."""
    threads = union_all(
        *(
            select(table.c.channel_id).where(table.c.parent_id == channel_id)
            for table in (tables.span, tables.known_gap)
        )
    )
    to_read = tables.history_job_channel
    gone = or_(to_read.c.channel_id == channel_id, to_read.c.parent_id == channel_id, to_read.c.channel_id.in_(threads))
    await connection.execute(delete(to_read).where(gone))
    for table in (tables.touch, tables.waiting, tables.known_gap):
        column = table.c.channel_id
        await connection.execute(delete(table).where(or_(column == channel_id, column.in_(threads))))


async def channels_with_facts(connection: AsyncConnection, guild_id: int) -> dict[int, int | None]:
    """The channels in which touches, waiting entries or known gaps stand, each with its parent, if that is known."""
    gap = tables.known_gap.c
    facts = union(
        select(tables.touch.c.channel_id, cast(null(), Id).label("parent_id")).where(
            tables.touch.c.guild_id == guild_id, tables.touch.c.kind != TouchKind.LOGGED.value
        ),
        select(tables.waiting.c.channel_id, cast(null(), Id)).where(tables.waiting.c.guild_id == guild_id),
        select(gap.channel_id, gap.parent_id).where(gap.guild_id == guild_id),
    ).subquery("fact")
    parent = func.coalesce(func.max(facts.c.parent_id), func.max(tables.span.c.parent_id)).label("parent_id")
    query = (
        select(facts.c.channel_id, parent)
        .select_from(facts.outerjoin(tables.span, tables.span.c.channel_id == facts.c.channel_id))
        .group_by(facts.c.channel_id)
    )
    return {row.channel_id: row.parent_id for row in await connection.execute(query)}
