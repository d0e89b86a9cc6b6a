"""`spade export` writes the record as tables."""

import asyncio
import csv
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.cli.main import exit_status
from bot.domain.guild import GuildSettings
from bot.domain.snowflake import first_id_at
from bot.domain.touch import Touch, TouchKind
from bot.store import guilds, managers, record
from bot.store.database import open_database

GUILD, MANAGER, MEMBER, CHANNEL = 1, 2, 3, 4
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


async def fill(path: Path) -> None:
    database = await open_database(f"sqlite:///{path}", write=True)
    try:
        async with database.writing() as connection:
            await guilds.save(connection, GuildSettings(GUILD, ZoneInfo("UTC")))
            await managers.add(connection, GUILD, [MANAGER])
            touch = Touch(TouchKind.MENTION, MANAGER, MEMBER, first_id_at(AT), CHANNEL, AT)
            await record.add_touches(connection, {GUILD: [touch]})
    finally:
        await database.close()


def test_the_tables_hold_ids_and_no_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert exit_status(["export", "--guild", "1"]) == 1
    assert "There is no database" in capsys.readouterr().err
    asyncio.run(fill(tmp_path / "spade.db"))
    assert exit_status(["export", "--guild", "9"]) == 1
    assert "not on record" in capsys.readouterr().err
    assert exit_status(["export", "--guild", "1", "--to", "tables"]) == 0
    with (tmp_path / "tables" / "relationships.csv").open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["member_id"], row["name"], row["conversations"]) == (str(MEMBER), "", "1")
    (tmp_path / "file").write_text("")
    assert exit_status(["export", "--guild", "1", "--to", "file"]) == 1
    assert "file/relationships.csv cannot be written: file is no folder; name one" in capsys.readouterr().err
