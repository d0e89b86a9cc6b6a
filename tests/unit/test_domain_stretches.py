"""Deriving never depends on how a channel's history is cut into stretches, nor on the order they arrive in."""

from collections import Counter
from dataclasses import replace
from datetime import date
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.derivation import Appearance, ContextNeeded, Derived, OpenerNeeded, derive
from bot.domain.forgetting import Unrecorded
from bot.domain.message import Message, MessageKind
from bot.domain.rules import Rules
from bot.domain.span import Span
from bot.domain.stretch import Place, Stretch
from bot.domain.touch import TouchKind
from tests.support.messages import ANNA, BEN, CHANNEL, MANAGERS, MIA, NOAH, OLE, PIA, at, channel, thread, whole

PEOPLE = [ANNA, BEN, MIA, NOAH, OLE]
OPTED_OUT = frozenset({OLE})
KINDS = [MessageKind.DEFAULT] * 6 + [MessageKind.REPLY] * 3 + [MessageKind.FORWARD, MessageKind.OTHER]


@st.composite
def histories(draw: st.DrawFn) -> tuple[Message, ...]:
    """A channel's messages: close enough together for every rule to have something to look at."""
    minutes = 0.0
    messages: list[Message] = []
    for _ in range(draw(st.integers(1, 14))):
        minutes += draw(st.sampled_from([0.1, 0.5, 1.0, 2.0, 2.0 + 1 / 60_000, 4.0, 10.0, 90.0]))
        kind = draw(st.sampled_from(KINDS))
        author = draw(st.sampled_from([*PEOPLE, MIA, ANNA, None]))
        target = draw(st.sampled_from([*messages, None])) if kind is MessageKind.REPLY else None
        mentions = draw(st.sampled_from([(), (), (), (MIA,), (ANNA,), (ANNA, MIA), (MIA, NOAH, BEN), (PIA,)]))
        messages.append(
            Message(
                message_id=at(minutes),
                author_id=author,
                kind=kind,
                mentions=frozenset(mentions),
                mentions_no_person=draw(st.sampled_from([False] * 9 + [True])),
                mentions_crowd=draw(st.sampled_from([False] * 9 + [True])),
                reply_to_id=target.message_id if target else None,
                reply_to_author_id=target.author_id if target else None,
            )
        )
    return tuple(messages)


PLACES = st.sampled_from([channel(), thread(MIA), thread(None), thread(ANNA)])


def judge(stretch: Stretch) -> Derived | ContextNeeded | OpenerNeeded:
    return derive(
        stretch, managers=MANAGERS, unrecorded=Unrecorded(OPTED_OUT), zone=ZoneInfo("Asia/Kathmandu"), rules=Rules()
    )


def together(parts: list[Derived]) -> Derived:
    activity: Counter[tuple[int, date]] = Counter()
    appearances: dict[int, Appearance] = {}
    for part in parts:
        activity.update(part.activity)
        for person, seen in part.appearances.items():
            known = appearances.get(person, seen)
            appearances[person] = Appearance(min(known.first_id, seen.first_id), max(known.last_id, seen.last_id))
    return Derived(
        activity,
        appearances,
        tuple(sorted((touch for part in parts for touch in part.touches), key=str)),
        tuple(sorted((entry for part in parts for entry in part.waiting), key=str)),
    )


@settings(deadline=None, max_examples=400)
@given(
    messages=histories(),
    place=PLACES,
    cuts=st.sets(st.integers(1, 13)),
    seed=st.integers(0, 10**6),
)
def test_any_cut_in_any_order_gives_what_the_whole_gives(
    messages: tuple[Message, ...], place: Place, cuts: set[int], seed: int
) -> None:
    """Each piece is judged with as little context as it asks for, a random number of messages at a time."""
    expected = judge(whole(place, *messages))
    assert isinstance(expected, Derived)
    random = Random(seed)
    bounds = [0, *sorted(cut for cut in cuts if cut < len(messages)), len(messages)]
    pieces = list(pairwise(bounds))
    random.shuffle(pieces)
    parts: list[Derived] = []
    for first, end in pieces:
        begins = messages[first - 1].message_id + 1 if first else CHANNEL
        stretch = Stretch(place, begins, messages[end - 1].message_id, messages[first:end], (), begins)
        known = first
        while isinstance(found := judge(stretch), ContextNeeded):
            assert found.before_id == stretch.context_first_id
            assert known > 0  # with everything at hand, nothing more is asked for
            more = random.randint(1, 4)
            known = max(known - more, 0)
            stretch = replace(
                stretch,
                context=messages[known:first],
                context_first_id=messages[known].message_id if known else random.choice([0, CHANNEL, place.channel_id]),
            )
        parts.append(found)
    assert together(parts) == together([expected])


@settings(deadline=None, max_examples=200)
@given(messages=histories(), place=PLACES)
def test_the_parts_of_a_stretch_add_up_to_it(messages: tuple[Message, ...], place: Place) -> None:
    """What is already on record is left out piece by piece, and judged by all the same."""
    stretch = whole(place, *messages)
    expected = judge(stretch)
    assert isinstance(expected, Derived)
    parts = []
    for index, message in enumerate(messages):
        before = messages[index - 1].message_id + 1 if index else stretch.first_id
        part = judge(stretch.part(Span(before, message.message_id)))
        assert isinstance(part, Derived)
        parts.append(part)
    assert together(parts) == together([expected])


@settings(deadline=None, max_examples=200)
@given(messages=histories(), place=PLACES)
def test_every_touch_and_entry_is_one_the_rules_allow(messages: tuple[Message, ...], place: Place) -> None:
    """Nobody touches themselves, is recorded after opting out, or is addressed twice by one message."""
    found = judge(whole(place, *messages))
    assert isinstance(found, Derived)
    by_id = {message.message_id: message for message in messages}
    seen = set()
    for touch in found.touches:
        message = by_id[touch.message_id]
        assert touch.manager_id == message.author_id in MANAGERS
        assert touch.member_id not in {touch.manager_id, *OPTED_OUT}
        assert message.kind in {MessageKind.DEFAULT, MessageKind.REPLY}
        assert (touch.replied_to_id is not None) == (touch.kind is TouchKind.REPLY)
        if touch.kind in {TouchKind.THREAD, TouchKind.ANSWER}:
            assert message.mentions_nobody
            assert message.kind is MessageKind.DEFAULT
        assert (touch.message_id, touch.member_id) not in seen
        seen.add((touch.message_id, touch.member_id))
    for entry in found.waiting:
        assert entry.member_id == by_id[entry.message_id].author_id not in OPTED_OUT
        assert entry.addressed <= MANAGERS - {entry.member_id}
        assert entry.addressed or place.opener_id == entry.member_id
    assert sum(found.activity.values()) == sum(m.counted and m.author_id not in OPTED_OUT for m in messages)
