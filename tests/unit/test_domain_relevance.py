"""The messages that the rules look at make the same facts as all messages."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from bot.domain.derivation import Derived, derive
from bot.domain.forgetting import Unrecorded
from bot.domain.message import Message, MessageKind
from bot.domain.relevance import Concern, Outline, looked_at, looked_at_by_concern
from bot.domain.rules import Rules
from bot.domain.snowflake import first_id_at
from bot.domain.stretch import Place, Stretch
from bot.domain.touch import TouchKind

MANAGERS = frozenset({1, 2})
PEOPLE = (1, 2, 3, 4, 5, None)
BEGAN = datetime(2026, 5, 4, 9, tzinfo=UTC)
KINDS = (*[MessageKind.DEFAULT] * 6, *[MessageKind.REPLY] * 2, *MessageKind)


def talk(random: Random, length: int) -> list[Message]:
    moment, said = BEGAN, list[Message]()
    for number in range(length):
        moment += timedelta(seconds=random.choice((1, 30, 119, 120, 121, 300, 599, 600, 601, 5000)))
        kind, author_id = random.choice(KINDS), random.choice(PEOPLE)
        named = random.sample((1, 2, 3, 4), random.choice((0, 0, 0, 0, 1, 3)))
        mentions = frozenset(named) if author_id in MANAGERS else frozenset(named) & MANAGERS
        target = random.choice(said) if said and kind is MessageKind.REPLY else None
        if target is not None and author_id not in MANAGERS and target.author_id not in MANAGERS:
            target = None
        said.append(
            Message(
                first_id_at(moment) + number,
                author_id,
                kind,
                mentions,
                mentions_crowd=random.random() < 0.05,
                reply_to_id=None if target is None else target.message_id,
                reply_to_author_id=None if target is None else target.author_id,
            )
        )
    return said


def outline(message: Message) -> Outline:
    mentions = " ".join(map(str, sorted(message.mentions)))
    return message.message_id, message.author_id, message.kind.value, message.reply_to_id, mentions


@pytest.mark.parametrize("is_thread", [False, True])
def test_what_is_looked_at_makes_the_same_facts_as_everything(*, is_thread: bool) -> None:
    random, facts, left_out = Random(5), 0, 0
    for length in [1, 2, 3, *range(5, 400)]:
        said = talk(random, length % 40 + 1)
        first = random.choice((0, 0, random.randrange(len(said))))
        place = Place(10, said[0].message_id - random.choice((0, 1, 1 << 40)), is_thread=is_thread)
        place = replace(place, opener_id=random.choice((None, 1, 3)))
        context, messages = said[:first], said[first:]
        known_from = said[0].message_id if first else messages[0].message_id
        stretch = Stretch(
            place,
            messages[0].message_id,
            messages[-1].message_id,
            tuple(messages),
            tuple(context),
            random.choice((0, known_from)),
            earlier_unknown=random.random() < 0.5,
        )
        found = looked_at([outline(one) for one in said], first, is_thread=is_thread, managers=MANAGERS, rules=Rules())
        assert found == sorted(set(found))
        part = replace(
            stretch,
            messages=tuple(said[one] for one in found if one >= first),
            context=tuple(said[one] for one in found if one < first),
        )
        whole, sparse = (
            derive(one, managers=MANAGERS, unrecorded=Unrecorded(), zone=ZoneInfo("UTC"), rules=Rules())
            for one in (stretch, part)
        )
        if isinstance(whole, Derived):
            assert isinstance(sparse, Derived)
            assert (sparse.touches, sparse.waiting) == (whole.touches, whole.waiting)
            assert sparse.undecided == whole.undecided
            facts += len(whole.touches) + len(whole.waiting)
        else:
            assert sparse == whole
        left_out += len(said) - len(found)
    assert facts > 100
    assert left_out > 100


def concerns(said: Sequence[Message]) -> list[Concern]:
    """The messages that concern managers, as they are stored."""
    found: list[Concern] = []
    previous: Message | None = None
    for one in said:
        by_manager = one.author_id in MANAGERS
        if by_manager or one.mentions or one.reply_to_id is not None:
            plain = by_manager and one.kind is MessageKind.DEFAULT and not one.mentions
            before = previous if plain else None
            told = (None, None) if before is None else (before.message_id, before.author_id)
            found.append((*outline(one), *told))
        previous = one if one.counted else previous
    return found


def test_what_concerns_managers_makes_the_same_facts_as_everything() -> None:
    """In a channel; whatever else is judged, too, since it is on record, may have no fact that it has not otherwise."""
    random, facts, left_out = Random(6), 0, 0
    for length in range(1, 900):
        said = [one for one in talk(random, length % 60 + 1) if one.kind is not MessageKind.UNREADABLE]
        if not said:
            continue
        first = random.choice((0, 0, random.randrange(len(said))))
        from_id = said[first].message_id
        place = Place(10, said[0].message_id - 5)
        stretch = Stretch(place, from_id, said[-1].message_id, tuple(said[first:]), tuple(said[:first]), 0)
        shown = concerns(said)
        since = first_id_at(said[first].sent_at - timedelta(minutes=10))
        shown = [one for one in shown if one[0] >= since]
        on_record = {one.message_id for one in said[first:] if random.random() < 0.1}
        earlier = sum(one[0] < from_id for one in shown)
        found = looked_at_by_concern(shown, earlier, on_record, Rules())
        own = found.judged | on_record
        kept = [one for one in said if one.message_id in own | found.before]
        part = Stretch(
            place,
            from_id,
            said[-1].message_id,
            tuple(one for one in kept if one.message_id >= from_id),
            tuple(one for one in kept if one.message_id < from_id),
            since,
        )
        whole, sparse = (
            derive(one, managers=MANAGERS, unrecorded=Unrecorded(), zone=ZoneInfo("UTC"), rules=Rules())
            for one in (stretch, part)
        )
        assert isinstance(whole, Derived)
        assert isinstance(sparse, Derived)
        assert [one for one in sparse.touches if one.message_id in own] == list(whole.touches)
        assert [one for one in sparse.waiting if one.message_id in own] == list(whole.waiting)
        facts += sum(one.kind is TouchKind.ANSWER for one in whole.touches)
        left_out += len(said) - len(kept)
    assert facts > 50
    assert left_out > 1000
