"""A delivery: one message that is sent at most once, and its state (docs/rules.md#sending)."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from bot.domain.snowflake import moment_of

_EARLIEST_ZONE = timedelta(hours=14)
"""By how much the first time zone is ahead of UTC."""
_SAME_TIME = timedelta(minutes=2)
"""By how much two readings of a clock that is right may differ."""


class DeliveryKind(StrEnum):
    """What kind of message it is."""

    NUDGE = "nudge"
    DIGEST = "digest"
    PERSONAL_DIGEST = "personal digest"
    WELCOME = "welcome"


class DeliveryState(StrEnum):
    """`pending`: Discord refused it, which can pass, so it was certainly not sent and is tried again while it is due.

    `claimed` and `unknown`: a request may have been made. `nothing`: there was nothing worth sending that day.
    """

    PENDING = "pending"
    CLAIMED = "claimed"
    UNKNOWN = "unknown"
    SENT = "sent"
    REFUSED = "refused"
    NOTHING = "nothing"


UNSETTLED = frozenset({DeliveryState.PENDING, DeliveryState.CLAIMED, DeliveryState.UNKNOWN})
"""States that are not final."""
UNSENT = frozenset({DeliveryState.PENDING, DeliveryState.REFUSED, DeliveryState.NOTHING})
"""States in which the message was not sent, as far as can be known."""

SETTLE_AFTER = timedelta(seconds=30)
"""How long a request may still be in flight before a message that is not found counts as not sent."""

EXPIRED = "it was never sent, and its time is over"
UNNEEDED = "nobody in it needed it any more"
UNSETTLEABLE = "whether it was sent could not be found out"
"""Problems that Discord has no words for."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery. `manager_id` is the recipient of a DM; None for the guild's channel.

    `due_on` is the local date of a nudge or the Monday of a digest's week; there is one delivery for each. Discord
    recognises a repeated request by the `nonce`. `tried_at` is the last request. `channel_id` is the channel that a
    digest was claimed for; once a message is sent, `channel_id` and `message_id` say where it is. `problem` says why it
    was refused or is unknown, in Discord's own words unless it is one of the problems above.
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

    @property
    def refused(self) -> bool:
        """Whether Discord refused the last request, for now or for good."""
        own = {EXPIRED, UNNEEDED, UNSETTLEABLE}
        return self.state in {DeliveryState.PENDING, DeliveryState.REFUSED} and self.problem not in own

    def in_trouble(self, now: datetime) -> bool:
        """Whether it was not sent although it should have been, or that is unclear for longer than a request takes."""
        match self.state:
            case DeliveryState.PENDING | DeliveryState.UNKNOWN:
                return True
            case DeliveryState.REFUSED:
                return self.problem != UNNEEDED
            case DeliveryState.CLAIMED:
                return self.tried_at is None or now - self.tried_at > SETTLE_AFTER
            case _:
                return False


def claimed_too_early(delivery: Delivery, now: datetime) -> bool:
    """Whether a clock that was far ahead has dealt with a day or a week before it began, or a week before it was over.

    Such a delivery must not keep the day or week from being dealt with in its time. It was claimed in what is still
    the future, and the message, if there is one, was made before the day began anywhere on earth.
    """
    if delivery.claimed_at <= now + _SAME_TIME:
        return False
    if delivery.message_id is None:
        return True
    weekly = delivery.kind in {DeliveryKind.DIGEST, DeliveryKind.PERSONAL_DIGEST}
    begins_on = delivery.due_on + timedelta(weeks=1) if weekly else delivery.due_on
    return moment_of(delivery.message_id) < datetime.combine(begins_on, time(), UTC) - _EARLIEST_ZONE


@dataclass(frozen=True, slots=True)
class SendOutcome:
    """What became of a request: the delivery's new state, and the problem if it was not sent."""

    state: DeliveryState
    problem: str | None = None
