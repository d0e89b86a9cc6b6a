"""A full disk and a damaged file: nothing is acknowledged that is not written, and no figure is wrong in silence."""

import asyncio
import logging
import multiprocessing
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import text

from bot.services.record import follower as following
from bot.services.record import live_writer
from bot.store.backup import make_backup
from bot.store.backup_files import backup_path
from bot.store.database import Database, StoreError, open_database, quick_check
from bot.store.writer_lock import WriterLock
from tests.faults.writes import PAGE_SIZE, check_whole, follow, limit_pages, opened, refuse_every_write, tables, talk
from tests.support.patience import PATIENCE

FORKS = multiprocessing.get_context("forkserver")


async def test_the_disk_is_full_at_every_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One page after the other is the last that fits; recording waits, says so, and goes on when there is room."""
    monkeypatch.setattr(live_writer, "BATCH", 15)
    monkeypatch.setattr(following, "RETRY_SECONDS", 0.01)
    messages = talk(90, 12)
    empty, whole = tmp_path / "empty.db", tmp_path / "whole.db"
    await (await opened(empty)).close()
    shutil.copyfile(empty, whole)
    database = await open_database(f"sqlite:///{whole}", write=True)
    before = await limit_pages(database, 1_000_000)
    await (await follow(database, messages)).flush()
    grown = await limit_pages(database, 1_000_000) - before
    await database.close()
    wanted = tables(whole)
    check_whole(whole, messages)
    assert len(wanted["touch"]) == 30
    assert grown > 15
    for room in range(grown):
        caplog.clear()
        path = tmp_path / f"{room}.db"
        shutil.copyfile(empty, path)
        database = await open_database(f"sqlite:///{path}", write=True)
        await limit_pages(database, before + room)
        follower = await follow(database, messages)
        writing = asyncio.create_task(follower.run())
        while not caplog.records:
            await asyncio.sleep(0.002)
        assert tables(path) != wanted
        check_whole(path, messages)
        await limit_pages(database, 1_000_000)
        async with asyncio.timeout(PATIENCE):
            while tables(path) != wanted:
                await asyncio.sleep(0.005)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        await database.close()
        said = [(record.levelno, record.getMessage(), record.exc_info) for record in caplog.records]
        sentence = "Recording waits: The disk is full: nothing is recorded until there is room again."
        assert said == [(logging.ERROR, sentence, None)]
        path.unlink()
    print(f"full disk: points={grown} lost=0 doubled=0")


@pytest.mark.timeout(120)
async def test_the_system_refuses_every_write(tmp_path: Path) -> None:
    """The same at every single write of the log: in the middle of a transaction, at its end, between two."""
    process = FORKS.Process(target=refuse_every_write, args=(str(tmp_path),))
    process.start()
    await asyncio.to_thread(process.join)
    assert process.exitcode == 0


# A damaged file.


async def recorded(path: Path) -> None:
    """A database of some hundred pages."""
    database = await opened(path)
    await (await follow(database, talk(600, 60))).flush()
    await database.close()


def leave_abandoned(path: Path) -> None:
    """What a writer leaves behind that was killed."""
    path.with_name(path.name + ".lock").write_text("4711")


async def test_a_page_of_garbage_is_found_or_harmless(tmp_path: Path) -> None:
    sound = tmp_path / "sound.db"
    await recorded(sound)
    wanted = tables(sound)
    content = sound.read_bytes()
    pages = len(content) // PAGE_SIZE
    assert pages > 150
    random = Random(7)
    positions = [0, 1, *random.sample(range(2, pages), 48)]
    found = harmless = 0
    for position in positions:
        path = tmp_path / f"{position}.db"
        garbage = random.randbytes(PAGE_SIZE)
        path.write_bytes(content[: position * PAGE_SIZE] + garbage + content[(position + 1) * PAGE_SIZE :])
        leave_abandoned(path)
        for write in (False, True):
            try:
                database = await open_database(f"sqlite:///{path}", write=write)
            except StoreError as error:
                said = str(error)
                assert str(path) in said
                found += write
            else:
                await database.close()
                assert tables(path) == wanted
                harmless += write
    assert found + harmless == 50
    assert found > 40
    print(f"damage: positions=50 found={found} harmless={harmless} silent=0")


@pytest.mark.parametrize("write", [True, False])
async def test_a_sound_file_is_looked_through_once_after_a_writer_was_killed(
    tmp_path: Path, write: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that ends properly leaves a file that need not be looked through; a reader cannot settle that."""
    path = tmp_path / "spade.db"
    await recorded(path)
    looks: list[Database] = []

    async def noted(database: Database) -> str | None:
        looks.append(database)
        return await quick_check(database)

    monkeypatch.setattr("bot.store.database.quick_check", noted)
    leave_abandoned(path)
    for _ in range(2):
        await (await open_database(f"sqlite:///{path}", write=write)).close()
    assert len(looks) == (1 if write else 2)


async def test_damage_is_told_with_what_to_do_until_it_is_done(tmp_path: Path) -> None:
    path = tmp_path / "spade.db"
    await recorded(path)
    content = path.read_bytes()
    middle = len(content) // PAGE_SIZE // 2 * PAGE_SIZE
    path.write_bytes(content[:middle] + b"\xff" * PAGE_SIZE + content[middle + PAGE_SIZE :])
    # After a proper end nobody looks: damage then shows where it is met.
    await (await open_database(f"sqlite:///{path}", write=True)).close()
    leave_abandoned(path)
    for _ in range(2):  # it is found again and again
        with pytest.raises(
            StoreError, match=r"spade\.db is damaged \(.+\): the file is kept as it is; there is no backup"
        ):
            await open_database(f"sqlite:///{path}", write=True)
    sound = tmp_path / "sound.db"
    sound.write_bytes(content)
    for day in (1, 2):
        make_backup(sound, backup_path(path, datetime(2026, 3, day, tzinfo=UTC)))
    newest = "spade.db.backup-20260302T000000Z"
    with pytest.raises(StoreError, match=rf"put the newest backup in its place with `spade restore .*{newest}`"):
        await open_database(f"sqlite:///{path}", write=True)
    with pytest.raises(StoreError, match="is damaged"):
        await open_database(f"sqlite:///{path}", write=False)
    assert path.read_bytes() != content  # kept as it is


async def test_damage_that_is_met_while_running_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "spade.db"
    await recorded(path)
    with closing(sqlite3.connect(path)) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'touch'").fetchone()
    content = path.read_bytes()
    path.write_bytes(content[: (root - 1) * PAGE_SIZE] + b"\xff" * PAGE_SIZE + content[root * PAGE_SIZE :])
    database = await open_database(f"sqlite:///{path}", write=True)
    with pytest.raises(StoreError, match="is damaged"):
        async with database.reading() as connection:
            await connection.execute(text("SELECT * FROM touch"))
    await database.close()


async def test_a_lock_file_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "spade.db.lock").mkdir()
    with pytest.raises(StoreError, match=r"The lock file .*spade\.db\.lock cannot be made: Is a directory\."):
        await open_database(f"sqlite:///{tmp_path / 'spade.db'}", write=True)


async def test_looking_at_a_lock_keeps_no_writer_out(tmp_path: Path) -> None:
    lock, looking = WriterLock(tmp_path / "lock"), WriterLock(tmp_path / "lock")
    assert not looking.look()  # there is none yet
    assert lock.acquire()
    assert not looking.look()
    lock.abandoned = True
    lock.release()
    assert looking.look()
    assert lock.acquire()
    assert lock.abandoned
    lock.abandoned = False
    lock.release()
    assert not looking.look()


async def test_a_killed_writer_makes_the_next_one_check_and_a_proper_end_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "spade.db"
    checks: list[str] = []

    async def check(_database: Database) -> str | None:
        checks.append("checked")
        return None

    monkeypatch.setattr("bot.store.database.quick_check", check)
    await (await open_database(f"sqlite:///{path}", write=True)).close()
    await (await open_database(f"sqlite:///{path}", write=True)).close()
    assert checks == []
    program = (
        "import asyncio, sys; from bot.store.database import open_database\n"
        "async def hold():\n"
        "    database = await open_database(sys.argv[1], write=True)\n"
        "    print('holding', flush=True); await asyncio.sleep(60)\n"
        "asyncio.run(hold())"
    )
    with subprocess.Popen([sys.executable, "-c", program, f"sqlite:///{path}"], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"holding\n"
        await (await open_database(f"sqlite:///{path}", write=False)).close()  # the writer has looked
        assert checks == []
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
    await (await open_database(f"sqlite:///{path}", write=False)).close()
    assert checks == ["checked"]
    await (await open_database(f"sqlite:///{path}", write=True)).close()
    assert checks == ["checked"] * 2
    await (await open_database(f"sqlite:///{path}", write=True)).close()
    assert checks == ["checked"] * 2
