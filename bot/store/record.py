"""Writes what was derived from a stretch, and takes back what was deleted. The caller provides the transaction."""

from collections import Counter
from collections.abc import Collection, Container, Iterable, Mapping
from datetime import date
from functools import cache
from itertools import chain
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Table,
    and_,
    case,
    cast,
    delete,
    func,
    null,
    or_,
    select,
    union,
    union_all,
    update,
)
from sqlalchemy.dialects import sqlite

from bot.domain.derivation import Derived
from bot.domain.evidence import Ends
from bot.domain.stretch import Place
from bot.domain.touch import Touch, TouchKind
from bot.domain.waiting import WaitingEntry
from bot.store import evidence, tables, written_days
from bot.store.columns import Id
from bot.store.engine import AsyncConnection
from bot.store.id_list import among, pieces
from bot.store.insertion import insert_for, insert_into

_CHUNK = 500
_WAITING = ("guild_id", "message_id", "channel_id", "member_id", "reply_to_id")


async def add_activity(connection: AsyncConnection, told: Iterable[tuple[Place, Derived]]) -> None:
    """Add the messages of some stretches to the counts. Not idempotent: no stretch may be added twice."""
    counts: Counter[tuple[int, int, date]] = Counter()
    ends: dict[tuple[int, int], Ends] = {}
    for place, derived in told:
        guild_id, channel_id = place.guild_id, place.channel_id
        for (member_id, day), number in derived.activity.items():
            counts[guild_id, member_id, day] += number
        for member_id, one in derived.appearances.items():
            here = Ends(one.first_id, channel_id, one.last_id, channel_id)
            before = ends.get((guild_id, member_id))
            ends[guild_id, member_id] = here if before is None else before.joined(here)
    await written_days.add(connection, ((*which, number) for which, number in counts.items()))
    await _add_ends(connection, ends)


async def add_counts(connection: AsyncConnection, guild_id: int, messages: Mapping[date, Mapping[int, int]]) -> None:
    """Add numbers of messages by day and member. Those below 0 are taken off, and a day without any is none."""
    counts = (
        (guild_id, member_id, day, number) for day, people in messages.items() for member_id, number in people.items()
    )
    await written_days.add(connection, counts)


async def add_ends(connection: AsyncConnection, guild_id: int, ends: Mapping[int, Ends]) -> None:
    """Note the first and the last message that people wrote, as far as those on record are not earlier or later."""
    await _add_ends(connection, {(guild_id, member_id): one for member_id, one in ends.items()})


async def _add_ends(connection: AsyncConnection, ends: Mapping[tuple[int, int], Ends]) -> None:
    if ends:
        rows = [_member_row(*who, one) for who, one in ends.items()]
        await connection.execute(_adding_ends(connection.dialect.name), rows)


@cache
def _adding_ends(dialect: str) -> sqlite.Insert:
    seen = insert_for(dialect, tables.member)
    known, new = tables.member.c, seen.excluded
    known_first = or_(
        known.first_message_id < new.first_message_id,
        and_(known.first_message_id == new.first_message_id, known.first_channel_id <= new.first_channel_id),
    )
    same_last = known.last_message_id == new.last_message_id
    known_last = or_(
        known.last_message_id > new.last_message_id, and_(same_last, known.last_channel_id <= new.last_channel_id)
    )
    return seen.on_conflict_do_update(
        index_elements=["guild_id", "member_id"],
        set_={
            "first_message_id": case((known_first, known.first_message_id), else_=new.first_message_id),
            "first_channel_id": case((known_first, known.first_channel_id), else_=new.first_channel_id),
            "last_message_id": case((known_last, known.last_message_id), else_=new.last_message_id),
            "last_channel_id": case((known_last, known.last_channel_id), else_=new.last_channel_id),
            # A member who writes again is back; an old message that is found late does not show that.
            "left_at": case((or_(known_last, same_last), known.left_at), else_=None),
        },
    )


async def ends_of(connection: AsyncConnection, guild_id: int, member_id: int) -> Ends | None:
    """The first and the last message of a person on record; None if there are none."""
    member = tables.member.c
    row = (
        await connection.execute(
            select(tables.member).where(member.guild_id == guild_id, member.member_id == member_id)
        )
    ).first()
    if row is None or row.first_message_id is None:
        return None
    return Ends(row.first_message_id, row.first_channel_id, row.last_message_id, row.last_channel_id)


async def set_ends(connection: AsyncConnection, guild_id: int, member_id: int, found: Ends | None) -> None:
    """Correct a person's first and last message. Without any, only what else is noted of the person stays."""
    member = tables.member.c
    where = (member.guild_id == guild_id, member.member_id == member_id)
    if found is None:
        nothing_else = (member.opted_out_at.is_(None), ~member.proxied.is_not(None))
        await connection.execute(delete(tables.member).where(*where, *nothing_else))
    names = ("first_message_id", "first_channel_id", "last_message_id", "last_channel_id")
    values = dict.fromkeys(names) if found is None else _member_row(guild_id, member_id, found)
    await connection.execute(update(tables.member).where(*where).values(values))


def _member_row(guild_id: int, member_id: int, ends: Ends) -> dict[str, Any]:
    return {
        "guild_id": guild_id,
        "member_id": member_id,
        "first_message_id": ends.first_id,
        "first_channel_id": ends.first_channel_id,
        "last_message_id": ends.last_id,
        "last_channel_id": ends.last_channel_id,
    }


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
        await connection.execute(_adding_missing(connection.dialect.name, table), rows)


@cache
def _adding_missing(dialect: str, table: Table) -> sqlite.Insert:
    return insert_for(dialect, table).on_conflict_do_nothing()


async def add_touches(connection: AsyncConnection, touches: Mapping[int, Collection[Touch]]) -> None:
    """Store touches, by guild; existing ones are not changed."""
    rows = [_touch_row(guild_id, touch) for guild_id, made in touches.items() for touch in made]
    await _add_missing(connection, tables.touch, rows)


async def add_waiting(connection: AsyncConnection, entries: Mapping[int, Collection[WaitingEntry]]) -> None:
    """Store waiting entries, by guild, and the managers they address; existing entries are only completed.

    When history is read again for a new manager, a message may address one manager more, or be a Reply to one.
    """
    rows = [_waiting_row(guild_id, entry) for guild_id, found in entries.items() for entry in found]
    if rows:
        await connection.execute(_adding_waiting(connection.dialect.name), rows)
    await _add_missing(connection, tables.waiting_for, _waiting_for_rows(chain.from_iterable(entries.values())))


@cache
def _adding_waiting(dialect: str) -> sqlite.Insert:
    added = insert_for(dialect, tables.waiting)
    reply_to_id = func.coalesce(tables.waiting.c.reply_to_id, added.excluded.reply_to_id)
    return added.on_conflict_do_update(index_elements=["message_id"], set_={"reply_to_id": reply_to_id})


def _waiting_for_rows(entries: Iterable[WaitingEntry]) -> list[dict[str, Any]]:
    return [
        {"message_id": entry.message_id, "manager_id": manager_id}
        for entry in entries
        for manager_id in sorted(entry.addressed)
    ]


async def replace(
    connection: AsyncConnection,
    place: Place,
    message_ids: Collection[int],
    touches: Collection[Touch],
    waiting: Collection[WaitingEntry],
) -> tuple[Touch, ...]:
    """Put what was judged anew of some messages in the place of what is on record of them; returns the new touches.

    What stays the same is not written. Whether an entry was set aside stays as it is, as long as the message waits. A
    message that is on record of another channel is left as it is.
    """
    guild_id = place.guild_id
    known_touches: dict[tuple[int, int, int], dict[str, Any]] = {}
    known_waiting: dict[int, tuple[dict[str, Any], set[int]]] = {}
    for some in pieces(message_ids):
        for row in await _rows_of(connection, tables.touch, some):
            known_touches[_key(row)] = row
        for row in await _rows_of(connection, tables.waiting, some):
            known_waiting[row["message_id"]] = ({name: row[name] for name in _WAITING}, set())
        for row in await _rows_of(connection, tables.waiting_for, some):
            known_waiting[row["message_id"]][1].add(row["manager_id"])
    facts = (*known_touches.values(), *(row for row, _ in known_waiting.values()))
    elsewhere = {row["message_id"] for row in facts if row["channel_id"] != place.channel_id}
    known_touches = {key: row for key, row in known_touches.items() if row["message_id"] not in elsewhere}
    known_waiting = {key: entry for key, entry in known_waiting.items() if key not in elsewhere}
    touches = [touch for touch in touches if touch.message_id not in elsewhere]
    waiting = [entry for entry in waiting if entry.message_id not in elsewhere]
    new_touches = {_key(row): (row, touch) for touch in touches for row in [_touch_row(guild_id, touch)]}
    new_waiting = {entry.message_id: entry for entry in waiting}
    added = [touch for key, (row, touch) in new_touches.items() if known_touches.get(key) != row]
    changed = [
        entry
        for entry in waiting
        if known_waiting.get(entry.message_id) != (_waiting_row(guild_id, entry), set(entry.addressed))
    ]
    outdated = {key for key, row in known_touches.items() if key not in new_touches or new_touches[key][0] != row}
    await _delete_where_in(connection, tables.touch.c.message_id, {key[0] for key in outdated})
    await _delete_where_in(connection, tables.waiting_for.c.message_id, [one.message_id for one in changed])
    ended = known_waiting.keys() - new_waiting.keys()
    await _delete_where_in(connection, tables.waiting_for.c.message_id, ended)
    await _delete_where_in(connection, tables.waiting.c.message_id, ended)
    # With one touch of a message its others were deleted, so all of them are written again.
    await add_touches(connection, {guild_id: touches if outdated else added})
    await _set_waiting(connection, guild_id, changed)
    return tuple(added)


async def messages_with_facts(
    connection: AsyncConnection, guild_id: int, channel_ids: Container[int]
) -> dict[int, set[int]]:
    """The messages of some channels of a guild of which touches or waiting entries are on record, by channel."""
    found: dict[int, set[int]] = {}
    for table in (tables.touch, tables.waiting):
        query = select(table.c.channel_id, table.c.message_id).where(table.c.guild_id == guild_id)
        for channel_id, message_id in await connection.execute(query):
            if channel_id in channel_ids:
                found.setdefault(channel_id, set()).add(message_id)
    return found


async def move(connection: AsyncConnection, message_ids: Collection[int], channel_id: int) -> None:
    """Some messages were written in this channel: what is on record of them stands in it."""
    ordered = sorted(message_ids)
    for start in range(0, len(ordered), _CHUNK):
        for table in (tables.touch, tables.waiting):
            some = table.c.message_id.in_(ordered[start : start + _CHUNK])
            await connection.execute(update(table).where(some).values(channel_id=channel_id))


async def facts_of_replies(connection: AsyncConnection, message_ids: Collection[int]) -> set[tuple[int, int]]:
    """Those of some messages that are on record as replies, to a member or to a manager; each with who wrote it."""
    touch, waiting = tables.touch.c, tables.waiting.c
    return await _authors(
        connection, message_ids, touch.kind == TouchKind.REPLY.value, waiting.reply_to_id.is_not(None)
    )


async def facts_of_threads(connection: AsyncConnection, message_ids: Collection[int]) -> set[tuple[int, int]]:
    """Those of some messages that are on record because of who opened their thread; each with who wrote it."""
    touch, waiting, waiting_for = tables.touch.c, tables.waiting.c, tables.waiting_for.c
    addressed = select(waiting_for.message_id).where(waiting_for.message_id == waiting.message_id)
    return await _authors(connection, message_ids, touch.kind == TouchKind.THREAD.value, ~addressed.exists())


async def _authors(
    connection: AsyncConnection,
    message_ids: Collection[int],
    touching: ColumnElement[bool],
    asking: ColumnElement[bool],
) -> set[tuple[int, int]]:
    """Those of some messages with a touch of one kind, or a waiting entry of one; each with who wrote it."""
    touch, waiting, found = tables.touch.c, tables.waiting.c, set[tuple[int, int]]()
    ordered = sorted(message_ids)
    for start in range(0, len(ordered), _CHUNK):
        some = ordered[start : start + _CHUNK]
        for query in (
            select(touch.message_id, touch.manager_id).where(touch.message_id.in_(some), touching),
            select(waiting.message_id, waiting.member_id).where(waiting.message_id.in_(some), asking),
        ):
            found.update((message_id, author_id) for message_id, author_id in await connection.execute(query))
    return found


async def _rows_of(connection: AsyncConnection, table: Table, message_ids: Collection[int]) -> list[dict[str, Any]]:
    found = await connection.execute(select(table).where(among(connection, table.c.message_id, message_ids)))
    return [dict(row) for row in found.mappings()]


def _key(row: Mapping[str, Any]) -> tuple[int, int, int]:
    return row["message_id"], row["member_id"], row["manager_id"]


async def _set_waiting(connection: AsyncConnection, guild_id: int, entries: Collection[WaitingEntry]) -> None:
    """Store entries as they are, but for whether they were set aside."""
    replaced = insert_into(connection, tables.waiting)
    values = {name: replaced.excluded[name] for name in _WAITING if name != "message_id"}
    if entries:
        await connection.execute(
            replaced.on_conflict_do_update(index_elements=["message_id"], set_=values),
            [_waiting_row(guild_id, entry) for entry in entries],
        )
    await _add_missing(connection, tables.waiting_for, _waiting_for_rows(entries))


async def _delete_where_in(connection: AsyncConnection, column: Column[int], ids: Collection[int]) -> None:
    ordered = sorted(ids)
    for start in range(0, len(ordered), _CHUNK):
        await connection.execute(delete(column.table).where(column.in_(ordered[start : start + _CHUNK])))


async def take_back(connection: AsyncConnection, message_ids: Collection[int]) -> None:
    """Delete the touches and waiting entries of deleted messages. Activity stays: it counts what was sent."""
    await _delete_where_in(connection, tables.touch.c.message_id, message_ids)
    await _delete_where_in(connection, tables.waiting_for.c.message_id, message_ids)
    await _delete_where_in(connection, tables.waiting.c.message_id, message_ids)
    await evidence.mark_deleted(connection, message_ids)


async def take_back_channel(connection: AsyncConnection, channel_id: int) -> None:
    """Delete the touches, waiting entries and known gaps of a deleted channel and its threads, and work on them."""
    threads = union_all(
        *(
            select(table.c.channel_id).where(table.c.parent_id == channel_id)
            for table in (tables.span, tables.known_gap, tables.imported_channel)
        )
    )
    to_read = tables.history_job_channel
    gone = or_(to_read.c.channel_id == channel_id, to_read.c.parent_id == channel_id, to_read.c.channel_id.in_(threads))
    await connection.execute(delete(to_read).where(gone))
    await evidence.mark_channel_gone(connection, channel_id)
    for table in (tables.touch, tables.waiting, tables.known_gap):
        column = table.c.channel_id
        await connection.execute(delete(table).where(or_(column == channel_id, column.in_(threads))))


async def channels_with_facts(connection: AsyncConnection, guild_id: int) -> dict[int, int | None]:
    """The channels in which touches, waiting entries or known gaps stand, each with its parent, if that is known."""
    gap, span, imported = tables.known_gap.c, tables.span.c, tables.imported_channel.c
    facts = union(
        select(tables.touch.c.channel_id, cast(null(), Id).label("parent_id")).where(
            tables.touch.c.guild_id == guild_id, tables.touch.c.kind != TouchKind.LOGGED.value
        ),
        select(tables.waiting.c.channel_id, cast(null(), Id)).where(tables.waiting.c.guild_id == guild_id),
        select(gap.channel_id, gap.parent_id).where(gap.guild_id == guild_id),
    ).subquery("fact")
    parents = (func.max(facts.c.parent_id), func.max(span.parent_id), func.max(imported.parent_id))
    known = facts.outerjoin(tables.span, span.channel_id == facts.c.channel_id).outerjoin(
        tables.imported_channel, imported.channel_id == facts.c.channel_id
    )
    query = select(facts.c.channel_id, func.coalesce(*parents).label("parent_id")).select_from(known)
    found = await connection.execute(query.group_by(facts.c.channel_id))
    return {row.channel_id: row.parent_id for row in found}
