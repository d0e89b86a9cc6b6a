"""A machine that is sometimes down, asleep or cut off, and whose clock is sometimes wrong."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from bot.clock import Clock, SystemClock
from bot.domain.reckoning import AGREES_WITHIN, LASTING

BuildClock = Callable[[Callable[[], datetime], Callable[[], float]], Clock]
"""Makes Spade's clock of the wall and of a counter of seconds."""
ASKED_IN_VAIN = 0.03
"""How often Discord does not say what time it is."""
WITH_RATE_LIMIT = 0.8
"""How often an answer has the headers of a rate limit."""
LIKE_THE_CLOCK = AGREES_WITHIN + timedelta(minutes=1)
"""A wrong date that is less than this from a wrong clock agrees with it."""
ASKS_FOR = LASTING + timedelta(minutes=1)
"""Spade asks every 20 seconds; here twice, this far apart."""


@dataclass(frozen=True, slots=True)
class Tick:
    """One look for due work: when it truly happens, and the time Spade takes it for."""

    at: datetime
    now: datetime


class Machine:
    """Ticks at given moments, as far as it is there.

    Down, from minutes to weeks, a dozen times a year: half of the times it is started anew, maybe with a wrong clock,
    else it was asleep, where its clock and its counter may or may not have stood still. Some thirty times a year its
    clock jumps, by seconds up to weeks, both ways, or decades back, and half of the times is set right after a while.
    What Discord says is up to two seconds old, and comes with the rate limit's time in most answers. Some forty times a
    year an answer has a wrong date, by minutes up to years: alone, or even with the rate limit's. One that happens to
    agree with a clock that is wrong is left out: then nobody could know the time.
    """

    def __init__(self, random: Random, first: datetime, last: datetime, build_clock: BuildClock = SystemClock) -> None:
        self.jumps = 0
        self._random = random
        self._build_clock = build_clock
        self._at = first
        self._error = timedelta()
        self._stood_still = 0.0
        changes = _outages(random, first, last) + self._jumps(first, last) + _wrong_dates(random, first, last)
        self._changes = iter(sorted(changes, key=lambda one: one[0]))
        self._next = next(self._changes)
        self._down_until = first
        self._clock = self._started()

    def ticks(self, moments: list[datetime]) -> Iterator[Tick]:
        """Those of the moments, in order, at which it is up and Spade knows the time."""
        for moment in moments:
            while self._next[0] <= moment:
                self._at, change = self._next
                self._next = next(self._changes, (datetime.max.replace(tzinfo=UTC), timedelta()))
                self._change(change)
            if moment < self._down_until:
                continue
            if not self._clock.sure and moment - ASKS_FOR >= max(self._at, self._down_until):
                self._at = moment - ASKS_FOR
                self._ask()
            self._at = moment
            if not self._clock.sure:
                self._ask()
            if self._clock.sure:
                yield Tick(moment, self._clock.now())

    def _ask(self) -> None:
        if self._random.random() >= ASKED_IN_VAIN:
            heard = self._at - timedelta(seconds=self._random.random() * 2)
            self._clock.hear(heard.replace(microsecond=0), heard if self._random.random() < WITH_RATE_LIMIT else None)

    def _change(self, change: "Change") -> None:
        """Go down, hear a wrong date, or have the clock show something else from now on: wrong by `change`."""
        if isinstance(change, WrongDate):
            if self._at >= self._down_until and abs(change.by - self._error) > LIKE_THE_CLOCK:
                limited = change.with_limit and self._clock.sure  # who was just started has nothing to hold it against
                self._clock.hear(self._at + change.by, self._at + change.by if limited else None)
            return
        if isinstance(change, timedelta):
            self.jumps += change != self._error
            self._error = change
            return
        self._down_until = max(self._down_until, change.ends)
        self._clock.doubt()
        asleep = change.ends - self._at
        if change.restart:
            self._clock = self._started()
            self._error = _wrong(self._random) if self._random.random() < 0.3 else self._error
            self.jumps += 1
        elif change.stands_still:
            self._stood_still += asleep.total_seconds()
            self._error -= asleep

    def _started(self) -> Clock:
        return self._build_clock(self._wall, self._seconds)

    def _wall(self) -> datetime:
        return self._at + self._error

    def _seconds(self) -> float:
        return self._at.timestamp() - self._stood_still

    def _jumps(self, first: datetime, last: datetime) -> "list[tuple[datetime, Change]]":
        found: list[tuple[datetime, Change]] = []
        moment = first
        while moment < last:
            moment += timedelta(days=self._random.expovariate(1 / 17))
            found.append((moment, _wrong(self._random)))
            if self._random.random() < 0.5:
                moment += timedelta(hours=72 * self._random.random() ** 3)
                found.append((moment, timedelta()))
        return found


@dataclass(frozen=True, slots=True)
class Outage:
    """A time without ticks. `stands_still` says that clock and counter stop meanwhile, if it is no `restart`."""

    ends: datetime
    restart: bool
    stands_still: bool


@dataclass(frozen=True, slots=True)
class WrongDate:
    """An answer with a wrong date; `with_limit` says that the time of its rate limit is just as wrong."""

    by: timedelta
    with_limit: bool


Change = Outage | WrongDate | timedelta


def _wrong_dates(random: Random, first: datetime, last: datetime) -> list[tuple[datetime, Change]]:
    found: list[tuple[datetime, Change]] = []
    moment = first
    while moment < last:
        moment += timedelta(days=random.expovariate(1 / 9))
        most = random.choice((timedelta(hours=1), timedelta(days=40), timedelta(days=5 * 365)))
        found.append((moment, WrongDate(most * random.uniform(-1, 1), random.random() < 0.3)))
    return found


def _outages(random: Random, first: datetime, last: datetime) -> list[tuple[datetime, Change]]:
    found: list[tuple[datetime, Change]] = []
    moment = first
    while moment < last:
        moment += timedelta(days=random.expovariate(1 / 30))
        end = moment + timedelta(minutes=random.choice((5, 60, 600, 3000, 30_000)) * random.random())
        found.append((moment, Outage(end, restart=random.random() < 0.5, stands_still=random.random() < 0.5)))
        moment = end
    return found


def _wrong(random: Random) -> timedelta:
    """By how much a clock is wrong: seconds, minutes, hours, days or weeks, ahead or behind; or back at the epoch."""
    if random.random() < 0.05:
        return -timedelta(days=365 * 50)
    most = random.choice((timedelta(seconds=50), timedelta(hours=1), timedelta(days=1), timedelta(days=20)))
    return most * random.uniform(-1, 1)
