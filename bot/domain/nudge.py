"""Nudges (R9): who is worth a manager's attention today, and why."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Reason(StrEnum):
    """Why a member stands in a nudge, in order of urgency."""

    WAITING = "waiting"
    NEWCOMER = "newcomer"
    UNMET = "unmet"
    COOLING = "cooling"


@dataclass(frozen=True, slots=True)
class Offer:
    """One member of a nudge, with the facts that its line is made of.

    `since` is what "longest first" sorts by: when the wait began, the first message, the first active day's
    start, the last conversation. `message_id` and `channel_id` lead to the message to open, when there is one.
    `wrote_back`: the member only answered a message in which this manager had addressed them. `for_team`: the
    message addresses no manager by name. `active_days` is of the last 30 (unmet); `conversations` counts those with this manager (cooling).
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


@dataclass(frozen=True, slots=True)
class Nudge:
    """What one DM says: at most five offers, most urgent first. Empty means that nothing is sent."""

    manager_id: int
    offers: tuple[Offer, ...]
    half_as_often: bool = False
