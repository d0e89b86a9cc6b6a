"""Nudges (docs/rules.md#nudges) by hand: each rule at its very edge, and what happens between several of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.conversation import Conversation
from bot.domain.nudge import Offer, Reason
from bot.domain.nudge_decision import (
    HandedOver,
    Newcomer,
    NudgeFacts,
    Obstacle,
    PastOffer,
    Regular,
    decide_nudge,
    may_have_written_before,
    ranked,
    share_of,
)
from bot.domain.relationship import Standing
from bot.domain.rules import Rules
from bot.domain.snowflake import first_id_at
from bot.domain.waiting import WaitingEntry, WaitingState
from bot.domain.why import MemberFacts, Miss, explain

NOW = datetime(2026, 3, 27, 8, 0, tzinfo=UTC)
TODAY = NOW.date()
RULES = Rules()
GUILD, ME, COLLEAGUE, THIRD = 7, 101, 102, 103
MIA, NOAH, OLE = 1, 2, 3
ROOM = 50


def ago(**elapsed: float) -> datetime:
    return NOW - timedelta(**elapsed)


def facts(**known: object) -> NudgeFacts:
    return replace(NudgeFacts(GUILD, ME, NOW, TODAY, sharing=(ME,)), **known)


def waits(member_id: int, since: datetime, *addressed: int, wrote_back: bool = False) -> WaitingState:
    entry = WaitingEntry(first_id_at(since), ROOM, member_id, frozenset(addressed))
    return WaitingState(entry, wrote_back_to=frozenset(addressed if wrote_back else ()))


def chosen(known: NudgeFacts) -> list[tuple[int, Reason]]:
    return [(offer.member_id, offer.reason) for offer in decide_nudge(known, RULES).offers]


def obstacle(known: NudgeFacts, member_id: int) -> Obstacle | None:
    return next(found for offer, found in ranked(known, RULES) if offer.member_id == member_id)


@pytest.mark.parametrize(
    ("since", "named"),
    [
        (ago(hours=4, milliseconds=-1), False),
        (ago(hours=4), True),
        (ago(days=14, milliseconds=-1), True),
        (ago(days=14), False),
    ],
)
def test_who_waits_is_named_from_four_hours_on_until_fourteen_days(since: datetime, named: bool) -> None:
    assert bool(chosen(facts(waiting=(waits(MIA, since, ME),)))) is named


@pytest.mark.parametrize(
    ("since", "named"),
    [
        (ago(hours=12, milliseconds=-1), False),
        (ago(hours=12), True),
        (ago(days=14), True),
        (ago(days=14, milliseconds=1), False),
    ],
)
def test_a_newcomer_is_one_from_twelve_hours_to_fourteen_days(since: datetime, named: bool) -> None:
    known = facts(newcomers={MIA: Newcomer(first_id_at(since), ROOM)})
    assert bool(chosen(known)) is named
    assert chosen(replace(known, met=frozenset({MIA}))) == []


def talked(*days_ago: float) -> tuple[Conversation, ...]:
    return tuple(Conversation(ME, MIA, ago(days=days), ago(days=days)) for days in days_ago)


@pytest.mark.parametrize(
    ("talks", "named"),
    [
        (talked(40, 30, 21), False),  # exactly 21 days is not longer than that
        (talked(40, 30, 21.001), True),
        (talked(30, 21.001), False),  # two conversations
        (talked(80, 60, 40), False),  # a median of 20 days: exactly twice as long
        (talked(80.001, 60.001, 40.001), True),
        (talked(100, 55, 50, 45), True),  # gaps of 45, 5 and 5 days: the median is 5, the mean would be 18
    ],
)
def test_a_relationship_cools_when_the_pause_is_unusual(talks: tuple[Conversation, ...], named: bool) -> None:
    known = facts(conversations={MIA: talks}, lately_active=frozenset({MIA}))
    assert chosen(known) == ([(MIA, Reason.COOLING)] if named else [])
    assert chosen(replace(known, lately_active=frozenset())) == []


def test_reasons_come_in_order_and_the_longest_first_within_one() -> None:
    known = facts(
        waiting=(
            waits(11, ago(hours=9), ME, wrote_back=True),
            waits(12, ago(hours=5), ME),
            waits(13, ago(hours=8)),
            waits(14, ago(hours=30), COLLEAGUE),
        ),
        newcomers={15: Newcomer(first_id_at(ago(days=3)), ROOM), 16: Newcomer(first_id_at(ago(days=4)), ROOM)},
    )
    assert [member_id for member_id, _ in chosen(known)] == [13, 12, 11, 16, 15]


def test_two_who_wrote_back_are_enough_and_leave_room_for_others() -> None:
    known = facts(
        waiting=tuple(waits(number, ago(hours=20 - number), ME, wrote_back=True) for number in range(11, 15)),
        newcomers={15: Newcomer(first_id_at(ago(days=3)), ROOM)},
    )
    assert [member_id for member_id, _ in chosen(known)] == [11, 12, 15]
    assert obstacle(known, 13) is Obstacle.NO_ROOM


def test_a_reply_that_asks_a_colleague_too_is_more_than_writing_back() -> None:
    state = waits(MIA, ago(hours=5), ME, COLLEAGUE)
    (offer,) = decide_nudge(facts(waiting=(replace(state, wrote_back_to=frozenset({ME})),)), RULES).offers
    assert not offer.wrote_back


@pytest.mark.parametrize(("days", "named"), [(1, False), (7, False), (8, True)])
def test_nobody_is_named_again_within_seven_of_the_guilds_days(days: int, named: bool) -> None:
    state = waits(MIA, ago(days=9), ME)
    past = {MIA: (PastOffer(TODAY - timedelta(days=days), state.entry.message_id),)}
    assert bool(chosen(facts(waiting=(state,), past_offers=past))) is named


@pytest.mark.parametrize(("days", "named"), [(1, False), (2, False), (3, True)])
def test_a_new_message_that_waits_brings_them_back_after_two_even_behind_an_older_one(days: int, named: bool) -> None:
    older, newer = waits(MIA, ago(days=9), ME), waits(MIA, ago(hours=5), ME)
    past = {MIA: (PastOffer(TODAY - timedelta(days=days), older.entry.message_id),)}
    known = facts(waiting=(older, newer), past_offers=past)
    assert [offer.message_id for offer in decide_nudge(known, RULES).offers] == [newer.entry.message_id] * named
    if not named:
        assert obstacle(known, MIA) is Obstacle.OFFERED_LATELY
    both = {MIA: (*past[MIA], PastOffer(TODAY - timedelta(days=days), newer.entry.message_id))}
    assert chosen(replace(known, past_offers=both)) == []


def test_whoever_is_unmet_longest_comes_first_however_many_days_they_wrote_on() -> None:
    def order(*regulars: tuple[int, int, float]) -> list[int]:
        known = facts(regulars={who: Regular(days, ago(days=since), None, None) for who, days, since in regulars})
        return [member_id for member_id, _ in chosen(known)]

    assert order((MIA, 3, 200), (NOAH, 25, 100), (OLE, 4, 300)) == [OLE, MIA, NOAH]
    assert order((MIA, 2, 200), (NOAH, 3, 100)) == [NOAH]


@pytest.mark.parametrize(("hours", "miss"), [(11, Miss.JUST_ARRIVED), (12, Miss.LONG_HERE), (24 * 20, Miss.LONG_HERE)])
def test_why_somebody_is_no_newcomer_depends_on_since_when_they_write(hours: int, miss: Miss) -> None:
    why = explain(facts(), MIA, MemberFacts(Standing.MEMBER, first_at=ago(hours=hours), active_days=2), RULES)
    assert [missed.miss for missed in why.missed if missed.reason is Reason.NEWCOMER] == [miss]


def test_who_was_there_before_a_young_record_begins_is_no_newcomer() -> None:
    known = facts(newcomers={MIA: Newcomer(first_id_at(ago(days=3)), ROOM)}, old_hands=frozenset({MIA}))
    assert chosen(known) == []
    why = explain(known, MIA, MemberFacts(Standing.MEMBER, first_at=ago(days=3), active_days=2), RULES)
    assert [missed.miss for missed in why.missed if missed.reason is Reason.NEWCOMER] == [Miss.HERE_BEFORE]
    assert chosen(replace(known, regulars={MIA: Regular(3, ago(days=3), None, None)})) == [(MIA, Reason.UNMET)]


@pytest.mark.parametrize(
    ("joined_at", "first_at", "record_from", "may"),
    [
        (ago(days=400), ago(days=3), ago(days=5), True),
        (ago(days=4), ago(days=3), ago(days=5), False),  # came while somebody was listening
        (ago(days=400), ago(days=3), ago(days=33), False),  # thirty days of record without them
        (ago(days=400), ago(days=3, seconds=1), ago(days=33), True),
        (None, ago(days=3), ago(days=5), False),
        (ago(days=400), ago(days=3), None, False),
    ],
)
def test_a_first_message_proves_nothing_while_the_record_is_young(
    joined_at: datetime | None, first_at: datetime, record_from: datetime | None, may: bool
) -> None:
    assert may_have_written_before(joined_at, first_at, record_from, RULES) is may


@given(st.sets(st.integers(1, 10**6), min_size=2, max_size=8), st.integers(1, 10**6))
def test_a_share_moves_only_from_whoever_leaves_and_only_to_whoever_joins(team: set[int], member_id: int) -> None:
    before = share_of(GUILD, member_id, tuple(team))
    for leaver in team:
        after = share_of(GUILD, member_id, tuple(team - {leaver}))
        assert (after == before) is (leaver != before)
    joined = share_of(GUILD, member_id, (*team, 10**7))
    assert joined in {before, 10**7}


def test_shares_are_about_even() -> None:
    shares = [share_of(GUILD, member_id, (ME, COLLEAGUE, THIRD)) for member_id in range(3000)]
    assert all(900 < shares.count(manager_id) < 1100 for manager_id in (ME, COLLEAGUE, THIRD))


def test_a_hand_over_brings_what_waited_for_the_colleague_and_nothing_that_waits_for_a_third() -> None:
    theirs, third = waits(MIA, ago(hours=9), COLLEAGUE), waits(MIA, ago(hours=30), THIRD)
    handed = {MIA: HandedOver(COLLEAGUE, Offer(MIA, Reason.WAITING, ago(hours=9), theirs.entry.message_id, ROOM))}
    (offer,) = decide_nudge(facts(waiting=(theirs, third), handed=handed), RULES).offers
    assert offer.message_id == theirs.entry.message_id
    assert offer.handed
    # Handed on once more, the message is still the one the first of them was asked.
    passed_on = {MIA: replace(handed[MIA], from_manager_id=THIRD)}
    (offer,) = decide_nudge(facts(waiting=(theirs,), handed=passed_on), RULES).offers
    assert (offer.message_id, offer.from_manager_id) == (theirs.entry.message_id, THIRD)


def test_whoever_was_handed_over_has_room_before_those_with_a_better_reason() -> None:
    """The colleague was promised it, also where more than there is room for have waited for longer."""
    room = RULES.nudge.members_per_nudge
    waiting = tuple(waits(10 + number, ago(hours=30 - number), ME) for number in range(room + 1))
    handed = {MIA: HandedOver(COLLEAGUE, Offer(MIA, Reason.COOLING, ago(days=30), None, ROOM))}
    longest = [state.entry.member_id for state in waiting[:room]]
    assert [member_id for member_id, _ in chosen(facts(waiting=waiting))] == longest
    assert [member_id for member_id, _ in chosen(facts(waiting=waiting, handed=handed))] == [*longest[:-1], MIA]
    assert obstacle(facts(waiting=waiting, handed=handed), longest[-1]) is Obstacle.NO_ROOM
