"""The time. No other module reads the system clock: everything that needs `now` is given a Clock."""

import logging
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from bot.domain.reckoning import AGREES_WITHIN, Reading, Reckoning, Source

log = logging.getLogger(__name__)

TOLD_AGAIN_SECONDS = 600.0


class UnsureTimeError(Exception):
    """The time is not certain, so nothing is done now that cannot be taken back."""


class Clock(Protocol):
    """A source of the current time."""

    @property
    def sure(self) -> bool:
        """Whether the time is certain: False until it has heard Discord's time, and again after `doubt`."""

    @property
    def unsure_for(self) -> timedelta:
        """For how long it has not been sure; zero if it is."""

    def now(self) -> datetime:
        """The current time, aware and in UTC."""

    def sure_now(self) -> datetime:
        """The current time for what cannot be taken back: sending, purging, closing a week. Raises UnsureTimeError."""

    def hear(self, moment: datetime, counted_at: datetime | None = None) -> None:
        """Discord has answered: `moment` is the date of the answer, `counted_at` when its API counted the request."""

    def hear_id(self, made_at: datetime) -> None:
        """An event of a message or an interaction has arrived that Discord made at `made_at`, by its id."""

    def doubt(self) -> None:
        """The connection broke, so the machine may have been suspended. Not `sure` until Discord is heard again."""


class SystemClock:
    """The system clock, or Discord's time where the two disagree, because Discord stamps the messages.

    A system clock can be wrong from boot, be corrected later, or stand still while the machine sleeps; a date of
    Discord's can be wrong, too, as from a cache. What is believed is judged by `Reckoning`. The log gets a line when
    the system clock is found to be wrong, when Discord is not believed, and when that is over. Single dates that are
    refuted at once are told every `TOLD_AGAIN_SECONDS` at most.
    """

    def __init__(
        self,
        wall: Callable[[], datetime] | None = None,
        seconds: Callable[[], float] | None = None,
    ) -> None:
        self._wall = wall or _wall
        self._seconds = seconds or _seconds_since_boot
        self._reckoning = Reckoning(began=self._seconds())
        self._wrong = False
        self._telling = False
        self._told_at = -math.inf

    @property
    def sure(self) -> bool:
        """Whether the time is certain."""
        return self._reckoning.unsure_since(self._reading()) is None

    @property
    def unsure_for(self) -> timedelta:
        """For how long it has not been sure; zero if it is."""
        at = self._reading()
        since = self._reckoning.unsure_since(at)
        return timedelta() if since is None else timedelta(seconds=at.seconds - since)

    def now(self) -> datetime:
        """The current time, aware and in UTC."""
        return self._reckoning.now(self._reading())

    def sure_now(self) -> datetime:
        """The current time for what cannot be taken back. Raises UnsureTimeError."""
        if not self.sure:
            raise UnsureTimeError("it is not certain what time it is")
        return self.now()

    def hear(self, moment: datetime, counted_at: datetime | None = None) -> None:
        """Discord has answered, with a date and perhaps with another time; ValueError if one has no time zone."""
        at = self._reading()
        heard = self._reckoning.heard(Source.DATE, _in_utc(moment), at)
        if counted_at is not None:
            heard = heard.heard(Source.LIMIT, _in_utc(counted_at), at)
        self._take(heard, at)

    def hear_id(self, made_at: datetime) -> None:
        """An event has arrived that Discord made at `made_at`; ValueError if that has no time zone."""
        at = self._reading()
        self._take(self._reckoning.heard(Source.ID, _in_utc(made_at), at), at)

    def doubt(self) -> None:
        """System clock and counter may have stood still together, as in a suspended virtual machine."""
        self._reckoning = self._reckoning.doubted(self._reading())

    def _reading(self) -> Reading:
        return Reading(self._wall(), self._seconds())

    def _may_tell(self, at: Reading) -> bool:
        return not self._telling and at.seconds - self._told_at >= TOLD_AGAIN_SECONDS

    def _take(self, heard: Reckoning, at: Reading) -> None:
        before, self._reckoning = self._reckoning, heard
        if heard.claims and self._may_tell(at):
            self._told_at, self._telling = at.seconds, True
            log.warning(
                "Discord gives the time as %s, this machine as %s: nothing is sent, and nothing deleted, before it is "
                "certain which is right",
                _to_the_second(heard.claims[0].moment),
                _to_the_second(before.now(at) if before.anchor is not None else at.wall),
            )
        elif not heard.claims and self._telling:
            self._telling = False
            log.info("It is certain again that the time is %s", _to_the_second(heard.now(at)))
        if heard.anchor is not None and heard.anchor[1] is at:
            wrong = abs(at.wall - heard.now(at)) > AGREES_WITHIN
            if wrong and not self._wrong:
                log.warning(
                    "This machine's clock says %s, Discord's %s: Spade goes by Discord's",
                    _to_the_second(at.wall),
                    _to_the_second(heard.now(at)),
                )
            self._wrong = wrong


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

    @property
    def unsure_for(self) -> timedelta:
        """Always zero."""
        return timedelta()

    def now(self) -> datetime:
        """The time it was last set to, aware and in UTC."""
        return self._now

    def sure_now(self) -> datetime:
        """The same."""
        return self._now

    def hear(self, moment: datetime, counted_at: datetime | None = None) -> None:
        """Ignored: only `set` changes it."""

    def hear_id(self, made_at: datetime) -> None:
        """Ignored."""

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


def _to_the_second(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%SZ}"


def _in_utc(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError(f"{moment} has no time zone")
    return moment.astimezone(UTC)
