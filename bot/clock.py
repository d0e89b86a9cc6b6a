"""The time. No other module reads the system clock: everything that needs `now` is given a Clock."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

log = logging.getLogger(__name__)

AGREES_WITHIN = timedelta(minutes=1)
"""The largest difference at which the system clock is still used. Discord sends its time in whole seconds."""
ASK_AGAIN_AFTER = timedelta(hours=6)
"""How long a time from Discord is trusted. Within this interval the drift of a monotonic counter is negligible."""


class Clock(Protocol):
    """A source of the current time."""

    @property
    def sure(self) -> bool:
        """Whether due work may rely on it: False until it has heard Discord's time, and again after `doubt`."""

    def now(self) -> datetime:
        """The current time, aware and in UTC."""

    def hear(self, moment: datetime) -> None:
        """Take `moment` as the current time according to Discord."""

    def doubt(self) -> None:
        """The connection broke, so the machine may have been suspended. Not `sure` until the next `hear`."""


class SystemClock:
    """The system clock, or Discord's time where the two disagree, because Discord stamps the messages.

    A system clock can be wrong from boot, be corrected later, or stand still while the machine sleeps. The last time
    heard from Discord is therefore carried on by a monotonic counter, and the system clock is used only while it agrees
    with the result. Before the first time from Discord, the system clock is used as it is.

    The clock is not `sure` if system clock and counter have diverged since the last time from Discord (the clock was
    set, or the machine slept), after `doubt`, or if that time is older than ASK_AGAIN_AFTER.
    """

    def __init__(
        self,
        wall: Callable[[], datetime] | None = None,
        seconds: Callable[[], float] | None = None,
    ) -> None:
        self._wall = wall or _wall
        self._seconds = seconds or _seconds_since_boot
        self._heard: tuple[datetime, datetime, float] | None = None
        """The last time from Discord, with the system clock and the counter at that moment."""
        self._in_doubt = False
        self._wrong = False

    @property
    def sure(self) -> bool:
        """Whether due work may rely on it."""
        if self._heard is None or self._in_doubt:
            return False
        _, wall, seconds = self._heard
        passed = timedelta(seconds=self._seconds() - seconds)
        return passed < ASK_AGAIN_AFTER and abs(self._wall() - wall - passed) <= AGREES_WITHIN

    def now(self) -> datetime:
        """The current time, aware and in UTC."""
        wall = self._wall()
        if self._heard is None:
            return wall
        moment, _, seconds = self._heard
        reckoned = moment + timedelta(seconds=self._seconds() - seconds)
        return wall if abs(wall - reckoned) <= AGREES_WITHIN else reckoned

    def hear(self, moment: datetime) -> None:
        """Take `moment` as the current time according to Discord; ValueError if it has no time zone."""
        wall = self._wall()
        self._heard = (_in_utc(moment), wall, self._seconds())
        self._in_doubt = False
        wrong = abs(wall - moment) > AGREES_WITHIN
        if wrong and not self._wrong:
            log.warning("This machine's clock says %s, Discord's %s: Spade goes by Discord's", wall, moment)
        self._wrong = wrong

    def doubt(self) -> None:
        """System clock and counter may have stood still together, as in a suspended virtual machine."""
        self._in_doubt = True


class DrivenClock:
    """A clock that does not run by itself; the player of a record sets it.

    Setting it to an earlier moment has no effect unless `back` is given: the events of a record may be slightly out of
    order, but code that has acted on a time must not see an earlier one by accident.
    """

    def __init__(self, start: datetime) -> None:
        self._now = _in_utc(start)

    @property
    def sure(self) -> bool:
        """Always True: its time is set explicitly."""
        return True

    def now(self) -> datetime:
        """The time it was last set to, aware and in UTC."""
        return self._now

    def hear(self, moment: datetime) -> None:
        """Ignored: only `set` changes it."""

    def doubt(self) -> None:
        """Ignored."""

    def set(self, moment: datetime, *, back: bool = False) -> None:
        """Move to `moment`; to an earlier one only with `back`. ValueError if it has no time zone."""
        moment = _in_utc(moment)
        self._now = moment if back else max(self._now, moment)


def _wall() -> datetime:
    return datetime.now(UTC)


def _seconds_since_boot() -> float:
    """A monotonic counter in seconds; one that includes time asleep, if the system has it."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def _in_utc(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError(f"{moment} has no time zone")
    return moment.astimezone(UTC)
