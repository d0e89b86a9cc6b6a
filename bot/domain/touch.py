"""A touch: a manager personally addressing a member (docs/rules.md#touches)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class TouchKind(StrEnum):
    """How the manager addressed the member."""

    REPLY = "reply"
    MENTION = "mention"
    THREAD = "thread"
    ANSWER = "answer"
    """Inferred from who wrote last; personal only with `count_inferred`."""
    LOGGED = "logged"


NO_CHANNEL = 0
"""The channel of a logged contact: none, so excluding or deleting a channel never affects it."""

PERSONAL_KINDS = frozenset({TouchKind.REPLY, TouchKind.MENTION, TouchKind.THREAD, TouchKind.LOGGED})


def personal_kinds(*, count_inferred: bool) -> frozenset[TouchKind]:
    """The kinds that figures and conversations use."""
    return frozenset(TouchKind) if count_inferred else PERSONAL_KINDS


@dataclass(frozen=True, slots=True)
class Touch:
    """One manager's message to one member.

    `message_id` is the manager's message. For `logged` it is the position from `logged.position_of`, which orders the
    contact among messages, and `channel_id` is NO_CHANNEL. `replied_to_id` is set for `reply` only.
    """

    kind: TouchKind
    manager_id: int
    member_id: int
    message_id: int
    channel_id: int
    touched_at: datetime
    replied_to_id: int | None = None
