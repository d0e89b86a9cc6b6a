"""What holds for every nudge, whatever the community: over random facts, on the pure decision."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import assert_never

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.conversation import Conversation
from bot.domain.nudge import Nudge, Offer, Reason
from bot.domain.nudge_decision import (
    HandedOver,
    Newcomer,
    NudgeFacts,
    Obstacle,
    PastOffer,
    Regular,
    decide_nudge,
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
GUILD = 7
TEAM = (101, 102, 103)
MEMBERS = range(1, 13)
RULES = Rules()
BOUNDED = settings(max_examples=60, deadline=None)
BARS = (Obstacle.SNOOZED, Obstacle.DISMISSED, Obstacle.LEFT, Obstacle.IGNORED, Obstacle.PROXIED)
ORDER = {reason: rank for rank, reason in enumerate(Reason)}

ages = st.timedeltas(timedelta(minutes=1), timedelta(days=40))
members = st.sampled_from(MEMBERS)
some_members = st.frozensets(members, max_size=4)


@st.composite
def waiting_states(draw: st.DrawFn) -> WaitingState:
    written_at = NOW - draw(ages)
    message_id = first_id_at(written_at) + draw(st.integers(0, 2**20))
    entry = WaitingEntry(message_id, draw(st.integers(1, 3)), draw(members), draw(st.frozensets(st.sampled_from(TEAM))))
    return WaitingState(
        entry,
        answered_at=draw(st.none() | ages.map(lambda age: NOW - age / 2)),
        closed_at=draw(st.none() | st.none() | ages.map(lambda age: NOW - age / 2)),
        wrote_back_to=draw(st.frozensets(st.sampled_from(TEAM), max_size=1)),
    )


@st.composite
def talks(draw: st.DrawFn, manager_id: int, member_id: int) -> tuple[Conversation, ...]:
    times = sorted(
        NOW - age for age in draw(st.lists(st.timedeltas(timedelta(hours=1), timedelta(days=200)), max_size=6))
    )
    return tuple(Conversation(manager_id, member_id, at, at + timedelta(minutes=5)) for at in times)


@st.composite
def communities(draw: st.DrawFn, *, handed: bool = True) -> dict[int, NudgeFacts]:
    """The facts of every manager of one community at one moment."""
    sharing = draw(st.sets(st.sampled_from(TEAM), min_size=1).map(lambda chosen: tuple(sorted(chosen))))
    waiting = {state.entry.message_id: state for state in draw(st.lists(waiting_states(), max_size=14))}
    common = NudgeFacts(
        guild_id=GUILD,
        manager_id=0,
        now=NOW,
        today=TODAY,
        sharing=sharing,
        waiting=tuple(waiting.values()),
        newcomers=draw(
            st.dictionaries(members, st.builds(lambda age: Newcomer(first_id_at(NOW - age), 1), ages), max_size=8)
        ),
        regulars=draw(
            st.dictionaries(
                members,
                st.builds(
                    Regular,
                    st.integers(3, 30),
                    st.timedeltas(timedelta(days=1), timedelta(days=30)).map(NOW.__sub__),
                    st.none() | st.integers(1, 2**60),
                    st.just(1),
                ),
                max_size=8,
            )
        ),
        met=draw(some_members),
        lately_active=draw(some_members),
        away=draw(st.frozensets(st.sampled_from(TEAM), max_size=1)).difference(sharing),
        orphaned=draw(st.dictionaries(members, st.frozensets(st.sampled_from(TEAM), max_size=2), max_size=2)),
    )
    facts = {}
    for manager_id in TEAM:
        offers = st.builds(Offer, members, st.sampled_from(Reason), ages.map(NOW.__sub__), wrote_back=st.booleans())
        facts[manager_id] = replace(
            common,
            manager_id=manager_id,
            conversations={
                member_id: draw(talks(manager_id, member_id)) for member_id in draw(st.sets(members, max_size=4))
            },
            barred=draw(st.dictionaries(members, st.sampled_from(BARS), max_size=3)),
            past_offers=draw(
                st.dictionaries(
                    members,
                    st.lists(
                        st.builds(
                            PastOffer,
                            st.integers(0, 9).map(lambda days: TODAY - timedelta(days=days)),
                            st.none() | st.sampled_from([*waiting, 1]),
                        ),
                        min_size=1,
                        max_size=2,
                    ).map(tuple),
                    max_size=4,
                )
            ),
            handed={
                offer.member_id: HandedOver(draw(st.sampled_from(TEAM)), offer, touched=draw(st.booleans()))
                for offer in draw(st.lists(offers, max_size=3) if handed else st.just([]))
            },
        )
    return facts


def keys(offers: Iterable[Offer]) -> list[tuple[int, bool, datetime, int]]:
    return [(ORDER[offer.reason], offer.wrote_back, offer.since, offer.member_id) for offer in offers]


@BOUNDED
@given(communities())
def test_never_more_than_the_limits_and_always_in_order(community: dict[int, NudgeFacts]) -> None:
    for facts in community.values():
        offers = decide_nudge(facts, RULES).offers
        assert len(offers) <= 5
        assert sum(offer.wrote_back for offer in offers) <= 2
        assert len({offer.member_id for offer in offers}) == len(offers)
        assert keys(offers) == sorted(keys(offers))


@BOUNDED
@given(communities())
def test_never_somebody_who_is_barred_or_was_offered_lately(community: dict[int, NudgeFacts]) -> None:
    for facts in community.values():
        for offer in decide_nudge(facts, RULES).offers:
            member_id = offer.member_id
            assert member_id not in facts.barred
            if offer.handed:
                assert member_id in facts.handed
                continue
            for past in facts.past_offers.get(member_id, ()):
                new = offer.reason is Reason.WAITING and offer.message_id not in {
                    one.message_id for one in facts.past_offers[member_id]
                }
                assert facts.today - past.offered_on > timedelta(days=2 if new else 7)


@BOUNDED
@given(communities())
def test_every_reason_holds(community: dict[int, NudgeFacts]) -> None:
    for manager_id, facts in community.items():
        for offer in decide_nudge(facts, RULES).offers:
            match offer.reason:
                case Reason.WAITING:
                    (state,) = [one for one in facts.waiting if one.entry.message_id == offer.message_id]
                    assert timedelta(hours=4) <= NOW - state.entry.written_at < timedelta(days=14)
                    assert not state.closed_by(NOW)
                    assert state.answered_at is None or state.answered_at >= NOW
                    assert state.entry.waits_for(manager_id) or offer.from_manager_id is not None
                    assert offer.wrote_back <= (manager_id in state.wrote_back_to)
                case Reason.NEWCOMER | Reason.UNMET:
                    assert offer.member_id not in facts.met
                    assert offer.handed or share_of(GUILD, offer.member_id, facts.sharing) == manager_id
                case Reason.COOLING:
                    own = facts.conversations.get(offer.member_id, ())
                    assert offer.handed or (len(own) >= 3 and NOW - offer.since > timedelta(days=21))
                case _:
                    assert_never(offer.reason)


@BOUNDED
@given(communities(handed=False), st.randoms(use_true_random=False))
def test_nobody_is_offered_to_two_managers_on_a_day(community: dict[int, NudgeFacts], random: Random) -> None:
    """In whatever order the managers' nudges come."""
    offered: dict[int, int] = {}
    for manager_id in random.sample(TEAM, len(TEAM)):
        facts = replace(community[manager_id], offered_to_others=frozenset(offered))
        for offer in decide_nudge(facts, RULES).offers:
            assert offer.member_id not in offered
            offered[offer.member_id] = manager_id


@BOUNDED
@given(communities())
def test_who_is_handed_over_is_found_in_the_next_nudge(community: dict[int, NudgeFacts]) -> None:
    """Before everybody who was not, as long as there is room and a reason."""
    for facts in community.values():
        chosen = {offer.member_id for offer in decide_nudge(facts, RULES).offers}
        waiting = [offer for offer, obstacle in ranked(facts, RULES) if offer.handed and obstacle is Obstacle.NO_ROOM]
        if any(not offer.wrote_back for offer in waiting):
            assert chosen <= facts.handed.keys()


@BOUNDED
@given(communities(), st.integers(1, 1000), st.integers(1, 4))
def test_writing_more_never_raises_anybody(community: dict[int, NudgeFacts], factor: int, copies: int) -> None:
    """More active days, more messages that wait: everybody keeps their place.

    A later message of somebody who was offered for an earlier one is a new wait, by the rules; so those are left out.
    """
    for facts in community.values():
        offered = {past.message_id for offers in facts.past_offers.values() for past in offers}
        fresh = [state for state in facts.waiting if state.entry.message_id not in offered]
        more = replace(
            facts,
            waiting=facts.waiting + tuple(_later(state, number) for state in fresh for number in range(1, copies)),
            regulars={
                member_id: replace(regular, active_days=regular.active_days * factor)
                for member_id, regular in facts.regulars.items()
            },
        )
        before = [(offer.member_id, offer.reason, offer.since) for offer, _ in ranked(facts, RULES)]
        after = [(offer.member_id, offer.reason, offer.since) for offer, _ in ranked(more, RULES)]
        assert after == before


def _later(state: WaitingState, number: int) -> WaitingState:
    """The same message once more, a moment later."""
    return replace(state, entry=replace(state.entry, message_id=state.entry.message_id + number))


@BOUNDED
@given(communities(), st.randoms(use_true_random=False))
def test_the_same_facts_give_the_same_nudge(community: dict[int, NudgeFacts], random: Random) -> None:
    for facts in community.values():
        first = decide_nudge(facts, RULES)
        assert decide_nudge(facts, RULES) == first
        shuffled = replace(
            facts,
            waiting=tuple(random.sample(facts.waiting, len(facts.waiting))),
            sharing=tuple(random.sample(facts.sharing, len(facts.sharing))),
            newcomers=dict(random.sample(list(facts.newcomers.items()), len(facts.newcomers))),
            regulars=dict(random.sample(list(facts.regulars.items()), len(facts.regulars))),
            conversations=dict(random.sample(list(facts.conversations.items()), len(facts.conversations))),
            handed=dict(random.sample(list(facts.handed.items()), len(facts.handed))),
        )
        assert decide_nudge(shuffled, RULES) == first


@BOUNDED
@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)))
def test_silence_when_there_is_nobody(today: date) -> None:
    now = datetime(today.year, today.month, today.day, 9, tzinfo=UTC)
    facts = NudgeFacts(GUILD, 101, now, today, sharing=(101,))
    assert decide_nudge(facts, RULES) == Nudge(101, ())


@BOUNDED
@given(communities())
def test_silence_when_all_are_left_out(community: dict[int, NudgeFacts]) -> None:
    for facts in community.values():
        nobody = replace(facts, barred=dict.fromkeys(MEMBERS, Obstacle.SNOOZED))
        assert decide_nudge(nobody, RULES).offers == ()


@BOUNDED
@given(communities())
def test_why_agrees_with_the_decision(community: dict[int, NudgeFacts]) -> None:
    for facts in community.values():
        chosen = {offer.member_id: offer for offer in decide_nudge(facts, RULES).offers}
        for member_id in MEMBERS:
            why = explain(facts, member_id, MemberFacts(Standing.MEMBER, NOW - timedelta(days=20), 1, NOW), RULES)
            assert (why.offer is not None and why.obstacle is None) == (member_id in chosen)
            if why.offer is None:
                explained = {missed.reason for missed in why.missed}
                if any(missed.miss is Miss.MET for missed in why.missed):  # said once, of both
                    explained.add(Reason.UNMET)
                assert explained == set(Reason)
            elif why.obstacle is None:
                assert why.offer == chosen[member_id]
