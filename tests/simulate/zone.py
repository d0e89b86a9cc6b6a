"""One time zone through the years: what the decisions sent, and what they should have sent."""

from dataclasses import dataclass, fields
from random import Random
from zoneinfo import ZoneInfo

from bot.clock import SystemClock
from tests.simulate.demand import missed_and_doubled
from tests.simulate.machine import BuildClock, Machine
from tests.simulate.play import play
from tests.simulate.scenario import scenario


@dataclass(slots=True)
class Outcome:
    """What came of one zone: the days looked at, what was sent, and how many sendings were missed or too many."""

    zone_days: int = 0
    nudges: int = 0
    digests: int = 0
    personal_digests: int = 0
    late: int = 0
    jumps: int = 0
    missed: int = 0
    doubled: int = 0

    def add(self, other: "Outcome") -> None:
        """Count another zone's in."""
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))


def simulate(
    name: str, first_year: int, last_year: int, seed: int, *, build_clock: BuildClock = SystemClock
) -> Outcome:
    """Run one zone."""
    random = Random(f"{seed} {name}")
    setting = scenario(random, ZoneInfo(name), first_year, last_year)
    machine = Machine(random, setting.moments[0], setting.moments[-1], build_clock)
    ticks = list(machine.ticks(setting.moments))
    sent = play(setting, ticks)
    missed, doubled = missed_and_doubled(setting, ticks, sent)
    weekly = (*sent.posts.values(), *sent.letters.values())
    return Outcome(
        zone_days=len(setting.begins),
        nudges=sum(map(len, sent.nudges.values())),
        digests=sum(map(len, sent.posts.values())),
        personal_digests=sum(map(len, sent.letters.values())),
        late=sum(late for found in weekly for _, late in found),
        jumps=machine.jumps,
        missed=missed,
        doubled=doubled,
    )
