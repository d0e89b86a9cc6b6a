"""Erases a person from every table, and remembers by a keyed hash of which times nothing about them may be recorded."""

import json
import secrets
from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, delete, or_, select, update

from bot.domain.forgetting import Forgotten, Objection, Scope, Unrecorded
from bot.store import evidence, tables, written_days
from bot.store.engine import AsyncConnection
from bot.store.grouping import grouped
from bot.store.insertion import insert_into

_KEY = "forgotten_key"
_KEY_BYTES = 32
KEY_QUERY = select(tables.installation.c.value).where(tables.installation.c.name == _KEY)
"""The key of the marks in hexadecimal; no row before the first erasure."""

PERSON_COLUMNS = frozenset({"member_id", "manager_id", "from_manager_id", "colleague_id", "target_id", "author_id"})
"""The columns that hold the id of a person. A test checks that every id column is listed as one or not."""
_CLEARED = (tables.nudge_member.c.colleague_id,)
"""Columns in which another manager's row mentions the person: set to NULL, and the row stays."""
_KEPT = frozenset({tables.imported_message})
"""Tables whose rows stay, without the id of the person."""


async def forgotten(connection: AsyncConnection, guild_id: int) -> Forgotten:
    """The objections of a guild that are kept by mark: who was erased, and up to when of those who returned."""
    return (await _all_forgotten(connection, [guild_id]))[guild_id]


async def _all_forgotten(connection: AsyncConnection, guild_ids: Collection[int]) -> dict[int, Forgotten]:
    table = tables.forgotten.c
    query = select(table.guild_id, table.mark, table.until_at, table.is_lasting).where(table.guild_id.in_(guild_ids))
    marks: dict[int, dict[str, Objection]] = {}
    for row in await connection.execute(query):
        marks.setdefault(row.guild_id, {})[row.mark] = Objection(row.until_at, row.is_lasting)
    key = await _key(connection) or b"" if marks else b""
    return {
        guild_id: Forgotten(guild_id, key, marks[guild_id]) if guild_id in marks else Forgotten(guild_id)
        for guild_id in guild_ids
    }


async def unrecorded(connection: AsyncConnection, guild_id: int) -> Unrecorded:
    """The people about whom nothing may be recorded, and of which times: opted out or erased, now or before."""
    return (await all_unrecorded(connection, [guild_id]))[guild_id]


UNRECORDED = (tables.member, tables.forgotten, tables.installation)
"""The tables that these people are read from."""


async def all_unrecorded(connection: AsyncConnection, guild_ids: Collection[int]) -> dict[int, Unrecorded]:
    """The same for several guilds."""
    member = tables.member.c
    query = select(member.guild_id, member.member_id).where(
        member.guild_id.in_(guild_ids), member.opted_out_at.is_not(None)
    )
    opted_out = grouped(await connection.execute(query), guild_ids)
    known = await _all_forgotten(connection, guild_ids)
    return {guild_id: Unrecorded(opted_out[guild_id], known[guild_id]) for guild_id in guild_ids}


async def remember(connection: AsyncConnection, guild_id: int, person_id: int) -> None:
    """Store a keyed hash of a person who is to stay forgotten. The key is generated on first use."""
    known = await _by_key(connection, guild_id)
    before = known.objection(person_id, Scope.PERSON)
    await _note(connection, guild_id, known.mark(person_id), Objection(before.until_at if before else None))


async def return_at(
    connection: AsyncConnection, guild_id: int, person_id: int, at: datetime, scope: Scope = Scope.PERSON
) -> None:
    """Store that a person lets themselves be recorded from `at` on, and that nothing up to then may be, for good.

    What is on record of them as a manager of before is deleted, if that is of the scope. Does not end an opt-out
    (`forget_opt_out`).
    """
    if scope is Scope.PERSON:
        await _erase_as_manager(connection, guild_id, person_id)
    known = await _by_key(connection, guild_id)
    before = known.objection(person_id, scope) or Objection()
    await _note(connection, guild_id, known.mark(person_id, scope), before.taken_back(at))


async def note_objection(
    connection: AsyncConnection, guild_id: int, person_id: int, objection: Objection, scope: Scope
) -> None:
    """Store an objection as it is, such as one that stood in another database."""
    await _note(connection, guild_id, (await _by_key(connection, guild_id)).mark(person_id, scope), objection)


async def adopt(connection: AsyncConnection, known: Forgotten) -> None:
    """Take over the marks of another database that are newer, including those of people who are not on record here.

    This works if both have the same key, as copies of one database do, or if this one has none yet; otherwise it does
    nothing.
    """
    if await _key_or(connection, known.key) == known.key:
        here = (await forgotten(connection, known.guild_id)).marks
        for mark, objection in known.marks.items():
            if objection.newer_than(here.get(mark)):
                await _note(connection, known.guild_id, mark, objection)


async def people_on_record(connection: AsyncConnection, guild_id: int) -> frozenset[int]:
    """The people of a guild about whom there is any row."""
    people: set[int] = set()
    for table, columns in person_tables():
        for column in columns:
            query = select(column).where(table.c.guild_id == guild_id, column.is_not(None)).distinct()
            people.update(await connection.scalars(query))
    return frozenset(people) | await evidence.people_mentioned(connection, guild_id)


async def erase(connection: AsyncConnection, guild_id: int, person_id: int) -> int:
    """Delete everything about a person in a guild, as member and as manager; returns the number of rows changed."""
    rows = await _clear(connection, guild_id, person_id)
    rows += await _erase_waiting(connection, guild_id, person_id)
    rows += await evidence.hide_person(connection, guild_id, person_id)
    for table, columns in person_tables():
        if table in _KEPT:
            continue
        named = or_(*(column == person_id for column in columns))
        deleted = await connection.execute(delete(table).where(*_of_guild(table, guild_id), named))
        rows += deleted.rowcount
    return rows + await _erase_from_digests(connection, guild_id, person_id)


async def erase_as_member(connection: AsyncConnection, guild_id: int, person_id: int) -> int:
    """Delete what is recorded about a person as a member; returns the number of rows deleted.

    What they did as a manager stays if they are one, and goes if they were one before.
    """
    waiting_ids = select(tables.waiting.c.message_id).where(
        tables.waiting.c.guild_id == guild_id, tables.waiting.c.member_id == person_id
    )
    await connection.execute(delete(tables.waiting_for).where(tables.waiting_for.c.message_id.in_(waiting_ids)))
    rows = await evidence.hide_person(connection, guild_id, person_id, as_manager=False)
    for table in (
        tables.activity,
        tables.touch,
        tables.waiting,
        tables.snooze,
        tables.hand_over,
        tables.nudge_member,
        tables.member,
    ):
        deleted = await connection.execute(
            delete(table).where(*_of_guild(table, guild_id), table.c.member_id == person_id)
        )
        rows += deleted.rowcount
    manager = tables.manager.c
    manages = select(manager.manager_id).where(manager.guild_id == guild_id, manager.manager_id == person_id)
    if await connection.scalar(manages) is None:
        rows += await _erase_as_manager(connection, guild_id, person_id)
    return rows


async def _erase_as_manager(connection: AsyncConnection, guild_id: int, person_id: int) -> int:
    """Delete a person's touches, and what waits for them waits for the team; returns the number of rows deleted."""
    waiting_for, touch, entry = tables.waiting_for, tables.touch, tables.waiting.c
    await _forget_what_was_answered(connection, guild_id, person_id)
    here = select(entry.message_id).where(entry.guild_id == guild_id)
    asked = (waiting_for.c.manager_id == person_id) & waiting_for.c.message_id.in_(here)
    touched = (touch.c.guild_id == guild_id) & (touch.c.manager_id == person_id)
    deleted = [
        await connection.execute(delete(table).where(which))
        for table, which in ((waiting_for, asked), (touch, touched))
    ]
    return sum(one.rowcount for one in deleted)


async def set_opted_out(connection: AsyncConnection, guild_id: int, person_id: int, at: datetime) -> None:
    """Store since when a person has opted out."""
    statement = insert_into(connection, tables.member).values(guild_id=guild_id, member_id=person_id, opted_out_at=at)
    await connection.execute(
        statement.on_conflict_do_update(index_elements=["guild_id", "member_id"], set_={"opted_out_at": at})
    )


async def forget_opt_out(connection: AsyncConnection, guild_id: int, person_id: int) -> None:
    """Delete the row of a person who had opted out; it holds nothing else, since nothing was recorded."""
    member = tables.member.c
    await connection.execute(
        delete(tables.member).where(
            member.guild_id == guild_id, member.member_id == person_id, member.opted_out_at.is_not(None)
        )
    )


async def facts_about(connection: AsyncConnection, guild_id: int, person_id: int) -> dict[str, list[dict[str, Any]]]:
    """Every row with a person's id, by table, as stored; of activity each day, of posted figures only their own."""
    found: dict[str, list[dict[str, Any]]] = {}
    waiting_for = tables.waiting_for.c
    asked = select(waiting_for.message_id).where(waiting_for.manager_id == person_id)
    for table, columns in person_tables():
        mentions = [column for column in _CLEARED if column.table is table]
        named = or_(*(column == person_id for column in (*columns, *mentions)))
        if table is tables.waiting:
            named = or_(named, table.c.message_id.in_(asked))
        if table is tables.imported_message:
            named = or_(named, evidence.mentions_person(person_id))
        rows = await connection.execute(select(table).where(*_of_guild(table, guild_id), named))
        found[table.name] = [dict(row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public API
    found[tables.activity.name] = [
        {"guild_id": guild_id, "member_id": person_id, "day": day, "messages": messages}
        for week in found[tables.activity.name]
        for day, messages in written_days.days(week)
    ]
    for row in found[tables.imported_message.name]:
        if row["author_id"] != person_id:
            row["mentions"] = f" {person_id} "  # not whom else a manager mentioned
    found[tables.digest.name] = [
        {"week_on": week_on, "figures": entry}
        for week_on, document in await _digests_with(connection, guild_id, person_id)
        for entry in document["managers"]
        if _is_of(entry, person_id)
    ]
    return {name: rows for name, rows in found.items() if rows}


def _of_guild(table: Table, guild_id: int) -> tuple[ColumnElement[bool], ...]:
    """The conditions that a row is of a guild, so that with a person's id it is found by a key."""
    return written_days.of_guild(guild_id) if table is tables.activity else (table.c.guild_id == guild_id,)


def person_tables() -> Iterator[tuple[Table, tuple[Column[int], ...]]]:
    """Every table with a guild id and the id of a person, with the columns that say whom a row is about."""
    for table in tables.metadata.sorted_tables:
        columns = tuple(
            column for column in table.columns if column.name in PERSON_COLUMNS and column not in set(_CLEARED)
        )
        if columns and "guild_id" in table.c:
            yield table, columns


async def _key(connection: AsyncConnection) -> bytes | None:
    found = (await connection.execute(KEY_QUERY)).scalar_one_or_none()
    return bytes.fromhex(found) if found is not None else None


async def _key_or(connection: AsyncConnection, new: bytes) -> bytes:
    """The key of the marks; stores `new` if there is none yet."""
    await connection.execute(
        insert_into(connection, tables.installation)
        .values(name=_KEY, value=new.hex())
        .on_conflict_do_nothing(index_elements=["name"])
    )
    key = await _key(connection)
    assert key is not None
    return key


async def _by_key(connection: AsyncConnection, guild_id: int) -> Forgotten:
    """The objections of a guild, with a key to make marks by; one is generated if there is none yet."""
    key = await _key_or(connection, secrets.token_bytes(_KEY_BYTES))
    return Forgotten(guild_id, key, (await forgotten(connection, guild_id)).marks)


async def _note(connection: AsyncConnection, guild_id: int, mark: str, objection: Objection) -> None:
    values = {"until_at": objection.until_at, "is_lasting": objection.lasting}
    statement = insert_into(connection, tables.forgotten).values(guild_id=guild_id, mark=mark, **values)
    await connection.execute(statement.on_conflict_do_update(index_elements=["guild_id", "mark"], set_=values))


async def _clear(connection: AsyncConnection, guild_id: int, person_id: int) -> int:
    rows = 0
    for column in _CLEARED:
        cleared = await connection.execute(
            update(column.table).where(column.table.c.guild_id == guild_id, column == person_id).values({column: None})
        )
        rows += cleared.rowcount
    return rows


async def _erase_waiting(connection: AsyncConnection, guild_id: int, person_id: int) -> int:
    """Delete the addressees of a person's own entries, and the person as addressee of others' entries."""
    table, entry = tables.waiting_for, tables.waiting.c
    own = select(entry.message_id).where(entry.guild_id == guild_id, entry.member_id == person_id)
    here = select(entry.message_id).where(entry.guild_id == guild_id)
    await _forget_what_was_answered(connection, guild_id, person_id)
    deleted = await connection.execute(
        delete(table).where(
            or_(
                table.c.message_id.in_(own),
                (table.c.manager_id == person_id) & table.c.message_id.in_(here),
            )
        )
    )
    return int(deleted.rowcount)


async def _forget_what_was_answered(connection: AsyncConnection, guild_id: int, person_id: int) -> None:
    """Delete the ids of the person's own messages from the entries of those who replied to them."""
    entry, touch = tables.waiting.c, tables.touch.c
    asked = select(tables.waiting_for.c.message_id).where(tables.waiting_for.c.manager_id == person_id)
    by_another = select(touch.message_id).where(touch.message_id == entry.reply_to_id, touch.manager_id != person_id)
    await connection.execute(
        update(tables.waiting)
        .where(entry.guild_id == guild_id, entry.message_id.in_(asked), ~by_another.correlate(tables.waiting).exists())
        .values(reply_to_id=None)
    )


async def _erase_from_digests(connection: AsyncConnection, guild_id: int, person_id: int) -> int:
    """Remove a manager's own figures from posted digests; the team's figures stay as posted."""
    table = tables.digest
    found = await _digests_with(connection, guild_id, person_id)
    for week_on, document in found:
        document["managers"] = [entry for entry in document["managers"] if not _is_of(entry, person_id)]
        await connection.execute(
            update(table)
            .where(table.c.guild_id == guild_id, table.c.week_on == week_on)
            .values(figures=json.dumps(document))
        )
    return len(found)


async def _digests_with(connection: AsyncConnection, guild_id: int, person_id: int) -> list[tuple[date, Any]]:
    """The weeks whose posted figures include a person's own, with all figures of each week."""
    table = tables.digest.c
    query = (
        select(table.week_on, table.figures)
        .where(table.guild_id == guild_id, table.figures.contains(str(person_id)))
        .order_by(table.week_on)
    )
    documents = [(row.week_on, json.loads(row.figures)) for row in await connection.execute(query)]
    return [
        (week_on, document)
        for week_on, document in documents
        if any(_is_of(entry, person_id) for entry in document["managers"])
    ]


def _is_of(entry: Mapping[str, object], manager_id: int) -> bool:
    return entry.get("manager_id") == str(manager_id)
