"""A nudge: its offers and their reasons, what was pressed, and what a view needs (docs/rules.md#nudges)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from bot.domain.nudge_time import NudgeSchedule
from bot.domain.rules import NudgeRules


class Reason(StrEnum):
    """Why a member is in a nudge, most urgent first (docs/rules.md#reasons)."""

    WAITING = "waiting"
    NEWCOMER = "newcomer"
    UNMET = "unmet"
    COOLING = "cooling"


@dataclass(frozen=True, slots=True)
class Offer:
    """One member of a nudge, with the facts for its line.

    `since` is the key of "longest first": when the waiting message was written, the first message (newcomer, unmet), or
    the last touch (cooling). `message_id` and `channel_id` name the message to open, if there is one. `wrote_back`: the
    member only replied to a message by which this manager had touched them. `for_team`: the message names no manager.
    `active_days` counts days of the unmet window; `conversations` counts those with this manager (cooling).
    `from_manager_id` is the colleague who handed the member over if `handed` is True, else the colleague who was asked
    and gets no nudges at present.
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
    """The offers of one DM, most urgent first. Without offers nothing is sent."""

    manager_id: int
    offers: tuple[Offer, ...]
    half_as_often: bool = False


class Action(StrEnum):
    """What was done about one member of a nudge.

    `moot` is not a press: the reason no longer held when a lost nudge was sent again.
    """

    DONE = "done"
    HAND_OVER = "hand_over"
    SNOOZE = "snooze"
    NEVER = "never"
    MOOT = "moot"


PRESSES = (Action.DONE, Action.HAND_OVER, Action.SNOOZE, Action.NEVER)
"""The actions with a button, in the order of the buttons."""


@dataclass(frozen=True, slots=True)
class OfferedMember:
    """A member of a claimed nudge, with what was pressed. `position` counts from 1."""

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
    """What was pressed for the member at `position` (from 1). `colleague_id` is set for *Hand over*."""

    position: int
    action: Action
    pressed_at: datetime
    colleague_id: int | None = None


@dataclass(frozen=True, slots=True)
class OfferContext:
    """What the sentence about an offer is made of, besides the offer itself.

    `zone` is the manager's. `names` are those of the members and of the colleagues in the offers.
    `usual_reply_minutes` is the manager's median; None if it is unknown. `joined` holds when members joined the guild,
    as far as Discord says so. `days_on_record` is how many whole days the record reaches back; None if it is unknown.
    """

    now: datetime
    zone: ZoneInfo
    names: Mapping[int, str] = field(default_factory=dict)
    usual_reply_minutes: float | None = None
    joined: Mapping[int, datetime] = field(default_factory=dict)
    days_on_record: int | None = None
    rules: NudgeRules = field(default_factory=NudgeRules)


@dataclass(frozen=True, slots=True)
class NudgeDraft:
    """A nudge with everything its words are made of, and what was pressed so far."""

    delivery_id: str
    nudge: Nudge
    schedule: NudgeSchedule
    guild_name: str
    context: OfferContext
    presses: tuple[Press, ...] = ()
