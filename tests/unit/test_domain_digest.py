"""When a weekly digest is due."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.domain.digest import DueDigest, due_digest
from bot.domain.guild import GuildSettings, ManagerSettings
from tests.support.messages import START

SANTIAGO = ZoneInfo("America/Santiago")
SETTINGS = GuildSettings(
    1,
    SANTIAGO,
    digest_channel_id=2,
    digest_weekday=0,
    digest_hour=9,
    digest_from_at=datetime(2026, 2, 2, 12, tzinfo=UTC),
)


def due(local: str, settings: GuildSettings = SETTINGS) -> DueDigest | None:
    return due_digest(settings, datetime.fromisoformat(local).replace(tzinfo=settings.zone))


@pytest.mark.parametrize(
    ("local", "week_on", "late"),
    [
        ("2026-03-02T08:59:59", date(2026, 2, 16), True),  # a Monday, not nine yet: last week's is what is due
        ("2026-03-02T09:00", date(2026, 2, 23), False),
        ("2026-03-02T23:59", date(2026, 2, 23), False),
        ("2026-03-03T00:00", date(2026, 2, 23), True),
        ("2026-03-08T23:59", date(2026, 2, 23), True),
        ("2026-03-09T09:00", date(2026, 3, 2), False),
    ],
)
def test_the_last_whole_week_is_due_from_its_hour_on(local: str, week_on: date, late: bool) -> None:
    assert due(local) == DueDigest(week_on, late)


def test_another_weekday_moves_the_posting_and_not_the_week() -> None:
    wednesday = replace(SETTINGS, digest_weekday=2)
    assert due("2026-03-03T23:00", wednesday) == DueDigest(date(2026, 2, 16), late=True)
    assert due("2026-03-04T09:00", wednesday) == DueDigest(date(2026, 2, 23), late=False)
    sunday = replace(SETTINGS, digest_weekday=6)
    assert due("2026-03-08T09:00", sunday) == DueDigest(date(2026, 2, 23), late=False)


def test_weeks_from_before_digests_were_switched_on_are_not_due() -> None:
    settings = replace(SETTINGS, digest_from_at=datetime(2026, 2, 25, tzinfo=UTC))
    assert due("2026-03-02T08:00", settings) is None
    assert due("2026-03-02T09:00", settings) == DueDigest(date(2026, 2, 23), late=False)


def test_without_a_channel_nothing_is_due() -> None:
    assert due("2026-03-02T09:00", replace(SETTINGS, digest_channel_id=None)) is None
    assert due("2026-03-02T09:00", replace(SETTINGS, digest_from_at=None)) is None


def test_an_hour_that_is_skipped_does_not_skip_the_digest() -> None:
    """In Santiago, Sunday 2025-09-07 has no 00:00 to 01:00: what is due at midnight is due from 01:00 on."""
    settings = replace(SETTINGS, digest_weekday=6, digest_hour=0, digest_from_at=datetime(2025, 1, 6, 12, tzinfo=UTC))
    gap_ends = datetime(2025, 9, 7, 4, tzinfo=ZoneInfo("UTC"))
    assert due_digest(settings, gap_ends) == DueDigest(date(2025, 8, 25), late=False)
    assert due_digest(settings, gap_ends - timedelta(seconds=1)) == DueDigest(date(2025, 8, 18), late=True)


def test_the_first_digest_is_for_the_week_that_runs() -> None:
    sunday_night = datetime(2026, 3, 9, 2, 0, tzinfo=ZoneInfo("UTC"))  # still Sunday in Santiago
    settings = replace(SETTINGS, digest_from_at=sunday_night)
    assert settings.digest_from_on == date(2026, 3, 2)
    assert replace(settings, zone=ZoneInfo("UTC")).digest_from_on == date(2026, 3, 9)
    assert replace(settings, digest_from_at=None).digest_from_on is None


def test_a_manager_receives_nothing_unless_enrolled_reachable_and_not_paused() -> None:
    enrolled = ManagerSettings(1, 2, enrolled_at=START)
    assert enrolled.receives_on(date(2026, 3, 2))
    assert not ManagerSettings(1, 2).receives_on(date(2026, 3, 2))
    assert not replace(enrolled, refused_at=START).receives_on(date(2026, 3, 2))
    paused = replace(enrolled, paused_until_on=date(2026, 3, 5))
    assert not paused.receives_on(date(2026, 3, 4))
    assert paused.receives_on(date(2026, 3, 5))
