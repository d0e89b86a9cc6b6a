"""A time zone that Spade does not know: no door takes it, and one that is on record is one guild's trouble."""

import json
import logging
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from bot.cli.main import exit_status
from bot.domain.guild import GuildSettings, ManagerSettings
from bot.domain.zones import ZONES, zone_named
from bot.services.guild.presentation import Presentation
from bot.store import guilds, managers
from bot.store.database import Database
from bot.store.error import UnknownZoneError

GUILD, OTHER, MIA = 900000000000000001, 900000000000000002, 100000000000000001
DIGEST = ("digest", "--guild", str(GUILD), "--week", "2026-06-01")
NO_ZONES = ("localtime", "posixrules", "Factory", "", " ", "posix/Europe/Berlin", "right/UTC", "../etc/passwd", "/UTC")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SPADE_DATABASE_URL", raising=False)
    content = {"guild": {"id": str(GUILD)}, "channel": {"id": "5"}, "messages": []}
    (tmp_path / "export.json").write_text(json.dumps(content), encoding="utf-8")
    return tmp_path


def imported(*more: str) -> int:
    return exit_status(["import", "export.json", "--manager", str(MIA), *more])


@pytest.mark.parametrize("name", NO_ZONES)
def test_what_is_a_file_of_the_machine_is_no_zone(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert name not in ZONES
    assert zone_named(name) is None
    assert imported("--time-zone", name) == 2
    assert capsys.readouterr().err == f"spade: there is no time zone {name!r}: write one like Europe/Berlin or UTC\n"


def test_a_zone_is_known_in_any_case() -> None:
    assert zone_named(" europe/berlin ") is ZoneInfo("Europe/Berlin")
    assert zone_named("america/new york") is ZoneInfo("America/New_York")
    assert len(ZONES) > 500
    for name in ZONES:
        ZoneInfo(name)


def test_an_unknown_zone_on_record_is_a_sentence_of_every_command_and_can_be_mended(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert imported() == 0
    with closing(sqlite3.connect("spade.db")) as connection:
        connection.execute("UPDATE guild SET time_zone = 'Area/Renamed'")
        connection.commit()
    sentence = (
        f"spade: The server {GUILD} has the time zone 'Area/Renamed' on record, which is none that Spade knows: name "
        "another with /settings time-zone there, or with `spade import … --time-zone ZONE`.\n"
    )
    for command in (
        DIGEST,
        ("nudges", "--guild", str(GUILD), "--manager", str(MIA), "--at", "2026-06-01T09:00Z"),
        ("export", "--guild", str(GUILD)),
        ("import", "export.json"),
    ):
        capsys.readouterr()
        assert exit_status(command) == 1
        assert capsys.readouterr() == ("", sentence)
    # What needs no days and weeks goes on, above all what a member may ask for.
    asked = ("privacy", "--guild", str(GUILD), "--person", str(MIA))
    assert exit_status(asked) == 0
    assert exit_status([*asked, "--erase", "--yes"]) == 0
    assert exit_status(["backup"]) == 0
    assert imported("--time-zone", "europe/berlin") == 0
    capsys.readouterr()
    assert exit_status([*DIGEST, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["time_zone"] == "Europe/Berlin"


async def test_only_the_guild_itself_waits_for_a_zone(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    known = GuildSettings(OTHER, ZoneInfo("Asia/Tokyo"), language="de")
    async with database.writing() as connection:
        for settings in (replace(known, guild_id=GUILD, language="fr"), known):
            await guilds.save(connection, settings)
        await connection.execute(text(f"UPDATE guild SET time_zone = 'localtime' WHERE guild_id = {GUILD}"))
        await managers.add(connection, OTHER, [MIA])
        own = ManagerSettings(OTHER, MIA, enrolled_at=datetime(2026, 6, 1, tzinfo=UTC), zone=ZoneInfo("UTC"))
        await managers.save(connection, own)
        await connection.execute(text("UPDATE manager SET time_zone = 'Factory'"))
    presentation = Presentation(database)
    await presentation.load()
    assert (presentation.language_of(GUILD), presentation.language_of(OTHER)) == ("fr", "de")
    async with database.reading() as connection:
        for _ in range(2):
            with caplog.at_level(logging.WARNING):
                assert await guilds.all_settings(connection) == (known,)
                assert await managers.all_settings(connection, OTHER) == (replace(own, zone=None),)
        assert await guilds.recording_zone(connection, GUILD) is ZoneInfo("UTC")
        assert await guilds.recording_zone(connection, OTHER) is ZoneInfo("Asia/Tokyo")
        assert await guilds.recording_zone(connection, 7) is ZoneInfo("UTC")
        with pytest.raises(UnknownZoneError, match=f"The server {GUILD} has the time zone 'localtime' on record"):
            await guilds.settings_of(connection, GUILD)
        assert await guilds.settings_of(connection, GUILD, zone=ZoneInfo("UTC")) is not None
    assert sum("'localtime'" in one for one in caplog.messages) <= 1  # it is asked at every tick
    assert sum("'Factory'" in one for one in caplog.messages) <= 1
