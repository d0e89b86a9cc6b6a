"""Recording on a database with small pages, for a disk that is full at any moment."""

from __future__ import annotations

import asyncio
import resource
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text

from bot.clock import DrivenClock
from bot.domain.message import Message, MessageKind
from bot.domain.rules import Rules
from bot.domain.snowflake import first_id_at
from bot.domain.stretch import Place
from bot.services.record import live_writer
from bot.services.record.follower import Follower
from bot.services.record.recorder import Recorder
from bot.store import managers
from bot.store.database import Database, StoreError, open_database
from tests.support.days import DAYS

GUILD, CHANNEL, MANAGER = 1, first_id_at(datetime(2026, 3, 2, 11, tzinfo=UTC)), 11
BEGAN = datetime(2026, 3, 2, 12, tzinfo=UTC)
TABLES = ("activity", "member", "touch", "waiting", "waiting_for", "span")
PAGE_SIZE = 512  # SQLite's smallest: so the file has to grow at nearly every statement


class NoHistory:
    """A history without messages."""

    async def after(self, place: Place, after_id: int) -> tuple[Message, ...]:
        return ()

    async def before(self, place: Place, before_id: int, limit: int) -> tuple[Message, ...]:
        return ()

    async def opener(self, place: Place) -> int | None:
        return None

    async def place(self, guild_id: int, channel_id: int) -> Place:
        return Place(guild_id, channel_id)


def talk(count: int, people: int) -> list[Message]:
    """Members write, and the manager answers every third message."""
    found: list[Message] = []
    for number in range(count):
        message_id = first_id_at(BEGAN + timedelta(minutes=number))
        if number % 3 == 2:
            target = found[-1]
            reply = {"reply_to_id": target.message_id, "reply_to_author_id": target.author_id}
            found.append(Message(message_id, MANAGER, MessageKind.REPLY, **reply))
        else:
            found.append(Message(message_id, 100 + number % people, mentions=frozenset({MANAGER})))
    return found


def tables(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        queries = {table: DAYS if table == "activity" else f"SELECT * FROM {table}" for table in TABLES}
        return {table: sorted(connection.execute(query), key=repr) for table, query in queries.items()}


async def opened(path: Path) -> Database:
    """An empty database of small pages, with one manager."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
        connection.execute("VACUUM")
    database = await open_database(f"sqlite:///{path}", write=True)
    async with database.writing() as connection:
        await managers.add(connection, GUILD, [MANAGER])
    return database


async def limit_pages(database: Database, pages: int) -> int:
    """Let the file grow to so many pages and no further; returns how many there are."""
    async with database._writer.connect() as connection:
        await connection.execute(text(f"PRAGMA max_page_count = {pages}"))
        return int((await connection.execute(text("PRAGMA page_count"))).scalar_one())


async def follow(database: Database, messages: list[Message]) -> Follower:
    """A follower that has received some messages and recorded none."""
    follower = Follower(database, Recorder(database, Rules()), NoHistory(), DrivenClock(BEGAN), hold_seconds=0.0)
    place = Place(GUILD, CHANNEL)
    await follower.follow_new(place, follower.session)
    for message in messages:
        with follower.receiving(place, message.message_id) as take:
            take(message)
    return follower


def check_whole(path: Path, messages: list[Message]) -> None:
    """Assert that exactly the messages within spans are on record."""
    found = tables(path)
    covered = [(row[1], row[2]) for row in found["span"]]
    within = [m for m in messages if any(first <= m.message_id <= last for first, last in covered)]
    assert sum(row[3] for row in found["activity"]) == len(within)
    assert {row[0] for row in found["touch"]} == {m.message_id for m in within if m.author_id == MANAGER}
    assert {row[0] for row in found["waiting"]} == {m.message_id for m in within if m.author_id != MANAGER}


def refuse_every_write(folder: str) -> None:
    """Record in this process with a file size limit, once for each write that can be the first to exceed it.

    Each time the follower must raise an error, keep what it received, and record it once the limit is lifted.
    """
    print(f"refused writes: points={asyncio.run(_refuse_every_write(Path(folder)))} lost=0 doubled=0", flush=True)


async def _refuse_every_write(folder: Path) -> int:
    live_writer.BATCH = 15
    messages = talk(60, 12)
    empty, whole = folder / "empty.db", folder / "whole.db"
    await (await opened(empty)).close()
    shutil.copyfile(empty, whole)
    database = await open_database(f"sqlite:///{whole}", write=True)
    await (await follow(database, messages)).flush()
    frame = PAGE_SIZE + 24  # what a page takes in the write-ahead log
    most = whole.with_name("whole.db-wal").stat().st_size // frame
    await database.close()
    wanted = tables(whole)
    check_whole(whole, messages)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    refused = 0
    for frames in range(most + 1):
        path = folder / f"{frames}.db"
        shutil.copyfile(empty, path)
        database = await open_database(f"sqlite:///{path}", write=True)
        follower = await follow(database, messages)
        resource.setrlimit(resource.RLIMIT_FSIZE, (frames * frame + 100, hard))
        try:
            await follower.flush()
        except StoreError:
            refused += 1
            assert tables(path) != wanted
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        check_whole(path, messages)
        await follower.flush()
        await database.close()
        assert tables(path) == wanted
        path.unlink()
    return refused
