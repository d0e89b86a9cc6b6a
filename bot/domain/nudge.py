"""What a nudge is (R9): whom it offers and why, what was pressed, and all it takes to put it into words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.domain.guild import GuildSettings, ManagerSettings


class Reason(StrEnum):
    """Why a member stands in a nudge, most urgent first."""

    WAITING = "waiting"
    NEWCOMER = "newcomer"
    UNMET = "unmet"
    COOLING = "cooling"


@dataclass(frozen=True, slots=True)
class Offer:
    """One member of a nudge, with the facts that its line is made of.

    `since` is what "longest first" sorts by: when the waiting message was written, the first message (newcomer and
    unmet), the last conversation. `message_id` and `channel_id` lead to the message to open, when there
    is one. `wrote_back`: the member only answered a message in which this manager had addressed them. `for_team`:
    the message addresses no manager by name. `active_days` is of the last 30 (unmet); `conversations` counts those
    with this manager (cooling). `from_manager_id` is a colleague whose member this was: who `handed` them over, or,
    if they did not, who is away.
    """

    member_id: int
    reason: Reason
    since: datetime
    message_id: int | None = None
    channel_id: int | None = None
    wrote_back: bool = False
    for_team: bool = False
    active_days: int | None = None
    conversations: int | None = None
    from_manager_id: int | None = None
    handed: bool = False


@dataclass(frozen=True, slots=True)
class Nudge:
    """What one DM says: at most five offers, most urgent first. Empty means that nothing is sent."""

    manager_id: int
    offers: tuple[Offer, ...]
    half_as_often: bool = False


class Action(StrEnum):
    """What a manager can do about one member of a nudge, besides writing to them.

    `moot` is no press: the reason was gone when a nudge that had got lost was sent once more.
    """

    DONE = "done"
    HAND_OVER = "hand_over"
    SNOOZE = "snooze"
    NEVER = "never"
    MOOT = "moot"


PRESSES = (Action.DONE, Action.HAND_OVER, Action.SNOOZE, Action.NEVER)
"""The actions that have a button, in the order of the buttons."""


@dataclass(frozen=True, slots=True)
class OfferedMember:
    """A member in a nudge that was claimed, with what was pressed. Positions count from 1."""

    delivery_id: str
    position: int
    manager_id: int
    offer: Offer
    offered_at: datetime
    action: Action | None = None
    colleague_id: int | None = None
    settled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Press:
    """What was pressed for the member at a position (from 1); *Hand over* names the colleague."""

    position: int
    action: Action
    pressed_at: datetime
    colleague_id: int | None = None


@dataclass(frozen=True, slots=True)
class NudgeDraft:
    """A nudge with all it takes to put it into words.

    `usual_reply_minutes` is the manager's median, and `joined` when members joined the guild; where they are known.
    `record_from` is when the record begins.
    """

    delivery_id: str
    nudge: Nudge
    guild: GuildSettings
    manager: ManagerSettings
    guild_name: str
    names: Mapping[int, str]
    now: datetime
    presses: tuple[Press, ...] = ()
    usual_reply_minutes: float | None = None
    joined: Mapping[int, datetime] = field(default_factory=dict)
    record_from: datetime | None = None
