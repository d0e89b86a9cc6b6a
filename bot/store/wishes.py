"""Carries opt-outs and requests to be forgotten from one database over to another."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import create_engine, inspect, select
from sqlalchemy.exc import SQLAlchemyError

from bot.domain.forgetting import Forgotten, Objection, Scope, Unrecorded
from bot.store import forgetting, tables
from bot.store.backup import reading_address
from bot.store.engine import AsyncConnection
from bot.store.error import StoreError


@dataclass(frozen=True, slots=True)
class Wishes:
    """Who opted out and when, and who was erased or has returned, by guild."""

    opted_out: Mapping[int, Mapping[int, datetime]] = field(default_factory=dict)
    forgotten: Mapping[int, Forgotten] = field(default_factory=dict)


def wishes_in(database: Path) -> Wishes:
    """Read them from a file of any schema, even a damaged one; empty if there is no file.

    Raises:
        StoreError: They cannot be read.
    """
    if not database.exists():
        return Wishes()
    address = reading_address(database)
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(address, uri=True))
    member, mark = tables.member.c, tables.forgotten.c
    opted_out: dict[int, dict[int, datetime]] = {}
    marks: dict[int, dict[str, Objection]] = {}
    try:
        with closing(engine.connect()) as connection:
            for guild_id, member_id, at in connection.execute(
                select(member.guild_id, member.member_id, member.opted_out_at).where(member.opted_out_at.is_not(None))
            ):
                opted_out.setdefault(guild_id, {})[member_id] = at
            dated = "until_at" in {column["name"] for column in inspect(connection).get_columns("forgotten")}
            how_long = (mark.until_at, mark.is_lasting) if dated else ()
            for guild_id, value, *found in connection.execute(select(mark.guild_id, mark.mark, *how_long)):
                marks.setdefault(guild_id, {})[value] = Objection(*found)
            key = connection.scalar(forgetting.KEY_QUERY)
    except SQLAlchemyError as error:
        raise StoreError(f"{database} cannot be read: {getattr(error, 'orig', None) or error}.") from error
    finally:
        engine.dispose()
    return Wishes(
        opted_out, {guild: Forgotten(guild, bytes.fromhex(key or ""), found) for guild, found in marks.items()}
    )


async def keep_to(connection: AsyncConnection, wishes: Wishes) -> int:
    """Store these wishes where they are the newer ones, and delete what is on record against them.

    What is on record of somebody who has returned since is from before, and goes as well. Returns the number of people
    concerned.
    """
    people = 0
    for guild_id in sorted({*wishes.forgotten, *wishes.opted_out}):
        opted_out = wishes.opted_out.get(guild_id, {})
        wanted = Unrecorded(frozenset(opted_out), wishes.forgotten.get(guild_id, Forgotten(guild_id)))
        known = await forgetting.unrecorded(connection, guild_id)
        await forgetting.adopt(connection, wanted.forgotten)
        for person_id in sorted(await forgetting.people_on_record(connection, guild_id) | opted_out.keys()):
            people += await _keep_to(connection, guild_id, person_id, wanted, known, opted_out.get(person_id))
    return people


async def _keep_to(
    connection: AsyncConnection,
    guild_id: int,
    person_id: int,
    wanted: Unrecorded,
    known: Unrecorded,
    opted_out_at: datetime | None,
) -> bool:
    """Do for one person what they `wanted`, if it is newer than what is `known` here; returns whether it was."""
    wish, earlier = wanted.objection(person_id, Scope.PERSON), known.objection(person_id, Scope.PERSON)
    erased = wish is not None and (wish.newer_than(earlier) or (wish == earlier and wish.lasting))
    if wish is not None and erased:
        await forgetting.erase(connection, guild_id, person_id)
        await forgetting.note_objection(connection, guild_id, person_id, wish, Scope.PERSON)
    elif person_id in known.forgotten:
        return False  # an erased person must get no row
    wish, earlier = wanted.objection(person_id, Scope.MEMBER), known.objection(person_id, Scope.MEMBER)
    if wish is None or not wish.newer_than(earlier):
        return erased
    if not erased:
        await forgetting.erase_as_member(connection, guild_id, person_id)
    if opted_out_at is not None:
        await forgetting.set_opted_out(connection, guild_id, person_id, opted_out_at)
    if (own := wanted.forgotten.objection(person_id, Scope.MEMBER)) is not None:
        await forgetting.note_objection(connection, guild_id, person_id, own, Scope.MEMBER)
    return True
