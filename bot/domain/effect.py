"""Whether nudges worked: did the manager touch the member soon after (docs/rules.md#whether-it-worked)?"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from bot.domain.nudge import OfferedMember, Reason
from bot.domain.rules import NudgeRules
from bot.domain.snowflake import moment_of
from bot.domain.touch import Touch

LEAST_REPLIES = 5
"""With fewer replies than this, the usual pace of a manager is unknown."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What followed the offers of one reason. `pending` are those that have not worked yet and still can.

    It says that the manager wrote within the time, not that the nudge was the cause.
    """

    offered: int
    worked: int
    pending: int

    @property
    def judged(self) -> int:
        """The offers whose outcome is known."""
        return self.offered - self.pending


def effects(
    offered: Iterable[OfferedMember], touches: Iterable[Touch], limits: NudgeRules, now: datetime
) -> Mapping[Reason, Effect]:
    """What followed, for each reason that occurs, most urgent first. `touches` are personal ones, in any order."""
    touched: dict[tuple[int, int], list[datetime]] = defaultdict(list)
    for touch in touches:
        touched[touch.manager_id, touch.member_id].append(touch.touched_at)
    counts: dict[Reason, list[int]] = {}
    for one in offered:
        until = one.offered_at + limits.worked_within
        worked = any(one.offered_at < at <= until and at <= now for at in touched[one.manager_id, one.offer.member_id])
        count = counts.setdefault(one.offer.reason, [0, 0, 0])
        count[0] += 1
        count[1] += worked
        count[2] += not worked and now < until
    return {reason: Effect(*counts[reason]) for reason in Reason if reason in counts}


def usual_reply_minutes(own: Iterable[Touch]) -> float | None:
    """The median delay of one manager's replies in minutes; None with fewer than LEAST_REPLIES."""
    waits = [
        (touch.touched_at - moment_of(touch.replied_to_id)).total_seconds() / 60
        for touch in own
        if touch.replied_to_id is not None
    ]
    return median(waits) if len(waits) >= LEAST_REPLIES else None
