"""The team's record as tables, for managers."""

import asyncio

import discord
from discord import app_commands

from bot.discord_io.interactions.authorisation import Audience
from bot.discord_io.interactions.cooldowns import Cost
from bot.discord_io.interactions.guild import guild_id_of
from bot.discord_io.interactions.guild_cog import GuildCog
from bot.discord_io.interactions.responses import respond
from bot.services.guild.export import CsvExport
from bot.views.guild.export_parcel import export_parcel
from bot.views.words import refusals


class Exporting(GuildCog, audience=Audience.MANAGERS, cost=Cost.HEAVY):
    """`/export`: whom the team has talked to, and the figures of its weeks."""

    def __init__(self, export: CsvExport) -> None:
        self._export = export

    @app_commands.command(name="export", description="The team's relationships and weekly figures as CSV files")
    async def export(self, interaction: discord.Interaction) -> None:
        """Respond with the files."""
        facts = await self._export.of(guild_id_of(interaction))
        if facts is None:
            await respond(interaction, refusals.not_set_up())
        else:
            await respond(interaction, await asyncio.to_thread(export_parcel, facts))
