"""The team's record as tables, for managers."""

import asyncio

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord_io.responses import MANAGERS_SEE, answer, refused_to_manage
from bot.services.guild.access import Access
from bot.services.guild.export import CsvExport
from bot.views.guild.export import export_parcel
from bot.views.words import refusals


class Exporting(commands.Cog):
    """`/export`: whom the team has talked to, and the figures of its weeks."""

    def __init__(self, export: CsvExport, access: Access) -> None:
        self._export = export
        self._access = access

    @app_commands.command(name="export", description="The team's relationships and weekly figures as CSV files")
    @app_commands.default_permissions(MANAGERS_SEE)
    @app_commands.guild_only()
    async def export(self, interaction: discord.Interaction) -> None:
        """Hand over the files."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        if await refused_to_manage(interaction, self._access):
            return
        assert interaction.guild_id is not None
        facts = await self._export.of(interaction.guild_id)
        if facts is None:
            await answer(interaction, refusals.not_set_up())
        else:
            await answer(interaction, await asyncio.to_thread(export_parcel, facts))
