"""The composition root: the only place that builds long-lived objects."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from discord.ext import commands

from bot.background import BackgroundTasks
from bot.client import SpadeBot
from bot.clock import Clock
from bot.config import Settings
from bot.discord_io.delivery.members import MemberDirectory
from bot.discord_io.delivery.messenger import DiscordMessenger
from bot.discord_io.interactions.authorisation import Authorisation
from bot.discord_io.interactions.guard import InteractionGuard
from bot.discord_io.record.archive_search import ArchiveSearch
from bot.discord_io.record.channel_visibility import ChannelVisibility
from bot.discord_io.record.channels import Archives, GuildChannels
from bot.discord_io.record.connected_guilds import ConnectedGuilds
from bot.discord_io.record.history import DiscordHistory
from bot.discord_io.record.messages import MessageReader
from bot.domain.rules import Rules
from bot.painter import ProcessPainter
from bot.schedule import Schedule
from bot.services.delivery.agenda import Agenda
from bot.services.delivery.attempts import Attempts
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
from bot.services.members.manager_reactions import ManagerReactions
from bot.services.members.privacy import PrivacyService
from bot.services.members.proxies import Proxies
from bot.services.members.relationship import Relationships
from bot.services.members.roster import Roster
from bot.services.members.sightings import Sightings
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
from bot.views.kit.parcel import Parcel
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


@dataclass(frozen=True, slots=True)
class Foundation:
    """What the services of every capability are built from: the app, and what is shared besides."""

    app: App
    clock: Clock
    rules: Rules
    messenger: DiscordMessenger
    roster: Roster
    proxies: Proxies
    settlement: Settlement
    attempts: Attempts
    agenda: Agenda
    painter: ProcessPainter
    presentation: Presentation
    guild_reader: GuildReader
    reporter: Reporter


@asynccontextmanager
async def open_app(
    settings: Settings, clock: Clock, *, hold_seconds: float = 1.0, tick_seconds: float = 20.0
) -> AsyncIterator[App]:
    """Build the bot on its database; leaving closes both. Raises StoreError if the database cannot be used.

    `hold_seconds` is how long an event waits for earlier ones, and 20 times as long as events are gathered while there
    are many; `tick_seconds` is how often due work is looked for.
    """
    database = await open_database(settings.database, write=True)
    bot = SpadeBot(clock, gather_seconds=hold_seconds / 20)
    try:
        foundation = _foundation(bot, database, settings.domain_rules(), clock, hold_seconds, tick_seconds)
        app, presentation = foundation.app, foundation.presentation
        await presentation.load()
        authorisation = Authorisation(Access(foundation.roster, app.reader))
        bot.equip(InteractionGuard(authorisation, presentation.language_of), _cogs(foundation))
        try:
            yield app
        finally:
            app.schedule.stop()
            await foundation.attempts.stop()
            await foundation.settlement.stop()
            await bot.close()
    finally:
        await database.close()


def _foundation(
    bot: SpadeBot, database: Database, rules: Rules, clock: Clock, hold_seconds: float, tick_seconds: float
) -> Foundation:
    recorder, history, attempts = Recorder(database, rules), DiscordHistory(bot), Attempts(clock.now)
    follower = Follower(database, recorder, history, clock, hold_seconds=hold_seconds)
    agenda = Agenda(database)
    reader = HistoryReader(database, recorder, history, GuildChannels(bot), clock)

    async def ready() -> bool:
        if not bot.is_ready():
            return False
        if not clock.sure:
            await bot.ask_time()
        return clock.sure

    return Foundation(
        app=App(bot, database, follower, reader, Schedule(tick_seconds, ready, attempts)),
        clock=clock,
        rules=rules,
        messenger=DiscordMessenger(bot, MemberDirectory(bot, clock.now)),
        roster=Roster(database, clock),
        proxies=Proxies(database, clock),
        settlement=Settlement(database, clock, agenda),
        attempts=attempts,
        agenda=agenda,
        painter=ProcessPainter(),
        presentation=Presentation(database),
        guild_reader=GuildReader(database, clock, follower.settle, follower.received),
        reporter=Reporter(database, rules),
    )


def _cogs(on: Foundation) -> Sequence[commands.Cog]:
    """All cogs, in the order in which they are loaded; loading adds their due work to the schedule."""
    app = on.app
    waiting = WaitingService(app.database, on.roster, on.clock, on.guild_reader.settle_for_answer)
    digests = DigestService(
        app.database,
        on.messenger,
        DigestWriter(),
        on.painter,
        on.clock,
        on.rules,
        on.guild_reader,
        app.follower.guild_caught_up,
        on.attempts,
        on.agenda,
    )
    app.schedule.add("gaps", app.follower.retry_gaps)
    app.schedule.add("history", app.reader.retry_due)
    app.schedule.add("settlement", on.settlement.settle_due)
    return (
        *_record_cogs(on, waiting),
        *_guild_cogs(on, digests),
        *_member_cogs(on, waiting),
        # On a morning that brings both, the nudge is the last message: it is the one to act on.
        Digests(digests, on.settlement, app.schedule, on.rules),
        *_nudge_cogs(on),
    )


def _record_cogs(on: Foundation, waiting: WaitingService) -> Sequence[commands.Cog]:
    app = on.app
    membership = MembershipService(app.database, on.clock, on.agenda)

    async def purge() -> None:
        if await membership.purge_due(app.bot.joined()):
            await on.presentation.load()  # without the servers that are forgotten

    app.schedule.add("purge", purge)
    app.schedule.add("retention", Retention(app.database, on.clock, on.attempts, on.agenda).purge_due)
    return (
        _tracking(on, waiting, membership),
        Backfills(app.reader),
    )


def _guild_cogs(on: Foundation, digests: DigestService[Parcel]) -> Sequence[commands.Cog]:
    app = on.app

    def included_again() -> None:
        app.follower.retry_gaps_soon()
        app.reader.retry_soon()

    guild_settings = SettingsService(app.database, on.roster, on.clock, included_again)
    status = StatusService(on.guild_reader, on.messenger, app.follower, app.reader, on.rules, on.attempts)
    export = CsvExport(on.guild_reader, on.messenger, on.reporter, on.rules)
    return (
        SettingUp(guild_settings, on.messenger, app.reader, digests, on.presentation, on.clock),
        SettingsCommands(guild_settings, on.presentation, on.messenger),
        Status(status, guild_settings, on.clock),
        Exporting(export),
    )


def _member_cogs(on: Foundation, waiting: WaitingService) -> Sequence[commands.Cog]:
    database, settle = on.app.database, on.guild_reader.settle_for_answer
    messenger, clock, rules = on.messenger, on.clock, on.rules
    privacy = PrivacyService(database, on.roster, clock, on.proxies.forget, on.agenda)
    on.app.schedule.add("erasures", privacy.finish_due)
    return (
        Waiting(WaitingList(database, messenger, clock, rules, settle)),
        Members(
            Relationships(database, messenger, clock, rules, settle),
            UnmetList(on.guild_reader, database, messenger, rules),
            CoverageService(on.guild_reader, messenger, on.painter, on.reporter),
            waiting,
        ),
        Privacy(privacy, messenger),
    )


def _nudge_cogs(on: Foundation) -> Sequence[commands.Cog]:
    database, settle = on.app.database, on.app.follower.settle
    messenger, clock, rules = on.messenger, on.clock, on.rules
    writer = NudgeWriter()
    enrolments = Enrolments(database, messenger, writer, clock)
    in_step = on.app.follower.guild_caught_up
    service = NudgeService(database, messenger, writer, clock, rules, settle, in_step, on.attempts, on.agenda)
    previews = NudgePreviews(database, messenger, clock, rules, on.guild_reader.settle_for_answer)
    presses = NudgePresses(database, messenger, writer, clock, rules)
    return (
        Nudges(service, enrolments, previews, on.settlement, on.app.schedule, writer),
        NudgeButtons(presses, enrolments, writer),
    )


def _tracking(on: Foundation, waiting: WaitingService, membership: MembershipService) -> Tracking:
    app = on.app
    tasks, search = BackgroundTasks(), ArchiveSearch(Archives(app.bot))
    archives = ThreadArchives(app.database, on.clock)
    guilds = ConnectedGuilds(app.follower, archives, search, membership, app.reader, tasks, app.bot.joined)
    visibility = ChannelVisibility(app.follower, archives, search, app.reader, tasks)
    messages = MessageReader(app.bot)
    sightings, reactions = Sightings(on.roster, app.reader.resume), ManagerReactions(on.roster, waiting)
    return Tracking(
        app.follower,
        guilds,
        visibility,
        tasks,
        sightings,
        reactions,
        app.reader,
        membership,
        messages,
        on.proxies,
        app.bot.feed,
    )
