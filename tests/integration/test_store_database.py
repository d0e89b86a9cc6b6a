"""Opening, migrating, reading, writing in turns, and keeping a second writer out: on SQLite and PostgreSQL."""

import asyncio
import errno
import multiprocessing
import os
import socket
import sqlite3
import stat
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Dialect, exc, func, insert, inspect, make_url, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.schema import CreateTable

from bot.domain.evidence import UNDATED, Copy
from bot.domain.forgetting import Objection
from bot.domain.history_job import Unread
from bot.domain.message import Message, MessageKind
from bot.domain.span import Span
from bot.store import due_times, evidence, forgetting, guilds, history_jobs, migration, people, spans, tables, unread
from bot.store import postgres as postgres_store
from bot.store.database import Database, StoreError, open_database, quick_check
from bot.store.error import DatabaseUnreachableError
from bot.store.migration import SchemaState, current_revision, newest_revision, revisions, schema_state
from bot.store.writer_lock import WriterLock
from tests.support.patience import PATIENCE
from tests.support.rows import days_written


async def roles(database: Database) -> int:
    """How many manager roles are committed: a table with nothing to it."""
    async with database.reading() as connection:
        return int((await connection.execute(select(func.count()).select_from(tables.manager_role))).scalar_one())


def role(role_id: int) -> object:
    return insert(tables.manager_role).values(guild_id=1, role_id=role_id)


# The schema.


async def test_an_empty_database_is_brought_to_exactly_the_schema_of_the_code(empty_address: str) -> None:
    database = await open_database(empty_address, write=True)

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, tables.metadata))

    try:
        async with database.reading() as connection:
            assert await connection.run_sync(current_revision) == newest_revision()
            assert await connection.run_sync(differences) == []
    finally:
        await database.close()


@pytest.mark.parametrize("dialect", [sqlite.dialect(), postgresql.dialect()], ids=["sqlite", "postgresql"])
def test_every_table_can_be_made_as_the_code_describes_it_and_none_numbers_its_rows(dialect: Dialect) -> None:
    """Ids are Discord's or Spade's own: a row without one is refused, and not given a number."""
    for table in tables.metadata.sorted_tables:
        assert table.autoincrement_column is None
        assert f"CREATE TABLE {table.name} (" in str(CreateTable(table).compile(dialect=dialect))


async def test_the_tables_that_the_code_describes_are_those_that_the_migrations_make(empty_address: str) -> None:
    """The same columns, which of them may be empty, and the same keys."""

    def made(connection: Connection) -> dict[str, tuple[dict[str, bool], set[str]]]:
        found = inspect(connection)
        return {
            name: (
                {column["name"]: column["nullable"] for column in found.get_columns(name)},
                set(found.get_pk_constraint(name)["constrained_columns"]),
            )
            for name in tables.metadata.tables
        }

    database = await open_database(empty_address, write=True)
    try:
        async with database.reading() as connection:
            there = await connection.run_sync(made)
    finally:
        await database.close()
    described = {
        table.name: (
            {column.name: bool(column.nullable) for column in table.columns},
            {column.name for column in table.primary_key},
        )
        for table in tables.metadata.sorted_tables
    }
    assert there == described


async def test_every_table_on_sqlite_is_strict(empty_address: str) -> None:
    database = await open_database(empty_address, write=True)
    try:
        if database.dialect == "sqlite":
            async with database.reading() as connection:
                rows = await connection.execute(
                    text("SELECT name, strict, wr FROM pragma_table_list WHERE schema = 'main'")
                )
                found = [row for row in rows if not row.name.startswith("sqlite_")]
            strict = {row.name: row.strict for row in found}
            assert strict.pop("alembic_version") == 0
            assert strict == dict.fromkeys(tables.metadata.tables, 1)
            by_key = {row.name for row in found if row.wr}
            assert by_key == {"activity", "fact_change", "imported_message"}
        else:
            async with database.reading() as connection:
                names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
            assert set(names) == {*tables.metadata.tables, "alembic_version"}
    finally:
        await database.close()


async def test_opening_again_keeps_what_is_there(address: str) -> None:
    database = await open_database(address, write=True)
    async with database.writing() as connection:
        await connection.execute(role(5))
    await database.close()
    database = await open_database(address, write=True)
    assert await roles(database) == 1
    await database.close()


def alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migration.__file__).parent / "migrations"))
    return config


async def test_what_was_imported_before_evidence_was_stored_by_key_is_kept_and_understood(empty_address: str) -> None:
    url = make_url(empty_address)
    driver = "sqlite+aiosqlite" if url.drivername == "sqlite" else "postgresql+asyncpg"
    engine = create_async_engine(url.set(drivername=driver))

    def filled(connection: Connection) -> None:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0010")
        told = "INSERT INTO imported_channel (channel_id, guild_id, is_thread, begins, gone) VALUES (20, 7, 0, 1, 0)"
        connection.execute(text(told))
        connection.execute(
            text(
                "INSERT INTO imported_message (channel_id, message_id, guild_id, exported_at, author_id, kind, flags,"
                " reply_to_id, mentions, counted_on) VALUES"
                " (20, 32, 7, 1000, 201, 'reply', 4, 31, ' 101 ', '2026-03-01'),"
                " (20, 31, 7, 1000, 101, 'default', 0, NULL, '', '1969-12-31'),"
                " (20, 33, 7, 2000, NULL, 'default', 10, NULL, '', NULL)"
            )
        )

    async with engine.begin() as begun:
        await begun.run_sync(filled)
    await engine.dispose()
    database = await open_database(empty_address, write=True)
    async with database.reading() as connection:
        found = await evidence.with_ids(connection, [31, 32, 33])
        exported_at = UNDATED + timedelta(seconds=1)
        assert found == {
            31: {20: Copy(Message(31, 101), exported_at, counted_on=date(1969, 12, 31))},
            32: {
                20: Copy(
                    Message(32, 201, MessageKind.REPLY, frozenset({101}), reply_to_id=31),
                    exported_at,
                    reduced=True,
                    counted_on=date(2026, 3, 1),
                )
            },
            33: {20: Copy(Message(33, None, mentions_crowd=True), exported_at + timedelta(seconds=1), deleted=True)},
        }
        assert await evidence.counts(connection, 7) == {20: 3}
        assert await evidence.replied_to(connection, [31, 32]) == {31}
    await database.close()


async def test_what_the_schema_before_this_version_held_is_kept_and_understood(empty_address: str) -> None:
    """Noon UTC of a Monday is in that Monday's week in every zone."""
    url = make_url(empty_address)
    driver = "sqlite+aiosqlite" if url.drivername == "sqlite" else "postgresql+asyncpg"
    engine = create_async_engine(url.set(drivername=driver))

    def filled(connection: Connection) -> None:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        for statement in (
            (
                "INSERT INTO guild (guild_id, time_zone, digest_weekday, digest_hour, digest_from_on)"
                " VALUES (7, 'UTC', 0, 9, '2026-03-02'), (8, 'UTC', 0, 9, NULL)"
            ),
            "INSERT INTO manager (guild_id, manager_id) VALUES (7, 101)",
            "INSERT INTO span VALUES (20, 1, 5, 7, 10), (20, 8, 9, 7, 10), (40, 1, 5, 8, NULL)",
            "INSERT INTO known_gap VALUES (20, 6, 7, 7, 'x'), (30, 6, 9, 7, 'x')",
            "INSERT INTO member (guild_id, member_id, opted_out_at) VALUES (7, 201, 5), (8, 201, NULL)",
            (
                "INSERT INTO activity VALUES (7, 202, '2026-03-01', 1), (7, 202, '2026-03-02', 2),"
                " (7, 202, '2026-03-08', 3), (7, 202, '2026-03-09', 4),"
                " (7, 203, '1969-12-31', 5), (8, 202, '2026-03-04', 6)"
            ),
            "INSERT INTO forgotten VALUES (7, 'mark')",
            (
                "INSERT INTO history_job VALUES (1, 7, 'read again', 0, 101, 0, 5, NULL, 0),"
                " (2, 7, 'read again', 0, 101, 0, NULL, NULL, 3), (3, 7, 'read again', 0, 102, 0, NULL, 5, 0),"
                " (4, 8, 'backfill', 0, NULL, 0, NULL, NULL, 0)"
            ),
        ):
            connection.execute(text(statement))

    async with engine.begin() as begun:
        await begun.run_sync(filled)
    await engine.dispose()
    database = await open_database(empty_address, write=True)
    async with database.reading() as connection:
        first = {guild_id: await guilds.settings_of(connection, guild_id) for guild_id in (7, 8)}
        assert {guild_id: settings and settings.digest_from_at for guild_id, settings in first.items()} == {
            7: datetime(2026, 3, 2, 12, tzinfo=UTC),
            8: None,
        }
        for kind in (due_times.DIGEST, due_times.PURGE):  # everything is looked at with the next tick
            due = await due_times.due(connection, kind, due_times.AT_ONCE, after=None, limit=9)
            assert [row.key for row in due] == [(7, 0), (8, 0)]
        for kind in (due_times.NUDGE, due_times.PERSONAL_DIGEST):
            due = await due_times.due(connection, kind, due_times.AT_ONCE, after=None, limit=9)
            assert [row.key for row in due] == [(7, 101)]
        gap = tables.known_gap.c
        gaps = await connection.execute(select(gap.channel_id, gap.parent_id).order_by(gap.channel_id))
        assert [tuple(row) for row in gaps] == [(20, 10), (30, None)]
        assert (await forgetting.forgotten(connection, 7)).marks == {"mark": Objection()}
        assert 201 in await forgetting.unrecorded(connection, 7)
        assert await days_written(connection) == [
            (7, 202, date(2026, 3, 1), 1),
            (7, 202, date(2026, 3, 2), 2),
            (7, 202, date(2026, 3, 8), 3),
            (7, 202, date(2026, 3, 9), 4),
            (7, 203, date(1969, 12, 31), 5),
            (8, 202, date(2026, 3, 4), 6),
        ]
        assert await connection.scalar(select(func.count()).select_from(tables.activity)) == 5
        assert await people.proxied(connection, 7) == frozenset()
        (again,) = await history_jobs.unfinished(connection, 7)
        assert (again.job_id, again.manager_id, again.messages, again.listed, again.channels) == (2, 101, 3, True, 1)
        assert await unread.of_job(connection, 7, 2) == (Unread(20, 10, (Span(1, 5), Span(8, 9))),)
        assert [job.listed for job in await history_jobs.unfinished(connection, 8)] == [False]
        for job_id in (1, 3, 4):
            assert await unread.of_job(connection, 7 if job_id < 4 else 8, job_id) == ()
    await database.close()


async def test_a_newer_schema_is_refused(address: str) -> None:
    database = await open_database(address, write=True)
    async with database.writing() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await database.close()
    for write in (True, False):
        with pytest.raises(StoreError, match=rf"by a newer Spade \(schema 9999; this one knows {newest_revision()}\)"):
            await open_database(address, write=write)


async def test_reading_a_database_without_a_record_names_what_begins_one(empty_address: str, tmp_path: Path) -> None:
    (tmp_path / "spade.db").touch()
    with pytest.raises(StoreError, match=r"There is no record in the database yet: `spade import` or `spade run`"):
        await open_database(empty_address, write=False)


async def test_an_older_schema_is_migrated_by_writers_alone(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.store.database.schema_state", lambda revision: SchemaState.OLDER)
    with pytest.raises(StoreError, match="older schema: run `spade migrate` once"):
        await open_database(address, write=False)
    upgraded = []
    monkeypatch.setattr("bot.store.database.upgrade", lambda connection: upgraded.append(connection.dialect.name))
    await (await open_database(address, write=True)).close()
    assert len(upgraded) == 1


def test_a_revision_is_compared_with_the_known_ones() -> None:
    assert schema_state(None) is SchemaState.EMPTY
    assert schema_state(newest_revision()) is SchemaState.CURRENT
    assert schema_state("0001") is SchemaState.OLDER
    assert schema_state("9999") is SchemaState.NEWER
    assert schema_state("1975ea83b712, ae1027a6acf") is SchemaState.FOREIGN


def test_migrations_are_named_after_their_revisions_in_their_order() -> None:
    found = [script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()]
    assert found == revisions()[::-1]


# One writer.


async def test_a_second_writer_is_kept_out_until_the_first_closes(address: str) -> None:
    first = await open_database(address, write=True)
    with pytest.raises(StoreError) as refused:
        await open_database(address, write=True)
    url = make_url(address)
    place = url.database if url.get_backend_name() == "sqlite" else url.render_as_string()
    assert str(refused.value) == (
        f"Another Spade is writing to {place} (process {os.getpid()}): stop it first, or name another database."
    )
    async with first.writing() as connection:  # unharmed by the attempt
        await connection.execute(role(1))
    reader = await open_database(address, write=False)
    assert await roles(reader) == 1
    await reader.close()
    await first.close()
    second = await open_database(address, write=True)
    assert await roles(second) == 1
    await second.close()


def _hold(address: str, ready: "multiprocessing.synchronize.Event") -> None:
    async def hold() -> None:
        await open_database(address, write=True)
        ready.set()
        await asyncio.sleep(60)

    asyncio.run(hold())


def test_a_writer_that_is_killed_leaves_no_lock_behind(address: str) -> None:
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=_hold, args=(address, ready), daemon=True)
    process.start()
    assert ready.wait(PATIENCE)

    async def attempt() -> str:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                await (await open_database(address, write=True)).close()
            except StoreError as error:
                last = str(error)
                if process.is_alive():
                    return last
                await asyncio.sleep(0.05)  # the server notices the lost connection in a moment
            else:
                return ""
        return last

    assert f"(process {process.pid})" in asyncio.run(attempt())
    process.kill()
    process.join(PATIENCE)
    assert asyncio.run(attempt()) == ""


async def test_a_reader_cannot_write(address: str) -> None:
    database = await open_database(address, write=False)
    try:
        with pytest.raises(StoreError, match="cannot be used"):
            async with database.reading() as connection:
                await connection.execute(role(1))
        with pytest.raises(StoreError):
            async with database.writing() as connection:
                await connection.execute(role(2))
        assert await roles(database) == 0
    finally:
        await database.close()


async def test_the_readers_of_a_writer_cannot_write_either(database: Database) -> None:
    with pytest.raises(StoreError):
        async with database.reading() as connection:
            await connection.execute(role(1))
    assert await roles(database) == 0


# Turns and transactions.


async def test_writers_take_turns_and_never_commit_each_others_work(database: Database) -> None:
    """One task fails in the middle of its block while another waits to write: only the other's row stays."""
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def failing() -> None:
        async with database.writing() as connection:
            await connection.execute(role(1))
            inside.set()
            await go_on.wait()
            raise LookupError("in the middle")

    async def succeeding() -> None:
        await inside.wait()
        async with database.writing() as connection:
            await connection.execute(role(2))

    tasks = [asyncio.create_task(failing()), asyncio.create_task(succeeding())]
    await inside.wait()
    await asyncio.sleep(0.05)
    assert not tasks[1].done()  # it waits for its turn
    assert await roles(database) == 0  # and readers are not held up, nor do they see half of it
    go_on.set()
    first, second = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(first, LookupError)
    assert second is None
    async with database.reading() as connection:
        assert list(await connection.scalars(select(tables.manager_role.c.role_id))) == [2]


@pytest.mark.parametrize("statements", [1, 3])
async def test_a_cancelled_block_leaves_nothing_and_the_next_one_works(database: Database, statements: int) -> None:
    inside = asyncio.Event()

    async def cancelled() -> None:
        async with database.writing() as connection:
            for number in range(statements):
                await connection.execute(role(number))
            inside.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(cancelled())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with database.writing() as connection:
        await connection.execute(role(99))
    async with database.reading() as connection:
        assert list(await connection.scalars(select(tables.manager_role.c.role_id))) == [99]


async def test_cancelling_at_any_moment_leaves_all_or_nothing(database: Database) -> None:
    """A block of three statements is cancelled after every possible number of turns of the loop."""
    outcomes = set()
    for turns in range(0, 60, 2):

        async def three(first: int) -> None:
            async with database.writing() as connection:
                for number in range(3):
                    await connection.execute(role(first + number))

        task = asyncio.create_task(three(1000 + 10 * turns))
        for _ in range(turns):
            await asyncio.sleep(0 if turns < 20 else 0.0003)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        async with database.reading() as connection:
            found = await connection.scalars(
                select(tables.manager_role.c.role_id).where(
                    tables.manager_role.c.role_id.between(1000 + 10 * turns, 1009 + 10 * turns)
                )
            )
            outcomes.add(len(list(found)))
    assert outcomes <= {0, 3}
    assert 0 in outcomes
    async with database.writing() as connection:
        await connection.execute(role(1))


async def test_a_reading_block_sees_one_state(database: Database) -> None:
    count = select(func.count()).select_from(tables.manager_role)
    async with database.reading() as connection:
        assert (await connection.execute(count)).scalar_one() == 0
        async with database.writing() as writer:
            await writer.execute(role(1))
        assert (await connection.execute(count)).scalar_one() == 0
    assert await roles(database) == 1


async def test_a_mistake_in_a_statement_is_no_matter_of_the_database(database: Database) -> None:
    """A broken constraint is Spade's own fault: it stays what it is, and nothing is written."""

    async def twice() -> None:
        async with database.writing() as connection:
            await connection.execute(role(1))
            await connection.execute(role(1))

    with pytest.raises(exc.IntegrityError):
        await twice()
    assert await roles(database) == 0


async def test_foreign_keys_hold(database: Database) -> None:
    with pytest.raises(exc.IntegrityError):
        async with database.writing() as connection:
            await connection.execute(insert(tables.waiting_for).values(message_id=1, manager_id=2))


async def test_more_readers_than_connections_wait_for_one(database: Database) -> None:
    async def look() -> int:
        async with database.reading() as connection:
            await connection.execute(select(1))
            await asyncio.sleep(0.01)
        return 1

    assert sum(await asyncio.gather(*(look() for _ in range(12)))) == 12


async def test_quick_check_finds_nothing_in_a_sound_database(database: Database) -> None:
    assert await quick_check(database) is None


# SQLite's file.


async def test_the_file_and_its_lock_are_for_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "spade.db"
    database = await open_database(f"sqlite:///{path}", write=True)
    await spans_written(database)
    for file in tmp_path.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    async with database.writing() as connection:
        found = [
            (await connection.execute(text(f"PRAGMA {name}"))).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "secure_delete")
        ]
    assert found == ["wal", 2, 1, 10_000, 1]
    await database.close()


async def spans_written(database: Database) -> None:
    async with database.writing() as connection:
        await connection.execute(insert(tables.span).values(channel_id=1, guild_id=1, first_id=1, last_id=2))
        assert await spans.of_channel(connection, 1)


async def test_what_cannot_be_a_database_file_is_refused_in_a_sentence(tmp_path: Path) -> None:
    cases: list[tuple[str, bool, str]] = [
        ("sqlite://", True, "needs a database file"),
        ("sqlite:///:memory:", True, "needs a database file"),
        (f"sqlite:///{tmp_path / 'none.db'}", False, "There is no database at .*none.db: `spade import`"),
        (f"sqlite:///{tmp_path / 'no' / 'where.db'}", True, "The folder .*no for the database does not exist"),
        (f"sqlite:///{tmp_path}", True, "cannot be read: Is a directory"),
    ]
    (tmp_path / "letter.db").write_text("Dear Sir or Madam")
    cases.append((f"sqlite:///{tmp_path / 'letter.db'}", True, "is not a SQLite database"))
    for address, write, sentence in cases:
        with pytest.raises(StoreError, match=sentence):
            await open_database(address, write=write)
    assert (tmp_path / "letter.db").read_text() == "Dear Sir or Madam"


async def test_a_file_that_cannot_be_made_or_written_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr("bot.store.database.os.open", refuse)
        with pytest.raises(StoreError, match=r"cannot be made in .*\(Permission denied\): Spade needs a folder"):
            await open_database(f"sqlite:///{tmp_path / 'new.db'}", write=True)
    await (await open_database(f"sqlite:///{tmp_path / 'old.db'}", write=True)).close()
    monkeypatch.setattr("bot.store.database.os.access", lambda *_: False)
    with pytest.raises(StoreError, match="cannot be written: check who owns it"):
        await open_database(f"sqlite:///{tmp_path / 'old.db'}", write=True)


async def test_another_program_that_holds_the_file_is_named_as_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.store.sqlite_engine.BUSY_TIMEOUT_MS", 50)
    database = await open_database(f"sqlite:///{tmp_path / 'spade.db'}", write=True)
    other = sqlite3.connect(tmp_path / "spade.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match=r"spade\.db is locked by another program"):
        async with database.writing() as connection:
            await connection.execute(role(1))
    other.execute("ROLLBACK")
    other.close()
    async with database.writing() as connection:
        await connection.execute(role(1))
    await database.close()


async def test_a_full_disk_is_said_and_nothing_is_written_until_there_is_room(tmp_path: Path) -> None:
    database = await open_database(f"sqlite:///{tmp_path / 'spade.db'}", write=True)
    async with database.writing() as connection:
        pages = (await connection.execute(text("PRAGMA page_count"))).scalar_one()
        await connection.execute(text(f"PRAGMA max_page_count = {pages}"))
    rows = [{"guild_id": 1, "role_id": number} for number in range(5000)]
    with pytest.raises(StoreError, match="The disk is full: nothing is recorded until there is room again"):
        async with database.writing() as connection:
            await connection.execute(insert(tables.manager_role), rows)
    assert await roles(database) == 0
    async with database.writing() as connection:
        await connection.execute(text("PRAGMA max_page_count = 1000000"))
    async with database.writing() as connection:
        await connection.execute(insert(tables.manager_role), rows)
    assert await roles(database) == 5000
    await database.close()


def test_the_holder_of_a_lock_is_told_by_its_file(tmp_path: Path) -> None:
    lock, other = WriterLock(tmp_path / "lock"), WriterLock(tmp_path / "lock")
    assert lock.holder() == "unknown"
    assert lock.acquire()
    assert not other.acquire()
    assert other.holder() == str(os.getpid())
    assert not lock.abandoned
    lock.release()
    lock.release()
    assert other.acquire()
    assert not other.abandoned  # the first holder ended properly
    other.release()


# PostgreSQL's connection.


async def test_what_keeps_postgresql_from_being_reached_is_said_without_the_password(
    postgres_socket: str, tmp_path: Path
) -> None:
    cases = [
        (f"postgresql://postgres:secret@/nowhere?host={postgres_socket}", 'database "nowhere" does not exist', False),
        (f"postgresql://postgres:secret@/postgres?host={tmp_path}", "No such file or directory", True),
        ("postgresql://postgres:secret@localhost:1/postgres", "refused|Connect call failed|Multiple exceptions", True),
        ("postgresql://postgres:secret@localhost:1/postgres?sslmode=wrong", "sslmode", False),
    ]
    for address, sentence, may_pass in cases:
        for write in (True, False):
            with pytest.raises(StoreError, match=f"The database at .* cannot be reached: .*({sentence})") as refused:
                await open_database(address, write=write)
            assert "secret" not in str(refused.value)
            assert isinstance(refused.value, DatabaseUnreachableError) == may_pass


async def test_a_postgresql_server_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a quarter of a minute, which the test shortens."""
    asyncpg = pytest.importorskip("asyncpg")
    connect, timeouts = asyncpg.connect, []

    async def connect_sooner(address: str, *, timeout: float, **options: object) -> object:
        timeouts.append(timeout)
        return await connect(address, timeout=timeout / 50, **options)

    monkeypatch.setattr(asyncpg, "connect", connect_sooner)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(DatabaseUnreachableError, match="cannot be reached: TimeoutError"):
                await open_database(f"postgresql://postgres@127.0.0.1:{port}/spade?sslmode=disable", write=False)
    assert timeouts == [15]


async def test_postgresql_without_its_driver_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(StoreError, match=r"pip install 'spade\[postgres\]'"):
        await open_database("postgresql://me@localhost/spade", write=True)


async def test_a_lost_connection_costs_the_block_it_happened_in_and_no_more(
    new_postgres: Callable[[], str], postgres: Callable[[str], str]
) -> None:
    """The server drops every connection: the transaction is gone, the lock is taken again, writing goes on."""
    address = new_postgres()
    database = await open_database(address, write=True)
    name = address.partition("?")[0].rpartition("/")[2]
    drop = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"

    async def interrupted() -> None:
        async with database.writing() as connection:
            await connection.execute(role(1))
            postgres(drop)
            await connection.execute(role(2))

    with pytest.raises(StoreError, match="cannot be used"):
        await interrupted()
    async with database.writing() as connection:
        await connection.execute(role(3))
    with pytest.raises(StoreError, match="Another Spade is writing"):
        await open_database(address, write=True)
    assert await roles(database) == 1
    postgres(drop)
    assert await roles(database) == 1
    await database.close()


async def test_a_writer_that_lost_its_connection_gives_way_to_the_one_that_came_after(
    new_postgres: Callable[[], str], postgres: Callable[[str], str]
) -> None:
    address = new_postgres()
    first = await open_database(address, write=True)
    name = address.partition("?")[0].rpartition("/")[2]
    postgres(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    second = await open_database(address, write=True)
    with pytest.raises(StoreError, match="Another Spade is writing"):
        async with first.writing() as connection:
            await connection.execute(role(1))
    async with second.writing() as connection:
        await connection.execute(role(2))
    assert await roles(first) == 1
    await first.close()
    await second.close()


def test_which_errors_of_postgresql_are_an_outage() -> None:
    def error(sqlstate: str | None, *, invalidated: bool = False) -> exc.DBAPIError:
        origin = Exception("…")
        origin.sqlstate = sqlstate  # type: ignore[attr-defined]
        return exc.DBAPIError("SELECT 1", {}, origin, connection_invalidated=invalidated)

    for sqlstate in ("08006", "53100", "57P01", "58030", "40P01", "25006"):
        assert postgres_store.is_outage(error(sqlstate))
    for sqlstate in ("23505", "42P01", "25P02", None):
        assert not postgres_store.is_outage(error(sqlstate))
    assert postgres_store.is_outage(error(None, invalidated=True))
