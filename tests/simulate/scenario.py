"""What a guild and its managers have set through the years, and at which moments anything comes due."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from bot.domain.guild import GuildSettings, ManagerSettings
from tests.simulate.wall import changes, hour_begins

DAY = timedelta(days=1)
WEEK = timedelta(weeks=1)
FAR_ZONES = ("UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "America/Santiago", "Asia/Kathmandu", "Europe/Berlin")


@dataclass(frozen=True, slots=True)
class Year:
    """How a manager has it in one year: their hour and days, and a pause."""

    manager: ManagerSettings
    pause_from_on: date
    pause_until_on: date

    def on(self, day: date) -> ManagerSettings:
        """The settings on a local day."""
        return self.paused(self.manager, day)

    def paused(self, manager: ManagerSettings, day: date) -> ManagerSettings:
        """Anybody's settings on a local day, with this year's pause."""
        return replace(manager, paused_until_on=self.pause_until_on) if day >= self.pause_from_on else manager

    def wants(self, day: date) -> bool:
        """Whether a nudge should come on a local day."""
        paused = self.pause_from_on <= day < self.pause_until_on
        return day.weekday() in self.manager.nudge_weekdays and not paused

    def silent(self, day: date, due_on: date) -> bool:
        """Whether on a local day nothing comes that was due on another: paused now, or paused until after that."""
        return day >= self.pause_from_on and min(day, due_on) < self.pause_until_on


@dataclass(frozen=True, slots=True)
class Due:
    """A week's digest: it opens at a moment, on a local day, and is over when the next one opens."""

    week_on: date
    opens: datetime
    on: date


@dataclass(frozen=True, slots=True)
class Scenario:
    """One guild in one zone. `reader` is a manager, maybe elsewhere, whose hour never changes.

    `begins` has the moment at which each day's nudge opens; `posts` and `letters` are the digests of the channel and
    those of the reader, one for each week, oldest first.
    """

    guild: GuildSettings
    years: dict[int, Year]
    reader: ManagerSettings
    begins: dict[date, datetime]
    posts: list[Due]
    letters: list[Due]
    moments: list[datetime]

    @property
    def reader_zone(self) -> ZoneInfo:
        """Where the reader is."""
        return self.reader.zone or self.guild.zone

    def year(self, day: date) -> Year:
        """The year of a day, or the next to it that there is."""
        return self.years[min(max(day.year, min(self.years)), max(self.years))]


def scenario(random: Random, zone: ZoneInfo, first_year: int, last_year: int) -> Scenario:
    """Settings drawn at random, and moments at which to look for due work."""
    first, last = datetime(first_year, 1, 1, tzinfo=UTC), datetime(last_year + 1, 1, 1, tzinfo=UTC)
    first_monday = first.date() - timedelta(days=first.weekday())
    guild = GuildSettings(
        1,
        zone,
        digest_channel_id=2,
        digest_weekday=random.randrange(7),
        digest_hour=random.randrange(24),
        digest_from_at=datetime.combine(first_monday, time(12), UTC),
    )
    reader = ManagerSettings(
        1,
        4,
        enrolled_at=datetime(2000, 1, 1, tzinfo=UTC),
        zone=random.choice((None, *map(ZoneInfo, FAR_ZONES))),
        nudge_hour=random.choice((0, 23, random.randrange(24))),
    )
    years = {year: _year(random, year) for year in range(first_year - 1, last_year + 2)}
    days = [first.date() + timedelta(days=number) for number in range(1, (last - first).days - 1)]
    begins = {day: hour_begins(day, years[day.year].manager.nudge_hour, zone) for day in days}
    weeks = (last.date() - first_monday).days // 7
    posts = [_post(guild, first_monday + WEEK * week) for week in range(-3, weeks + 1)]
    letters = [_letter(reader, reader.zone or zone, post) for post in posts]
    due = [*begins.values(), *(one.opens for one in (*posts, *letters))]
    moments = _moments(random, zone, first, last, due)
    posts = [post for post in posts if post.week_on >= first_monday]
    return Scenario(guild, years, reader, begins, posts, letters, moments)


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


def _post(guild: GuildSettings, monday: date) -> Due:
    on = monday + WEEK + timedelta(days=guild.digest_weekday)
    return Due(monday, hour_begins(on, guild.digest_hour, guild.zone), on)


def _letter(reader: ManagerSettings, zone: ZoneInfo, post: Due) -> Due:
    """The reader's own hour, the first one from the moment of posting on."""
    on = post.opens.astimezone(zone).date()
    if hour_begins(on, reader.nudge_hour, zone) < post.opens:
        on += DAY
    return Due(post.week_on, hour_begins(on, reader.nudge_hour, zone), on)


def _moments(random: Random, zone: ZoneInfo, first: datetime, last: datetime, due: list[datetime]) -> list[datetime]:
    """Now and then, once in the hour in which something comes due, and every few minutes where clocks change."""
    moments = [moment + timedelta(seconds=random.randrange(3600)) for moment in due]
    moment = first
    while moment < last:
        moment += timedelta(seconds=random.randrange(60, 16 * 3600))
        moments.append(moment)
    for change in changes(zone, first, last):
        moment = change - timedelta(hours=30)
        while moment < change + timedelta(hours=6):
            moments.append(moment)
            moment += timedelta(minutes=random.randrange(5, 30))
    return sorted(moment for moment in moments if first <= moment < last)
