"""How Spade is doing, for managers and for people with the permission Manage Server."""

from datetime import datetime, timedelta

import discord
from discord import app_commands
from discord.ext import commands

import bot
from bot.clock import Clock
from bot.discord_io.interactions.authorisation import Audience
from bot.discord_io.interactions.cooldowns import Cost
from bot.discord_io.interactions.guild import guild_of
from bot.discord_io.interactions.guild_cog import GuildCog
from bot.discord_io.interactions.overview import missing_by_channel
from bot.discord_io.interactions.responses import respond
from bot.services.guild.settings import SettingsService
from bot.services.guild.status import StatusService
from bot.views.guild.status import ConnectionState, status_letter
from bot.views.words import refusals

WORTH_SAYING = timedelta(minutes=3)
"""How long it may be unsure what time it is before `/status` says so: until then it is only being asked."""


class Status(GuildCog, audience=Audience.MANAGERS_AND_SERVER_MANAGERS, cost=Cost.LIGHT):
    """`/status`; it remembers since when Spade has been connected."""

    def __init__(self, service: StatusService, settings: SettingsService, clock: Clock) -> None:
        self._service = service
        self._settings = settings
        self._clock = clock
        self._connected_at: datetime | None = None

    @commands.Cog.listener()
    async def on_connect(self) -> None:
        """Note when a new session began; a resumed one is the same session."""
        self._connected_at = self._clock.now()

    @app_commands.command(name="status", description="What Spade has recorded, what it misses, what comes next")
    async def status(self, interaction: discord.Interaction) -> None:
        """Show the state of the record, the nudges and the digest."""
        guild = guild_of(interaction)
        facts = await self._service.of(guild.id, interaction.user.id)
        if facts is None:
            await respond(interaction, refusals.not_set_up())
            return
        missing = missing_by_channel(guild, await self._settings.state(guild.id))
        unsure = self._clock.unsure_for >= WORTH_SAYING
        connection = ConnectionState(bot.__version__, self._connected_at, missing, unsure, guild.unavailable)
        await respond(interaction, status_letter(facts, connection))
