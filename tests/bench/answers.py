"""What people ask Spade for, as the commands ask the services; only Discord and the clock are replaced."""

import itertools
import random
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bot.clock import DrivenClock
from bot.domain.calendar import monday_of
from bot.domain.coverage import PeriodChoice
from bot.domain.digest_draft import DigestDraft
from bot.domain.guild import GuildSettings
from bot.domain.rules import Rules
from bot.domain.snowflake import first_id_at
from bot.painter import ProcessPainter
from bot.services.delivery.attempts import Attempts
from bot.services.digest.coverage import CoverageService
from bot.services.digest.report import Reporter
from bot.services.guild.export import CsvExport
from bot.services.guild.status import StatusService
from bot.services.guild_reader import GuildReader
from bot.services.members.privacy import PrivacyService
from bot.services.members.relationship import Relationships
from bot.services.members.roster import Roster
from bot.services.members.unmet import UnmetList
from bot.services.members.waiting import WaitingList
from bot.services.nudge.dispatch import NudgeService
from bot.services.nudge.previews import NudgePreviews
from bot.services.nudge.schedule import schedule_of
from bot.services.record.follower import Follower
from bot.services.record.history_reader import HistoryReader
from bot.services.record.recorder import Recorder
from bot.store import guilds
from bot.store.database import Database, open_database
from bot.views.guild.export import export_parcel
from bot.views.nudge.writer import NudgeWriter
from tests.bench.guild import GUILD, NOW, Size, manager_id, member_id
from tests.bench.measure import Cost, measured, peak_memory_of_workers
from tests.support.channel_log import ChannelLog
from tests.support.outgoing import Outgoing, at_once

PAGE = 10
WEEK = monday_of(NOW.date()) - timedelta(weeks=1)

Work = Callable[[], Awaitable[object]]


class _NoPicture:
    """Pictures are measured by themselves."""

    async def paint(self, draft: DigestDraft) -> bytes | None:
        return None


class _NoChannels:
    def shown(self, guild_id: int) -> tuple[()]:
        return ()

    async def archived(self, guild_id: int, channel_id: int, since_id: int) -> tuple[tuple[()], bool]:
        return (), True


@dataclass(frozen=True, slots=True)
class Answer:
    """Something asked for; `bare` is a plain look at the rows it is about, in SQL."""

    work: Callable[["Asked"], Awaitable[object]]
    bare: str = ""
    once: bool = False


class Asked:
    """Everything that answers, on an open database."""

    def __init__(self, database: Database, size: Size, settings: GuildSettings) -> None:
        rules, clock, discord = Rules(), DrivenClock(NOW), Outgoing()
        roster = Roster(database, clock)
        recorder = Recorder(database, rules)
        log = ChannelLog()
        follower = Follower(database, recorder, log, clock, hold_seconds=0)
        self.size, self.settings, self.database = size, settings, database
        self.numbers = itertools.count()
        self.random = random.Random(2)
        self.reporter = Reporter(database, rules)
        guilds = GuildReader(database, clock, at_once)
        self.coverage = CoverageService(guilds, discord, _NoPicture(), self.reporter)
        self.waiting = WaitingList(database, discord, clock, rules, at_once)
        self.unmet = UnmetList(guilds, database, discord, rules)
        self.relationships = Relationships(database, discord, clock, rules, at_once)
        reader = HistoryReader(database, recorder, log, _NoChannels(), clock)
        self.status = StatusService(guilds, discord, follower, reader, rules, Attempts(clock.now))
        self.previews = NudgePreviews(database, discord, clock, rules, at_once)
        self.nudges = NudgeService(database, discord, NudgeWriter(), clock, rules, at_once)
        self.export = CsvExport(guilds, discord, self.reporter, rules)
        self.privacy = PrivacyService(database, roster, clock)
        self.painter = ProcessPainter()
        self.draft: DigestDraft | None = None

    async def personal_digest(self) -> object:
        async with self.database.reading() as connection:
            schedule = await schedule_of(connection, GUILD, manager_id(0))
        assert schedule is not None
        return await self.reporter.personal(schedule, WEEK, "A server", NOW)

    async def csv(self) -> object:
        facts = await self.export.of(GUILD)
        assert facts is not None
        return export_parcel(facts)

    async def picture(self) -> object:
        if self.draft is None:
            self.draft = await self.reporter.draft(self.settings, WEEK, "A server", NOW)
        return await self.painter.paint(self.draft)

    def somebody(self) -> int:
        """Anybody, another one each time."""
        return member_id(self.random.randrange(self.size.members))

    def next_manager(self) -> int:
        return manager_id(next(self.numbers) % self.size.managers)


_FORTNIGHT_ID = first_id_at(NOW - timedelta(days=14))
_MONTH = (NOW - timedelta(days=30)).date().toordinal() - 719_163
_WEEKS = (
    "SELECT * FROM touch WHERE touched_at >= {ms} ORDER BY touched_at;"
    "SELECT DISTINCT member_id FROM activity WHERE guild_id = {guild} AND week_on >= {day}"
)


def _weeks(weeks: int) -> str:
    since = NOW - timedelta(weeks=weeks)
    return _WEEKS.format(ms=int(since.timestamp() * 1000), guild=GUILD, day=since.date().toordinal() - 719_163)


_WAITING = f"SELECT * FROM waiting WHERE guild_id = {GUILD} AND message_id >= {_FORTNIGHT_ID}"
_MONTHS_ACTIVE = f"SELECT member_id, count(*) FROM activity WHERE guild_id = {GUILD} AND week_on >= {_MONTH} GROUP BY 1"

ANSWERS: dict[str, Answer] = {
    "a week's figures": Answer(lambda on: on.reporter.week(GUILD, WEEK), _weeks(4)),
    "digest, 12 weeks": Answer(lambda on: on.reporter.draft(on.settings, WEEK, "A server", NOW), _weeks(15)),
    "own digest, 12 weeks": Answer(lambda on: on.personal_digest(), _weeks(15)),
    "/coverage": Answer(lambda on: on.coverage.of(GUILD, manager_id(0), PeriodChoice.TWELVE_WEEKS), _weeks(15)),
    "/waiting": Answer(lambda on: on.waiting.page(GUILD, manager_id(0), 1, PAGE), _WAITING),
    "/unmet": Answer(lambda on: on.unmet.page(GUILD, 1, PAGE), _MONTHS_ACTIVE),
    "/member": Answer(
        lambda on: on.relationships.of(GUILD, on.somebody()),
        f"SELECT * FROM touch WHERE guild_id = {GUILD} AND member_id = {member_id(1)}",
    ),
    "/status": Answer(
        lambda on: on.status.of(GUILD, manager_id(0)),
        f"SELECT channel_id, min(first_id), max(last_id) FROM span WHERE guild_id = {GUILD} GROUP BY 1",
    ),
    "/nudges preview": Answer(lambda on: on.previews.preview(GUILD, manager_id(0)), _MONTHS_ACTIVE),
    "/nudges why": Answer(lambda on: on.previews.why(GUILD, manager_id(0), on.somebody()), _MONTHS_ACTIVE),
    "/nudges status": Answer(lambda on: on.previews.status(GUILD, manager_id(0))),
    "sending a nudge": Answer(lambda on: on.nudges.send_now(GUILD, on.next_manager()), _MONTHS_ACTIVE, once=True),
    "/export": Answer(lambda on: on.csv(), _weeks(104)),
    "/privacy show": Answer(lambda on: on.privacy.stored(GUILD, on.somebody())),
    "a picture": Answer(lambda on: on.picture()),
    "/privacy erase": Answer(lambda on: on.privacy.erase(GUILD, on.somebody()), once=True),
    "rewriting the file": Answer(lambda on: on.privacy.scrub(), "VACUUM", once=True),
}


@dataclass(frozen=True, slots=True)
class Found:
    """What an answer cost; `bare` is the time of the plain look, `worker` the memory of the picture's process."""

    cost: Cost
    bare: float | None
    worker: int


async def ask(name: str, path: Path, size: Size) -> Found:
    """Measure one answer in this process, which should be a fresh one."""
    answer = ANSWERS[name]
    async with AsyncExitStack() as held:
        database = await open_database(f"sqlite:///{path}", write=True)
        held.push_async_callback(database.close)
        async with database.reading() as connection:
            settings = await guilds.settings_of(connection, GUILD)
        assert settings is not None
        on = Asked(database, size, settings)

        async def work() -> None:
            assert await answer.work(on) is not None

        if name == "a picture":
            await on.picture()  # its facts are another line
        cost = await measured(work, tries=1 if answer.once else 5)
    workers = peak_memory_of_workers()
    bare = await measured(lambda: _bare(path, answer.bare), tries=3) if answer.bare else None
    return Found(cost, bare.seconds if bare else None, workers)


async def _bare(path: Path, statements: str) -> None:
    with closing(sqlite3.connect(path)) as database:
        for statement in statements.split(";"):
            database.execute(statement).fetchall()
