"""When a nudge is due, when Spade rests, and what became of the ones before."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.domain.effect import Effect, effects, usual_reply_minutes
from bot.domain.guild import ManagerSettings
from bot.domain.nudge import Offer, OfferedMember, Reason
from bot.domain.nudge_time import (
    NudgeFollowUp,
    PastNudges,
    PauseProblem,
    due_nudge,
    next_nudge_day,
    pause_problem,
    rests_today,
    went_unanswered,
)
from bot.domain.rules import NudgeRules
from bot.domain.snowflake import first_id_at
from bot.domain.touch import Touch, TouchKind

UTC_ZONE, BERLIN, NUUK = ZoneInfo("UTC"), ZoneInfo("Europe/Berlin"), ZoneInfo("America/Nuuk")
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
ANN = ManagerSettings(7, 101, enrolled_at=MONDAY - timedelta(days=1))


def at(hour: int, minute: int = 0, days: int = 0) -> datetime:
    return MONDAY + timedelta(days=days, hours=hour, minutes=minute)


@pytest.mark.parametrize(
    ("now", "changes", "due"),
    [
        (at(8, 59), {}, False),
        (at(9), {}, True),
        (at(23, 59), {}, True),
        (at(0, days=1), {}, False),
        (at(9, days=5), {}, False),
        (at(9), {"enrolled_at": None}, False),
        (at(9), {"enrolled_at": at(9)}, True),
        (at(9, 1), {"enrolled_at": at(9, 1)}, False),
        (at(9, days=1), {"enrolled_at": at(9, 1)}, True),
        (at(9), {"enrolled_at": at(9, days=400)}, True),  # by a clock that was wrong
        (at(9), {"refused_at": at(1)}, False),
        (at(9), {"paused_until_on": date(2026, 3, 3)}, False),
        (at(9), {"paused_until_on": date(2026, 3, 2)}, True),
        (at(8), {"zone": BERLIN}, True),
        (at(7, 59), {"zone": BERLIN}, False),
        (at(9), {"nudge_weekdays": frozenset()}, False),
    ],
)
def test_a_nudge_is_due_from_the_managers_hour_to_the_end_of_their_day(now, changes, due):
    manager = replace(ANN, **changes)
    assert due_nudge(manager, UTC_ZONE, now) == (now.astimezone(manager.zone or UTC_ZONE).date() if due else None)


def test_an_hour_that_the_clocks_skip_is_not_lost():
    # In Nuuk, Saturday 30 March 2024 ended at 23:00, which was Sunday 00:00.
    manager = replace(
        ANN, enrolled_at=datetime(2024, 1, 1, tzinfo=UTC), nudge_hour=23, nudge_weekdays=frozenset(range(7))
    )
    due = [
        moment
        for minute in range(0, 26 * 60, 10)
        if due_nudge(manager, NUUK, moment := datetime(2024, 3, 30, 2, tzinfo=UTC) + timedelta(minutes=minute))
        == date(2024, 3, 30)
    ]
    assert (due[0], due[-1]) == (datetime(2024, 3, 31, 0, tzinfo=UTC), datetime(2024, 3, 31, 0, 50, tzinfo=UTC))


def test_the_next_day_a_nudge_can_come():
    assert next_nudge_day(ANN, UTC_ZONE, at(8)) == date(2026, 3, 2)
    assert next_nudge_day(ANN, UTC_ZONE, at(9)) == date(2026, 3, 3)
    assert next_nudge_day(ANN, UTC_ZONE, at(9, days=4)) == date(2026, 3, 9)
    assert next_nudge_day(replace(ANN, paused_until_on=date(2026, 3, 14)), UTC_ZONE, at(8)) == date(2026, 3, 16)
    assert next_nudge_day(replace(ANN, enrolled_at=None), UTC_ZONE, at(8)) is None
    assert next_nudge_day(replace(ANN, refused_at=at(1)), UTC_ZONE, at(8)) is None
    assert next_nudge_day(replace(ANN, nudge_weekdays=frozenset()), UTC_ZONE, at(8)) is None
    today = date(2026, 3, 2)
    had_it = PastNudges(dealt_on=today, last_on=today)  # asked for before its hour
    assert next_nudge_day(ANN, UTC_ZONE, at(8), had_it) == date(2026, 3, 3)
    assert next_nudge_day(ANN, UTC_ZONE, at(8), replace(had_it, unanswered=True)) == date(2026, 3, 4)


def test_half_as_often_is_every_second_chosen_day():
    workdays = frozenset(range(5))

    def rests(last_on: date | None, today: date, *, unanswered: bool = True) -> bool:
        past = PastNudges(last_on=last_on, unanswered=unanswered)
        return rests_today(past, today=today, weekdays=workdays)

    assert rests(date(2026, 3, 2), date(2026, 3, 3))
    assert not rests(date(2026, 3, 2), date(2026, 3, 4))
    assert rests(date(2026, 3, 6), date(2026, 3, 9))  # over a weekend
    assert not rests(date(2026, 3, 6), date(2026, 3, 10))
    assert not rests(date(2026, 3, 2), date(2026, 3, 3), unanswered=False)
    assert not rests(None, date(2026, 3, 3))
    assert not rests(date(2027, 3, 2), date(2026, 3, 3))  # the machine's clock was wrong that day


def test_three_in_a_row_without_a_press_or_a_touch():
    quiet = [NudgeFollowUp(at(9, days=-number), answered=False) for number in range(3)]
    assert went_unanswered(quiet, None, 3)
    assert not went_unanswered(quiet[:2], None, 3)
    assert not went_unanswered([*quiet[:2], replace(quiet[2], answered=True)], None, 3)
    assert went_unanswered([*quiet, NudgeFollowUp(at(9, days=-3), answered=True)], None, 3)
    assert went_unanswered(quiet, at(9, days=-3), 3)
    assert not went_unanswered(quiet, at(10, days=-2), 3)  # a button of an older one, since then


def test_a_pause_must_end_ahead_and_within_a_year():
    today = date(2026, 3, 2)
    assert pause_problem(today, today) is PauseProblem.PAST
    assert pause_problem(date(1, 1, 1), today) is PauseProblem.PAST
    assert pause_problem(today + timedelta(days=1), today) is None
    assert pause_problem(today + timedelta(days=366), today) is None
    assert pause_problem(date(9999, 12, 31), today) is PauseProblem.FAR


def offered(member_id: int, reason: Reason = Reason.WAITING, *, hours: float = 0) -> OfferedMember:
    return OfferedMember("d", 1, 101, Offer(member_id, reason, MONDAY), MONDAY + timedelta(hours=hours))


def touched(member_id: int, *, hours: float, manager_id: int = 101, replied_hours_ago: float | None = None) -> Touch:
    touched_at = MONDAY + timedelta(hours=hours)
    replied_to = None if replied_hours_ago is None else first_id_at(touched_at - timedelta(hours=replied_hours_ago))
    return Touch(TouchKind.REPLY, manager_id, member_id, first_id_at(touched_at), 1, touched_at, replied_to)


def test_a_nudge_worked_if_its_manager_wrote_within_three_days():
    found = effects(
        [
            offered(1),
            offered(2),
            offered(3),
            offered(4),
            offered(5, hours=60),
            offered(6, hours=60),
            offered(7, Reason.UNMET),
        ],
        [
            touched(1, hours=72),
            touched(2, hours=72.01),
            touched(3, hours=1, manager_id=102),
            touched(4, hours=0),  # before, not after
            touched(6, hours=61),
        ],
        NudgeRules(),
        MONDAY + timedelta(hours=100),
    )
    assert found == {Reason.WAITING: Effect(offered=6, worked=2, pending=1), Reason.UNMET: Effect(1, 0, 0)}
    assert list(found) == [Reason.WAITING, Reason.UNMET]
    assert found[Reason.WAITING].judged == 5


def test_the_usual_pace_needs_five_replies():
    replies = [touched(1, hours=number, replied_hours_ago=number) for number in (1, 2, 3, 4)]
    assert usual_reply_minutes(replies) is None
    assert usual_reply_minutes([*replies, touched(1, hours=5)]) is None
    assert usual_reply_minutes([*replies, touched(1, hours=50, replied_hours_ago=50)]) == pytest.approx(180)
