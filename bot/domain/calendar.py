"""Local days and weeks (docs/rules.md#days-and-weeks). A period is half-open."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from types import MappingProxyType
from zoneinfo import ZoneInfo

from bot.domain.snowflake import EPOCH

_MINUTES = 4096
"""Of how many the day is kept."""


@dataclass(frozen=True, slots=True)
class Period:
    """Whole local days from `first_on` to `last_on`, both included; as moments, `start_at` <= t < `end_at`."""

    first_on: date
    last_on: date
    start_at: datetime
    end_at: datetime

    def holds(self, moment: datetime) -> bool:
        """Whether a moment lies in the period."""
        return self.start_at <= moment < self.end_at


def just_after(moment: datetime) -> datetime:
    """The end of a half-open period that includes `moment`: a millisecond later, the unit of ids and stored times."""
    return moment + timedelta(milliseconds=1)


def local_day(moment: datetime, zone: ZoneInfo) -> date:
    """The local date in `zone`."""
    return moment.astimezone(zone).date()


@lru_cache(_MINUTES)
def day_of_minute(minute: int, zone: ZoneInfo) -> date:
    """The local date in a minute, counted from the epoch of ids: all offsets from UTC are whole minutes since then."""
    return local_day(EPOCH + timedelta(minutes=minute), zone)


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a local date, in UTC.

    If a clock change skips midnight, the first moment that exists; if midnight occurs twice, the first one.
    """
    # Python maps a skipped time to the same distance past the change, and takes the first of a repeated one. At
    # midnight that is what we want, since clocks change at midnight or after it.
    return datetime.combine(day, time(), zone).astimezone(UTC)


def hour_start(day: date, hour: int, zone: ZoneInfo) -> datetime:
    """The moment in UTC at which an hour of a local date begins.

    If the hour occurs twice, the first. If a clock change skips it, the first moment after the change. If that moment
    lies on the next date, the same distance before the change instead, so that every hour begins on its own date.
    """
    wall = datetime.combine(day, time(hour), zone)
    start = wall.astimezone(UTC)
    shown = start.astimezone(zone)
    if shown.hour == hour and shown.date() == day:
        return start
    before = wall.replace(fold=1).astimezone(UTC)
    return before if shown.date() > day else _change(before, start, zone)


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The moment between `before` and `after` at which the zone's clocks change, to the second."""
    offset, low, high = before.astimezone(zone).utcoffset(), 0, round((after - before).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        if (before + timedelta(seconds=middle)).astimezone(zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return before + timedelta(seconds=high)


def repeated_end(day: date, zone: ZoneInfo) -> tuple[datetime, ...]:
    """Where the clocks are set back over midnight: when the end of a local date comes again, and when it is over.

    Between the two it is that date once more, after the next one had begun. Empty for almost every date.
    """
    end = datetime.combine(day, time(23, 59, 59), zone)
    again = end.replace(fold=1)
    if end.utcoffset() == again.utcoffset():
        return ()
    first, second = end.astimezone(UTC), again.astimezone(UTC)
    return (_change(first, second, zone), second + timedelta(seconds=1)) if first < second else ()


def monday_of(day: date) -> date:
    """The Monday of the week of a date."""
    return day - timedelta(days=day.weekday())


def period_of_days(first_on: date, last_on: date, zone: ZoneInfo) -> Period:
    """The period from the start of `first_on` to the end of `last_on`."""
    return Period(first_on, last_on, day_start(first_on, zone), day_start(last_on + timedelta(days=1), zone))


def weeks_ending(
    monday: date, weeks: int, zone: ZoneInfo, posted: Mapping[date, ZoneInfo] = MappingProxyType({})
) -> Period:
    """The `weeks` weeks that end with the week of `monday`. Raises ValueError if it is not a Monday.

    `posted` are the zones in which the digests of earlier weeks were made, by their Mondays. A week that was posted
    ends where it did then, and the next one begins there: after a change of zone no hour is in two weeks, or in none.
    """
    if monday.weekday() != 0:
        raise ValueError(f"{monday} is not a Monday")
    first_on, last_on = monday - timedelta(weeks=weeks - 1), monday + timedelta(days=6)
    before = first_on - timedelta(weeks=1)
    end_at = day_start(last_on + timedelta(days=1), posted.get(monday, zone))
    return Period(first_on, last_on, day_start(first_on, posted.get(before, zone)), end_at)
