"""A machine that is sometimes down, asleep or cut off, and whose clock is sometimes wrong."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from bot.clock import Clock, SystemClock

BuildClock = Callable[[Callable[[], datetime], Callable[[], float]], Clock]
"""Makes Spade's clock of the wall and of a counter of seconds."""
ASKED_IN_VAIN = 0.03
"""How often Discord does not say what time it is."""


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
    What Discord says is up to two seconds old.
    """

    def __init__(self, random: Random, first: datetime, last: datetime, build_clock: BuildClock = SystemClock) -> None:
        self.jumps = 0
        self._random = random
        self._build_clock = build_clock
        self._at = first
        self._error = timedelta()
        self._stood_still = 0.0
        self._changes = iter(sorted(_outages(random, first, last) + self._jumps(first, last), key=lambda one: one[0]))
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
            self._at = moment
            if not self._clock.sure and self._random.random() >= ASKED_IN_VAIN:
                heard = moment - timedelta(seconds=self._random.random() * 2)
                self._clock.hear(heard.replace(microsecond=0))
            if self._clock.sure:
                yield Tick(moment, self._clock.now())

    def _change(self, change: "Outage | timedelta") -> None:
        """Go down, or have the clock show something else: `change` is by how much it is wrong from now on."""
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

    def _jumps(self, first: datetime, last: datetime) -> "list[tuple[datetime, Outage | timedelta]]":
        found: list[tuple[datetime, Outage | timedelta]] = []
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


def _outages(random: Random, first: datetime, last: datetime) -> "list[tuple[datetime, Outage | timedelta]]":
    found: list[tuple[datetime, Outage | timedelta]] = []
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
