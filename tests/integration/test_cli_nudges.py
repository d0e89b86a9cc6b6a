"""`spade nudges`: what it prints, and every way it is used wrongly."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.cli.main import exit_status
from bot.domain.guild import GuildSettings
from bot.domain.waiting import WaitingEntry
from bot.store import guilds, managers, record
from bot.store.database import open_database
from tests.support.messages import ANNA, CHANNEL, GUILD, MIA, at, moment

AT = (moment(0) + timedelta(hours=5)).isoformat()


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A record in which Mia waits for Anna."""
    address = f"sqlite:///{tmp_path / 'spade.db'}"

    async def fill() -> None:
        database = await open_database(address, write=True)
        try:
            async with database.writing() as connection:
                await guilds.save(connection, GuildSettings(GUILD, ZoneInfo("UTC")))
                await managers.add(connection, GUILD, [ANNA])
                await record.add_waiting(connection, {GUILD: [WaitingEntry(at(0), CHANNEL, MIA, frozenset({ANNA}))]})
        finally:
            await database.close()

    asyncio.run(fill())
    return address


def run(url: str, *options: str, guild: int = GUILD, manager: int = ANNA, when: str = AT) -> int:
    return exit_status(
        ["nudges", "--guild", str(guild), "--manager", str(manager), "--at", when, "--database", url, *options]
    )


def test_one_object_and_nothing_else(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(url, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "at": "2026-03-02T17:00:00.000+00:00",
        "manager_id": str(ANNA),
        "members": [
            {
                "member_id": str(MIA),
                "reason": "waiting",
                "since": "2026-03-02T12:00:00.000+00:00",
                "message_id": str(at(0)),
            }
        ],
    }


def test_for_people(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(url) == 0
    shown = capsys.readouterr().out
    assert "One person worth a word from you" in shown
    assert f"Member {MIA}" in shown
    assert "Has waited 5 h for an answer from you." in shown
    assert run(url, when="2026-03-02T13:00:00Z") == 0
    assert "nothing is sent" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"when": "2026-03-02T09:00"}, 2, "does not say in which time zone"),
        ({"when": "Monday at nine"}, 2, "is no time"),
        ({"when": "0001-01-01T00:00+14:00"}, 2, "2015 to 2150"),
        ({"when": "9999-12-31T23:00-14:00"}, 2, "2015 to 2150"),
        ({"manager": MIA}, 1, "is not on the manager list"),
        ({"guild": 99}, 1, "is not on record"),
    ],
)
def test_wrong_use_is_a_sentence(
    url: str, changes: dict[str, object], status: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(url, "--json", **changes) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    assert words in captured.err
