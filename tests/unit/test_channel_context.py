"""What is kept of a channel's last messages as context."""

from random import Random
from unittest import mock

import pytest

from bot.domain.derivation import Derived, derive
from bot.domain.forgetting import Unrecorded
from bot.domain.message import Message, MessageKind
from bot.domain.rules import Rules
from bot.domain.stretch import Place, Stretch
from bot.domain.zones import zone_named
from bot.services.record import channel_context
from bot.services.record.channel_context import ADDRESSING, ChannelContext
from bot.services.record.history import CONTEXT
from tests.support.messages import ANNA, BEN, CHANNEL, MIA, NOAH, at, channel, said, thread

UTC = zone_named("UTC")
MANAGERS = frozenset({ANNA, BEN})


def ids(context: ChannelContext) -> list[int]:
    return [message.message_id for message in context.messages]


def test_the_last_messages_are_kept_and_of_those_before_only_what_others_are_judged_by() -> None:
    context = ChannelContext()
    crowd = [said(minute / 100, MIA if minute % 2 else NOAH) for minute in range(1, CONTEXT + 1)]
    context.add(crowd, at(0), MANAGERS)
    assert (ids(context), context.first_id) == ([one.message_id for one in crowd], at(0))
    asked = said(0.6, MIA, mentions=[ANNA])
    context.add([asked], at(0.5) + 1, MANAGERS)
    context.add(
        [said(1 + minute / 100, MIA if minute % 2 else NOAH) for minute in range(CONTEXT)], at(0.6) + 1, MANAGERS
    )
    assert (len(ids(context)), ids(context)[0], context.first_id) == (CONTEXT + 1, asked.message_id, at(0))
    # After ten minutes nobody needs it any more, and it is not known what was before.
    context.add([said(20, MIA)], at(2) + 1, MANAGERS)
    assert (len(ids(context)), context.first_id) == (CONTEXT, asked.message_id + 1)


def test_there_is_a_limit_to_what_is_kept() -> None:
    context = ChannelContext()
    said_at_once = [said(number / 10_000, MIA, mentions=[ANNA]) for number in range(1, ADDRESSING + CONTEXT + 8)]
    context.add(said_at_once, at(0), MANAGERS)
    assert len(ids(context)) == ADDRESSING + CONTEXT
    assert context.first_id == said_at_once[6].message_id + 1


def test_a_deletion_ends_what_is_known_of_the_time_before_the_last_messages() -> None:
    context = ChannelContext()
    crowd = [said(minute / 100, MIA if minute % 2 else NOAH) for minute in range(1, CONTEXT + 11)]
    context.add(crowd[:20], at(0), MANAGERS)
    context.forget([crowd[3].message_id, 5])
    assert (len(ids(context)), context.first_id) == (19, at(0))
    context.add(crowd[20:], crowd[20].message_id, MANAGERS)
    context.forget([7])
    assert context.first_id == at(0)
    context.forget([crowd[-1].message_id])
    assert (len(ids(context)), context.first_id) == (CONTEXT - 1, ids(context)[0])


def test_cleared_context_begins_anew() -> None:
    context = ChannelContext()
    context.add([said(1, MIA)], at(0), MANAGERS)
    context.clear()
    assert (context.messages, context.first_id) == ((), 0)
    context.add([said(5, MIA)], at(4), MANAGERS)
    assert (context.messages, context.first_id) == ((said(5, MIA),), at(4))


def talk(random: Random, length: int) -> list[Message]:
    """Talk with monologues, addresses, forwards, bots, and messages that cannot be read."""
    minutes, speaker = 0.0, MIA
    messages: list[Message] = []
    for _ in range(length):
        minutes += random.choice([0.01, 0.1, 0.3, 1, 3])
        if random.random() < 0.4:
            speaker = random.choice([ANNA, BEN, MIA, NOAH])
        kind = random.choice([MessageKind.DEFAULT] * 12 + [MessageKind.REPLY, MessageKind.FORWARD, MessageKind.OTHER])
        if random.random() < 0.01:
            kind = MessageKind.UNREADABLE
        mentions = frozenset(random.choice([()] * 9 + [(ANNA,), (MIA,)]))
        to = random.choice(messages[-5:]) if kind is MessageKind.REPLY and messages else None
        author_id = None if random.random() < 0.05 else speaker
        messages.append(
            Message(
                at(minutes),
                author_id,
                kind if to is not None or kind is not MessageKind.REPLY else MessageKind.DEFAULT,
                mentions,
                reply_to_id=to.message_id if to else None,
                reply_to_author_id=to.author_id if to else None,
            )
        )
    return messages


@pytest.mark.parametrize("place", [channel(), thread(MIA, CHANNEL), thread(ANNA, CHANNEL)])
@pytest.mark.parametrize("seed", range(6))
def test_what_is_kept_is_judged_by_as_everything_would_be(place: Place, seed: int) -> None:
    """If it is not enough, more is asked for; it never tells anything else."""
    random = Random(seed)
    messages = talk(random, 500)
    context, deleted = ChannelContext(), set[int]()
    judged = 0

    managers = MANAGERS

    def judge(message: Message, before: tuple[Message, ...], first_id: int, *, whole: bool) -> object:
        stretch = Stretch(
            place,
            message.message_id,
            message.message_id,
            (message,),
            before,
            first_id,
            thinned_for=None if whole else context.thinned_for,
            thinned_until_id=0 if whole else context.thinned_until_id,
        )
        return derive(
            stretch.for_managers(managers),
            managers=managers,
            unrecorded=Unrecorded(),
            zone=UTC,
            rules=Rules(),
            gone=deleted,
        )

    with mock.patch.object(channel_context, "CONTEXT", 6):
        for number, message in enumerate(messages):
            kept = judge(message, context.messages, context.first_id or message.message_id, whole=False)
            whole = judge(message, tuple(messages[:number]), place.channel_id, whole=True)
            if isinstance(kept, Derived):
                assert kept == whole
                judged += 1
            context.add([message], message.message_id if number else place.channel_id, managers)
            if random.random() < 0.02:
                managers = random.choice([MANAGERS, MANAGERS - {BEN}, MANAGERS - {ANNA}])
            if random.random() < 0.02:
                gone = random.choice(messages[max(0, number - 8) : number + 1]).message_id
                deleted.add(gone)
                context.forget([gone])
    assert judged > 450
