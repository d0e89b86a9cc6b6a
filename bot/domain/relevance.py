"""Which messages the rules look at, so that the others need not be read whole (docs/rules.md#touches).

Most of what members write concerns no manager. It makes no touch, waits for nobody, and is looked at only as what was
written shortly before a manager's message.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from bot.domain.message import Message, MessageKind
from bot.domain.rules import Rules
from bot.domain.snowflake import first_id_at, moment_of

Outline = tuple[int, int | None, str, int | None, str]
"""A message in outline: its id, its author, its kind, what it replies to, and whom it mentions, empty if nobody."""

_COUNTED = frozenset(kind.value for kind in MessageKind if Message(0, 0, kind).counted)
_UNREADABLE = MessageKind.UNREADABLE.value
_DEFAULT = MessageKind.DEFAULT.value


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
