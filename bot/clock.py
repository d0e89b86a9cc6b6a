"""The time. Nothing else in Spade reads the clock on the wall: everything that needs `now` is given a Clock."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

log = logging.getLogger(__name__)

AGREES_WITHIN = timedelta(minutes=1)
"""How far the machine's clock may be from Discord's time and still count. Discord says it in whole seconds."""
ASK_AGAIN_AFTER = timedelta(hours=6)
"""How long Discord's word holds: by then no counter of seconds is wrong by much."""


class Clock(Protocol):
    """Something that knows what time it is."""

    @property
    def sure(self) -> bool:
        """Whether what is due may be done by it; not before it heard, or heard again, what time it is."""

    def now(self) -> datetime:
        """The present moment, aware and in UTC."""

    def hear(self, moment: datetime) -> None:
        """Discord says that it is `moment` now."""

    def doubt(self) -> None:
        """The connection broke: the machine may have stood still meanwhile. Not `sure` before it hears again."""


class SystemClock:
    """The clock of the machine, and where that is wrong, Discord's, which stamps the messages.

    A machine boots with a wrong clock and is set right an hour later, sleeps, or is never right at all. So what
    Discord said last is carried on by a counter of seconds that nobody sets, and the machine's clock counts while it
    agrees with that. Before Discord said anything, it is all there is. The clock is not `sure` when counter and wall
    have parted since, as somebody set the clock or the machine slept, when in `doubt`, or when Discord's word is old.
    """

    def __init__(
        self,
        wall: Callable[[], datetime] | None = None,
        seconds: Callable[[], float] | None = None,
    ) -> None:
        self._wall = wall or _wall
        self._seconds = seconds or _seconds_since_boot
        self._heard: tuple[datetime, datetime, float] | None = None
        """What Discord said, and what wall and counter showed then."""
        self._in_doubt = False
        self._wrong = False

    @property
    def sure(self) -> bool:
        """Whether what is due may be done by it."""
        if self._heard is None or self._in_doubt:
            return False
        _, wall, seconds = self._heard
        passed = timedelta(seconds=self._seconds() - seconds)
        return passed < ASK_AGAIN_AFTER and abs(self._wall() - wall - passed) <= AGREES_WITHIN

    def now(self) -> datetime:
        """The present moment, aware and in UTC."""
        wall = self._wall()
        if self._heard is None:
            return wall
        moment, _, seconds = self._heard
        reckoned = moment + timedelta(seconds=self._seconds() - seconds)
        return wall if abs(wall - reckoned) <= AGREES_WITHIN else reckoned

    def hear(self, moment: datetime) -> None:
        """Discord says that it is `moment` now."""
        wall = self._wall()
        self._heard = (_in_utc(moment), wall, self._seconds())
        self._in_doubt = False
        wrong = abs(wall - moment) > AGREES_WITHIN
        if wrong and not self._wrong:
            log.warning("This machine's clock says %s, Discord's %s: Spade goes by Discord's", wall, moment)
        self._wrong = wrong

    def doubt(self) -> None:
        """Wall and counter may have stood still together, as those of a virtual machine that is held do."""
        self._in_doubt = True


class DrivenClock:
    """A clock that stands still until whoever plays a record sets it.

    It does not run by itself, and an earlier moment leaves it where it is: a record's events may come a
    little out of order, but time that has been acted upon cannot be taken back unnoticed.
    """

    def __init__(self, start: datetime) -> None:
        self._now = _in_utc(start)

    @property
    def sure(self) -> bool:
        """Always: whoever sets it knows."""
        return True

    def now(self) -> datetime:
        """The moment it was last set to, aware and in UTC."""
        return self._now

    def hear(self, moment: datetime) -> None:
        """Nobody but its driver sets it."""

    def doubt(self) -> None:
        """Its driver has no doubts."""

    def set(self, moment: datetime, *, back: bool = False) -> None:
        """Move to `moment`; one in the past counts only with `back`. ValueError when it has no time zone."""
        moment = _in_utc(moment)
        self._now = moment if back else max(self._now, moment)


def _wall() -> datetime:
    return datetime.now(UTC)


def _seconds_since_boot() -> float:
    """A counter that only runs on; where there is one that goes on in sleep, that one."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def _in_utc(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError(f"{moment} has no time zone")
    return moment.astimezone(UTC)
