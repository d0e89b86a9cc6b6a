"""The composition root: the only place that builds long-lived objects."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from discord.ext import commands

from bot.background import BackgroundTasks
from bot.client import SpadeBot
from bot.clock import Clock
from bot.config import Settings
from bot.discord_io.archive_search import ArchiveSearch
from bot.discord_io.channel_visibility import ChannelVisibility
from bot.discord_io.channels import GuildChannels
from bot.discord_io.connected_guilds import ConnectedGuilds
from bot.discord_io.history import DiscordHistory
from bot.discord_io.messenger import DiscordMessenger
from bot.painter import ProcessPainter
from bot.schedule import Schedule
from bot.services.delivery.settlement import Settlement
from bot.services.digest.coverage import CoverageService
from bot.services.digest.dispatch import DigestService
from bot.services.digest.report import Reporter
from bot.services.guild.access import Access
from bot.services.guild.export import CsvExport
from bot.services.guild.membership import MembershipService
from bot.services.guild.presentation import Presentation
from bot.services.guild.retention import Retention
from bot.services.guild.settings import SettingsService
from bot.services.guild.status import StatusService
from bot.services.guild_reader import GuildReader
from bot.services.members.privacy import PrivacyService
from bot.services.members.relationship import Relationships
from bot.services.members.roster import Roster
from bot.services.members.unmet import UnmetList
from bot.services.members.waiting import WaitingList, WaitingService
from bot.services.nudge.dispatch import NudgeService
from bot.services.nudge.enrolment import Enrolments
from bot.services.nudge.presses import NudgePresses
from bot.services.nudge.previews import NudgePreviews
from bot.services.record.follower import Follower
from bot.services.record.history_reader import HistoryReader
from bot.services.record.recorder import Recorder
from bot.services.record.thread_archives import ThreadArchives
from bot.store.database import Database, open_database
from bot.views.digest.writer import DigestWriter
from bot.views.nudge.writer import NudgeWriter
from cogs.backfills import Backfills
from cogs.digests import Digests
from cogs.exporting import Exporting
from cogs.members import Members
from cogs.nudge_buttons import NudgeButtons
from cogs.nudges import Nudges
from cogs.privacy import Privacy
from cogs.settings import SettingsCommands
from cogs.setup import SettingUp
from cogs.status import Status
from cogs.tracking import Tracking
from cogs.waiting import Waiting


@dataclass(frozen=True, slots=True)
class App:
    """Everything that lives as long as the bot does. `bot.start` connects it, `schedule.start` lets it tick."""

    bot: SpadeBot
    database: Database
    follower: Follower
    reader: HistoryReader
    schedule: Schedule


@asynccontextmanager
async def open_app(
    settings: Settings, clock: Clock, *, hold_seconds: float = 1.0, tick_seconds: float = 20.0
) -> AsyncIterator[App]:
    """Build the bot on its database; leaving closes both. Raises StoreError when the database cannot be used.

    `hold_seconds` is how long an event waits for earlier ones, `tick_seconds` how often is looked for due work.
    """
    database = await open_database(settings.database, write=True)
    bot = SpadeBot(clock)
    try:
        recorder = Recorder(database, settings.domain_rules())
        history = DiscordHistory(bot)
        follower = Follower(database, recorder, history, clock, hold_seconds=hold_seconds)
        reader = HistoryReader(database, recorder, history, GuildChannels(bot), clock)

        async def ready() -> bool:
            if not (bot.is_ready() and follower.caught_up):
                return False
            if not clock.sure:
                await bot.ask_time()
            return clock.sure

        schedule = Schedule(tick_seconds, ready)
        app = App(bot, database, follower, reader, schedule)
        presentation = Presentation(database)
        await presentation.load()
        bot.language_of = presentation.language_of
        bot.to_load = _cogs(app, presentation, settings, clock)
        try:
            yield app
        finally:
            schedule.stop()
            await bot.close()
    finally:
        await database.close()


def _cogs(app: App, presentation: Presentation, settings: Settings, clock: Clock) -> Sequence[commands.Cog]:
    rules, database, schedule, settle = settings.domain_rules(), app.database, app.schedule, app.follower.settle
    messenger = DiscordMessenger(app.bot)
    reader, reporter = GuildReader(database, clock, settle), Reporter(database, rules)
    roster = Roster(database, clock)
    access = Access(roster, app.reader)
    waiting, painter = WaitingService(database, roster, clock, settle), ProcessPainter()
    settlement = Settlement(database)
    membership = MembershipService(database, clock)
    privacy = PrivacyService(database, roster, clock)
    writer = NudgeWriter()
    enrolments = Enrolments(database, messenger, writer, clock)
    schedule.add("gaps", app.follower.retry_gaps)
    schedule.add("settlement", settlement.settle_due)
    schedule.add("purge", membership.purge_due)
    schedule.add("erasures", privacy.finish_due)
    schedule.add("retention", Retention(database, clock).purge_due)
    digests = DigestService(
        database, messenger, DigestWriter(), painter, clock, rules, reader, app.follower.guild_caught_up
    )
    guild_settings = SettingsService(database, roster, clock)
    return (
        _tracking(app, roster, waiting, membership, clock),
        Waiting(WaitingList(database, messenger, clock, rules, settle), access),
        SettingUp(guild_settings, messenger, app.reader, digests, presentation, clock),
        Backfills(app.reader, clock),
        Privacy(privacy, messenger),
        SettingsCommands(guild_settings, presentation, messenger),
        Status(StatusService(reader, messenger, app.follower, app.reader, rules), guild_settings, access, clock),
        Exporting(CsvExport(reader, messenger, reporter, rules), access),
        Members(
            Relationships(database, messenger, clock, rules, settle),
            UnmetList(reader, database, messenger, rules),
            CoverageService(reader, messenger, painter, reporter),
            waiting,
            access,
        ),
        # On a morning that brings both, the nudge stands last: it is what there is something to do about.
        Digests(
            digests,
            settlement,
            schedule,
            access,
            rules,
        ),
        Nudges(
            NudgeService(database, messenger, writer, clock, rules, settle),
            enrolments,
            NudgePreviews(database, messenger, clock, rules, settle),
            settlement,
            schedule,
            writer,
            access,
        ),
        NudgeButtons(NudgePresses(database, messenger, writer, clock, rules), enrolments, writer),
    )


def _tracking(
    app: App, roster: Roster, waiting: WaitingService, membership: MembershipService, clock: Clock
) -> Tracking:
    tasks, search, archives = BackgroundTasks(), ArchiveSearch(), ThreadArchives(app.database, clock)
    guilds = ConnectedGuilds(app.follower, archives, search, membership, app.reader, tasks, app.bot.joined)
    visibility = ChannelVisibility(app.follower, archives, search, tasks)
    return Tracking(app.follower, guilds, visibility, tasks, roster, waiting, app.reader, membership)
