"""When a weekly digest is due: compared with `now`, never scheduled (docs/rules.md#due-times)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.calendar import hour_start, local_day, monday_of, repeated_end
from bot.domain.guild import GuildSettings, ManagerSettings

_WEEKS_AHEAD = 2
_DAYS_AHEAD = 8
"""How far the next digest is looked for, and clocks that are set back over midnight: a pause may end there twice."""


@dataclass(frozen=True, slots=True)
class DueDigest:
    """The week to report. `late`: its day of posting is over."""

    week_on: date
    late: bool


def due_digest(settings: GuildSettings, now: datetime) -> DueDigest | None:
    """The newest week whose digest should have been posted by `now`; None if there is none.

    Older missed weeks are no longer due. Does not check whether the digest was posted already.
    """
    first_on = settings.digest_from_on
    if settings.digest_channel_id is None or first_on is None:
        return None
    today = local_day(now, settings.zone)
    posting_on = monday_of(today) + timedelta(days=settings.digest_weekday)
    if now < hour_start(posting_on, settings.digest_hour, settings.zone):
        posting_on -= timedelta(weeks=1)
    week_on = monday_of(posting_on) - timedelta(weeks=1)
    # The first week is not after the running one, unless digests were switched on by a clock that was wrong. (One that
    # was a little ahead may have been in the next week already.)
    if week_on < first_on <= monday_of(today) + timedelta(weeks=1):
        return None
    return DueDigest(week_on, late=posting_on < today)


def due_personal_digest(settings: GuildSettings, manager: ManagerSettings, now: datetime) -> DueDigest | None:
    """The newest week whose personal digest a manager should have by `now`; None if there is none.

    It is due at the manager's own hour, the first one after the guild's day and hour of posting. The first digest is
    for the week of enrolling. None is due while nudges are off, paused or refused.
    """
    if manager.enrolled_at is None or manager.refused_at is not None:
        return None
    zone = manager.zone or settings.zone
    today = local_day(now, zone)
    posting_on = monday_of(local_day(now, settings.zone)) + timedelta(days=settings.digest_weekday)
    while now < (due_at := _own_hour_after(hour_start(posting_on, settings.digest_hour, settings.zone), manager, zone)):
        posting_on -= timedelta(weeks=1)
    due_on = local_day(due_at, zone)
    week_on = monday_of(posting_on) - timedelta(weeks=1)
    # Nobody enrols in the future, except by a clock that was wrong.
    if manager.enrolled_at <= now and week_on < monday_of(local_day(manager.enrolled_at, settings.zone)):
        return None
    if not (manager.receives_on(today) and manager.receives_on(due_on)):
        return None
    return DueDigest(week_on, late=due_on < today)


def _own_hour_after(moment: datetime, manager: ManagerSettings, zone: ZoneInfo) -> datetime:
    """The first moment from `moment` on at which the manager's own hour begins."""
    day = local_day(moment, zone)
    own = hour_start(day, manager.nudge_hour, zone)
    return own if own >= moment else hour_start(day + timedelta(days=1), manager.nudge_hour, zone)


def next_digest_at(settings: GuildSettings, now: datetime) -> datetime | None:
    """A moment after `now` before which `due_digest` names no other week than it does now; None if it never will.

    To be asked where the week that is due now, if there is one, was dealt with. Holds until the settings change or the
    clock is set back.
    """
    if settings.digest_channel_id is None or settings.digest_from_at is None:
        return None
    return _next(_postings(settings, now), now, lambda moment: due_digest(settings, moment))


def next_personal_digest_at(settings: GuildSettings, manager: ManagerSettings, now: datetime) -> datetime | None:
    """The same for `due_personal_digest`."""
    if manager.enrolled_at is None or manager.refused_at is not None:
        return None
    zone = manager.zone or settings.zone
    own = [_own_hour_after(posting, manager, zone) for posting in _postings(settings, now)]
    return _next((*own, *_midnights(zone, now)), now, lambda moment: due_personal_digest(settings, manager, moment))


def _postings(settings: GuildSettings, now: datetime) -> list[datetime]:
    """When the guild's digests are due, from last week's on."""
    first_on = monday_of(local_day(now, settings.zone)) + timedelta(days=settings.digest_weekday, weeks=-1)
    days = (first_on + timedelta(weeks=weeks) for weeks in range(_WEEKS_AHEAD + 2))
    return [hour_start(day, settings.digest_hour, settings.zone) for day in days]


def _midnights(zone: ZoneInfo, now: datetime) -> list[datetime]:
    """Between which moments clocks are set back over midnight in the next days."""
    first_on = local_day(now, zone) - timedelta(days=1)
    days = (first_on + timedelta(days=offset) for offset in range(_DAYS_AHEAD + 2))
    return [moment for day in days for moment in repeated_end(day, zone)]


def _next(moments: Iterable[datetime], now: datetime, due_at: Callable[[datetime], DueDigest | None]) -> datetime:
    """The first of the moments after `now` at which another week is due than now; the last one if none is."""
    due = due_at(now)
    ahead = sorted(moment for moment in moments if moment > now)
    for moment in ahead:
        found = due_at(moment)
        if found is not None and (due is None or found.week_on != due.week_on):
            return moment
    return ahead[-1]
