"""Relationships, logged contact, retention and the periods of /coverage: pure decisions."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.calendar import day_start
from bot.domain.coverage import PeriodChoice, period_meant
from bot.domain.logged import LONGEST_AGO, WhenProblem, moment_of_day, position_of
from bot.domain.relationship import months_until, relationship
from bot.domain.retention import kept_from
from bot.domain.rules import Rules
from bot.domain.snowflake import first_id_at, moment_of
from bot.domain.touch import Touch, TouchKind
from bot.views.kit.list_buttons import page_buttons

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def touch(manager_id: int, ago: timedelta, kind: TouchKind = TouchKind.REPLY) -> Touch:
    at = NOW - ago
    return Touch(kind, manager_id, 9, first_id_at(at), 1, at)


def test_a_relationship_adds_up_conversations_by_month_and_manager() -> None:
    touches = [
        touch(1, timedelta(days=40)),
        touch(1, timedelta(days=40, minutes=-30)),
        touch(2, timedelta(days=1)),
        touch(1, timedelta(hours=1), TouchKind.LOGGED),
    ]
    known = relationship(touches, BERLIN, NOW, Rules())
    assert (known.conversations, known.logged) == (3, 1)
    assert known.first == touches[0]
    assert known.last == touches[3]
    assert {month: talks for month, talks in known.months if talks} == {date(2026, 1, 1): 1, date(2026, 3, 1): 2}
    assert [(one.manager_id, one.conversations) for one in known.acquaintances] == [(1, 2), (2, 1)]
    assert known.acquaintances[0].last_at == touches[3].touched_at


def test_nothing_is_a_relationship_of_nothing() -> None:
    known = relationship([], BERLIN, NOW, Rules())
    assert (known.first, known.last, known.conversations, known.acquaintances) == (None, None, 0, ())


@given(st.dates(date(2016, 1, 1), date(2100, 1, 1)), st.integers(1, 60))
def test_months_end_with_the_days_own_and_follow_one_another(today: date, count: int) -> None:
    months = months_until(today, count)
    assert len(months) == count
    assert months[-1] == today.replace(day=1)
    assert all((later - earlier).days in range(28, 32) for earlier, later in pairwise(months))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-03-03", datetime(2026, 3, 3, 11, tzinfo=UTC)),
        (" 2026-03-03 14:30 ", datetime(2026, 3, 3, 13, 30, tzinfo=UTC)),
        ("2026-03-03T14:30", datetime(2026, 3, 3, 13, 30, tzinfo=UTC)),
        ("2026-03-04", NOW),
        ("2026-03-04 13:00", NOW),
        ("2026-03-04 13:01", WhenProblem.FUTURE),
        ("2026-03-05", WhenProblem.FUTURE),
        ("2025-01-01", WhenProblem.FAR),
        ("0001-01-01", WhenProblem.FAR),
        ("9999-12-31", WhenProblem.FUTURE),
        ("", WhenProblem.UNREADABLE),
        ("yesterday", WhenProblem.UNREADABLE),
        ("2026-03-03 25:00", WhenProblem.UNREADABLE),
        ("2026-03-03 14:30+05:00", WhenProblem.UNREADABLE),
    ],
)
def test_the_moment_of_a_contact_is_read_or_refused(text: str, meant: datetime | WhenProblem) -> None:
    assert moment_of_day(text, BERLIN, NOW) == meant


@given(st.text(max_size=30))
def test_whatever_is_typed_is_a_moment_within_a_year_or_a_problem(text: str) -> None:
    meant = moment_of_day(text, BERLIN, NOW)
    assert isinstance(meant, WhenProblem) or NOW - LONGEST_AGO <= meant <= NOW


def test_a_logged_contact_lies_where_it_happened() -> None:
    command = first_id_at(NOW) | 77
    assert position_of(command, NOW, NOW) == command
    past = position_of(command, NOW - timedelta(days=2), NOW)
    assert moment_of(past) == NOW - timedelta(days=2)
    assert past & 0xFF == 77


@pytest.mark.parametrize(
    ("today", "months", "first"),
    [
        (date(2026, 5, 31), 3, date(2026, 2, 28)),
        (date(2024, 5, 30), 3, date(2024, 2, 29)),
        (date(2026, 1, 15), 12, date(2025, 1, 15)),
        (date(2026, 1, 31), 36, date(2023, 1, 31)),
        (date(2026, 3, 1), 6, date(2025, 9, 1)),
    ],
)
def test_the_first_day_that_is_kept(today: date, months: int, first: date) -> None:
    assert kept_from(today, months) == first


def test_the_periods_of_coverage_are_whole_local_days() -> None:
    week = period_meant(PeriodChoice.LAST_WEEK, BERLIN, NOW)
    assert (week.first_on, week.last_on) == (date(2026, 2, 23), date(2026, 3, 1))
    now = period_meant(PeriodChoice.THIS_WEEK, BERLIN, NOW)
    assert (now.first_on, now.last_on) == (date(2026, 3, 2), date(2026, 3, 4))
    assert period_meant(PeriodChoice.FOUR_WEEKS, BERLIN, NOW).first_on == date(2026, 2, 2)
    twelve = period_meant(PeriodChoice.TWELVE_WEEKS, BERLIN, NOW)
    assert twelve.start_at == day_start(date(2025, 12, 8), BERLIN)


def test_page_buttons_end_where_the_list_does() -> None:
    assert [button.custom_id for button in page_buttons("x", 1, 1)] == ["x:1:again"]
    first, middle, last = (page_buttons("x", page, 3) for page in (1, 2, 3))
    assert [button.disabled for button in first] == [True, False, False]
    assert [button.custom_id for button in middle] == ["x:1:previous", "x:3:next", "x:2:again"]
    assert [button.disabled for button in last] == [False, True, False]
