"""A delivery: one message that is due once, and what became of it."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class DeliveryKind(StrEnum):
    """What is delivered."""

    NUDGE = "nudge"
    DIGEST = "digest"
    PERSONAL_DIGEST = "personal digest"
    WELCOME = "welcome"


class DeliveryState(StrEnum):
    """From claimed on, a request may have been made. `nothing`: there was nothing worth sending that day."""

    PENDING = "pending"
    CLAIMED = "claimed"
    UNKNOWN = "unknown"
    SENT = "sent"
    REFUSED = "refused"
    NOTHING = "nothing"


UNSETTLED = frozenset({DeliveryState.PENDING, DeliveryState.CLAIMED, DeliveryState.UNKNOWN})
"""It is open whether the message is there."""
UNSENT = frozenset({DeliveryState.REFUSED, DeliveryState.NOTHING})
"""It is certain that the message is not there."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """`manager_id` is whose DM it goes to; None goes to the guild's channel.

    `due_on` is the local day of a nudge and the week of a digest: one delivery each. `nonce` is what Discord tells
    repeated requests by. `tried_at` is the last request; `channel_id` and `message_id` say where it is, once sent.
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
