"""The file of the database is damaged, deleted, moved or replaced under a running Spade, or gone when it starts."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert, text

from bot.services.guild.restoration import restore
from bot.store import tables
from bot.store.backup import make_backup
from bot.store.backup_files import backup_path, backups_of
from bot.store.database import Database, open_database
from bot.store.error import LostDatabaseError, StoreError
from bot.store.writer_lock import WriterLock
from tests.support.patience import PATIENCE

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
PAGE_SIZE = 4096


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.store.database.LOOK_SECONDS", 0.02)


@asynccontextmanager
async def opened(path: Path, *, write: bool = True) -> AsyncIterator[Database]:
    database = await open_database(f"sqlite:///{path}", write=write)
    try:
        yield database
    finally:
        await database.close()


async def note(database: Database, *numbers: int) -> None:
    async with database.writing() as connection:
        await connection.execute(
            insert(tables.manager_role), [{"guild_id": 1, "role_id": number} for number in numbers]
        )


def noted(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as connection:
        return [number for (number,) in connection.execute("SELECT role_id FROM manager_role ORDER BY role_id")]


async def made(path: Path, *numbers: int) -> None:
    async with opened(path) as database:
        await note(database, *numbers)


async def lost(database: Database) -> str:
    async with asyncio.timeout(PATIENCE):
        return str(await database.lost())


def delete(path: Path) -> None:
    path.unlink()


def delete_all(path: Path) -> None:
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()


def move(path: Path) -> None:
    path.rename(path.with_name("moved.db"))


def remove_folder(path: Path) -> None:
    shutil.rmtree(path.parent)


def replace(path: Path) -> None:
    shutil.copy(path.parent.parent / "other.db", path.with_name("new.db"))
    path.with_name("new.db").replace(path)


@pytest.mark.parametrize("change", [delete, delete_all, move, remove_folder, replace])
async def test_a_file_that_is_gone_is_noticed_and_saved(change: Callable[[Path], None], tmp_path: Path) -> None:
    (tmp_path / "place").mkdir()
    path = tmp_path / "place/spade.db"
    await made(tmp_path / "other.db", 99)
    async with opened(path) as database:
        await note(database, 1, 2)
        async with database.reading() as connection:
            await connection.execute(text("SELECT 1"))
        change(path)
        for block in (database.writing, database.reading):  # at once, without anybody having looked
            with pytest.raises(LostDatabaseError, match="nothing was recorded since, and Spade stops"):
                async with block() as connection:
                    await connection.execute(text("SELECT 1"))
        said = await lost(database)
        what = "Another file was put in the place of" if change is replace else "was deleted or moved"
        assert what in said
        assert str(path) in said
        copy = backup_path(path, NOW)
        told = await database.salvaged(copy)
    if change is remove_folder:
        assert "could not be saved" in told
        return
    assert told == f"What it held was saved: `spade restore {copy}` puts it back."
    assert noted(copy) == [1, 2]
    assert copy.stat().st_mode & 0o777 == 0o600
    if change is move:
        path.with_name("spade.db-wal").unlink(missing_ok=True)
        assert noted(path.with_name("moved.db")) == [1, 2]  # nothing of it was left in the log
    if change is replace:
        assert noted(path) == [99]
    if change in {delete, move}:
        for write in (True, False):
            with pytest.raises(
                StoreError, match=r"is gone, although Spade was writing to it: .* `spade restore .*backup"
            ):
                await open_database(f"sqlite:///{path}", write=write)
        assert not path.exists()
    await restore(path, copy, NOW)
    async with opened(path) as database:
        await note(database, 3)
    assert noted(path) == [1, 2, 3]


@pytest.mark.parametrize("suffix", ["-wal", "-shm"])
async def test_the_log_of_the_database_is_missed_too_and_loses_nothing(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / "spade.db"
    async with opened(path) as database:
        await note(database, 1, 2)
        path.with_name(path.name + suffix).unlink()
        assert f"spade.db{suffix}, a part of the database, was deleted or replaced" in await lost(database)
        with pytest.raises(LostDatabaseError):
            await note(database, 3)
        assert await database.salvaged(backup_path(path, NOW)) == (
            "What it held was written into the database: start Spade again."
        )
    assert backups_of(path) == ()
    assert noted(path) == [1, 2]
    await made(path, 3)
    assert noted(path) == [1, 2, 3]


async def test_the_log_of_a_database_that_is_gone_does_not_spoil_the_restored_one(tmp_path: Path) -> None:
    path, log = tmp_path / "spade.db", tmp_path / "spade.db-wal"
    await made(tmp_path / "other.db", 99)
    make_backup(tmp_path / "other.db", backup_path(path, NOW))
    async with opened(path) as database:
        await note(database, *range(500))
        left = log.read_bytes()
    path.unlink()
    log.write_bytes(left)  # as after a crash
    with pytest.raises(StoreError, match=r"is gone, although .*delete .*spade\.db-wal"):
        await open_database(f"sqlite:///{path}", write=True)
    await restore(path, backup_path(path, NOW), NOW)
    assert noted(path) == [99]
    (kept,) = tmp_path.glob("*.before-restore-*-wal")
    assert kept.read_bytes() == left


async def test_what_was_begun_before_the_change_is_not_committed_after_it(tmp_path: Path) -> None:
    path = tmp_path / "spade.db"
    async with opened(path) as database:
        with pytest.raises(LostDatabaseError, match="was deleted or moved"):  # noqa: PT012 - it is raised at the end
            async with database.writing() as connection:
                await connection.execute(insert(tables.manager_role), [{"guild_id": 1, "role_id": 5}])
                path.rename(tmp_path / "moved.db")
        await database.salvaged(backup_path(path, NOW))
    assert noted(tmp_path / "moved.db") == []


async def test_nothing_is_missed_while_connections_come_and_go(tmp_path: Path) -> None:
    """Cancelled writers, other processes that read, a backup and a scrub are no reason to stop."""
    path = tmp_path / "spade.db"
    async with opened(path) as database:
        losing = asyncio.create_task(database.lost())
        for number in range(8):
            writing = asyncio.create_task(note(database, number))
            await asyncio.sleep(0.001 * number)
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            await (await open_database(f"sqlite:///{path}", write=False)).close()
            await asyncio.to_thread(make_backup, path, backup_path(path, NOW))
        await database.rewrite()
        assert await database.empty_log()
        await note(database, 100)
        await asyncio.sleep(0.05)
        assert not losing.done()
        losing.cancel()
    await made(path, 101)  # a proper end


async def test_damage_that_is_met_ends_everything_with_the_same_sentence(tmp_path: Path) -> None:
    path = tmp_path / "spade.db"
    await made(path, *range(1000))
    make_backup(path, backup_path(path, NOW))
    with closing(sqlite3.connect(path)) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'manager_role'").fetchone()
    content = path.read_bytes()
    path.write_bytes(content[: (root - 1) * PAGE_SIZE] + b"\xff" * PAGE_SIZE + content[root * PAGE_SIZE :])
    async with opened(path) as database:  # nobody looks: the lock says that the last end was proper
        losing = asyncio.create_task(database.lost())
        with pytest.raises(LostDatabaseError, match="is damaged"):
            await note(database, 2000)
        said = str(await asyncio.wait_for(losing, PATIENCE))
        assert said.startswith(f"The database {path} is damaged (database disk image is malformed): the file is kept")
        assert said.endswith(f"put the newest backup in its place with `spade restore {backup_path(path, NOW)}`.")
        with pytest.raises(LostDatabaseError, match="is damaged"):
            async with database.reading() as connection:
                await connection.execute(text("SELECT 1"))
        assert await database.salvaged(tmp_path / "copy") == ""
    with pytest.raises(LostDatabaseError, match="is damaged"):  # and now every start looks
        await open_database(f"sqlite:///{path}", write=True)
    with pytest.raises(LostDatabaseError, match=r"is damaged .* is kept as it is; put the newest backup"):
        make_backup(path, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: 3 * PAGE_SIZE])


def zero_header(path: Path) -> None:
    path.write_bytes(bytes(100) + path.read_bytes()[100:])


def empty(path: Path) -> None:
    path.write_bytes(b"")
    path.with_name(f"{path.name}.lock").write_text("4711")


def log_of_garbage(path: Path) -> None:
    path.write_bytes(b"")
    path.with_name(f"{path.name}-wal").write_bytes(b"\x37" * 5000)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def another_programs(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE guild (name TEXT)")


def another_programs_revision(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'ae1027a6acf'")
        connection.commit()


def table_dropped(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE touch")


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (cut, "is damaged"),
        (zero_header, "is not a SQLite database"),
        (empty, r"is empty, although Spade was writing to it: .*delete .*spade\.db\.lock"),
        (log_of_garbage, r"is empty, although Spade was writing to it: .*delete .*spade\.db-wal"),
        (folder, "cannot be read: Is a directory"),
        (another_programs, "is another program's"),
        (another_programs_revision, "is another program's"),
        (table_dropped, r"is damaged \(the table touch is missing\)"),
    ],
)
async def test_what_cannot_be_the_database_is_a_sentence_at_the_start_and_kept(
    spoil: Callable[[Path], None], sentence: str, tmp_path: Path
) -> None:
    path = tmp_path / "spade.db"
    await made(path, *range(1000))
    spoil(path)
    before = path.read_bytes() if path.is_file() else None
    for write in (False, True):
        with pytest.raises(StoreError, match=sentence):
            await open_database(f"sqlite:///{path}", write=write)
    assert before is None or path.read_bytes() == before


async def test_postgresql_tables_of_others_stay_and_ones_in_the_way_are_told(new_postgres: Callable[[], str]) -> None:
    address = new_postgres()
    database = await open_database(address, write=True)
    async with database.writing() as connection:
        await connection.execute(text("CREATE TABLE of_somebody_else (name TEXT)"))
    await database.close()
    database = await open_database(address, write=True)
    async with database.writing() as connection:
        await connection.execute(text("DELETE FROM alembic_version"))
    await database.close()
    with pytest.raises(StoreError, match="is another program's"):
        await open_database(address, write=True)


async def test_a_new_database_beside_backups_is_not_begun_in_silence(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "spade.db"
    with caplog.at_level("INFO"):
        await made(path, 1)
        assert f"A new database is begun at {path}" in caplog.messages
        caplog.clear()
        await made(path, 2)
        assert not any("begun" in one for one in caplog.messages)
        make_backup(path, backup_path(path, NOW))
        path.unlink()  # after a proper end
        await made(path, 3)
    assert any(f"run `spade restore {backup_path(path, NOW)}`" in one for one in caplog.messages)
    assert noted(path) == [3]


async def test_a_lock_file_that_was_deleted_still_keeps_others_out(tmp_path: Path) -> None:
    path = tmp_path / "spade.db"
    lock = path.with_name("spade.db.lock")
    async with opened(path) as database:
        losing = asyncio.create_task(database.lost())
        lock.unlink()
        async with asyncio.timeout(PATIENCE):
            while not lock.exists():
                await asyncio.sleep(0.01)
        make_backup(path, backup_path(path, NOW))
        with pytest.raises(StoreError, match="stop it first"):
            await restore(path, backup_path(path, NOW), NOW)
        with pytest.raises(StoreError, match=f"Another Spade is writing to {path} .process {os.getpid()}."):
            await open_database(f"sqlite:///{path}", write=True)
        lock.unlink()
        other = WriterLock(lock)
        assert other.acquire()  # somebody was faster
        assert str(await asyncio.wait_for(losing, PATIENCE)).startswith(f"Another Spade is writing to {path}")
        other.release()


async def test_a_lock_is_taken_on_the_file_that_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deleted between opening and locking it: the lock would keep nobody out."""
    path = tmp_path / "lock"
    opens: list[int] = []

    def deleted_meanwhile(descriptor: int) -> bool:
        if not opens:
            path.unlink()
        opens.append(descriptor)
        return True

    lock = WriterLock(path)
    monkeypatch.setattr(lock, "_taken", deleted_meanwhile)
    assert lock.acquire()
    assert len(opens) == 2
    assert path.read_text() == str(os.getpid())
    lock.release()
