"""Backups: made while somebody writes, checked, expired, and put back."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.cli.main import exit_status
from bot.domain.guild import GuildSettings
from bot.store import guilds
from bot.store.backup import backup_path, backups_of, drop_expired, make_backup, restore_backup
from bot.store.database import open_database
from bot.store.error import StoreError

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
    aside = restore_backup(path, target, NOW)
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
        restore_backup(path, target, NOW)
    await database.close()
    with pytest.raises(StoreError, match="There is no backup"):
        restore_backup(path, tmp_path / "nowhere", NOW)
    junk = tmp_path / "junk"
    junk.write_bytes(b"not a database" * 100)
    with pytest.raises(StoreError, match="cannot be used"):
        restore_backup(path, junk, NOW)
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE cat (name TEXT)")
        connection.commit()
    with pytest.raises(StoreError, match="not a database of Spade's"):
        restore_backup(path, other, NOW)
    damaged = bytearray(target.read_bytes())
    damaged[4096 * 3 : 4096 * 4] = b"\xff" * 4096
    (tmp_path / "damaged").write_bytes(damaged)
    with pytest.raises(StoreError):
        restore_backup(path, tmp_path / "damaged", NOW)
    assert guilds_in(path) == [1]


async def test_old_backups_expire(tmp_path: Path) -> None:
    path = tmp_path / "spade.db"
    await with_guilds(path, 1)
    for days in (40, 31, 29, 0):
        make_backup(path, backup_path(path, NOW - timedelta(days=days)))
    assert len(drop_expired(path, NOW, timedelta(days=30))) == 2
    assert backups_of(path) == (backup_path(path, NOW), backup_path(path, NOW - timedelta(days=29)))


def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert exit_status(["backup"]) == 1
    assert "nothing to back up" in capsys.readouterr().err
    assert exit_status(["migrate"]) == 0
    assert exit_status(["backup", "--to", "copy.db"]) == 0
    assert "Backed up to copy.db" in capsys.readouterr().out
    assert exit_status(["restore", "copy.db", "--yes"]) == 0
    assert "Restored spade.db from copy.db" in capsys.readouterr().out
    assert exit_status(["backup", "--database", "postgresql://u@127.0.0.1/x"]) == 2
    assert "pg_dump" in capsys.readouterr().err
