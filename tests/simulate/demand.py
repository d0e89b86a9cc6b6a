"""What may be demanded of what was sent, told by the true time alone.

A tick counts if the machine was up and Spade could know the time: Discord had said it since the start, since the clock
jumped or the machine slept, and within six hours. Then, whatever the machine's clock showed:

- each wanted local day with a tick in it after its hour began has exactly one nudge, at the first such tick, and on
  that day; other days have none. A day that passed only on a wrong clock is none that passed.
- each week's digest, the channel's and the reader's, is sent exactly once, at the first tick from its hour on that
  comes before the next week's hour; it says it is late if and only if its local day is over; a week without such a
  tick has none. The reader's keeps quiet in a pause, and about what came due before the pause ended.

As Spade takes the machine's clock while it is less than a minute off, whoever is within a `SLACK` of a boundary may
have it either way.
"""

from collections.abc import Callable, Collection
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.reckoning import AGREES_WITHIN
from tests.simulate.machine import Tick
from tests.simulate.play import Sent
from tests.simulate.scenario import Due, Scenario

SLACK = AGREES_WITHIN + timedelta(seconds=4)


def missed_and_doubled(setting: Scenario, ticks: list[Tick], sent: Sent) -> tuple[int, int]:
    """How many sendings are missing or at the wrong time, and how many are too many."""
    zone = setting.guild.zone

    def silent(days: Collection[date], due_on: date) -> list[bool]:
        return [setting.years[day.year].silent(day, due_on) for day in days]

    found = (
        _nudges(setting, ticks, sent),
        _digests(setting.posts, zone, ticks, sent.posts, lambda days, _: [False]),
        _digests(setting.letters, setting.reader_zone, ticks, sent.letters, silent),
    )
    return sum(missed for missed, _ in found), sum(doubled for _, doubled in found)


def _days(tick: Tick, zone: ZoneInfo) -> tuple[date, ...]:
    """The local day of a tick; two where it may be taken for either."""
    early, late = (tick.at - SLACK).astimezone(zone).date(), (tick.at + SLACK).astimezone(zone).date()
    return (early,) if early == late else (early, late)


def _nudges(setting: Scenario, ticks: list[Tick], sent: Sent) -> tuple[int, int]:
    zone, begins = setting.guild.zone, setting.begins
    wanted: dict[date, datetime] = {}
    allowed: set[tuple[date, datetime]] = set()
    for tick in ticks:
        days = _days(tick, zone)
        for day in days:
            if day not in begins or not setting.years[day.year].wants(day) or tick.at < begins[day] - SLACK:
                continue
            allowed.add((day, tick.at))
            if len(days) == 1 and tick.at >= begins[day] + SLACK:
                wanted.setdefault(day, tick.at)
    missed = sum(day not in sent.nudges or sent.nudges[day][0].at > first for day, first in wanted.items())
    doubled = sum(len(found) - 1 for found in sent.nudges.values())
    doubled += sum((day, found[0].at) not in allowed for day, found in sent.nudges.items() if day in begins)
    return missed, doubled


def _digests(
    due: list[Due],
    zone: ZoneInfo,
    ticks: list[Tick],
    sent: dict[date, list[tuple[Tick, bool]]],
    silent: Callable[[Collection[date], date], list[bool]],
) -> tuple[int, int]:
    wanted: dict[date, datetime] = {}
    allowed: set[tuple[date, datetime]] = set()
    place = 0
    for tick in ticks:
        while place + 1 < len(due) and tick.at >= due[place + 1].opens + SLACK:
            place += 1
        for one, after in zip(due[place : place + 2], due[place + 1 : place + 3], strict=False):
            if tick.at < one.opens - SLACK:
                continue
            quiet = silent(_days(tick, zone), one.on)
            if not all(quiet):
                allowed.add((one.week_on, tick.at))
            if not any(quiet) and one.opens + SLACK <= tick.at < after.opens - SLACK:
                wanted.setdefault(one.week_on, tick.at)
    missed = sum(week not in sent or sent[week][0][0].at > first for week, first in wanted.items())
    doubled = sum(len(found) - 1 for found in sent.values())
    doubled += sum((week, found[0][0].at) not in allowed for week, found in sent.items())
    days_due = {one.week_on: one.on for one in due}
    missed += sum(
        late not in [day > days_due[week] for day in _days(tick, zone)]
        for week, found in sent.items()
        if week in days_due
        for tick, late in found
    )
    return missed, doubled
