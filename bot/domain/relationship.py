"""One relationship: all personal touches of the team with one member."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from bot.domain.calendar import local_day
from bot.domain.conversation import conversations
from bot.domain.rules import Rules
from bot.domain.touch import Touch, TouchKind

MONTHS_SHOWN = 12


class Standing(StrEnum):
    """What a person is in the record of a guild."""

    MEMBER = "member"
    MANAGER = "manager"
    IGNORED = "ignored"
    UNRECORDED = "unrecorded"
    """Nothing is on record: never wrote a counted message, or opted out. The two are deliberately not distinguished."""


@dataclass(frozen=True, slots=True)
class Acquaintance:
    """One manager's conversations with the member."""

    manager_id: int
    conversations: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Relationship:
    """The team and one member.

    `months` holds the first day of each of the last twelve months, oldest first, with the conversations that began in
    it. `logged` counts touches entered by command. `acquaintances` are sorted by conversations, most first.
    """

    first: Touch | None
    last: Touch | None
    conversations: int
    logged: int
    months: tuple[tuple[date, int], ...]
    acquaintances: tuple[Acquaintance, ...]


def relationship(touches: Collection[Touch], zone: ZoneInfo, now: datetime, rules: Rules) -> Relationship:
    """Sum up the touches of one member as of `now`."""
    ordered = sorted(touches, key=lambda touch: (touch.touched_at, touch.message_id))
    found = list(conversations(ordered, rules.conversation_gap))
    by_month = Counter(local_day(talk.began_at, zone).replace(day=1) for talk in found)
    per_manager = Counter(talk.manager_id for talk in found)
    last_at = {touch.manager_id: touch.touched_at for touch in ordered}
    return Relationship(
        first=ordered[0] if ordered else None,
        last=ordered[-1] if ordered else None,
        conversations=len(found),
        logged=sum(touch.kind is TouchKind.LOGGED for touch in ordered),
        months=tuple((month, by_month[month]) for month in months_until(local_day(now, zone))),
        acquaintances=tuple(
            sorted(
                (Acquaintance(manager_id, talks, last_at[manager_id]) for manager_id, talks in per_manager.items()),
                key=lambda one: (-one.conversations, one.manager_id),
            )
        ),
    )


def months_until(today: date, count: int = MONTHS_SHOWN) -> tuple[date, ...]:
    """The first days of the last `count` months, up to and including the month of `today`, oldest first."""
    number = today.year * 12 + today.month - 1
    return tuple(date(month // 12, month % 12 + 1, 1) for month in range(number - count + 1, number + 1))
