"""`spade privacy` shows and erases what is stored about somebody who cannot ask in Discord any more."""

import asyncio
import json
from pathlib import Path

import pytest

from bot.cli.main import exit_status
from bot.store import forgetting
from bot.store.database import open_database
from tests.support.rows import one_of_each

GUILD, RAFA = 10, 271828182845904523


async def fill(address: str) -> None:
    database = await open_database(address, write=True)
    try:
        await one_of_each(database, GUILD, RAFA, time_zone="UTC", nudge_weekdays="0")
    finally:
        await database.close()


async def stays_forgotten(address: str) -> bool:
    database = await open_database(address, write=False)
    try:
        async with database.reading() as connection:
            return RAFA in await forgetting.forgotten(connection, GUILD)
    finally:
        await database.close()


def test_the_host_can_hand_over_and_erase_what_is_stored_about_a_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    address = f"sqlite:///{tmp_path / 'spade.db'}"
    asked = ["privacy", "--guild", str(GUILD), "--person", str(RAFA), "--database", address]
    assert exit_status(asked) == 1
    assert "There is no database" in capsys.readouterr().err
    asyncio.run(fill(address))
    assert exit_status(asked) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["person_id"] == str(RAFA)
    assert {"activity", "touch", "digest", "manager"} <= document["facts"].keys()
    assert exit_status([*asked, "--erase"]) == 2
    assert "add --yes" in capsys.readouterr().err
    assert exit_status([*asked, "--erase", "--yes"]) == 0
    assert capsys.readouterr().out.startswith("Erased ")
    assert asyncio.run(stays_forgotten(address))
    assert exit_status(asked) == 0
    assert json.loads(capsys.readouterr().out)["facts"] == {}
    for file in tmp_path.glob("spade.db*"):
        assert str(RAFA).encode() not in file.read_bytes()
        assert RAFA.to_bytes(8, "big") not in file.read_bytes()
    assert exit_status(["privacy", "--guild", "9", "--person", str(RAFA), "--database", address]) == 1
    assert "not on record" in capsys.readouterr().err
