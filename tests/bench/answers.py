"""What people ask Spade for, as the commands ask the services; only Discord and the clock are replaced."""

import asyncio
import random
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median

from bot.clock import DrivenClock
from bot.domain.calendar import monday_of
from bot.domain.coverage import PeriodChoice
from bot.domain.digest_draft import DigestDraft
from bot.domain.guild import GuildSettings
from bot.domain.rules import Rules
from bot.domain.snowflake import first_id_at
from bot.services.digest.coverage import CoverageService
from bot.services.digest.report import Reporter
from bot.services.guild.export import CsvExport
from bot.services.guild_reader import GuildReader
from bot.services.members.relationship import Relationships
from bot.services.members.unmet import UnmetList
from bot.services.members.waiting import WaitingList
from bot.services.nudge.previews import NudgePreviews
from bot.store import guilds, summaries
from bot.store.database import Database, open_database
from bot.views.guild.export_parcel import export_parcel
from tests.bench.guild import GUILD, LARGE, NOW, Size, make, manager_id, member_id, part_of
from tests.bench.measure import apart, in_turn
from tests.bench.row import Figure, Goal, Of, Row, at_least, at_most, beside
from tests.bench.sizes import Sizes
from tests.support.outgoing import Outgoing, at_once

PAGE = 10
WEEK = monday_of(NOW.date()) - timedelta(weeks=1)


class _NoPicture:
    """Pictures are measured by themselves."""

    async def paint(self, draft: DigestDraft) -> bytes | None:
        return None


@dataclass(frozen=True, slots=True)
class Answer:
    """Something asked for; `plain` reads the rows that it is about, in SQL from plain tables."""

    work: Callable[["Asked"], Awaitable[object]]
    plain: str


class Asked:
    """Everything that answers, on an open database."""

    def __init__(self, database: Database, size: Size, settings: GuildSettings, now: datetime = NOW) -> None:
        rules, clock, discord = Rules(), DrivenClock(now), Outgoing()
        self.database, self.size, self.settings = database, size, settings
        self.random = random.Random(2)
        self.rows = 0
        """How many rows the last export had."""
        self.reporter = Reporter(database, rules)
        guilds = GuildReader(database, clock, at_once)
        self.coverage = CoverageService(guilds, discord, _NoPicture(), self.reporter)
        self.waiting = WaitingList(database, discord, clock, rules, at_once)
        self.unmet = UnmetList(guilds, database, discord, rules)
        self.relationships = Relationships(database, discord, clock, rules, at_once)
        self.previews = NudgePreviews(database, discord, clock, rules, at_once)
        self.export = CsvExport(guilds, discord, self.reporter, rules)

    async def csv(self) -> object:
        facts = await self.export.of(GUILD)
        assert facts is not None
        parcel = export_parcel(facts)
        self.rows = sum(document.content.count(b"\n") for document in parcel.documents)
        return parcel

    async def anew(self, work: Callable[["Asked"], Awaitable[object]]) -> object:
        """What is asked with nothing kept of past weeks; dropping it is measured with it, and is one statement."""
        async with self.database.writing() as connection:
            await summaries.drop_all(connection)
        return await work(self)

    def somebody(self) -> int:
        """Anybody, another one each time."""
        return member_id(self.random.randrange(self.size.members))


_FORTNIGHT_ID = first_id_at(NOW - timedelta(days=14))
_MONTH = (NOW - timedelta(days=30)).date().isoformat()
_WEEKS = (
    "SELECT * FROM touch WHERE touched_at >= {ms} ORDER BY touched_at;"
    "SELECT DISTINCT member_id FROM activity WHERE guild_id = {guild} AND day >= '{day}'"
)


def _weeks(weeks: int) -> str:
    since = NOW - timedelta(weeks=weeks)
    return _WEEKS.format(ms=int(since.timestamp() * 1000), guild=GUILD, day=since.date().isoformat())


_WAITING = f"SELECT * FROM waiting WHERE guild_id = {GUILD} AND message_id >= {_FORTNIGHT_ID}"
_MONTHS_ACTIVE = f"SELECT member_id, count(*) FROM activity WHERE guild_id = {GUILD} AND day >= '{_MONTH}' GROUP BY 1"
_ACTIVE = f"SELECT count(DISTINCT member_id) FROM activity WHERE guild_id = {GUILD} AND day BETWEEN ? AND ?"

WEEKS_FIGURES, DIGEST, EXPORT = "a week's figures", "digest with 12 weeks", "/export"
COVERAGE = "/coverage"
ANEW = ", with nothing kept"
"""What is asked first after a fact of an ended week changed, and all that is asked on PostgreSQL."""
ANSWERS: dict[str, Answer] = {
    WEEKS_FIGURES: Answer(lambda on: on.reporter.week(GUILD, WEEK), _weeks(4)),
    DIGEST: Answer(lambda on: on.reporter.draft(on.settings, WEEK, "A server", NOW), _weeks(15)),
    "/unmet": Answer(lambda on: on.unmet.page(GUILD, 1, PAGE), _MONTHS_ACTIVE),
    COVERAGE: Answer(lambda on: on.coverage.of(GUILD, manager_id(0), PeriodChoice.TWELVE_WEEKS), _weeks(15)),
    "preview": Answer(lambda on: on.previews.preview(GUILD, manager_id(0)), _MONTHS_ACTIVE),
    "/waiting": Answer(lambda on: on.waiting.page(GUILD, manager_id(0), 1, PAGE), _WAITING),
    "/member": Answer(
        lambda on: on.relationships.of(GUILD, on.somebody()),
        f"SELECT * FROM touch WHERE guild_id = {GUILD} AND member_id = {member_id(1)}",
    ),
    EXPORT: Answer(lambda on: on.csv(), _weeks(104)),
}
# First, so that what they keep is there when the same is asked again.
ANSWERS = {
    f"{name}{ANEW}": Answer(partial(Asked.anew, work=ANSWERS[name].work), ANSWERS[name].plain)
    for name in (COVERAGE, WEEKS_FIGURES, DIGEST)
} | ANSWERS
FLAT = ("/unmet", "/waiting", "/member", "preview")
"""The lists: what a page of them costs must not depend on how much is on record."""
_GOALS = {WEEKS_FIGURES: 80.0, DIGEST: 600.0, "/unmet": 50.0, COVERAGE: 100.0, "preview": 100.0}
_FLAT = 3.0
_LINEAR = 1.5


@dataclass(frozen=True, slots=True)
class Found:
    """CPU seconds of each answer beside its plain look; how many rows were exported, and members active in the week."""

    took: Mapping[str, list[tuple[float, float]]]
    rows: int
    active: int


def answers(sizes: Sizes, folder: Path) -> tuple[Row, ...]:
    """The figures, the lists, and how both grow: on a large record, and on two that are 10 and 100 times smaller."""
    found = [apart(partial(_ask, sizes, folder, parts)) for parts in (100, 10, 1)]
    small, middle, large = found

    def goal(name: str) -> Goal | None:
        return at_most(_GOALS[name]) if sizes.full and name in _GOALS else None

    def figure(name: str) -> Figure:
        pairs = [(1000 * ours, 1000 * theirs) for ours, theirs in large.took[name]]
        return beside(name, "ms CPU", "plain SQL", pairs, goal(name))

    rates = [(large.rows / ours, large.rows / theirs) for ours, theirs in large.took[EXPORT]]
    size = part_of(LARGE, sizes.parts)
    record = f"{size.members:,} members, {large.active:,} active in the week"
    return (
        Row(
            f"figures ({record})",
            tuple(figure(name) for name in (WEEKS_FIGURES, f"{WEEKS_FIGURES}{ANEW}", DIGEST, f"{DIGEST}{ANEW}")),
        ),
        Row(
            "pages and files of the same record",
            (
                *(figure(name) for name in ("/unmet", COVERAGE, f"{COVERAGE}{ANEW}", "preview")),
                beside(EXPORT, "rows per CPU second", "plain SQL", rates, at_least(50_000.0) if sizes.full else None),
            ),
        ),
        Row(
            "growth of the record a hundredfold",
            (
                *(
                    beside(name, "ms CPU", "a record of 1 %", [_medians(name, large, small)], _growth(sizes, _FLAT))
                    for name in FLAT
                ),
                *(
                    beside(
                        f"{DIGEST}{ANEW}, for each 1,000 active, beside {percent} %",
                        "ms CPU",
                        f"a record of {percent} %",
                        [_for_each(large, less)],
                        _growth(sizes, _LINEAR),
                    )
                    for percent, less in ((10, middle), (1, small))
                ),
            ),
        ),
    )


def _growth(sizes: Sizes, limit: float) -> Goal | None:
    return at_most(limit, Of.RATIO) if sizes.full else None


def _medians(name: str, more: Found, less: Found) -> tuple[float, float]:
    large, small = (1000 * median(ours for ours, _ in one.took[name]) for one in (more, less))
    return large, small


def _for_each(more: Found, less: Found) -> tuple[float, float]:
    """What a digest costs for each thousand members who are active in its week."""
    large, small = _medians(f"{DIGEST}{ANEW}", more, less)
    return 1000 * large / max(more.active, 1), 1000 * small / max(less.active, 1)


def _ask(sizes: Sizes, folder: Path, parts: int) -> Found:
    path, size = folder / f"record-{parts}.db", part_of(LARGE, sizes.parts * parts)
    return asyncio.run(_asked(path, size, sizes))


async def _asked(path: Path, size: Size, sizes: Sizes) -> Found:
    plain = path.with_suffix(".plain")
    await make(path, size, plain=plain)
    database = await open_database(f"sqlite:///{path}", write=True)
    try:
        async with database.reading() as connection:
            settings = await guilds.settings_of(connection, GUILD)
        assert settings is not None
        on = Asked(database, size, settings)
        took = {}
        for name, answer in ANSWERS.items():
            work, look = partial(_given, answer, on), partial(_look, plain, answer.plain)
            took[name] = await in_turn(work, look, sizes.pairs, sizes.seconds / 4)
    finally:
        await database.close()
    with closing(sqlite3.connect(plain)) as rows:
        week = WEEK.isoformat(), (WEEK + timedelta(days=6)).isoformat()
        return Found(took, on.rows, rows.execute(_ACTIVE, week).fetchone()[0])


async def _given(answer: Answer, on: Asked) -> None:
    assert await answer.work(on) is not None


async def _look(path: Path, statements: str) -> None:
    with closing(sqlite3.connect(path)) as database:
        for statement in statements.split(";"):
            database.execute(statement).fetchall()
