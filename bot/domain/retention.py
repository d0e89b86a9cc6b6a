"""How long the record is kept (docs/rules.md#privacy)."""

from datetime import date, datetime, timedelta

from bot.domain.calendar import day_start, local_day
from bot.domain.guild import GuildSettings

KEEP_CHOICES = (3, 6, 12, 24, 36)
"""The numbers of months a guild can choose; keeping everything is the other choice."""


def first_day_kept(settings: GuildSettings, now: datetime) -> date | None:
    """The first local day of what a guild keeps; None if it keeps everything."""
    return None if settings.keep_months is None else kept_from(local_day(now, settings.zone), settings.keep_months)


def next_purge_at(settings: GuildSettings, now: datetime) -> datetime | None:
    """The first moment after `now` at which the first day that is kept may move on; None if everything is kept."""
    if settings.keep_months is None:
        return None
    today = local_day(now, settings.zone)
    days = (today + timedelta(days=ahead) for ahead in (1, 2))
    # Where clocks are set back over midnight, tomorrow has begun before.
    return next(moment for moment in (day_start(day, settings.zone) for day in days) if moment > now)


def kept_from(today: date, months: int) -> date:
    """The first day that is kept: the same day `months` months earlier, or the last day of that month."""
    number = today.year * 12 + today.month - 1 - months
    year, month = number // 12, number % 12 + 1
    for day in range(today.day, 27, -1):
        try:
            return date(year, month, day)
        except ValueError:
            continue
    return date(year, month, today.day)
