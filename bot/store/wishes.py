"""Carries opt-outs and requests to be forgotten from one database over to another."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import create_engine, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.forgetting import Forgotten
from bot.store import forgetting, tables
from bot.store.backup import reading_address
from bot.store.error import StoreError


@dataclass(frozen=True, slots=True)
class Wishes:
    """Who opted out and when, and who was erased, by guild."""

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
    marks: dict[int, set[str]] = {}
    try:
        with closing(engine.connect()) as connection:
            for guild_id, member_id, at in connection.execute(
                select(member.guild_id, member.member_id, member.opted_out_at).where(member.opted_out_at.is_not(None))
            ):
                opted_out.setdefault(guild_id, {})[member_id] = at
            for guild_id, value in connection.execute(select(mark.guild_id, mark.mark)):
                marks.setdefault(guild_id, set()).add(value)
            key = connection.scalar(forgetting.KEY_QUERY)
    except SQLAlchemyError as error:
        raise StoreError(f"{database} cannot be read: {getattr(error, 'orig', None) or error}.") from error
    finally:
        engine.dispose()
    return Wishes(
        opted_out, {guild: Forgotten(guild, bytes.fromhex(key or ""), found) for guild, found in marks.items()}
    )


async def keep_to(connection: AsyncConnection, wishes: Wishes) -> int:
    """Store these wishes and delete what is on record against them; returns the number of people concerned."""
    people = 0
    for guild_id, known in wishes.forgotten.items():
        await forgetting.adopt(connection, known)
        on_record = await forgetting.people_on_record(connection, guild_id)
        for person_id in sorted(person_id for person_id in on_record if person_id in known):
            await forgetting.erase(connection, guild_id, person_id)
            await forgetting.remember(connection, guild_id, person_id)
            people += 1
    for guild_id, members in wishes.opted_out.items():
        unrecorded = await forgetting.unrecorded(connection, guild_id)
        for member_id, at in members.items():
            if member_id not in unrecorded:
                await forgetting.erase_as_member(connection, guild_id, member_id)
                await forgetting.set_opted_out(connection, guild_id, member_id, at)
                people += 1
    return people
