"""Discord's ids: a time in milliseconds since 2015 in the upper 42 bits, a counter below."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

EPOCH = datetime(2015, 1, 1, tzinfo=UTC)


def snowflake_at(moment: datetime) -> int:
    """Return the lowest id of the millisecond `moment` lies in."""
    return ((moment - EPOCH) // timedelta(milliseconds=1)) << 22


def time_of(snowflake: int) -> datetime:
    """Return the moment a snowflake was made, in UTC."""
    return EPOCH + timedelta(milliseconds=snowflake >> 22)


def stamp(moment: datetime) -> str:
    """Write a moment the way Discord's payloads do."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


class Snowflakes:
    """Makes ids from a clock, each larger than the one before, even if the clock stands still."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._last = 0

    def make(self) -> int:
        """Return a new id."""
        self._last = max(self._last + 1, snowflake_at(self._now()))
        return self._last
