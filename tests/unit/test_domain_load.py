"""Load, suggestions, first contacts, and when a personal digest is due."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.digest import DueDigest, due_personal_digest
from bot.domain.figures import Figures, ReplyMinutes, Verdict
from bot.domain.guild import GuildSettings, ManagerSettings
from bot.domain.load import Load, load_of
from bot.domain.nudge import Offer, Reason
from bot.domain.nudge_decision import Obstacle
from bot.domain.rules import Rules
from bot.domain.suggestion import Suggestion, suggestions

NOON = datetime(2026, 3, 9, 12, tzinfo=UTC)
WIDE = Figures(50, 30, 0.0, 20, 10, 0.2, 0.5, 2, 9.0, 0.6, 0.4, Verdict.SOCIAL, 1, ReplyMinutes(10.0, 60.0), 3)
NARROW = replace(WIDE, spread=0.3, top3_share=0.7)


@given(st.lists(st.integers(0, 30), max_size=8))
def test_no_fewer_managers_carry_half(counts):
    load = load_of(counts)
    if len(counts) < 2 or not sum(counts):
        assert load is None
        return
    assert load is not None
    assert load.managers == len(counts)
    enough = [
        size for size in range(len(counts) + 1) for some in combinations(counts, size) if 2 * sum(some) >= sum(counts)
    ]
    assert load.carriers == min(enough)


def test_exactly_half_is_half():
    assert load_of([5, 3, 2]) == Load(1, 3)
    assert load_of([4, 3, 3]) == Load(2, 3)


def offer(member_id, reason, obstacle=None):
    return Offer(member_id, reason, NOON - timedelta(days=member_id)), obstacle


def test_new_people_come_first_then_the_narrow_week_then_who_waits():
    candidates = [
        offer(1, Reason.WAITING),
        offer(2, Reason.NEWCOMER, Obstacle.OFFERED_LATELY),
        offer(3, Reason.UNMET, Obstacle.ANOTHERS_SHARE),
        offer(4, Reason.UNMET, Obstacle.NO_ROOM),
        offer(5, Reason.COOLING, Obstacle.DISMISSED),
    ]
    found = suggestions(candidates, NARROW, Rules())
    assert [one.offer.member_id if one.offer else one.top3_share for one in found] == [2, 0.7, 4, 1]
    assert [one.offer.member_id for one in suggestions(candidates, WIDE, Rules()) if one.offer] == [2, 4, 1]
    assert suggestions([], NARROW, Rules()) == (Suggestion(top3_share=0.7),)
    assert suggestions([], replace(NARROW, members_reached=3), Rules()) == ()
    assert suggestions([], WIDE, Rules()) == ()


def test_every_reason_has_its_place_among_suggestions():
    candidates = [offer(number, reason) for number, reason in enumerate(Reason, start=1)]
    found = [one.offer.reason for one in suggestions(candidates, WIDE, Rules()) if one.offer]
    assert sorted(found) == sorted(Reason)


GUILD = GuildSettings(1, ZoneInfo("Europe/Berlin"), digest_weekday=0, digest_hour=9)
MANAGER = ManagerSettings(1, 2, enrolled_at=datetime(2026, 2, 25, tzinfo=UTC), nudge_hour=11)


@pytest.mark.parametrize(
    ("now", "week_on", "late"),
    [
        ("2026-03-02T11:00+01:00", date(2026, 2, 23), False),
        ("2026-03-02T23:59+01:00", date(2026, 2, 23), False),
        ("2026-03-03T00:00+01:00", date(2026, 2, 23), True),
        ("2026-03-09T10:59+01:00", date(2026, 2, 23), True),
        ("2026-03-09T11:00+01:00", date(2026, 3, 2), False),
    ],
)
def test_it_comes_at_the_managers_own_hour(now, week_on, late):
    assert due_personal_digest(GUILD, MANAGER, datetime.fromisoformat(now)) == DueDigest(week_on, late)


@pytest.mark.parametrize(
    ("zone", "hour", "moment"),
    [
        ("Europe/Berlin", 8, "2026-03-10T08:00+01:00"),  # before the guild's nine o'clock: the next day
        ("Pacific/Auckland", 11, "2026-03-10T11:00+13:00"),
        ("America/Los_Angeles", 9, "2026-03-09T09:00-07:00"),
    ],
)
def test_never_before_the_guilds_own_time_of_posting(zone, hour, moment):
    manager = replace(MANAGER, zone=ZoneInfo(zone), nudge_hour=hour)
    at = datetime.fromisoformat(moment)
    assert due_personal_digest(GUILD, manager, at) == DueDigest(date(2026, 3, 2), late=False)
    before = due_personal_digest(GUILD, manager, at - timedelta(seconds=1))
    assert before is not None
    assert before.week_on == date(2026, 2, 23)


def test_a_posting_on_sunday_is_not_due_before_the_managers_hour_on_monday():
    guild = replace(GUILD, digest_weekday=6, digest_hour=20)
    monday = datetime(2026, 3, 16, 8, tzinfo=UTC)
    assert due_personal_digest(guild, MANAGER, monday) == DueDigest(date(2026, 2, 23), late=True)
    assert due_personal_digest(guild, MANAGER, monday.replace(hour=10)) == DueDigest(date(2026, 3, 2), late=False)


@pytest.mark.parametrize(
    "change",
    [
        {"enrolled_at": None},
        {"refused_at": NOON},
        {"enrolled_at": datetime(2026, 3, 9, 8, tzinfo=UTC)},
        {"paused_until_on": date(2026, 3, 12)},
    ],
)
def test_none_is_due_to_somebody_who_wants_none(change):
    assert due_personal_digest(GUILD, replace(MANAGER, **change), NOON) is None


def test_a_digest_of_the_days_of_a_pause_does_not_come_after_it():
    manager = replace(MANAGER, paused_until_on=date(2026, 3, 11))
    assert due_personal_digest(GUILD, manager, datetime(2026, 3, 12, 12, tzinfo=UTC)) is None


@settings(max_examples=25)
@given(
    st.sampled_from(["UTC", "America/Santiago", "Africa/Cairo", "Pacific/Apia", "Asia/Kathmandu"]),
    st.sampled_from(["UTC", "Pacific/Auckland", "America/Los_Angeles"]),
    st.integers(0, 6),
    st.integers(0, 23),
    st.integers(0, 23),
)
def test_every_week_comes_once_in_any_zones(guild_zone, own_zone, weekday, guild_hour, own_hour):
    guild = GuildSettings(1, ZoneInfo(guild_zone), digest_weekday=weekday, digest_hour=guild_hour)
    manager = replace(MANAGER, zone=ZoneInfo(own_zone), nudge_hour=own_hour)
    at = datetime(2026, 3, 2, tzinfo=UTC)
    weeks: list[date] = []
    for hours in range(24 * 7 * 6):
        due = due_personal_digest(guild, manager, at + timedelta(hours=hours))
        if due is not None and (not weeks or due.week_on > weeks[-1]):
            weeks.append(due.week_on)
    assert weeks == [weeks[0] + timedelta(weeks=number) for number in range(len(weeks))]
    assert len(weeks) >= 5
