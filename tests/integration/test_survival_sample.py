"""Newcomers who stay, on the samples: grouped by an independent reading of the files, estimated by lifelines."""

import asyncio
import warnings
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.clock import SystemClock
from bot.domain.rules import Rules
from bot.domain.survival import Stayers
from bot.exports.archive import Archive
from bot.services.digest.report import Reporter
from bot.services.record.imports import Importer
from bot.store import guilds
from bot.store.database import open_database
from tests.oracle.record import PERSONAL, derive, read, utc

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
FORGE = (1338715593307199691, (1329767395471659287, 421905984642345381, 974674265817651310))
MESH = (1343720936119996449, (195860800208736343, 1008123520288059042))
SAMPLES = {
    "forge": (*FORGE, [date(2026, 3, 30), date(2026, 4, 20)]),
    "mesh": (*MESH, [date(2025, 6, 2), date(2025, 9, 1), date(2026, 1, 5)]),
}
RULES = replace(Rules(), stay_needs_members=5)

pytestmark = [
    pytest.mark.skipif(not SHARED.exists(), reason="the larger samples of ../shared are not here"),
    pytest.mark.usefixtures("sqlite_without_threads"),
]


async def mine(folder: Path, url: str, guild_id: int, managers: tuple[int, ...], mondays: list[date]) -> list[Stayers]:
    database = await open_database(url, write=True)
    try:
        with Archive([folder]) as archive:
            importer = Importer(database, RULES, SystemClock())
            await importer.run(archive, guild_id, managers, ZoneInfo("Europe/Berlin"))
        async with database.reading() as connection:
            settings = await guilds.settings_of(connection, guild_id)
        assert settings is not None
        drafts = [await Reporter(database, RULES).draft(settings, one, "", datetime.now(UTC)) for one in mondays]
    finally:
        await database.close()
    return [draft.stayers for draft in drafts if draft.stayers is not None]


def spells(folder: Path, managers: tuple[int, ...], now_on: date) -> dict[bool, list[tuple[int, bool]]]:
    """The two groups by the words of docs/rules.md#newcomers-who-stay, from the files alone."""
    zone = ZoneInfo("Europe/Berlin")
    facts = derive(read([folder]), managers, both_ways=True)
    written: dict[int, list[int]] = defaultdict(list)
    for message in facts.counted:
        if message.author_id not in managers:
            written[message.author_id].append(message.at)
    groups: dict[bool, list[tuple[int, bool]]] = {True: [], False: []}
    for member_id, times in written.items():
        first = min(times)
        days = sorted({day for at in times if (day := utc(at).astimezone(zone).date()) <= now_on})
        if not days or not 60 <= (now_on - days[0]).days <= 180 or (days[-1] - days[0]).days < 7:
            continue
        touched = any(
            touch.member_id == member_id and touch.kind in PERSONAL and 0 <= touch.at - first <= 7 * 86_400_000
            for touch in facts.touches
        )
        gone = (now_on - days[-1]).days >= 30
        groups[touched].append((((days[-1] if gone else now_on) - days[0]).days, gone))
    return groups


@pytest.mark.parametrize("sample", SAMPLES)
def test_both_groups_equal_an_independent_calculation(sample: str, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lifelines import KaplanMeierFitter  # noqa: PLC0415 - takes over a second, which no other test needs
    guild_id, managers, mondays = SAMPLES[sample]
    found = asyncio.run(mine(SHARED / sample, f"sqlite:///{tmp_path / 'spade.db'}", guild_id, managers, mondays))
    compared = 0
    for monday, stayers in zip(mondays, found, strict=True):
        theirs = spells(SHARED / sample, managers, monday + timedelta(days=6))
        for group, their in ((stayers.touched, theirs[True]), (stayers.others, theirs[False])):
            assert group.members == len(their)
            if len(their) < 5:
                assert group.staying == ()
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                fitter = KaplanMeierFitter().fit([days for days, _ in their], [gone for _, gone in their])
            bounds = fitter.confidence_interval_survival_function_
            for staying in group.staying:
                assert staying.share == pytest.approx(float(fitter.predict(staying.day)), abs=1e-9)
                if staying.low is not None:
                    low, high = bounds.loc[: staying.day].iloc[-1]
                    assert (staying.low, staying.high) == pytest.approx((low, high), abs=1e-9)
                compared += 1
    print(f"{sample}: {compared} estimates compared")
    assert compared >= 2
