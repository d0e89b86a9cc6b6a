"""Conversations and figures (docs/rules.md#figures), on examples small enough to work out by hand."""

import math
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.calendar import Period, weeks_ending
from bot.domain.conversation import Conversation, conversations
from bot.domain.figures import Figures, ReplyMinutes, Verdict
from bot.domain.load import Load, load_of
from bot.domain.report import WeekReport
from bot.domain.rules import Rules
from bot.domain.snowflake import first_id_at
from bot.domain.touch import Touch, TouchKind
from bot.domain.waiting import WaitingEntry, WaitingState
from tests.support.messages import ANNA, BEN, MIA, NOAH, OLE, PIA, at, moment
from tests.support.plain_figures import PlainFacts, figures_of, talks_by_member

MONDAY = date(2026, 3, 2)
UTC_ZONE = ZoneInfo("UTC")
WEEK = weeks_ending(MONDAY, 1, UTC_ZONE)
FOUR = weeks_ending(MONDAY, 4, UTC_ZONE)
DAY = 24 * 60
LAST = (WEEK.end_at - moment(0)) / timedelta(minutes=1)
"""The minute the week ends at; `moment(0)` is its Monday noon."""


def touch(
    minutes: float,
    manager_id: int = ANNA,
    member_id: int = MIA,
    *,
    kind: TouchKind = TouchKind.MENTION,
    replied_to: float | None = None,
) -> Touch:
    return Touch(
        kind=TouchKind.REPLY if replied_to is not None else kind,
        manager_id=manager_id,
        member_id=member_id,
        message_id=at(minutes),
        channel_id=1,
        touched_at=moment(minutes),
        replied_to_id=at(replied_to) if replied_to is not None else None,
    )


def facts(
    touches: Sequence[Touch],
    *,
    period: Period = WEEK,
    active: Sequence[int] = (),
    earlier: Sequence[Touch] = (),
    waiting: Sequence[WaitingState] = (),
) -> PlainFacts:
    """The facts of a period; `earlier` are touches that count for who was met before, and for nothing else."""
    first: dict[tuple[int, int], datetime] = {}
    for one in sorted((*earlier, *touches), key=lambda found: found.touched_at, reverse=True):
        first[one.manager_id, one.member_id] = one.touched_at
    return PlainFacts(period, frozenset({ANNA, BEN}), frozenset(active), tuple(touches), first, tuple(waiting))


def figures(week: PlainFacts, weeks: PlainFacts | None = None, *, manager_id: int | None = None) -> Figures:
    team, own = figures_of(week, weeks or replace(week, period=FOUR), Rules())
    return team if manager_id is None else own[manager_id]


# Conversations (docs/rules.md#conversations).


def began(touches: Sequence[Touch]) -> list[tuple[float, float]]:
    return [
        ((one.began_at - moment(0)) / timedelta(minutes=1), (one.last_touch_at - moment(0)) / timedelta(minutes=1))
        for one in conversations(touches, timedelta(minutes=60))
    ]


def test_touches_at_most_an_hour_apart_are_one_conversation() -> None:
    assert began([touch(0), touch(60), touch(120)]) == [(0, 120)]  # each follows the one before, not the first
    assert began([touch(0), touch(60 + 1 / 60_000)]) == [(0, 0), (60 + 1 / 60_000, 60 + 1 / 60_000)]


def test_conversations_are_one_managers_with_one_member() -> None:
    found = conversations([touch(5, BEN), touch(0), touch(1, member_id=NOAH), touch(2)], timedelta(minutes=60))
    assert list(found) == [
        Conversation(ANNA, MIA, moment(0), moment(2)),
        Conversation(ANNA, NOAH, moment(1), moment(1)),
        Conversation(BEN, MIA, moment(5), moment(5)),
    ]


def test_no_touches_are_no_conversations() -> None:
    assert began([]) == []


@given(
    st.lists(st.tuples(st.integers(0, 600), st.sampled_from([ANNA, BEN]), st.sampled_from([MIA, NOAH])), max_size=20)
)
def test_conversations_take_in_every_touch_and_lie_more_than_an_hour_apart(
    given_touches: list[tuple[int, int, int]],
) -> None:
    touches = [touch(minute, manager, member) for minute, manager, member in given_touches]
    found = list(conversations(touches, timedelta(minutes=60)))
    for one in touches:
        holding = [
            talk
            for talk in found
            if (talk.manager_id, talk.member_id) == (one.manager_id, one.member_id)
            and talk.began_at <= one.touched_at <= talk.last_touch_at
        ]
        assert len(holding) == 1
    for talk in found:
        for other in found:
            if talk is not other and (talk.manager_id, talk.member_id) == (other.manager_id, other.member_id):
                apart = max(talk.began_at, other.began_at) - min(talk.last_touch_at, other.last_touch_at)
                assert apart > timedelta(minutes=60)


# One figure after the other (docs/rules.md#figures).


def test_an_empty_week_is_zero_where_it_can_be_and_unknown_where_it_cannot() -> None:
    assert asdict(figures(facts([]))) == {
        "active_members": 0,
        "personal_replies": 0,
        "logged_share": None,
        "conversations": 0,
        "members_reached": 0,
        "coverage": None,
        "coverage_ever": None,
        "first_time": 0,
        "effective_members": 0.0,
        "spread": None,
        "top3_share": None,
        "verdict": "too quiet to call",
        "verdict_weeks": None,
        "reply_minutes": {"median": None, "p90": None},
        "waiting": 0,
    }


def test_a_small_week_worked_out_by_hand() -> None:
    """Anna: Mia twice (one conversation, then another), Noah; Ben: Mia and Ole. Active: Mia, Noah, Pia and one more.

    C = 5: Mia 3, Noah 1, Ole 1. Reached = 3; reached and active = 2 of 4: coverage 0.5.
    Pia was met before the week by Ben: met ever and active = Mia, Noah, Pia of 4: 0.75.
    Mia was met before by Ben, so first time for the team: Noah and Ole = 2; for Anna: Mia and Noah = 2.
    Effective = exp(-(0.6 ln 0.6 + 2 · 0.2 ln 0.2)) = exp(0.95027) = 2.58640.
    Spread = 2.58640 / min(5, max(4, 3)) = 0.64660. Top 3 hold everything.
    Replies took 1, 2, 3 and 10 minutes: median 2.5, p90 at rank 2.7: 3 + 0.7 · 7 = 7.9.
    """
    touches = [
        touch(1, replied_to=0),
        touch(30, replied_to=28),
        touch(300, replied_to=297),
        touch(400, member_id=NOAH, replied_to=390),
        touch(500, BEN, kind=TouchKind.LOGGED),
        touch(600, BEN, OLE, kind=TouchKind.THREAD),
    ]
    week = facts(
        touches,
        active=[MIA, NOAH, PIA, 299],
        earlier=[touch(-5 * DAY, BEN, PIA), touch(-6 * DAY, BEN, MIA)],
    )
    team = figures(week)
    assert team == Figures(
        active_members=4,
        personal_replies=6,
        logged_share=1 / 6,
        conversations=5,
        members_reached=3,
        coverage=0.5,
        coverage_ever=0.75,
        first_time=2,
        effective_members=pytest.approx(2.58640, abs=1e-5),
        spread=pytest.approx(0.64660, abs=1e-5),
        top3_share=1.0,
        verdict=Verdict.QUIET,
        verdict_weeks=None,
        reply_minutes=ReplyMinutes(2.5, pytest.approx(7.9)),
        waiting=0,
    )
    anna = figures(week, manager_id=ANNA)
    assert (anna.personal_replies, anna.conversations, anna.members_reached) == (4, 3, 2)
    assert (anna.first_time, anna.logged_share) == (2, 0)
    assert (anna.active_members, anna.coverage, anna.coverage_ever) == (4, 0.5, 0.75)  # ever: the team's
    assert (anna.spread, anna.top3_share) == (None, None)  # three conversations are too few
    assert anna.effective_members == pytest.approx(math.exp(-(2 / 3 * math.log(2 / 3) + 1 / 3 * math.log(1 / 3))))
    ben = figures(week, manager_id=BEN)
    assert (ben.first_time, ben.coverage, ben.logged_share) == (1, 0.25, 0.5)
    assert ben.reply_minutes == ReplyMinutes(None, None)
    assert team.conversations == anna.conversations + ben.conversations


def test_a_conversation_belongs_to_the_time_it_began() -> None:
    """Ten minutes before the week and ten minutes into it: one conversation, of the week before."""
    before = (WEEK.start_at - moment(0)) / timedelta(minutes=1)
    week = facts([touch(before - 10), touch(before + 10)], active=[MIA])
    assert figures(week).conversations == 0
    assert figures(week).personal_replies == 1
    assert figures(week).members_reached == 0
    assert figures(facts([touch(before)])).conversations == 1
    assert figures(facts([touch(LAST - 1 / 60_000)])).conversations == 1


def test_a_member_met_and_not_active_counts_as_reached_and_not_as_covered() -> None:
    found = figures(facts([touch(0, member_id=OLE)], active=[MIA, NOAH]))
    assert (found.members_reached, found.coverage, found.coverage_ever) == (1, 0.0, 0.0)


@pytest.mark.parametrize(
    ("counts", "effective"),
    [
        ([7], 1.0),
        ([3, 3], 2.0),
        ([1] * 6, 6.0),
        ([2, 1, 1], math.exp(1.5 * math.log(2))),  # -(½ ln ½ + 2 · ¼ ln ¼) = 1.5 ln 2
    ],
)
def test_effective_members_are_the_perplexity_of_the_shares(counts: list[int], effective: float) -> None:
    touches = [
        touch(120 * (number + 8 * index), member_id=MIA + index)
        for index, count in enumerate(counts)
        for number in range(count)
    ]
    assert figures(facts(touches)).effective_members == pytest.approx(effective)


def test_members_addressed_alike_are_not_a_hair_more_than_they_are() -> None:
    found = figures(facts(many([1] * 5), active=[MIA + number for number in range(5)]))
    assert (found.effective_members, found.spread) == (5.0, 1.0)


def many(counts: Sequence[int], begin: float = 0) -> list[Touch]:
    """So many conversations with each of some members, a minute over an hour apart."""
    return [
        touch(begin + 61 * number, member_id=300 + index)
        for index, count in enumerate(counts)
        for number in range(count)
    ]


def test_four_conversations_have_no_spread_and_five_do() -> None:
    assert figures(facts(many([1] * 4))).spread is None
    assert figures(facts(many([1] * 4))).top3_share is None
    assert figures(facts(many([1] * 5))).spread == pytest.approx(1.0)
    assert figures(facts(many([1] * 5))).top3_share == 0.6


def test_spread_is_measured_against_what_was_possible() -> None:
    """Five conversations could have reached 5 of 100 members; six, 3 of 3 active; eight, the 4 that were reached."""
    active = range(300, 400)
    assert figures(facts(many([1] * 5), active=active)).spread == pytest.approx(5 / 5)
    assert figures(facts(many([2, 2, 2]), active=active[:3])).spread == pytest.approx(3 / 3)
    assert figures(facts(many([2, 2, 2, 2]), active=active[:2])).spread == pytest.approx(4 / 4)


# The verdict.


@pytest.mark.parametrize(
    ("counts", "verdict", "weeks"),
    [
        ([1] * 19, Verdict.QUIET, None),
        ([1] * 20, Verdict.SOCIAL, 1),  # spread 20 / 20
        ([2] * 10, Verdict.SOCIAL, 1),  # 10 effective of min(20, 40) possible: exactly 0.5
        ([4] * 5, Verdict.INFLUENCE, 1),  # 5 of 20: exactly 0.25
        ([3] * 7, Verdict.BETWEEN, 1),  # 7 of 21: a third
        ([30], Verdict.INFLUENCE, 1),
    ],
)
def test_the_verdict_follows_the_spread(counts: list[int], verdict: Verdict, weeks: int | None) -> None:
    found = figures(facts(many(counts), active=range(300, 340)))
    assert (found.verdict, found.verdict_weeks) == (verdict, weeks)


def test_a_quiet_week_is_judged_on_the_four_that_end_with_it() -> None:
    """Nineteen conversations this week, one three weeks ago: twenty in the four weeks, so those are judged."""
    week = facts(many([1] * 19), active=range(300, 340))
    longer = facts([*many([1] * 19), touch(-20 * DAY)], period=FOUR, active=range(300, 340))
    found = figures(week, longer)
    assert (found.verdict, found.verdict_weeks) == (Verdict.SOCIAL, 4)
    assert found.conversations == 19  # every other figure stays the week's


def test_the_longer_look_has_its_own_spread() -> None:
    week = facts(many([1] * 5), active=range(300, 305))
    longer = facts([*many([1] * 5), *many([35], -20 * DAY)], period=FOUR, active=range(300, 400))
    found = figures(week, longer)
    assert found.spread == pytest.approx(1.0)
    assert (found.verdict, found.verdict_weeks) == (Verdict.INFLUENCE, 4)


def test_a_week_of_its_own_is_never_judged_by_the_others() -> None:
    week = facts(many([20]), active=range(300, 340))
    longer = facts([*many([20]), *many([1] * 39, -20 * DAY)], period=FOUR, active=range(300, 340))
    assert figures(week, longer).verdict is Verdict.INFLUENCE
    assert figures(week, longer).verdict_weeks == 1


def test_each_manager_has_a_verdict_of_their_own() -> None:
    touches = [*many([1] * 20), *[replace(one, manager_id=BEN) for one in many([20], 5 * DAY)]]
    week = facts(touches, active=range(300, 340))
    assert figures(week, manager_id=ANNA).verdict is Verdict.SOCIAL
    assert figures(week, manager_id=BEN).verdict is Verdict.INFLUENCE
    idle = replace(week, managers=week.managers | {999})
    assert figures(idle, manager_id=999).verdict is Verdict.QUIET


# Reply times.


@pytest.mark.parametrize(
    ("minutes", "median", "p90"),
    [([4.0], 4.0, 4.0), ([1.0, 2.0], 1.5, 1.9), ([1.0, 2.0, 3.0], 2.0, 2.8), (list(range(1, 12)), 6.0, 10.0)],
)
def test_percentiles_interpolate_linearly(minutes: list[float], median: float, p90: float) -> None:
    """Of 1 and 2: the 90th percentile lies at 0.9 of the way. Of 1 to 11: at the tenth."""
    found = figures(facts([touch(500 * (n + 1), replied_to=500 * (n + 1) - took) for n, took in enumerate(minutes)]))
    assert found.reply_minutes == ReplyMinutes(pytest.approx(median), pytest.approx(p90))


# Waiting.


def waiting(
    minutes: float, addressed: Sequence[int] = (ANNA,), *, answered: float | None = None, closed: bool = False
) -> WaitingState:
    return WaitingState(
        WaitingEntry(at(minutes), 1, MIA, frozenset(addressed)),
        answered_at=None if answered is None else moment(answered),
        closed_at=moment(minutes + 1) if closed else None,
    )


@pytest.mark.parametrize(
    ("state", "still"),
    [
        (waiting(0), True),
        (waiting(0, answered=1), False),
        (waiting(0, answered=LAST - 1 / 60_000), False),
        (waiting(0, answered=LAST), True),  # the answer came when the week was over
        (waiting(0, closed=True), True),  # setting aside is for nudges and lists
        (waiting(LAST), False),  # not written yet
        (waiting(LAST - 1 / 60_000), True),
        (waiting(LAST - 14 * DAY), False),  # 14 days are over
        (waiting(LAST - 14 * DAY + 1 / 60_000), True),
    ],
)
def test_an_entry_waits_from_writing_until_answered_or_expired(state: WaitingState, still: bool) -> None:
    assert figures(facts([], waiting=[state])).waiting == int(still)


def test_the_team_counts_each_entry_once_and_managers_their_own() -> None:
    week = facts([], waiting=[waiting(0, [ANNA, BEN]), waiting(1, [BEN]), waiting(2, [])])
    assert figures(week).waiting == 3
    assert figures(week, manager_id=ANNA).waiting == 1
    assert figures(week, manager_id=BEN).waiting == 2


def test_setting_aside_has_its_time() -> None:
    state = waiting(0, closed=True)  # a minute later
    assert state.closed
    assert not state.closed_by(moment(0.9))
    assert state.closed_by(moment(1))
    assert not waiting(0).closed_by(moment(100))


# How the work is shared.


@pytest.mark.parametrize(
    ("conversations", "load"),
    [
        ([], None),
        ([9], None),  # a single manager carries everything
        ([0, 0], None),
        ([5, 5], Load(1, 2)),  # five are half of ten
        ([4, 3, 3], Load(2, 3)),
        ([9, 1, 0], Load(1, 3)),
        ([1] * 7, Load(4, 7)),
    ],
)
def test_the_load_is_the_fewest_managers_who_carry_half(conversations: list[int], load: Load | None) -> None:
    assert load_of(conversations) == load


# Whatever the facts.

FACTS = st.lists(
    st.tuples(
        st.integers(-40 * DAY, 7 * DAY),
        st.sampled_from([ANNA, BEN]),
        st.sampled_from([MIA, NOAH, OLE, PIA]),
        st.sampled_from([TouchKind.REPLY, TouchKind.MENTION, TouchKind.LOGGED, TouchKind.THREAD]),
        st.integers(0, 500),
    ),
    max_size=60,
)


@settings(deadline=None, max_examples=150)
@given(found=FACTS, active=st.sets(st.sampled_from([MIA, NOAH, OLE, PIA, 299])))
def test_figures_keep_within_their_bounds(found: list[tuple[int, int, int, TouchKind, int]], active: set[int]) -> None:
    touches = sorted(
        (
            touch(m, manager, member, kind=kind, replied_to=m - took if kind is TouchKind.REPLY else None)
            for m, manager, member, kind, took in found
            if moment(m) < WEEK.end_at
        ),
        key=lambda one: one.touched_at,
    )
    rules = Rules()

    def of(period: Period) -> PlainFacts:
        near = [one for one in touches if period.start_at - rules.conversation_gap <= one.touched_at]
        return facts(near, period=period, active=sorted(active), earlier=touches)

    week, longer = of(WEEK), of(FOUR)
    team, own = figures_of(week, longer, rules)
    managers = tuple(own.values())
    for one in (team, *managers):
        for share in (one.coverage, one.coverage_ever, one.spread, one.top3_share, one.logged_share):
            assert share is None or -1e-12 <= share <= 1 + 1e-12
        assert one.effective_members <= one.members_reached + 1e-9
        assert (one.effective_members >= 1 - 1e-9) == (one.conversations > 0)
        assert one.members_reached <= one.conversations
        assert one.conversations <= one.personal_replies
        assert one.first_time <= one.members_reached
        assert (one.spread is None) == (one.conversations < 5) == (one.top3_share is None)
        assert (one.coverage is None) == (not active)
        assert (one.verdict_weeks is None) == (one.verdict is Verdict.QUIET)
        assert one.verdict_weeks != 1 or one.conversations >= 20
        if one.coverage is not None and one.coverage_ever is not None:
            assert one.coverage <= one.coverage_ever
        if one.reply_minutes.median is not None and one.reply_minutes.p90 is not None:
            assert 0 <= one.reply_minutes.median <= one.reply_minutes.p90
    assert team.conversations == sum(one.conversations for one in managers)
    assert team.personal_replies == sum(one.personal_replies for one in managers)
    assert max(one.members_reached for one in managers) <= team.members_reached
    assert sum(talks_by_member(week, rules).values()) == team.conversations
    # A report survives its own document.
    report = WeekReport(1, MONDAY, UTC_ZONE, True, team, ((ANNA, managers[0]), (BEN, managers[1])))
    assert WeekReport.from_document(report.document()) == report
    renamed = WeekReport.from_document(report.document() | {"time_zone": "Area/Renamed"})
    assert renamed == replace(report, zone=ZoneInfo("UTC"))


def test_a_report_is_a_document_with_ids_as_text() -> None:
    team = figures(facts([touch(0)], active=[MIA]))
    document = WeekReport(7, MONDAY, ZoneInfo("Asia/Kathmandu"), False, team, ((ANNA, team),)).document()
    assert list(document) == ["guild_id", "week", "time_zone", "complete", "team", "managers"]
    assert document["guild_id"] == "7"
    assert (document["week"], document["time_zone"], document["complete"]) == ("2026-03-02", "Asia/Kathmandu", False)
    assert document["managers"][0]["manager_id"] == str(ANNA)
    assert document["managers"][0].keys() == {"manager_id", *document["team"]}
    assert first_id_at(moment(0)) == at(0)
