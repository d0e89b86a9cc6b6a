"""How Spade is doing, for managers and for whoever manages the server."""

from datetime import datetime

import discord
from discord import app_commands
from discord.ext import commands

import bot
from bot.clock import Clock
from bot.discord_io.overview import missing_by_channel
from bot.discord_io.responses import MANAGERS_SEE, answer, may_set_up, refused_to_manage
from bot.services.guild.access import Access
from bot.services.guild.settings import SettingsService
from bot.services.guild.status import StatusService
from bot.views.guild.status import ConnectionState, status_letter
from bot.views.words import refusals


class Status(commands.Cog):
    """`/status`; it remembers since when Spade has been connected."""

    def __init__(self, service: StatusService, settings: SettingsService, access: Access, clock: Clock) -> None:
        self._service = service
        self._settings = settings
        self._access = access
        self._clock = clock
        self._connected_at: datetime | None = None

    @commands.Cog.listener()
    async def on_connect(self) -> None:
        """A new session began; resuming one is no interruption."""
        self._connected_at = self._clock.now()

    @app_commands.command(name="status", description="What Spade has recorded, what it misses, what comes next")
    @app_commands.default_permissions(MANAGERS_SEE)
    @app_commands.guild_only()
    async def status(self, interaction: discord.Interaction) -> None:
        """Say how things are."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        if not may_set_up(interaction) and await refused_to_manage(interaction, self._access):
            return
        guild = interaction.guild
        assert guild is not None
        facts = await self._service.of(guild.id, interaction.user.id)
        if facts is None:
            await answer(interaction, refusals.not_set_up())
            return
        missing = missing_by_channel(guild, await self._settings.state(guild.id))
        await answer(interaction, status_letter(facts, ConnectionState(bot.__version__, self._connected_at, missing)))
