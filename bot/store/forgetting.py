"""Erasing a person from every table, and remembering by a keyed hash alone that they asked for it."""

import json
import secrets
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Table, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.forgetting import Forgotten, Unrecorded
from bot.store import tables
from bot.store.insertion import insert_into

_KEY = "forgotten_key"
_KEY_BYTES = 32
KEY_QUERY = select(tables.installation.c.value).where(tables.installation.c.name == _KEY)
"""The key of the marks as hexadecimal text; no row until somebody was erased."""

PERSON_COLUMNS = frozenset({"member_id", "manager_id", "from_manager_id", "colleague_id", "target_id"})
"""The columns that hold the id of a person. A test makes sure that every id column is known to be one or not."""
_CLEARED = (tables.nudge_member.c.colleague_id,)
"""Where another manager's row merely mentions the person: the mention goes, the row stays."""


async def forgotten(connection: AsyncConnection, guild_id: int) -> Forgotten:
    """Who was erased in a guild and has not opted in again."""
    table = tables.forgotten.c
    marks = frozenset(await connection.scalars(select(table.mark).where(table.guild_id == guild_id)))
    return Forgotten(guild_id, await _key(connection) or b"", marks) if marks else Forgotten(guild_id)


async def unrecorded(connection: AsyncConnection, guild_id: int) -> Unrecorded:
    """Everybody about whom nothing may be written down."""
    member = tables.member.c
    query = select(member.member_id).where(member.guild_id == guild_id, member.opted_out_at.is_not(None))
    return Unrecorded(frozenset(await connection.scalars(query)), await forgotten(connection, guild_id))


async def remember(connection: AsyncConnection, guild_id: int, person_id: int) -> None:
    """Note, by a keyed hash, that a person is to stay forgotten. The key is made when it is first needed."""
    key = await _key_or(connection, secrets.token_bytes(_KEY_BYTES))
    await _note(connection, guild_id, Forgotten(guild_id, key).mark(person_id))


async def adopt(connection: AsyncConnection, known: Forgotten) -> None:
    """Take over the marks of another database, those too of people who are not on record here.

    It needs the same key, which copies of one database have, or none yet; with another one nothing is done.
    """
    if await _key_or(connection, known.key) == known.key:
        for mark in known.marks:
            await _note(connection, known.guild_id, mark)


async def people_on_record(connection: AsyncConnection, guild_id: int) -> frozenset[int]:
    """Everybody of a guild whose id stands in a row that is about them."""
    people: set[int] = set()
    for table, columns in person_tables():
        for column in columns:
            query = select(column).where(table.c.guild_id == guild_id, column.is_not(None)).distinct()
            people.update(await connection.scalars(query))
    return frozenset(people)


async def recall(connection: AsyncConnection, guild_id: int, person_id: int) -> bool:
    """Forget that a person asked to be forgotten; False when they had not."""
    known = await forgotten(connection, guild_id)
    if person_id not in known:
        return False
    table = tables.forgotten
    await connection.execute(delete(table).where(table.c.guild_id == guild_id, table.c.mark == known.mark(person_id)))
    return True


async def erase(connection: AsyncConnection, guild_id: int, person_id: int) -> int:
    """Delete everything about a person in a guild, as member and as manager; returns how many rows it was in."""
    rows = await _clear(connection, guild_id, person_id)
    rows += await _erase_waiting(connection, guild_id, person_id)
    for table, columns in person_tables():
        deleted = await connection.execute(
            delete(table).where(table.c.guild_id == guild_id, or_(*(column == person_id for column in columns)))
        )
        rows += deleted.rowcount
    return rows + await _erase_from_digests(connection, guild_id, person_id)


async def erase_as_member(connection: AsyncConnection, guild_id: int, person_id: int) -> int:
    """Delete what is recorded about a person as a member; what they set and did as a manager stays."""
    waiting_ids = select(tables.waiting.c.message_id).where(
        tables.waiting.c.guild_id == guild_id, tables.waiting.c.member_id == person_id
    )
    await connection.execute(delete(tables.waiting_for).where(tables.waiting_for.c.message_id.in_(waiting_ids)))
    rows = 0
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
            delete(table).where(table.c.guild_id == guild_id, table.c.member_id == person_id)
        )
        rows += deleted.rowcount
    return rows


async def set_opted_out(connection: AsyncConnection, guild_id: int, person_id: int, at: datetime) -> None:
    """Note since when a person does not want to be recorded."""
    statement = insert_into(connection, tables.member).values(guild_id=guild_id, member_id=person_id, opted_out_at=at)
    await connection.execute(
        statement.on_conflict_do_update(index_elements=["guild_id", "member_id"], set_={"opted_out_at": at})
    )


async def forget_opt_out(connection: AsyncConnection, guild_id: int, person_id: int) -> None:
    """A person who had opted out may be recorded again. No row stays: there is nothing yet to say in it."""
    member = tables.member.c
    await connection.execute(
        delete(tables.member).where(
            member.guild_id == guild_id, member.member_id == person_id, member.opted_out_at.is_not(None)
        )
    )


async def facts_about(connection: AsyncConnection, guild_id: int, person_id: int) -> dict[str, list[dict[str, Any]]]:
    """Every row that names a person, by table, as it is kept; of a week's posted figures, their own alone."""
    found: dict[str, list[dict[str, Any]]] = {}
    waiting_for = tables.waiting_for.c
    asked = select(waiting_for.message_id).where(waiting_for.manager_id == person_id)
    for table, columns in person_tables():
        mentions = [column for column in _CLEARED if column.table is table]
        named = or_(*(column == person_id for column in (*columns, *mentions)))
        if table is tables.waiting:
            named = or_(named, table.c.message_id.in_(asked))
        rows = await connection.execute(select(table).where(table.c.guild_id == guild_id, named))
        found[table.name] = [dict(row._mapping) for row in rows]  # noqa: SLF001 - the public name of a row as a mapping
    found[tables.digest.name] = [
        {"week_on": week_on, "figures": entry}
        for week_on, document in await _digests_with(connection, guild_id, person_id)
        for entry in document["managers"]
        if _is_of(entry, person_id)
    ]
    return {name: rows for name, rows in found.items() if rows}


def person_tables() -> Iterator[tuple[Table, tuple[Column[int], ...]]]:
    """Every table of a guild with the columns that say whom a row is about."""
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
    """The key of the marks; where there is none yet, it is `new` from now on."""
    await connection.execute(
        insert_into(connection, tables.installation)
        .values(name=_KEY, value=new.hex())
        .on_conflict_do_nothing(index_elements=["name"])
    )
    key = await _key(connection)
    assert key is not None
    return key


async def _note(connection: AsyncConnection, guild_id: int, mark: str) -> None:
    await connection.execute(
        insert_into(connection, tables.forgotten).values(guild_id=guild_id, mark=mark).on_conflict_do_nothing()
    )


async def _clear(connection: AsyncConnection, guild_id: int, person_id: int) -> int:
    rows = 0
    for column in _CLEARED:
        cleared = await connection.execute(
            update(column.table).where(column.table.c.guild_id == guild_id, column == person_id).values({column: None})
        )
        rows += cleared.rowcount
    return rows


async def _erase_waiting(connection: AsyncConnection, guild_id: int, person_id: int) -> int:
    """Their own entries lose their addressees before they go themselves; others' entries lose them as addressee."""
    table, entry = tables.waiting_for, tables.waiting.c
    own = select(entry.message_id).where(entry.guild_id == guild_id, entry.member_id == person_id)
    here = select(entry.message_id).where(entry.guild_id == guild_id)
    deleted = await connection.execute(
        delete(table).where(
            or_(
                table.c.message_id.in_(own),
                (table.c.manager_id == person_id) & table.c.message_id.in_(here),
            )
        )
    )
    return int(deleted.rowcount)


async def _erase_from_digests(connection: AsyncConnection, guild_id: int, person_id: int) -> int:
    """The figures that were posted hold each manager's own; theirs go, the team's stay as people saw them."""
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
    """The weeks whose posted figures hold a person's own, with these figures."""
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
