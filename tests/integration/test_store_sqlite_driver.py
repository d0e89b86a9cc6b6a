"""How often SQLAlchemy goes to the thread of a SQLite connection, and what is open after it did."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosqlite import Connection as Driver
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import IntegrityError

from bot.store import tables
from bot.store.database import Database, open_database
from bot.store.sqlite_driver import CHUNK, DatabaseConnection
from bot.store.streaming import rows

ROLE = tables.manager_role
KNOWN = select(ROLE.c.role_id).where(ROLE.c.guild_id == 1).order_by(ROLE.c.role_id)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = await open_database(f"sqlite:///{tmp_path / 'spade.db'}", write=True)
    await write(database, range(5))
    async with database.reading() as connection:  # so that there is a connection
        await connection.execute(KNOWN)
    yield database
    await database.close()


async def write(database: Database, role_ids: range) -> None:
    async with database.writing() as connection:
        await connection.execute(insert(ROLE), [{"guild_id": 1, "role_id": role_id} for role_id in role_ids])


@pytest.fixture
def visits(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What the threads were asked to do."""
    done: list[Any] = []
    execute = Driver._execute

    async def noted(self: Driver, work: Any, *given: Any, **named: Any) -> Any:
        done.append(work)
        return await execute(self, work, *given, **named)

    monkeypatch.setattr(Driver, "_execute", noted)
    yield done
    assert database  # the fixture's connections are there before, and after


async def test_a_statement_is_one_visit_and_so_is_the_end_of_its_transaction(
    database: Database, visits: list[Any]
) -> None:
    async with database.reading() as connection:
        for _ in range(3):
            assert len((await connection.execute(KNOWN)).all()) == 5
            assert await connection.scalar(text("SELECT 7")) == 7
    assert len(visits) == 6 + 1  # reading begins with its first statement
    visits.clear()
    async with database.writing() as connection:
        await connection.execute(insert(ROLE).values(guild_id=1, role_id=5))
        await connection.execute(insert(ROLE), [{"guild_id": 1, "role_id": role_id} for role_id in range(6, 900)])
        changed = await connection.execute(update(ROLE).where(ROLE.c.role_id > 890).values(guild_id=2))
        assert changed.rowcount == 9
        returned = await connection.execute(insert(ROLE).values(guild_id=3, role_id=1).returning(ROLE.c.guild_id))
        assert returned.scalar_one() == 3
    assert len(visits) == 1 + 4 + 1
    visits.clear()
    async with database.reading() as connection:
        pass
    assert visits == []


@pytest.mark.parametrize("amount", [CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
async def test_all_rows_of_any_number_are_read_in_order(database: Database, visits: list[Any], amount: int) -> None:
    await write(database, range(5, amount))
    visits.clear()
    async with database.reading() as connection:
        assert (await connection.execute(KNOWN)).scalars().all() == list(range(amount))
    assert len(visits) == (2 if amount < CHUNK else 3)
    visits.clear()
    async with database.reading() as connection:
        assert [row.role_id async for row in rows(connection, KNOWN)] == list(range(amount))
    assert len(visits) == 2 + amount // CHUNK  # the last of the chunks is not full


async def test_a_driver_cursor_fetches_by_ones_and_by_some(tmp_path: Path) -> None:
    connection = await DatabaseConnection(tmp_path / "some.db")
    cursor = await connection.cursor()
    assert cursor.description is None
    await cursor.execute(
        "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i FROM n"
    )
    assert cursor.description[0][0] == "i"
    assert await cursor.fetchone() == (1,)
    assert await cursor.fetchmany(5) == [(2,), (3,)]
    assert await cursor.fetchone() is None
    assert await cursor.fetchall() == []
    await connection.close()


async def test_an_error_releases_the_cursor_and_leaves_the_transaction(database: Database, visits: list[Any]) -> None:
    async with database.writing() as connection:
        with pytest.raises(IntegrityError, match="UNIQUE"):
            await connection.execute(insert(ROLE).values(guild_id=1, role_id=1))
        await connection.execute(insert(ROLE).values(guild_id=1, role_id=5))
    assert len(visits) == 4
    async with database.reading() as connection:
        assert len((await connection.execute(KNOWN)).all()) == 6


@pytest.mark.parametrize("begun", [0, 1, 2])
async def test_a_cancelled_stream_releases_its_cursor(database: Database, begun: int) -> None:
    """Otherwise the snapshot lives on, and the log cannot be emptied."""
    await write(database, range(5, 4 * CHUNK))
    reached = asyncio.Event()

    async def read() -> None:
        async with database.reading() as connection:
            number = 0
            async for _row in rows(connection, KNOWN):
                number += 1
                if number == begun * CHUNK + 1:
                    reached.set()

    task = asyncio.create_task(read())
    await reached.wait()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await write(database, range(4 * CHUNK, 4 * CHUNK + 1))
    assert await database.empty_log()


async def test_a_reader_that_is_cancelled_at_any_moment_leaves_no_snapshot(database: Database) -> None:
    async def read() -> None:
        async with database.reading() as connection:
            for _ in range(2):
                await connection.execute(KNOWN)

    done = False
    for turns in range(200):
        task = asyncio.create_task(read())
        for _ in range(turns):
            await asyncio.sleep(0)
        done = done or task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if turns % 10 == 0:
            await write(database, range(100 + turns, 101 + turns))
            assert await database.empty_log()


async def test_a_read_begins_with_one_snapshot_for_all_its_statements(database: Database) -> None:
    async with database.reading() as connection:
        before = (await connection.execute(KNOWN)).scalars().all()
        await write(database, range(5, 9))
        assert (await connection.execute(KNOWN)).scalars().all() == before
    async with database.reading() as connection:
        assert len((await connection.execute(KNOWN)).all()) == 9


async def test_a_connection_that_is_not_closed_does_not_hold_up_the_end_of_the_process(tmp_path: Path) -> None:
    connection = await DatabaseConnection(tmp_path / "open.db")
    assert connection._thread.daemon
    assert isinstance(connection._conn, sqlite3.Connection)
    await connection.close()
