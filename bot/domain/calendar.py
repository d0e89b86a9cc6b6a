"""Local days and weeks (R6). A day is a date in a guild's time zone; a period is a half-open stretch of time."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Period:
    """Whole local days: `first_on` to `last_on`, both included; in time from `start_at` up to `end_at`."""

    first_on: date
    last_on: date
    start_at: datetime
    end_at: datetime

    def holds(self, moment: datetime) -> bool:
        """Whether a moment lies in it."""
        return self.start_at <= moment < self.end_at


def just_after(moment: datetime) -> datetime:
    """The end of a half-open period that includes `moment`: a millisecond later, the unit of ids and stored times."""
    return moment + timedelta(milliseconds=1)


def local_day(moment: datetime, zone: ZoneInfo) -> date:
    """The date on the wall in `zone`."""
    return moment.astimezone(zone).date()


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a local date, in UTC.

    Where midnight is skipped by a clock change, the first moment that exists; where it comes twice, the first.
    """
    # Python maps a time that was skipped as far past the change as it lies past the gap's begin, and of a repeated
    # one takes the first: at midnight that is what we want, as clocks change at midnight or after it.
    return datetime.combine(day, time(), zone).astimezone(UTC)


def hour_start(day: date, hour: int, zone: ZoneInfo) -> datetime:
    """The moment in UTC at which an hour of a local date begins.

    Where it comes twice, the first; where a clock change skips it, the first moment after it; and where that would
    be the next date already, as late before the change as the hour is long: every hour of a date begins on it.
    """
    wall = datetime.combine(day, time(hour), zone)
    start = wall.astimezone(UTC)
    shown = start.astimezone(zone)
    if shown.hour == hour and shown.date() == day:
        return start
    before = wall.replace(fold=1).astimezone(UTC)
    return before if shown.date() > day else _change(before, start, zone)


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The moment, to the second, between two others at which the zone's clocks change."""
    offset, low, high = before.astimezone(zone).utcoffset(), 0, round((after - before).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        if (before + timedelta(seconds=middle)).astimezone(zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return before + timedelta(seconds=high)


def monday_of(day: date) -> date:
    """The Monday that names the week of a date."""
    return day - timedelta(days=day.weekday())


def period_of_days(first_on: date, last_on: date, zone: ZoneInfo) -> Period:
    """The period from the start of `first_on` to the end of `last_on`."""
    return Period(first_on, last_on, day_start(first_on, zone), day_start(last_on + timedelta(days=1), zone))


def weeks_ending(monday: date, weeks: int, zone: ZoneInfo) -> Period:
    """The `weeks` weeks that end with the week of `monday`; ValueError when that is no Monday."""
    if monday.weekday() != 0:
        raise ValueError(f"{monday} is not a Monday")
    return period_of_days(monday - timedelta(weeks=weeks - 1), monday + timedelta(days=6), zone)
