"""The real bot in this process, against a sandbox, both on a clock that the test moves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import discord
from discord.gateway import DiscordWebSocket

from bot.app import App, open_app
from bot.clock import Clock, DrivenClock
from bot.config import Settings
from bot.discord_io.connection.address import point_at
from bot.sandbox import Sandbox
from tests import openapi
from tests.support.patience import PATIENCE


@dataclass(frozen=True, slots=True)
class Stage:
    """What a test needs at hand."""

    clock: DrivenClock
    sandbox: Sandbox
    app: App

    async def heard(self, message_id: int) -> None:
        """Wait until the bot has written down everything up to a message."""
        await self.sandbox.until(lambda: self.app.follower.newest_received_id >= message_id)
        await self.sandbox.until(lambda: self.app.follower.caught_up)
        await self.app.follower.settle()

    async def tick(self) -> None:
        """Look for due work, once everything heard is written down."""
        await self.sandbox.until(lambda: self.app.follower.caught_up)
        await self.app.schedule.tick()


async def _at_once(*_: object, **__: object) -> None:
    """Wait for nothing."""


@asynccontextmanager
async def connected(
    sandbox: Sandbox, clock: Clock, database: Path | str, *, hold_seconds: float = 0.05, patience: float = PATIENCE
) -> AsyncIterator[App]:
    """Log the bot in to a sandbox; what discord.py was pointed at is put back afterwards.

    `database` is a SQLite file, or a URL.
    """
    base, gateway = discord.http.Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    point_at(sandbox.url)
    try:
        settings = Settings(database=database if isinstance(database, str) else f"sqlite:///{database}")
        async with open_app(settings, clock, hold_seconds=hold_seconds, tick_seconds=3600) as app:
            app.bot._connection.guild_ready_timeout = 0.2  # discord.py waits two seconds for further guilds
            app.bot.before_identify_hook = _at_once  # and five before every session but the first
            running = asyncio.create_task(app.bot.start(sandbox.token))
            try:
                await sandbox.until(lambda: app.follower.caught_up or running.done(), patience)
                if running.done():
                    running.result()
                yield app
            finally:
                await app.bot.close()
                await asyncio.gather(running, return_exceptions=True)
    finally:
        discord.http.Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = base, gateway


@asynccontextmanager
async def stage(database: Path, starts_at: datetime) -> AsyncIterator[Stage]:
    """An empty sandbox with the bot logged in.

    What the bot asks and is answered is held against Discord's description of its API, where that is at hand.
    """
    clock = DrivenClock(starts_at)
    async with Sandbox(now=clock.now) as sandbox:
        openapi.watch(sandbox)
        async with connected(sandbox, clock, database) as app:
            yield Stage(clock, sandbox, app)
