"""When a manager's nudge is due, and when Spade falls silent for a day (R9, §5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from bot.domain.calendar import hour_start, local_day
from bot.domain.guild import ManagerSettings

LONGEST_PAUSE = timedelta(days=366)


def due_nudge(manager: ManagerSettings, guild_zone: ZoneInfo, now: datetime) -> date | None:
    """The local day whose nudge is due at `now`: the manager's own today from their hour on, until its end.

    None on a day they did not choose, while nudges are off, paused or refused, and for what is left of the day they
    enrolled on when their hour had passed. Whether that day was dealt with already is not looked at.
    """
    zone = manager.zone or guild_zone
    today = local_day(now, zone)
    if manager.enrolled_at is None or not manager.receives_on(today) or today.weekday() not in manager.nudge_weekdays:
        return None
    due_at = hour_start(today, manager.nudge_hour, zone)
    return today if manager.enrolled_at <= due_at <= now else None


@dataclass(frozen=True, slots=True)
class PastNudges:
    """What the next nudge depends on: the last day that was dealt with, sent or not, and the last one was sent on.

    `unanswered`: the last ones went without a press or a touch.
    """

    dealt_on: date | None = None
    last_on: date | None = None
    unanswered: bool = False


def next_nudge_day(
    manager: ManagerSettings, guild_zone: ZoneInfo, now: datetime, past: PastNudges = PastNudges()
) -> date | None:
    """The next local day whose hour is still to come; None when nothing will come without the manager's doing."""
    zone = manager.zone or guild_zone
    today = local_day(now, zone)
    if manager.enrolled_at is None or manager.refused_at is not None or not manager.nudge_weekdays:
        return None
    day = max(today, manager.paused_until_on or today)
    while (
        day.weekday() not in manager.nudge_weekdays
        or hour_start(day, manager.nudge_hour, zone) <= now
        or (past.dealt_on is not None and day <= past.dealt_on)
        or rests_today(past, today=day, weekdays=manager.nudge_weekdays)
    ):
        day += timedelta(days=1)
    return day


@dataclass(frozen=True, slots=True)
class NudgeFollowUp:
    """What followed a nudge: when it was sent, and whether its manager pressed a button or touched somebody in it."""

    sent_at: datetime
    answered: bool


def went_unanswered(newest_first: Sequence[NudgeFollowUp], last_press_at: datetime | None, needed: int) -> bool:
    """Whether the last nudges, as many as `needed`, all went without a press or a touch.

    A press on any older nudge counts as well, if it came after the first of these.
    """
    last = newest_first[:needed]
    if len(last) < needed or any(nudge.answered for nudge in last):
        return False
    return last_press_at is None or last_press_at < last[-1].sent_at


def rests_today(past: PastNudges, *, today: date, weekdays: frozenset[int]) -> bool:
    """Whether today's nudge is left out because the last ones went unanswered: half as often is every second day.

    Counted are the manager's chosen `weekdays` since the last nudge that was sent; one that lies ahead was sent by a
    wrong clock.
    """
    if not past.unanswered or past.last_on is None or past.last_on > today:
        return False
    days = (past.last_on + timedelta(days=offset) for offset in range(1, (today - past.last_on).days + 1))
    return sum(day.weekday() in weekdays for day in days) < 2


class NoNudge(StrEnum):
    """Why a nudge that a manager asks for is not tried: nudges are off, or they have had the day's."""

    OFF = "off"
    HAD = "had"


class PauseProblem(StrEnum):
    """Why a date is no end of a pause."""

    PAST = "past"
    FAR = "far"


def pause_problem(until_on: date, today: date) -> PauseProblem | None:
    """What is wrong with pausing until a date, if anything is: it must lie ahead, and within a year."""
    if until_on <= today:
        return PauseProblem.PAST
    return PauseProblem.FAR if until_on - today > LONGEST_PAUSE else None
