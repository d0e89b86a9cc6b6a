"""Conversations: touches of one manager and one member close in time (docs/rules.md#conversations)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from bot.domain.touch import Touch


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation. It belongs to the period in which it began."""

    manager_id: int
    member_id: int
    began_at: datetime
    last_touch_at: datetime


def conversations(touches: Iterable[Touch], gap: timedelta) -> Iterator[Conversation]:
    """Group touches into conversations, sorted by manager, member and time.

    A touch joins the conversation before it if at most `gap` lies between the two. The caller chooses which kinds of
    touches take part.
    """

    def pair(touch: Touch) -> tuple[int, int]:
        return touch.manager_id, touch.member_id

    ordered = sorted(touches, key=lambda touch: (*pair(touch), touch.touched_at, touch.message_id))
    for (manager_id, member_id), group in groupby(ordered, key=pair):
        first, *rest = group
        began_at = last_at = first.touched_at
        for touch in rest:
            if touch.touched_at - last_at > gap:
                yield Conversation(manager_id, member_id, began_at, last_at)
                began_at = touch.touched_at
            last_at = touch.touched_at
        yield Conversation(manager_id, member_id, began_at, last_at)
