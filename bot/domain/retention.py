"""How long the record is kept (docs/rules.md#privacy)."""

from datetime import date, datetime

from bot.domain.calendar import local_day
from bot.domain.guild import GuildSettings

KEEP_CHOICES = (3, 6, 12, 24, 36)
"""The numbers of months a guild can choose; keeping everything is the other choice."""


def first_day_kept(settings: GuildSettings, now: datetime) -> date | None:
    """The first local day of what a guild keeps; None if it keeps everything."""
    return None if settings.keep_months is None else kept_from(local_day(now, settings.zone), settings.keep_months)


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
