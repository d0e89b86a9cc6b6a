"""The composition root: the only place that builds long-lived objects."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from discord.ext import commands

from bot.client import SpadeBot
from bot.clock import Clock
from bot.config import Settings
from bot.discord_io.history import DiscordHistory
from bot.discord_io.messenger import DiscordMessenger
from bot.discord_io.places import Places
from bot.painter import ProcessPainter
from bot.schedule import Schedule
from bot.services.digests import DigestService
from bot.services.follower import Follower
from bot.services.nudges import NudgeService
from bot.services.recorder import Recorder
from bot.services.roster import Roster
from bot.services.settings import SettingsService
from bot.services.settlement import Settlement
from bot.services.waiting import WaitingService
from bot.store.database import Database, open_database
from bot.views.drafts import Writer
from cogs.digests import Digests
from cogs.nudges import Nudges
from cogs.setup import SettingUp
from cogs.tracking import Tracking


@dataclass(frozen=True, slots=True)
class App:
    """Everything that lives as long as the bot does. `bot.start(token)` connects it."""

    bot: SpadeBot
    database: Database
    follower: Follower
    schedule: Schedule


@asynccontextmanager
async def open_app(
    settings: Settings, clock: Clock, *, hold_seconds: float = 1.0, tick_seconds: float = 20.0
) -> AsyncIterator[App]:
    """Build the bot on its database; leaving closes both. Raises StoreError when the database cannot be used.

    `hold_seconds` is how long an event waits for earlier ones, `tick_seconds` how often is looked for due work.
    """
    rules = settings.domain_rules()
    database = await open_database(settings.database, write=True)
    bot = SpadeBot()
    try:
        follower = Follower(database, Recorder(database, rules), DiscordHistory(bot), clock, hold_seconds=hold_seconds)
        schedule = Schedule(tick_seconds, lambda: bot.is_ready() and follower.in_step)
        bot.to_load = _cogs(bot, database, follower, schedule, settings, clock)
        schedule.start()
        try:
            yield App(bot, database, follower, schedule)
        finally:
            schedule.stop()
            await bot.close()
    finally:
        await database.close()


def _cogs(
    bot: SpadeBot, database: Database, follower: Follower, schedule: Schedule, settings: Settings, clock: Clock
) -> Sequence[commands.Cog]:
    rules = settings.domain_rules()
    messenger = DiscordMessenger(bot)
    roster = Roster(database)
    settlement = Settlement(database)
    writer = Writer(rules)
    schedule.add("settlement", settlement.settle_due)
    return (
        Tracking(follower, Places(), roster, WaitingService(database, roster, clock)),
        SettingUp(SettingsService(database, roster, clock), messenger),
        Nudges(
            NudgeService(database, messenger, writer, clock, rules, follower.settle),
            settlement,
            schedule,
            writer,
        ),
        Digests(
            DigestService(database, messenger, writer, ProcessPainter(rules), clock, rules, follower.settle),
            settlement,
            schedule,
            roster,
            rules,
        ),
    )
