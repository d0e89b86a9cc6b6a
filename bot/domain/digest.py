"""When a weekly digest is due (§5: a due time is compared with now, never scheduled as a job)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot.domain.calendar import local_day, monday_of
from bot.domain.guild import GuildSettings


@dataclass(frozen=True, slots=True)
class DueDigest:
    """The week to report, and whether its day of posting is over."""

    week_on: date
    late: bool


def due_digest(settings: GuildSettings, now: datetime) -> DueDigest | None:
    """The newest week whose digest should have been posted by `now`; None when there is none.

    Older weeks that were missed are not due any more. Whether the digest was posted already is not looked at.
    """
    if settings.digest_channel_id is None or settings.digest_from_on is None:
        return None
    local = now.astimezone(settings.zone)
    today = local_day(now, settings.zone)
    posting_on = monday_of(today) + timedelta(days=settings.digest_weekday)
    if posting_on > today or (posting_on == today and local.hour < settings.digest_hour):
        posting_on -= timedelta(weeks=1)
    week_on = monday_of(posting_on) - timedelta(weeks=1)
    return DueDigest(week_on, late=posting_on < today) if week_on >= settings.digest_from_on else None


def first_digest_week(now: datetime, settings: GuildSettings) -> date:
    """The first week worth a digest when digests are switched on at `now`: the one that is running."""
    return monday_of(local_day(now, settings.zone))
