"""Which messages the rules look at, so that the others need not be read whole (docs/rules.md#touches).

Most of what members write concerns no manager. It makes no touch, waits for nobody, and is looked at only as what was
written shortly before a manager's message.
"""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import timedelta

from bot.domain.message import Message, MessageKind
from bot.domain.rules import Rules
from bot.domain.snowflake import earlier_by, first_id_at, moment_of

Outline = tuple[int, int | None, str, int | None, str]
"""A message in outline: its id, its author, its kind, what it replies to, and whom it mentions, empty if nobody."""

Concern = tuple[int, int | None, str, int | None, str, int | None, int | None]
"""A message of a manager, or that concerns one: its outline, and the id and author of the message before that counts.

What was before is told of a manager's plain messages alone, which may be answers.
"""

_COUNTED = frozenset(kind.value for kind in MessageKind if Message(0, 0, kind).counted)
_UNREADABLE = MessageKind.UNREADABLE.value
_DEFAULT = MessageKind.DEFAULT.value


@dataclass(frozen=True, slots=True)
class LookedAt:
    """What is looked at of a channel: the messages that are `judged`, and what was `before` those that may answer."""

    judged: frozenset[int]
    before: frozenset[int]


def looked_at_by_concern(
    messages: Sequence[Concern], first: int, on_record: AbstractSet[int], rules: Rules
) -> LookedAt:
    """Which messages of a channel that is no thread are looked at when those from `first` on are judged.

    `messages` are all that concern managers from a while before on, as long as the rules look back. What is `on_record`
    is judged whatever it is. A plain message is judged only if it may be an answer: the message before it is recent, by
    somebody else, and one of both has addressed somebody lately.
    """
    judged, before = set[int](), set[int]()
    for place in range(first, len(messages)):
        message_id, author_id, _, reply_to_id, mentions, previous_id, previous_author_id = messages[place]
        if mentions or reply_to_id is not None or message_id in on_record:
            judged.add(message_id)
        if previous_id is None:
            continue
        recent = previous_id >= earlier_by(message_id, rules.answer_within) and previous_author_id != author_id
        if not recent and message_id not in judged:
            continue
        both = (author_id, previous_author_id)
        addressed = [
            one[0]
            for one in _since(messages, place, rules.answer_after_address)
            if one[1] in both and (one[4] or one[3] is not None)
        ]
        if addressed and recent:
            judged.add(message_id)
        if message_id in judged:
            before.add(previous_id)
            before.update(addressed)
    return LookedAt(frozenset(judged), frozenset(before))


def _since(messages: Sequence[Concern], place: int, time: timedelta) -> Iterator[Concern]:
    """The messages before one, newest first, up to so long ago."""
    since = earlier_by(messages[place][0], time)
    for earlier in range(place - 1, -1, -1):
        one = messages[earlier]
        if one[0] < since:
            return
        yield one


def looked_at(
    messages: Sequence[Outline], first: int, *, is_thread: bool, managers: AbstractSet[int], rules: Rules
) -> list[int]:
    """Which of some messages of a channel, oldest first, are looked at when those from `first` on are judged.

    Given as rising positions in `messages`. The messages may be any part of a channel: where the rules would look
    further back, all that are there are looked at. Only managers may be mentioned, or replied to, in what others wrote.
    """
    found: set[int] = set()
    if is_thread:  # whether something was written before
        found.update(range(next((place + 1 for place, one in enumerate(messages) if _counts(one)), len(messages))))
    followed = -1
    for place in range(first, len(messages)):
        _, author_id, kind, reply_to_id, mentions = messages[place]
        if author_id in managers or mentions or reply_to_id is not None:
            found.add(place)
            if kind == _DEFAULT and author_id in managers and not mentions:
                found.update(_before(messages, place, followed, is_thread=is_thread, rules=rules))
                followed = place
    return sorted(found)


def _before(messages: Sequence[Outline], place: int, followed: int, *, is_thread: bool, rules: Rules) -> range:
    """What is looked at before a message; down to `followed`, before which another had the same looked at."""
    message_id, author_id, *_ = messages[place]
    since = first_id_at(moment_of(message_id) - max(rules.answer_after_address, rules.answer_within))
    somebody_else = not is_thread
    for earlier in range(place - 1, followed, -1):
        one = messages[earlier]
        if _may_count(one):
            somebody_else = somebody_else or one[1] != author_id
            if somebody_else and one[0] < since:
                return range(earlier, place)
    return range(followed + 1, place)


def _counts(one: Outline) -> bool:
    return one[1] is not None and one[2] in _COUNTED


def _may_count(one: Outline) -> bool:
    return _counts(one) or one[2] == _UNREADABLE
