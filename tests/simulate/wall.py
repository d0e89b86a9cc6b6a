"""When an hour of a date begins on the wall, found without the code under test.

The clock on the wall is looked at, not computed with: an hour begins at the first moment of its date at which the
wall shows it or a later one. A date on which no moment does (the clocks jumped over it and the rest of the date)
has it in its last hour.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)


def offsets_around(day: date, zone: ZoneInfo) -> set[timedelta]:
    """The zone's offsets from the day before to the day after."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    found = set()
    for days in (-1.25, -0.5, 0, 0.5, 1.25):
        offset = (noon + timedelta(days=days)).astimezone(zone).utcoffset()
        assert offset is not None
        found.add(offset)
    return found


def hour_begins(day: date, hour: int, zone: ZoneInfo) -> datetime:
    """The first moment of a date on which the wall shows this hour or a later one."""
    wall = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    candidates = sorted(wall - offset for offset in offsets_around(day, zone))
    for candidate in candidates:
        shown = candidate.astimezone(zone)
        if shown.date() == day and shown.hour == hour and shown.minute == 0:
            return candidate
    # The hour is not shown: walk through the hours around it.
    last_of_day = candidates[0]
    for moment in minutes(candidates[0] - timedelta(hours=3), candidates[-1] + timedelta(hours=3)):
        shown = moment.astimezone(zone)
        if shown.date() == day:
            if shown.hour >= hour:
                return moment
            last_of_day = moment
    return last_of_day + MINUTE - timedelta(hours=1)


def minutes(first: datetime, last: datetime) -> Iterator[datetime]:
    """Every minute from one moment to another."""
    while first <= last:
        yield first
        first += MINUTE


def changes(zone: ZoneInfo, first: datetime, last: datetime) -> list[datetime]:
    """The moments at which the zone's offset changes, to the day."""
    found = []
    before = first.astimezone(zone).utcoffset()
    moment = first
    while moment < last:
        moment += timedelta(days=1)
        after = moment.astimezone(zone).utcoffset()
        if after != before:
            found.append(moment)
        before = after
    return found
