"""Backups: made while somebody writes, checked, expired, and put back."""

import asyncio
import os
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, select

from bot.cli.main import exit_status
from bot.domain.guild import GuildSettings
from bot.services.guild.restoration import restore
from bot.store import forgetting, guilds, migration, tables
from bot.store.backup import drop_expired, make_backup
from bot.store.backup_files import backup_path, backups_of
from bot.store.database import Database, open_database
from bot.store.error import StoreError
from tests.support.days import a_day

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


async def with_guilds(path: Path, *guild_ids: int) -> None:
    database = await open_database(f"sqlite:///{path}", write=True)
    try:
        async with database.writing() as connection:
            for guild_id in guild_ids:
                await guilds.save(connection, GuildSettings(guild_id, ZoneInfo("UTC")))
    finally:
        await database.close()


def guilds_in(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT guild_id FROM guild ORDER BY 1")]


async def test_a_backup_is_made_while_the_database_is_written_to(tmp_path: Path) -> None:
    path = tmp_path / "spade.db"
    database = await open_database(f"sqlite:///{path}", write=True)
    try:
        async with database.writing() as connection:
            await guilds.save(connection, GuildSettings(1, ZoneInfo("UTC")))
        async with database.writing() as connection:
            await guilds.save(connection, GuildSettings(2, ZoneInfo("UTC")))
            target = backup_path(path, NOW)
            await asyncio.to_thread(make_backup, path, target)
    finally:
        await database.close()
    assert guilds_in(target) == [1]
    assert target.stat().st_mode & 0o777 == 0o600
    assert not list(tmp_path.glob("*.part"))


async def test_restoring_puts_the_backup_in_place_and_keeps_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "spade.db"
    await with_guilds(path, 1)
    target = backup_path(path, NOW)
    make_backup(path, target)
    await with_guilds(path, 2)
    aside = (await restore(path, target, NOW)).aside
    assert guilds_in(path) == [1]
    assert aside is not None
    assert guilds_in(aside) == [1, 2]
    await with_guilds(path, 3)
    assert guilds_in(path) == [1, 3]


async def test_restoring_is_refused_while_somebody_writes_or_the_backup_is_not_sound(tmp_path: Path) -> None:
    path = tmp_path / "spade.db"
    await with_guilds(path, 1)
    target = backup_path(path, NOW)
    make_backup(path, target)
    database = await open_database(f"sqlite:///{path}", write=True)
    with pytest.raises(StoreError, match="stop it first"):
        await restore(path, target, NOW)
    await database.close()
    with pytest.raises(StoreError, match="There is no backup"):
        await restore(path, tmp_path / "nowhere", NOW)
    junk = tmp_path / "junk"
    junk.write_bytes(b"not a database" * 100)
    with pytest.raises(StoreError, match="cannot be used"):
        await restore(path, junk, NOW)
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE cat (name TEXT)")
        connection.commit()
    with pytest.raises(StoreError, match="not a database of Spade's"):
        await restore(path, other, NOW)
    damaged = bytearray(target.read_bytes())
    damaged[4096:] = b"\xff" * (len(damaged) - 4096)
    (tmp_path / "damaged").write_bytes(damaged)
    with pytest.raises(StoreError):
        await restore(path, tmp_path / "damaged", NOW)
    assert guilds_in(path) == [1]


async def test_a_backup_with_a_damaged_table_is_not_restored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its schema can still be read: only a look through the whole file finds it. Nothing is left over."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "spade.db"
    await with_guilds(path, 1)
    target = backup_path(path, NOW)
    make_backup(path, target)
    with closing(sqlite3.connect(target)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'guild'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    content = target.read_bytes()
    target.write_bytes(content[: (page - 1) * size] + bytes(size) + content[page * size :])
    with pytest.raises(StoreError, match="is damaged"):
        await restore(path, target, NOW)
    assert guilds_in(path) == [1]
    assert {found.name for found in tmp_path.iterdir()} == {path.name, target.name, f"{path.name}.lock"}


async def test_old_backups_expire(tmp_path: Path) -> None:
    path = tmp_path / "spade.db"
    await with_guilds(path, 1)
    for days in (40, 31, 29, 0):
        make_backup(path, backup_path(path, NOW - timedelta(days=days)))
    assert len(drop_expired(path, NOW, timedelta(days=30))) == 2
    assert backups_of(path) == (backup_path(path, NOW), backup_path(path, NOW - timedelta(days=29)))


async def test_what_a_restore_put_aside_expires_too(tmp_path: Path) -> None:
    path = tmp_path / "spade.db"
    await with_guilds(path, 1)
    make_backup(path, backup_path(path, NOW))
    os.utime(path, (0, 0))  # nobody wrote to it for long
    aside = (await restore(path, backup_path(path, NOW), NOW)).aside
    assert aside is not None
    assert drop_expired(path, NOW + timedelta(days=29), timedelta(days=30)) == ()
    assert aside in drop_expired(path, NOW + timedelta(days=31), timedelta(days=30))
    assert not aside.exists()


async def test_a_backup_is_written_over_an_earlier_one_and_over_nothing_else(tmp_path: Path) -> None:
    path, letter, earlier = tmp_path / "spade.db", tmp_path / "letter.txt", tmp_path / "earlier"
    await with_guilds(path, 1)
    make_backup(path, earlier)
    await with_guilds(path, 2)
    make_backup(path, earlier)
    assert guilds_in(earlier) == [1, 2]
    letter.write_text("Dear Mia")
    (tmp_path / "link").symlink_to(path)
    for target, sentence in (
        (letter, "is there already and is no backup"),
        (path, "is the database itself"),
        (tmp_path / "link", "is the database itself"),
        (tmp_path, "is a folder"),
        (tmp_path / "no" / "where", "There is no folder .*no to put the backup into"),
    ):
        with pytest.raises(StoreError, match=sentence):
            make_backup(path, target)
    with pytest.raises(StoreError, match=r"letter\.txt is not a SQLite database, so there is nothing to back up\."):
        make_backup(letter, tmp_path / "copy")
    assert letter.read_text() == "Dear Mia"
    assert guilds_in(path) == [1, 2]
    assert not list(tmp_path.glob("*.part"))


async def test_a_copied_database_is_restored_with_what_stands_in_its_log(tmp_path: Path) -> None:
    """Somebody copied the files of a running bot by hand: what was not yet in the main file is not lost."""
    path, copied = tmp_path / "spade.db", tmp_path / "copied"
    database = await open_database(f"sqlite:///{path}", write=True)
    async with database.writing() as connection:
        await guilds.save(connection, GuildSettings(7, ZoneInfo("UTC")))
    for suffix in ("", "-wal"):
        shutil.copyfile(f"{path}{suffix}", f"{copied}{suffix}")
    await database.close()
    await restore(path, copied, NOW)
    assert guilds_in(path) == [7]


PERSON, OPTED_OUT, STRANGER = 11, 12, 13


async def people_of(database: Database, guild_id: int) -> frozenset[int]:
    async with database.reading() as connection:
        return await forgetting.people_on_record(connection, guild_id)


@pytest.mark.parametrize("erased_before", [True, False], ids=["with a key in the backup", "with none"])
async def test_who_was_erased_or_opted_out_does_not_come_back(tmp_path: Path, *, erased_before: bool) -> None:
    path, target = tmp_path / "spade.db", tmp_path / "backup"
    address = f"sqlite:///{path}"
    database = await open_database(address, write=True)
    async with database.writing() as connection:
        await guilds.save(connection, GuildSettings(1, ZoneInfo("UTC")))
        for person_id in (PERSON, OPTED_OUT, STRANGER):
            await connection.execute(insert(tables.activity).values(a_day(1, person_id, NOW.date(), 3)))
        if erased_before:
            await forgetting.remember(connection, 1, 99)
    make_backup(path, target)
    async with database.writing() as connection:
        await forgetting.erase(connection, 1, PERSON)
        await forgetting.remember(connection, 1, PERSON)
        await forgetting.remember(connection, 1, 14)  # came and was erased after the backup
        await forgetting.erase_as_member(connection, 1, OPTED_OUT)
        await forgetting.set_opted_out(connection, 1, OPTED_OUT, NOW)
    await database.close()

    restored = await restore(path, target, NOW)

    assert (restored.left_out, restored.unreadable) == (2, None)
    database = await open_database(address, write=False)
    try:
        assert await people_of(database, 1) == {OPTED_OUT, STRANGER}
        async with database.reading() as connection:
            unrecorded = await forgetting.unrecorded(connection, 1)
            assert [person_id in unrecorded for person_id in (PERSON, OPTED_OUT, STRANGER, 14)] == [
                True,
                True,
                False,
                True,
            ]
            activity = await connection.scalars(select(tables.activity.c.member_id))
            assert set(activity) == {STRANGER}
    finally:
        await database.close()


async def test_without_a_readable_database_the_backup_is_restored_and_that_is_told(tmp_path: Path) -> None:
    path, target = tmp_path / "spade.db", tmp_path / "backup"
    await with_guilds(path, 1)
    make_backup(path, target)
    path.write_bytes(b"broken" * 1000)
    restored = await restore(path, target, NOW)
    assert restored.unreadable == f"{path} cannot be read: file is not a database."
    assert guilds_in(path) == [1]


async def test_an_older_schema_is_copied_before_it_is_brought_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "spade.db"
    await with_guilds(path, 1)
    scripts = tmp_path / "migrations"
    shutil.copytree(Path(migration.__file__).parent / "migrations", scripts)
    (scripts / "versions" / "9998_next.py").write_text(
        f"from alembic import op\nrevision = '9998'\ndown_revision = '{migration.newest_revision()}'\n"
        "def upgrade():\n    op.execute('DELETE FROM guild')\n"
    )
    monkeypatch.setattr(migration, "_SCRIPTS", scripts)
    database = await open_database(f"sqlite:///{path}", write=True)
    await database.close()
    assert guilds_in(path) == []
    copy = tmp_path / "spade.db.before-schema-9998"
    assert guilds_in(copy) == [1]
    assert copy.stat().st_mode & 0o777 == 0o600


def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert exit_status(["backup"]) == 1
    assert "nothing to back up" in capsys.readouterr().err
    assert exit_status(["migrate"]) == 0
    assert exit_status(["backup", "--to", "copy.db"]) == 0
    assert "Backed up to copy.db" in capsys.readouterr().out
    assert exit_status(["restore", "copy.db"]) == 2
    assert "add --yes" in capsys.readouterr().err
    assert exit_status(["restore", "copy.db", "--yes", "--database", "sqlite:///no/where.db"]) == 1
    assert capsys.readouterr().err == "spade: no/where.db cannot be replaced: No such file or directory.\n"
    assert exit_status(["restore", "copy.db", "--yes"]) == 0
    assert "Restored spade.db from copy.db" in capsys.readouterr().out
    assert exit_status(["backup", "--database", "postgresql://u@127.0.0.1/x"]) == 2
    assert "pg_dump" in capsys.readouterr().err
