"""Whether nudges worked (R9): did their manager write to the member soon after?"""

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
"""Fewer replies than this say nothing about how fast somebody usually answers."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What followed the offers of one reason. `pending` are those whose time is not over and has not worked yet.

    That a manager wrote within the time is all it says: they might have done so anyway.
    """

    offered: int
    worked: int
    pending: int

    @property
    def judged(self) -> int:
        """The offers of which it is known whether they worked."""
        return self.offered - self.pending


def effects(
    offered: Iterable[OfferedMember], touches: Iterable[Touch], limits: NudgeRules, now: datetime
) -> Mapping[Reason, Effect]:
    """For each reason that occurs, most urgent first, what followed. `touches` are the personal ones, in any order."""
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
    """The median of how long one manager's replies took; None for too few of them to say."""
    waits = [
        (touch.touched_at - moment_of(touch.replied_to_id)).total_seconds() / 60
        for touch in own
        if touch.replied_to_id is not None
    ]
    return median(waits) if len(waits) >= LEAST_REPLIES else None
