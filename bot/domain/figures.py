"""The figures of a period (R7), for the team and for each manager alone."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """One word for the period."""

    SOCIAL = "social media"
    BETWEEN = "in between"
    INFLUENCE = "influence media"
    QUIET = "too quiet to call"


@dataclass(frozen=True, slots=True)
class ReplyMinutes:
    """How long members waited for a `reply`, in minutes; None without any."""

    median: float | None
    p90: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """R7's figures. Shares are fractions; None is unknown.

    `logged_share` is the share of the personal replies that managers entered by command.
    """

    active_members: int
    personal_replies: int
    logged_share: float | None
    conversations: int
    members_reached: int
    coverage: float | None
    coverage_ever: float | None
    first_time: int
    effective_members: float
    spread: float | None
    top3_share: float | None
    verdict: Verdict
    verdict_weeks: int | None
    reply_minutes: ReplyMinutes
    waiting: int
