"""A touch: a manager personally addressing a member (R3)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class TouchKind(StrEnum):
    """How the manager addressed the member."""

    REPLY = "reply"
    MENTION = "mention"
    THREAD = "thread"
    ANSWER = "answer"
    """Inferred from who spoke last; not personal unless the settings count it."""
    LOGGED = "logged"


NO_CHANNEL = 0
"""Where a logged contact was: in no channel, so none that is excluded or deleted takes it along."""

PERSONAL_KINDS = frozenset({TouchKind.REPLY, TouchKind.MENTION, TouchKind.THREAD, TouchKind.LOGGED})


def personal_kinds(*, count_inferred: bool) -> frozenset[TouchKind]:
    """The kinds that metrics use."""
    return frozenset(TouchKind) if count_inferred else PERSONAL_KINDS


@dataclass(frozen=True, slots=True)
class Touch:
    """One manager's message to one member.

    `message_id` is the manager's message (for `logged`: the id of the command that logged it, which is what
    orders it among messages); `channel_id` is NO_CHANNEL for `logged`. `replied_to_id` is set for `reply` alone.
    """

    kind: TouchKind
    manager_id: int
    member_id: int
    message_id: int
    channel_id: int
    touched_at: datetime
    replied_to_id: int | None = None
