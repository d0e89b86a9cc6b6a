"""What `/nudges` answers, in words."""

from datetime import UTC, date, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.effect import Effect
from bot.domain.guild import GuildSettings, ManagerSettings
from bot.domain.nudge import Offer, OfferContext, Reason
from bot.domain.nudge_decision import Obstacle
from bot.domain.nudge_time import NudgeSchedule, PauseProblem
from bot.domain.relationship import Standing
from bot.domain.why import Miss, MissedReason, Why
from bot.services.nudge.previews import NudgeStatus
from bot.views.nudge.answers import nudges_state, pause_refused, reason_label, why_answer
from bot.views.words.weekdays import weekday_suggestions, weekdays_from

NOW = datetime(2026, 3, 27, 8, tzinfo=UTC)
CONTEXT = OfferContext(NOW, ZoneInfo("UTC"))
GUILD = GuildSettings(99, ZoneInfo("Europe/Berlin"))


def state(*, on=True, closed=False, paused_until_on=None, **changes) -> str:
    manager = ManagerSettings(
        99, 1, enrolled_at=NOW if on else None, refused_at=NOW if closed else None, paused_until_on=paused_until_on
    )
    known = {"next_on": date(2026, 3, 30), "throttled": False, **changes}
    return nudges_state(NudgeStatus(NudgeSchedule(GUILD, manager), **known))


def test_how_things_stand():
    assert state() == (
        "Your nudges are on: Monday to Friday at 09:00 (Europe/Berlin).\n"
        "The next one can come on Monday 30 March, if there is anybody to name.\n\n"
        "In the last 90 days no nudge was sent to you."
    )
    assert state(on=False).startswith("Your nudges are off. `/nudges on` turns them on.\n")
    assert "does not let me write to you" in state(closed=True, next_on=None)
    assert "The last 3 brought no reaction" in state(throttled=True)
    assert "Paused until Monday 30 March" in state(paused_until_on=date(2026, 3, 30))
    assert "Paused" not in state(paused_until_on=date(2026, 3, 1), next_on=date(2026, 2, 1))


def test_what_came_of_them():
    text = state(
        effects={
            Reason.WAITING: Effect(12, 9, 2),
            Reason.NEWCOMER: Effect(4, 1, 0),
            Reason.UNMET: Effect(1, 0, 1),
            Reason.COOLING: Effect(3, 2, 1),
        }
    )
    assert text.endswith(
        "Of the people named to you in the last 90 days, you wrote within 72 hours to:\n"
        "- left waiting: 9 of 10, and 2 whose time is not over\n"
        "- newcomers: 1 of 4\n"
        "- never met: one whose time is not over\n"
        "- not talked to for long: 2 of 2, and one whose time is not over"
    )
    assert len({reason_label(reason) for reason in Reason}) == len(Reason)


def test_every_rule_has_words_of_its_own():
    offer = Offer(5, Reason.UNMET, NOW - timedelta(days=9), active_days=4)
    texts = {why_answer(Why(5, Standing.MEMBER, offer, obstacle), "Max", CONTEXT) for obstacle in (None, *Obstacle)}
    texts |= {why_answer(Why(5, standing), "Max", CONTEXT) for standing in Standing if standing is not Standing.MEMBER}
    misses = {
        why_answer(
            Why(5, Standing.MEMBER, missed=(MissedReason(Reason.UNMET, miss, NOW - timedelta(hours=5), 2),)),
            "Max",
            CONTEXT,
        )
        for miss in Miss
    }
    assert len(texts) == 1 + len(Obstacle) + 3
    assert len(misses) == len(Miss)
    for text in texts | misses:
        assert "Max" in text
        assert "{" not in text
        assert len(text) < 600


def test_a_name_cannot_act_in_an_answer():
    text = why_answer(Why(5, Standing.MANAGER), "**[x](https://e.vil)** @everyone", CONTEXT)
    assert "https://" not in text
    assert "@everyone" not in text


def test_pauses_that_make_no_sense():
    for problem, day in product(PauseProblem, (date(1, 1, 1), date(9999, 12, 31))):
        assert str(day.year) in pause_refused(problem, day)


@pytest.mark.parametrize(
    ("typed", "days"),
    [
        ("workdays", {0, 1, 2, 3, 4}),
        ("Monday to Friday", {0, 1, 2, 3, 4}),
        ("every day", set(range(7))),
        ("weekend", {5, 6}),
        ("Mon, Wed, Fri", {0, 2, 4}),
        ("tue and thu", {1, 3}),
        ("Fri-Mon", {4, 5, 6, 0}),
        ("sa su", {5, 6}),
        ("Monday, Wednesday and Friday", {0, 2, 4}),
        ("wednesday", {2}),
    ],
)
def test_days_as_people_type_them(typed, days):
    assert weekdays_from(typed) == frozenset(days)


@pytest.mark.parametrize("typed", ["", "t", "someday", "mon-tue-wed", "-", ",", "mon, xyz", "1", "no day"])
def test_what_are_no_days(typed):
    assert weekdays_from(typed) is None


@given(st.text(max_size=40))
def test_any_text_is_days_or_none(typed):
    found = weekdays_from(typed)
    assert found is None or found <= set(range(7))
    for label in weekday_suggestions(typed):
        assert weekdays_from(label)
