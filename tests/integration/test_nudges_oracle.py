"""`spade nudges` against an independent calculation over the same files."""

import asyncio
import dataclasses
import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.cli.main import exit_status
from bot.clock import SystemClock
from bot.domain.rules import Rules
from bot.exports.archive import Archive
from bot.services.nudge.previews import preview_at
from bot.services.record.imports import Importer
from bot.store import guilds
from bot.store.database import open_database
from tests.oracle.nudges import members
from tests.oracle.record import Facts, derive, read

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
FORGE = (1338715593307199691, (1329767395471659287, 421905984642345381, 974674265817651310))
MESH = (1343720936119996449, (195860800208736343, 1008123520288059042))
SAMPLES = {
    "forge": (*FORGE, datetime(2025, 12, 29, 9, tzinfo=UTC), 18),
    "mesh": (*MESH, datetime(2025, 1, 6, 9, tzinfo=UTC), 70),
}
NO_LIMIT = 10_000

pytestmark = [
    pytest.mark.skipif(not SHARED.exists(), reason="the larger samples of ../shared are not here"),
    pytest.mark.usefixtures("sqlite_without_threads"),
]


@pytest.fixture(scope="module", params=["forge", "mesh"])
def sample(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def facts(sample: str) -> Facts:
    return derive(read([SHARED / sample]), SAMPLES[sample][1])


@pytest.fixture(scope="module", params=["UTC", "America/Santiago"])
def zone(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def url(sample: str, zone: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database with the sample imported."""
    address = f"sqlite:///{tmp_path_factory.mktemp('nudges') / 'spade.db'}"
    guild_id, managers, _, _ = SAMPLES[sample]

    async def fill() -> None:
        database = await open_database(address, write=True)
        try:
            with Archive([SHARED / sample]) as archive:
                importer = Importer(database, Rules(), SystemClock())
                await importer.run(archive, guild_id, managers, ZoneInfo(zone))
        finally:
            await database.close()

    asyncio.run(fill())
    return address


def test_every_monday_and_manager(
    sample: str, zone: str, url: str, facts: Facts, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the command prints, at nine on each Monday."""
    guild_id, managers, first, weeks = SAMPLES[sample]
    named = 0
    for manager_id in managers:
        for week in range(weeks):
            at = (first + timedelta(weeks=week)).replace(tzinfo=ZoneInfo(zone))
            arguments = ["--guild", str(guild_id), "--manager", str(manager_id), "--at", at.isoformat()]
            assert exit_status(["nudges", *arguments, "--database", url, "--json"]) == 0
            printed = json.loads(capsys.readouterr().out)
            expected = members(facts, manager_id, [], zone, at)
            assert printed["members"] == expected, (manager_id, at)
            assert printed["manager_id"] == str(manager_id)
            assert datetime.fromisoformat(printed["at"]) == at
            named += len(expected)
    assert named > weeks


def test_odd_hours_and_no_limits(sample: str, zone: str, url: str, facts: Facts) -> None:
    """The whole order, on other days and at odd hours, with every reason among it."""
    guild_id, managers, first, weeks = SAMPLES[sample]
    moments = [first + timedelta(weeks=week, hours=37 * (week % 5), minutes=7 * week) for week in range(weeks)]
    reasons: Counter[str] = Counter()
    for manager_id, found in asyncio.run(whole_orders(url, guild_id, managers, moments)):
        for at, lines in zip(moments, found, strict=True):
            expected = members(facts, manager_id, [], zone, at, limit=NO_LIMIT, wrote_back_limit=NO_LIMIT)
            assert lines == [(one["member_id"], one["reason"], one["since"], one["message_id"]) for one in expected]
            reasons.update(str(one["reason"]) for one in expected)
    assert {"waiting", "newcomer", "unmet"} <= set(reasons)
    assert reasons["cooling"] > 0 or sample == "mesh"


async def whole_orders(
    url: str, guild_id: int, managers: Sequence[int], moments: Sequence[datetime]
) -> list[tuple[int, list[list[tuple[str, str, str, str | None]]]]]:
    """Every manager's members at every moment, without limits on their number."""
    unlimited = dataclasses.replace(Rules().nudge, members_per_nudge=NO_LIMIT, wrote_back_per_nudge=NO_LIMIT)
    rules = dataclasses.replace(Rules(), nudge=unlimited)
    database = await open_database(url, write=False)
    try:
        async with database.reading() as connection:
            settings = await guilds.settings_of(connection, guild_id)
        assert settings is not None
        return [
            (
                manager_id,
                [
                    [
                        (
                            str(offer.member_id),
                            offer.reason.value,
                            offer.since.isoformat(timespec="milliseconds"),
                            str(offer.message_id) if offer.message_id else None,
                        )
                        for offer in (await preview_at(database, settings, manager_id, at, rules))[0].offers
                    ]
                    for at in moments
                ],
            )
            for manager_id in managers
        ]
    finally:
        await database.close()
