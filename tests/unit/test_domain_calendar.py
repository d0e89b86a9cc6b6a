"""Local days and weeks (docs/rules.md#days-and-weeks), where clocks change most awkwardly."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.calendar import (
    day_of_minute,
    day_start,
    hour_start,
    just_after,
    local_day,
    monday_of,
    period_of_days,
    weeks_ending,
)
from bot.domain.snowflake import first_id_at

AWKWARD = [
    "America/Santiago",  # midnight is skipped in September
    "Africa/Cairo",  # midnight is skipped on a Friday
    "Asia/Beirut",
    "America/Havana",  # midnight comes twice in November
    "America/Asuncion",
    "America/Scoresbysund",  # 23:00 is skipped
    "Atlantic/Azores",
    "Australia/Lord_Howe",  # half an hour
    "Asia/Tehran",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "Europe/Berlin",
    "UTC",
]


@pytest.mark.parametrize(
    ("zone", "day", "starts_at"),
    [
        ("UTC", date(2026, 3, 2), "2026-03-02T00:00"),
        ("Asia/Kathmandu", date(2026, 3, 2), "2026-03-01T18:15"),
        # The clock goes from 23:59:59 to 01:00: the day begins at 01:00 on the wall.
        ("America/Santiago", date(2025, 9, 7), "2025-09-07T04:00"),
        ("Africa/Cairo", date(2025, 4, 25), "2025-04-24T22:00"),
        ("Asia/Beirut", date(2025, 3, 30), "2025-03-29T22:00"),
        ("America/Havana", date(2025, 3, 9), "2025-03-09T05:00"),
        # At midnight the clock goes back to 23:00: the day before lasts 25 hours.
        ("America/Santiago", date(2025, 4, 6), "2025-04-06T04:00"),
        ("Africa/Cairo", date(2025, 10, 31), "2025-10-30T22:00"),
        ("Asia/Beirut", date(2025, 10, 26), "2025-10-25T22:00"),
        # At 01:00 the clock goes back to midnight: the first of the two midnights begins the day.
        ("America/Havana", date(2025, 11, 2), "2025-11-02T04:00"),
        # A whole day that was skipped begins where the next one does.
        ("Pacific/Apia", date(2011, 12, 30), "2011-12-30T10:00"),
        ("Pacific/Apia", date(2011, 12, 31), "2011-12-30T10:00"),
        ("Pacific/Apia", date(2011, 12, 29), "2011-12-29T10:00"),
    ],
)
def test_a_day_begins_at_its_first_moment(zone: str, day: date, starts_at: str) -> None:
    start = day_start(day, ZoneInfo(zone))
    assert start == datetime.fromisoformat(starts_at).replace(tzinfo=UTC)
    assert start.tzinfo is UTC


@settings(deadline=None, max_examples=300)
@given(
    zone=st.sampled_from(AWKWARD).map(ZoneInfo),
    day=st.dates(date(2015, 1, 1), date(2037, 12, 30)),
)
def test_a_day_begins_on_its_date_and_not_a_moment_late(zone: ZoneInfo, day: date) -> None:
    start = day_start(day, zone)
    assert local_day(start, zone) == day
    assert local_day(start - timedelta(milliseconds=1), zone) == day - timedelta(days=1)


@pytest.mark.parametrize("zone", AWKWARD)
def test_days_follow_each_other_without_a_gap_or_an_overlap(zone: str) -> None:
    """Over four years of changes: every day is between 23 and 25 hours long, and holds its own noon alone."""
    days = [date(2023, 1, 1) + timedelta(days=number) for number in range(1461)]
    periods = [period_of_days(day, day, ZoneInfo(zone)) for day in days]
    for one, other in pairwise(periods):
        assert one.end_at == other.start_at
        assert timedelta(hours=23) <= one.end_at - one.start_at <= timedelta(hours=25)
        noon = datetime(one.first_on.year, one.first_on.month, one.first_on.day, 12, tzinfo=ZoneInfo(zone))
        assert one.holds(noon)
        assert not other.holds(noon)


def test_a_period_holds_its_first_moment_and_not_its_last() -> None:
    period = period_of_days(date(2026, 3, 2), date(2026, 3, 3), ZoneInfo("UTC"))
    assert period.holds(datetime(2026, 3, 2, tzinfo=UTC))
    assert period.holds(datetime(2026, 3, 3, 23, 59, 59, 999_999, tzinfo=UTC))
    assert not period.holds(datetime(2026, 3, 4, tzinfo=UTC))
    assert not period.holds(datetime(2026, 3, 1, 23, 59, 59, 999_999, tzinfo=UTC))


def test_a_moment_belongs_to_the_day_on_the_wall() -> None:
    moment = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
    assert local_day(moment, ZoneInfo("UTC")) == date(2026, 3, 2)
    assert local_day(moment, ZoneInfo("Europe/Berlin")) == date(2026, 3, 3)
    assert local_day(moment, ZoneInfo("America/Havana")) == date(2026, 3, 2)


def test_a_week_is_named_by_its_monday() -> None:
    monday = date(2026, 3, 2)
    assert [monday_of(monday + timedelta(days=number)) for number in range(7)] == [monday] * 7
    assert monday_of(monday - timedelta(days=1)) == date(2026, 2, 23)


def test_weeks_end_with_the_named_one() -> None:
    one = weeks_ending(date(2026, 3, 2), 1, ZoneInfo("UTC"))
    assert (one.first_on, one.last_on) == (date(2026, 3, 2), date(2026, 3, 8))
    assert (one.start_at, one.end_at) == (datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 9, tzinfo=UTC))
    four = weeks_ending(date(2026, 3, 2), 4, ZoneInfo("UTC"))
    assert (four.first_on, four.last_on) == (date(2026, 2, 9), date(2026, 3, 8))


def test_a_week_across_a_clock_change_has_167_or_169_hours() -> None:
    zone = ZoneInfo("America/Santiago")  # changes on the night to Sunday, the week's last day
    for monday, hours in ((date(2025, 9, 1), 167), (date(2025, 3, 31), 169), (date(2025, 9, 8), 168)):
        week = weeks_ending(monday, 1, zone)
        assert week.end_at - week.start_at == timedelta(hours=hours)


def test_a_week_that_begins_with_a_skipped_midnight_is_whole() -> None:
    """No zone changes on a Monday nowadays; in 2014, Cairo's clocks went forward at midnight before a Friday."""
    week = weeks_ending(date(2014, 5, 12), 1, ZoneInfo("Africa/Cairo"))
    assert week.end_at - week.start_at == timedelta(hours=167)


@pytest.mark.parametrize("day", [date(2026, 3, 3), date(2026, 3, 8)])
def test_only_a_monday_names_a_week(day: date) -> None:
    with pytest.raises(ValueError, match=f"{day} is not a Monday"):
        weeks_ending(day, 1, ZoneInfo("UTC"))


@pytest.mark.parametrize(
    ("zone", "day", "hour", "wall"),
    [
        ("Europe/Berlin", date(2025, 3, 30), 2, "2025-03-30T03:00"),  # skipped: the first moment after
        ("Europe/Berlin", date(2025, 10, 26), 2, "2025-10-26T02:00"),  # twice: the first
        ("Australia/Lord_Howe", date(2025, 10, 5), 2, "2025-10-05T02:30"),
        ("Pacific/Chatham", date(2033, 9, 25), 3, "2033-09-25T03:45"),  # 02:45 to 03:45 is skipped
        ("America/Scoresbysund", date(2025, 3, 29), 23, "2025-03-29T22:00"),  # skipped at the day's end
        ("America/Santiago", date(2025, 9, 7), 0, "2025-09-07T01:00"),
        ("America/Santiago", date(2025, 9, 7), 9, "2025-09-07T09:00"),
    ],
)
def test_every_hour_of_a_date_begins_on_it(zone: str, day: date, hour: int, wall: str) -> None:
    start = hour_start(day, hour, ZoneInfo(zone)).astimezone(ZoneInfo(zone))
    assert start.replace(tzinfo=None) == datetime.fromisoformat(wall)
    assert start.fold == 0


def test_a_period_that_ends_just_after_a_moment_includes_every_id_of_it() -> None:
    now = datetime(2026, 3, 2, 12, tzinfo=UTC)
    last_id_of_now = first_id_at(now) | 0x3FFFFF
    assert last_id_of_now < first_id_at(just_after(now)) == last_id_of_now + 1


@given(st.datetimes(datetime(2015, 1, 1), datetime(2040, 1, 1)), st.sampled_from(AWKWARD))  # noqa: DTZ001 - made UTC below
def test_a_minute_lies_in_one_day(moment: datetime, name: str) -> None:
    zone, moment = ZoneInfo(name), moment.replace(tzinfo=UTC)
    assert day_of_minute((first_id_at(moment) >> 22) // 60_000, zone) == local_day(moment, zone)
