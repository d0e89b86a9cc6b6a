"""A few zones through a few years, and one of them through the database and the service."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest

from bot.clock import DrivenClock, SystemClock
from bot.domain.guild import GuildSettings, ManagerSettings
from bot.domain.reckoning import Reckoning
from bot.domain.rules import NudgeRules, Rules
from bot.domain.snowflake import first_id_at
from bot.domain.waiting import WaitingEntry
from bot.services.nudge.dispatch import NudgeService
from bot.store import guilds, managers, record
from bot.store.database import open_database
from tests.simulate import play
from tests.simulate.machine import Machine
from tests.simulate.wall import MINUTE, hour_begins
from tests.simulate.zone import simulate
from tests.support.outgoing import Drafts, Outgoing, at_once, sent_days

pytestmark = pytest.mark.usefixtures("sqlite_without_threads")

GUILD, MANAGER, CHANNEL = 7, 101, 9
ZONES = ("UTC", "America/Nuuk", "America/Santiago", "Australia/Lord_Howe", "Africa/Cairo", "Pacific/Kiritimati")


@pytest.mark.parametrize("name", ZONES)
def test_nothing_is_missed_or_doubled(name: str) -> None:
    outcome = simulate(name, 2024, 2026, seed=5)
    assert (outcome.missed, outcome.doubled) == (0, 0)
    assert outcome.zone_days > 1000
    assert outcome.nudges > 100
    assert outcome.digests > 100
    assert outcome.personal_digests > 100
    assert outcome.jumps > 50
    assert outcome.late > 0


class WallClock(SystemClock):
    """A clock that believes the machine."""

    def hear(self, moment: datetime, counted_at: datetime | None = None) -> None:
        pass

    @property
    def sure(self) -> bool:
        return True


class TrustingClock(SystemClock):
    """A clock that has no doubts after a broken connection."""

    def doubt(self) -> None:
        pass


class CredulousClock(SystemClock):
    """A clock that believes every date at once."""

    def hear(self, moment: datetime, counted_at: datetime | None = None) -> None:
        self._reckoning = Reckoning(0.0, (moment, self._reading()))


@pytest.mark.parametrize(
    ("clock", "zone"), [(WallClock, "UTC"), (TrustingClock, "America/Nuuk"), (CredulousClock, "UTC")]
)
def test_a_clock_that_is_taken_in_is_found_out(clock: type[SystemClock], zone: str) -> None:
    outcome = simulate(zone, 2024, 2026, seed=5, build_clock=clock)
    assert outcome.missed > 0
    assert (outcome.doubled > 0) is (clock is not TrustingClock)


@pytest.mark.parametrize("work", ["due_nudge", "due_digest", "due_personal_digest"])
def test_work_that_is_left_undone_or_comes_early_is_found_out(work: str, monkeypatch: pytest.MonkeyPatch) -> None:
    decide: Callable[..., object] = getattr(play, work)
    monkeypatch.setattr(play, work, lambda *facts: None if facts[-1].day == 9 else decide(*facts))
    assert simulate("UTC", 2024, 2024, seed=5).missed > 0
    monkeypatch.setattr(play.DueTime, "is_due", lambda *_: True)
    monkeypatch.setattr(play, work, lambda *facts: decide(*facts[:-1], facts[-1] + timedelta(hours=2)))
    assert simulate("UTC", 2024, 2024, seed=5).doubled > 0


@pytest.mark.parametrize("work", ["next_nudge_at", "next_digest_at", "next_personal_digest_at"])
def test_a_due_time_that_is_too_late_is_found_out(work: str, monkeypatch: pytest.MonkeyPatch) -> None:
    next_at: Callable[..., datetime] = getattr(play, work)
    monkeypatch.setattr(play, work, lambda *facts: next_at(*facts) + timedelta(days=1))
    assert simulate("UTC", 2024, 2024, seed=5).missed > 0


def test_the_hour_of_a_date_is_found_by_looking_at_the_wall() -> None:
    nuuk, berlin = ZoneInfo("America/Nuuk"), ZoneInfo("Europe/Berlin")
    # On Saturday 30 March 2024 the clocks in Nuuk went from 22:59 to Sunday 00:00.
    assert hour_begins(date(2024, 3, 30), 23, nuuk) == datetime(2024, 3, 31, 0, tzinfo=UTC)
    assert hour_begins(date(2024, 3, 31), 2, berlin) == datetime(2024, 3, 31, 1, tzinfo=UTC)
    assert hour_begins(date(2024, 10, 27), 2, berlin) == datetime(2024, 10, 27, 0, tzinfo=UTC)


async def test_a_year_through_the_database_and_the_service(tmp_path: Path) -> None:
    """Somebody new waits every day, the process is down now and then, the clock jumps; one nudge a day that it saw."""
    random = Random(11)
    zone = ZoneInfo("America/Nuuk")
    first, last = datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)
    manager = ManagerSettings(
        GUILD, MANAGER, enrolled_at=first - timedelta(days=9), nudge_hour=23, nudge_weekdays=frozenset({1, 5, 6})
    )
    days = [first.date() + timedelta(days=number) for number in range(1, 365)]
    chosen = {day: hour_begins(day, 23, zone) for day in days if day.weekday() in manager.nudge_weekdays}
    moments = [moment + offset * MINUTE for moment in chosen.values() for offset in (-20, 2, 17, 40)]
    ticks = list(Machine(random, first, last).ticks(sorted(moment for moment in moments if first <= moment < last)))
    rules = Rules(nudge=replace(NudgeRules(), quiet_after_unanswered=1000))
    clock, outgoing = DrivenClock(first), Outgoing()
    database = await open_database(f"sqlite:///{tmp_path / 'spade.db'}", write=True)
    try:
        async with database.writing() as connection:
            await guilds.save(connection, GuildSettings(GUILD, zone))
            await managers.add(connection, GUILD, [MANAGER])
            await managers.save(connection, manager)
            await record.add_waiting(
                connection,
                {
                    GUILD: [
                        WaitingEntry(first_id_at(begins - timedelta(hours=9)), CHANNEL, number, frozenset({MANAGER}))
                        for number, begins in enumerate(chosen.values(), start=1000)
                    ]
                },
            )
        service = NudgeService(database, outgoing, Drafts(), clock, rules, at_once)
        for tick in ticks:
            clock.set(tick.now, back=True)
            await service.send_due()
    finally:
        await database.close()
    expected = {
        day for day, begins in chosen.items() for tick in ticks if timedelta() <= tick.at - begins <= 40 * MINUTE
    }
    sent = [moment.astimezone(zone).date() for moment in sent_days(outgoing)]
    assert len(sent) == len(set(sent))
    assert set(sent) == expected
    assert len(sent) > 120
    assert len(expected) < len(chosen)
