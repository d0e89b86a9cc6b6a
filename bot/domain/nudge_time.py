"""When a nudge is due and when it is left out (docs/rules.md#due-times, docs/rules.md#half-as-often)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from bot.domain.calendar import day_start, hour_start, local_day, repeated_end
from bot.domain.guild import GuildSettings, ManagerSettings

LONGEST_PAUSE = timedelta(days=366)
_DAYS_AHEAD = 8
"""How many days are looked through for the next nudge: a week, and the day of enrolling, which may have none."""


@dataclass(frozen=True, slots=True)
class NudgeSchedule:
    """When a manager's nudges come: their own settings, with the guild's for what they left open."""

    guild: GuildSettings
    manager: ManagerSettings

    @property
    def zone(self) -> ZoneInfo:
        """The manager's time zone, or the guild's if they chose none."""
        return self.manager.zone or self.guild.zone


def due_nudge(manager: ManagerSettings, guild_zone: ZoneInfo, now: datetime) -> date | None:
    """The manager's local date whose nudge is due at `now`: from the chosen hour until the end of that date.

    None on a weekday that was not chosen, while nudges are off, paused or refused, and on the day of enrolling if the
    hour had passed by then. Does not check whether that day was dealt with already.
    """
    zone = manager.zone or guild_zone
    today = local_day(now, zone)
    if manager.enrolled_at is None or not manager.receives_on(today) or today.weekday() not in manager.nudge_weekdays:
        return None
    due_at = hour_start(today, manager.nudge_hour, zone)
    # Nobody enrols in the future, except by a clock that was wrong.
    return today if due_at <= now and not due_at < manager.enrolled_at <= now else None


def next_nudge_at(manager: ManagerSettings, guild_zone: ZoneInfo, now: datetime) -> datetime | None:
    """A moment after `now` before which `due_nudge` names no other day than it does now; None if it never will.

    At that moment a nudge is due, unless the manager pauses for longer than a week. To be asked where the day that is
    due now, if there is one, was dealt with. Holds until the settings change or the clock is set back.
    """
    if manager.enrolled_at is None or manager.refused_at is not None or not manager.nudge_weekdays:
        return None
    zone = manager.zone or guild_zone
    due, first_on = due_nudge(manager, guild_zone, now), local_day(now, zone) - timedelta(days=1)
    moments = []
    for offset in range(_DAYS_AHEAD + 2):
        day = first_on + timedelta(days=offset)
        moments += [hour_start(day, manager.nudge_hour, zone), day_start(day, zone), *repeated_end(day, zone)]
    ahead = sorted(moment for moment in moments if moment > now)
    return next((moment for moment in ahead if due_nudge(manager, guild_zone, moment) not in {None, due}), ahead[-1])


@dataclass(frozen=True, slots=True)
class PastNudges:
    """What the next nudge depends on.

    `dealt_on` is the last day that was dealt with, sent or not; `last_on` the last day a nudge was sent on.
    `unanswered`: the last nudges were followed by neither a press nor a touch.
    """

    dealt_on: date | None = None
    last_on: date | None = None
    unanswered: bool = False


def next_nudge_day(
    manager: ManagerSettings, guild_zone: ZoneInfo, now: datetime, past: PastNudges = PastNudges()
) -> date | None:
    """The next local date with a nudge still to come; None if none comes until the manager changes something."""
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
    """What followed a nudge. `answered`: its manager pressed a button or touched a member in it."""

    sent_at: datetime
    answered: bool


def went_unanswered(newest_first: Sequence[NudgeFollowUp], last_press_at: datetime | None, needed: int) -> bool:
    """Whether each of the last `needed` nudges was followed by neither a press nor a touch.

    A press on an older nudge counts as well if it came after the first of these was sent.
    """
    last = newest_first[:needed]
    if len(last) < needed or any(nudge.answered for nudge in last):
        return False
    return last_press_at is None or last_press_at < last[-1].sent_at


def rests_today(past: PastNudges, *, today: date, weekdays: frozenset[int]) -> bool:
    """Whether today's nudge is left out because the last ones went unanswered: every second chosen weekday is.

    Counts the manager's chosen `weekdays` since the last nudge that was sent. A last nudge in the future was sent by a
    wrong clock and is ignored.
    """
    if not past.unanswered or past.last_on is None or past.last_on > today:
        return False
    days = (past.last_on + timedelta(days=offset) for offset in range(1, (today - past.last_on).days + 1))
    return sum(day.weekday() in weekdays for day in days) < 2


class NoNudge(StrEnum):
    """Why a nudge on request is not tried: nudges are off, or today's was dealt with."""

    OFF = "off"
    HAD = "had"


class PauseProblem(StrEnum):
    """Why a date cannot be the end of a pause."""

    PAST = "past"
    FAR = "far"


def pause_problem(until_on: date, today: date) -> PauseProblem | None:
    """Why `until_on` cannot end a pause; None if it can: after today and at most LONGEST_PAUSE ahead."""
    if until_on <= today:
        return PauseProblem.PAST
    return PauseProblem.FAR if until_on - today > LONGEST_PAUSE else None
