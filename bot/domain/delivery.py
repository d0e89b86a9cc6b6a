"""A delivery: one message that is sent at most once, and its state (docs/rules.md#sending)."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class DeliveryKind(StrEnum):
    """What kind of message it is."""

    NUDGE = "nudge"
    DIGEST = "digest"
    PERSONAL_DIGEST = "personal digest"
    WELCOME = "welcome"


class DeliveryState(StrEnum):
    """From `claimed` on, a request may have been made. `nothing`: there was nothing worth sending that day."""

    PENDING = "pending"
    CLAIMED = "claimed"
    UNKNOWN = "unknown"
    SENT = "sent"
    REFUSED = "refused"
    NOTHING = "nothing"


UNSETTLED = frozenset({DeliveryState.PENDING, DeliveryState.CLAIMED, DeliveryState.UNKNOWN})
"""States in which it is unknown whether the message was sent."""
UNSENT = frozenset({DeliveryState.REFUSED, DeliveryState.NOTHING})
"""States in which the message was certainly not sent."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery. `manager_id` is the recipient of a DM; None for the guild's channel.

    `due_on` is the local date of a nudge or the Monday of a digest's week; there is one delivery for each. Discord
    recognises a repeated request by the `nonce`. `tried_at` is the last request. `channel_id` is the channel that a
    digest was claimed for; once a message is sent, `channel_id` and `message_id` say where it is. `problem` says why it
    was refused or is unknown.
    """

    delivery_id: str
    guild_id: int
    kind: DeliveryKind
    manager_id: int | None
    due_on: date
    state: DeliveryState
    nonce: str
    claimed_at: datetime
    tried_at: datetime | None = None
    channel_id: int | None = None
    message_id: int | None = None
    problem: str | None = None
