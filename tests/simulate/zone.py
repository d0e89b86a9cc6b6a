"""One time zone through the years: what the decisions sent, and what they should have sent."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from bot.domain.digest import due_digest
from bot.domain.guild import GuildSettings, ManagerSettings
from bot.domain.nudge_time import due_nudge
from tests.simulate.wall import changes, hour_begins

DAY = timedelta(days=1)
WEEK = timedelta(weeks=1)


@dataclass(slots=True)
class Outcome:
    """What came of one zone: the days looked at, and how many sendings were missed or too many."""

    zone_days: int = 0
    nudges: int = 0
    digests: int = 0
    late: int = 0
    missed: int = 0
    doubled: int = 0

    def add(self, other: "Outcome") -> None:
        self.zone_days += other.zone_days
        self.nudges += other.nudges
        self.digests += other.digests
        self.late += other.late
        self.missed += other.missed
        self.doubled += other.doubled


@dataclass(frozen=True, slots=True)
class Year:
    """How a manager has it in one year: their hour and days, and a pause."""

    manager: ManagerSettings
    pause_from_on: date
    pause_until_on: date

    def on(self, day: date) -> ManagerSettings:
        """The settings on a local day."""
        return replace(self.manager, paused_until_on=self.pause_until_on) if day >= self.pause_from_on else self.manager

    def wants(self, day: date) -> bool:
        """Whether a nudge should come on a local day."""
        paused = self.pause_from_on <= day < self.pause_until_on
        return day.weekday() in self.manager.nudge_weekdays and not paused


class Downtime:
    """When the process was down: a dozen times a year, from minutes to weeks."""

    def __init__(self, random: Random, first: datetime, last: datetime) -> None:
        self._spans: list[tuple[datetime, datetime]] = []
        moment = first
        while moment < last:
            moment += timedelta(days=random.expovariate(1 / 30))
            end = moment + timedelta(minutes=random.choice((5, 60, 600, 3000, 30_000)) * random.random())
            self._spans.append((moment, end))
            moment = end

    def up(self, ticks: list[datetime]) -> list[datetime]:
        """The ticks, in order, at which the process was there."""
        kept, spans = [], iter([*self._spans, (datetime.max.replace(tzinfo=UTC),) * 2])
        start, end = next(spans)
        for tick in ticks:
            while tick >= end:
                start, end = next(spans)
            if tick < start:
                kept.append(tick)
        return kept


def simulate(name: str, first_year: int, last_year: int, seed: int) -> Outcome:
    """Run one zone."""
    random = Random(f"{seed} {name}")
    zone = ZoneInfo(name)
    guild = GuildSettings(
        1, zone, digest_channel_id=2, digest_weekday=random.randrange(7), digest_hour=random.randrange(24)
    )
    first, last = datetime(first_year, 1, 1, tzinfo=UTC), datetime(last_year + 1, 1, 1, tzinfo=UTC)
    first_monday = first.date() - timedelta(days=first.weekday())
    guild = replace(guild, digest_from_on=first_monday)
    years = {year: _year(random, year) for year in range(first_year - 1, last_year + 2)}
    days = [first.date() + timedelta(days=number) for number in range(1, (last - first).days - 1)]
    begins = {day: hour_begins(day, years[day.year].manager.nudge_hour, zone) for day in days}
    postings = [
        hour_begins(first_monday + timedelta(days=guild.digest_weekday + 7 * week), guild.digest_hour, zone)
        for week in range((last.date() - first_monday).days // 7)
    ]
    ticks = Downtime(random, first, last).up(_ticks(random, zone, first, last, [*begins.values(), *postings]))
    nudged, posted, late = _play(guild, years, zone, ticks)
    outcome = Outcome(
        zone_days=len(days), nudges=sum(map(len, nudged.values())), digests=sum(posted.values()), late=len(late)
    )
    _check_nudges(outcome, years, begins, zone, ticks, nudged)
    _check_digests(outcome, guild, ticks, posted, late)
    return outcome


def _year(random: Random, year: int) -> Year:
    pause_from_on = date(year, 1, 1) + timedelta(days=random.randrange(300))
    return Year(
        manager=ManagerSettings(
            1,
            3,
            enrolled_at=datetime(2000, 1, 1, tzinfo=UTC),
            nudge_hour=random.choice((0, 23, random.randrange(24))),
            nudge_weekdays=frozenset(random.sample(range(7), random.randrange(1, 8))),
        ),
        pause_from_on=pause_from_on,
        pause_until_on=pause_from_on + timedelta(days=random.randrange(1, 60)),
    )


def _ticks(random: Random, zone: ZoneInfo, first: datetime, last: datetime, begins: list[datetime]) -> list[datetime]:
    """Ticks: now and then, once in the hour in which something comes due, and every few minutes where clocks change."""
    ticks = [moment + timedelta(seconds=random.randrange(3600)) for moment in begins]
    moment = first
    while moment < last:
        moment += timedelta(seconds=random.randrange(60, 16 * 3600))
        ticks.append(moment)
    for change in changes(zone, first, last):
        moment = change - timedelta(hours=30)
        while moment < change + timedelta(hours=6):
            ticks.append(moment)
            moment += timedelta(minutes=random.randrange(5, 30))
    return sorted(tick for tick in ticks if first <= tick < last)


def _play(
    guild: GuildSettings, years: dict[int, Year], zone: ZoneInfo, ticks: list[datetime]
) -> tuple[dict[date, list[datetime]], dict[date, int], set[date]]:
    """What the service does at each tick, with its unique keys in memory."""
    nudged: dict[date, list[datetime]] = {}
    posted: dict[date, int] = {}
    late: set[date] = set()
    newest_nudge = newest_digest = date.min
    for now in ticks:
        today = now.astimezone(zone).date()
        day = due_nudge(years[today.year].on(today), zone, now)
        if day is not None and day > newest_nudge:
            newest_nudge = day
            nudged.setdefault(day, []).append(now)
        due = due_digest(guild, now)
        if due is not None and due.week_on > newest_digest:
            newest_digest = due.week_on
            posted[due.week_on] = posted.get(due.week_on, 0) + 1
            if due.late:
                late.add(due.week_on)
    return nudged, posted, late


def _check_nudges(
    outcome: Outcome,
    years: dict[int, Year],
    begins: dict[date, datetime],
    zone: ZoneInfo,
    ticks: list[datetime],
    nudged: dict[date, list[datetime]],
) -> None:
    """A day that was wanted, and on which the process was there after its hour began, has exactly one, and on it."""
    wanted: set[date] = set()
    for tick in ticks:
        day = tick.astimezone(zone).date()
        if day in begins and day not in wanted and years[day.year].wants(day) and tick >= begins[day]:
            wanted.add(day)
    outcome.missed += sum(day not in nudged for day in wanted)
    outcome.missed += sum(
        not begins[day] <= moment or moment.astimezone(zone).date() != day
        for day, moments in nudged.items()
        for moment in moments
        if day in begins
    )
    outcome.doubled += sum(len(moments) - 1 for moments in nudged.values())
    outcome.doubled += sum(day in begins and day not in wanted for day in nudged)


def _check_digests(
    outcome: Outcome, guild: GuildSettings, ticks: list[datetime], posted: dict[date, int], late: set[date]
) -> None:
    """Each week whose time of posting, up to the next week's, saw the process has one; the others are never posted."""
    assert guild.digest_from_on is not None
    monday, wanted, late_wanted, place = guild.digest_from_on, set(), set(), 0
    while place < len(ticks):
        posting_on = monday + WEEK + timedelta(days=guild.digest_weekday)
        opens = hour_begins(posting_on, guild.digest_hour, guild.zone)
        closes = hour_begins(posting_on + WEEK, guild.digest_hour, guild.zone)
        while place < len(ticks) and ticks[place] < opens:
            place += 1
        if place < len(ticks) and ticks[place] < closes:
            wanted.add(monday)
            if ticks[place].astimezone(guild.zone).date() > posting_on:
                late_wanted.add(monday)
        monday += WEEK
    outcome.missed += len(wanted - posted.keys())
    outcome.doubled += sum(count - 1 for count in posted.values()) + len(posted.keys() - wanted)
    outcome.missed += len(late ^ late_wanted)
