"""What is staged in pieces is what would be staged message by message."""

from collections.abc import Iterable
from datetime import timedelta
from random import Random

import pytest

from bot.domain.evidence import UNDATED, Copy, newest
from bot.domain.message import Message, MessageKind
from bot.store import staging
from bot.store.staged_piece import staged
from bot.store.staging import Staging

PEOPLE = (1, 2, 3, 4, None)
KINDS = (*[MessageKind.DEFAULT] * 4, *[MessageKind.REPLY] * 4, MessageKind.OTHER, MessageKind.STARTER)
CHANNELS = (1000, 2000, 3000)

Files = list[tuple[int, int, list[Message]]]
"""Of each its channel, when it was exported, and what is in it."""


def message(random: Random, message_id: int) -> Message:
    kind = random.choice(KINDS)
    return Message(
        message_id,
        random.choice(PEOPLE),
        kind,
        frozenset(random.sample((1, 2, 3), random.choice((0, 0, 0, 1, 2)))),
        mentions_no_person=random.random() < 0.1,
        mentions_crowd=random.random() < 0.1,
        reply_to_id=random.choice((None, *range(5001, 5090))) if kind is MessageKind.REPLY else None,
    )


def files(random: Random) -> Files:
    """Files that overlap or repeat one another, some out of order or with a message twice."""
    found: Files = []
    for _ in range(random.randrange(1, 7)):
        first = random.randrange(5001, 5080)
        ids = [one for one in range(first, first + random.randrange(40)) if random.random() < 0.7]
        if random.random() < 0.2:
            random.shuffle(ids)
        if random.random() < 0.2:
            ids += ids[:2]
        found.append((random.choice(CHANNELS), random.randrange(3), [message(random, one) for one in ids]))
    return found


def plainly(given: Files) -> dict[int, dict[int, Copy]]:
    """By channel and message, which copy is kept."""
    kept: dict[int, dict[int, Copy]] = {}
    for channel_id, week, told in given:
        here = kept.setdefault(channel_id, {})
        for one in told:
            here[one.message_id] = newest(here.get(one.message_id), Copy(one, UNDATED + timedelta(weeks=week)))
    return kept


def author_of(kept: dict[int, dict[int, Copy]], channel_id: int, target_id: int | None) -> tuple[int | None, bool]:
    """Who wrote a message that is replied to, and whether it is known by more than a thread's copy."""
    found = {where: here[target_id].message for where, here in kept.items() if target_id in here}
    originals = {where: one for where, one in found.items() if one.kind is not MessageKind.STARTER}
    some = originals or found
    if not some:
        return None, False
    return some[channel_id if channel_id in originals else min(some)].author_id, bool(originals)


def broken(messages: Iterable[Message]) -> Iterable[Message]:
    yield from messages
    raise ValueError("broken at its end")


@pytest.mark.parametrize("size", [3, 7, 8192])
def test_pieces_are_what_single_messages_would_be(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With replies to what is near, far away, in another channel or nowhere; and files that cannot be used."""
    monkeypatch.setattr(staging, "PIECE", size)
    monkeypatch.setattr(staging, "_MOST_SOUGHT", size)
    monkeypatch.setattr(staging, "_COUNTED_TOGETHER", size)
    random, far, united = Random(size), 0, 0
    for _ in range(60):
        given = files(random)
        with Staging() as box:
            for channel_id, week, told in given:
                about = {"guild_id": 9, "channel_id": channel_id, "is_thread": False, "parent_id": None, "begins": True}
                moment = UNDATED + timedelta(weeks=week)
                with pytest.raises(ValueError, match="broken"):
                    box.add(**about, seen_at=moment, messages=map(staged, broken(told)))
                box.add(**about, seen_at=moment, messages=map(staged, told))
            box.close_intake()
            kept = plainly(given)
            for channel_id, here in kept.items():
                pieces = list(box.pieces(channel_id))
                assert all(0 < len(piece) <= size for piece in pieces)
                found = [one for piece in pieces for one in piece.copies()]
                assert [one.message.message_id for one, _ in found] == sorted(here)
                for copy, original in found:
                    plain = here[copy.message.message_id]
                    author_id, is_original = author_of(kept, channel_id, plain.message.reply_to_id)
                    expected = plain.message.replying_to(author_id)
                    assert (copy, original) == (Copy(expected, plain.exported_at), is_original)
                    far += is_original and plain.message.reply_to_id not in here
                united += len(here) < sum(len(told) for where, _, told in given if where == channel_id)
            everything = [one.message for here in kept.values() for one in here.values()]
            assert box.count_messages() == len({one.message_id for one in everything})
            writers = {one.author_id for one in everything if one.counted}
            assert box.count_authors({2}) == len(writers - {2})
            assert box.count_unresolved_replies() == sum(
                one.kind is MessageKind.REPLY
                and one.author_id is not None
                and not any(one.reply_to_id in here for here in kept.values())
                for one in everything
            )
    assert far > 20
    assert united > 20
