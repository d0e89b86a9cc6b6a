"""When a weekly digest is due: compared with `now`, never scheduled (docs/rules.md#due-times)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.calendar import hour_start, local_day, monday_of
from bot.domain.guild import GuildSettings, ManagerSettings


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
