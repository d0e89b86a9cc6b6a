"""The time. Nothing else in Spade reads the clock on the wall: everything that needs `now` is given a Clock."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Something that knows what time it is."""

    def now(self) -> datetime:
        """The present moment, aware and in UTC."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """The present moment, aware and in UTC."""
        return datetime.now(UTC)


class DrivenClock:
    """A clock that stands still until whoever plays a record sets it.

    It does not run by itself, and an earlier moment leaves it where it is: a record's events may come a
    little out of order, but time that has been acted upon cannot be taken back unnoticed.
    """

    def __init__(self, start: datetime) -> None:
        self._now = _in_utc(start)

    def now(self) -> datetime:
        """The moment it was last set to, aware and in UTC."""
        return self._now

    def set(self, moment: datetime, *, back: bool = False) -> None:
        """Move to `moment`; one in the past counts only with `back`. ValueError when it has no time zone."""
        moment = _in_utc(moment)
        self._now = moment if back else max(self._now, moment)


def _in_utc(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError(f"{moment} has no time zone")
    return moment.astimezone(UTC)
