"""The import and the figures against an independent calculation over the same files."""

import asyncio
import dataclasses
import json
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.clock import SystemClock
from bot.domain.rules import Rules
from bot.exports.archive import Archive
from bot.services.digest.report import Reporter
from bot.services.record.imports import Imported, Importer
from bot.store import guilds
from bot.store.database import open_database
from tests.oracle.figures import digest as oracle_digest
from tests.oracle.record import derive, read

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
FORGE = (1338715593307199691, (1329767395471659287, 421905984642345381, 974674265817651310))
MESH = (1343720936119996449, (195860800208736343, 1008123520288059042))
SAMPLES = {"forge": (*FORGE, date(2025, 12, 29), 17), "mesh": (*MESH, date(2025, 1, 6), 70)}

pytestmark = [
    pytest.mark.skipif(not SHARED.exists(), reason="the larger samples of ../shared are not here"),
    pytest.mark.usefixtures("sqlite_without_threads"),
]


async def imported(
    database_url: str, batches: Sequence[Sequence[Path]], managers: Sequence[int], zone: str
) -> list[Imported]:
    """Import batches of paths, one command each."""
    database = await open_database(database_url, write=True)
    outcomes = []
    try:
        for paths in batches:
            with Archive(paths) as archive:
                importer = Importer(database, Rules(), SystemClock())
                assert archive.guild_id is not None
                outcomes.append(await importer.run(archive, archive.guild_id, managers, ZoneInfo(zone)))
    finally:
        await database.close()
    return outcomes


async def documents(database_url: str, guild_id: int, mondays: Sequence[date]) -> list[dict[str, object]]:
    """The digest of every week as `--json` has it."""
    database = await open_database(database_url, write=False)
    try:
        reporter = Reporter(database, Rules())
        reports = [await reporter.week(guild_id, monday) for monday in mondays]
    finally:
        await database.close()
    return [json.loads(json.dumps(report.document())) for report in reports if report is not None]


async def course(database_url: str, guild_id: int, last: date, weeks: int) -> list[dict[str, object]]:
    """The same weeks, as far as there is a record, read together."""
    database = await open_database(database_url, write=False)
    try:
        async with database.reading() as connection:
            settings = await guilds.settings_of(connection, guild_id)
        assert settings is not None
        reports = await Reporter(database, Rules()).weeks(settings, last, weeks)
    finally:
        await database.close()
    return [json.loads(json.dumps(report.document())) for report in reports]


def close(mine: object, theirs: object) -> None:
    """Equal, floats to the last digits that summing in another order can change."""
    if isinstance(theirs, dict):
        assert isinstance(mine, dict)
        assert list(mine) == list(theirs)
        for key in theirs:
            close(mine[key], theirs[key])
    elif isinstance(theirs, list):
        assert isinstance(mine, list)
        assert len(mine) == len(theirs)
        for one, other in zip(mine, theirs, strict=True):
            close(one, other)
    else:
        assert mine == (pytest.approx(theirs, rel=1e-12) if isinstance(theirs, float) else theirs)


@pytest.mark.parametrize("zone", ["UTC", "America/Santiago"])
@pytest.mark.parametrize("sample", SAMPLES)
def test_every_week_equals_the_independent_calculation(sample: str, zone: str, tmp_path: Path) -> None:
    guild_id, managers, first, weeks = SAMPLES[sample]
    url = f"sqlite:///{tmp_path / 'spade.db'}"
    mondays = [first + timedelta(weeks=week) for week in range(weeks)]
    asyncio.run(imported(url, [[SHARED / sample]], managers, zone))
    mine = asyncio.run(documents(url, guild_id, mondays))
    facts = derive(read([SHARED / sample]), managers)
    theirs = [oracle_digest(facts, monday, zone) for monday in mondays]
    assert len(mine) == weeks
    assert sum(document["team"]["conversations"] for document in theirs) > 20
    for one, other in zip(mine, theirs, strict=True):
        close(one, json.loads(json.dumps(other)))
    together = asyncio.run(course(url, guild_id, mondays[-1], weeks))
    assert len(together) > weeks // 2
    assert together == mine[-len(together) :]


def test_import_counts_equal_the_independent_ones(tmp_path: Path) -> None:
    for sample, (_, managers, _, _) in SAMPLES.items():
        outcomes = asyncio.run(imported(f"sqlite:///{tmp_path / sample}.db", [[SHARED / sample]], managers, "UTC"))
        counts = derive(read([SHARED / sample]), managers).counts
        assert outcomes[0].new == counts["messages"]
        assert {kind.value: count for kind, count in outcomes[0].touches.items()} == counts["touches"]


def test_order_repetition_and_parts_change_nothing(tmp_path: Path) -> None:
    """Twice, reversed, file by file, and one file split into parts: the same figures each time."""
    guild_id, managers, first, weeks = SAMPLES["mesh"]
    mondays = [first + timedelta(weeks=week) for week in range(weeks)]
    files = sorted((SHARED / "mesh").glob("*.json"))
    largest = max(files, key=lambda file: file.stat().st_size)
    document = json.loads(largest.read_text())
    parts = []
    third = len(document["messages"]) // 3
    for number, start in enumerate(range(0, len(document["messages"]), third)):
        part = tmp_path / f"part{number}.json"
        messages = document["messages"][start : start + third]
        part.write_text(json.dumps({**document, "messages": messages, "messageCount": len(messages)}))
        parts.append(part)
    others = [file for file in files if file != largest]
    ways = {
        "once": [files],
        "twice": [files, files],
        "reversed": [list(reversed(files))],
        "split": [[*parts[::-1], *others]],
        "in two commands": [files[::2], files[1::2]],
        "overlapping": [[parts[0], *others], files],
    }
    results = {}
    for way, batches in ways.items():
        url = f"sqlite:///{tmp_path / way.replace(' ', '-')}.db"
        outcomes = asyncio.run(imported(url, batches, managers, "UTC"))
        results[way] = asyncio.run(documents(url, guild_id, mondays))
        if way == "twice":
            assert outcomes[1].new == 0
            assert outcomes[1].known == outcomes[0].new
    for way in ways:
        assert results[way] == results["once"], way


def test_a_manager_added_later_gets_the_touches_they_made_before(tmp_path: Path) -> None:
    """Importing the same files again with one more manager equals importing them with both at once."""
    guild_id, managers, first, weeks = SAMPLES["mesh"]
    mondays = [first + timedelta(weeks=week) for week in range(weeks)]
    together, apart = (f"sqlite:///{tmp_path / name}.db" for name in ("together", "apart"))
    asyncio.run(imported(together, [[SHARED / "mesh"]], managers, "UTC"))
    asyncio.run(imported(apart, [[SHARED / "mesh"]], managers[:1], "UTC"))
    asyncio.run(imported(apart, [[SHARED / "mesh"]], managers, "UTC"))
    assert asyncio.run(documents(apart, guild_id, mondays)) == asyncio.run(documents(together, guild_id, mondays))


def test_counting_inferred_answers_is_a_setting(tmp_path: Path) -> None:
    """With `count_inferred` the answers join the personal replies."""
    guild_id, managers, first, weeks = SAMPLES["forge"]
    url = f"sqlite:///{tmp_path / 'spade.db'}"
    (outcome,) = asyncio.run(imported(url, [[SHARED / "forge"]], managers, "UTC"))

    async def total(rules: Rules) -> int:
        database = await open_database(url, write=False)
        try:
            reporter = Reporter(database, rules)
            reports = [await reporter.week(guild_id, first + timedelta(weeks=week)) for week in range(weeks)]
        finally:
            await database.close()
        return sum(report.team.personal_replies for report in reports if report)

    personal = asyncio.run(total(Rules()))
    counted = asyncio.run(total(dataclasses.replace(Rules(), count_inferred=True)))
    assert counted - personal == outcome.touches["answer"] > 0
