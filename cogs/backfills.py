"""Reading history from before Spade came."""

import asyncio
from datetime import date

import discord
from discord import app_commands
from discord.ext import commands

from bot.background import BackgroundTasks
from bot.discord_io.interactions.answering import defer
from bot.discord_io.interactions.authorisation import Audience
from bot.discord_io.interactions.cooldowns import Cost, heavy
from bot.discord_io.interactions.guild import guild_id_of
from bot.discord_io.interactions.guild_cog import GuildCog
from bot.discord_io.interactions.responses import edit, respond
from bot.services.record.history_reader import HistoryReader
from bot.views.guild.backfill import backfill_cancelled, backfill_progress
from bot.views.words import refusals

_LOOK_EVERY_SECONDS = 2.0
_SHOWN_FOR_SECONDS = 14 * 60
"""Discord lets a response be edited for fifteen minutes; the job goes on after that."""


class Backfills(
    GuildCog,
    commands.GroupCog,
    audience=Audience.SERVER_MANAGERS,
    cost=Cost.LIGHT,
    group_name="backfill",
    group_description="Read history from before Spade came to this server",
):
    """`/backfill`."""

    def __init__(self, reader: HistoryReader) -> None:
        super().__init__()
        self._reader = reader
        self._tasks = BackgroundTasks()

    async def cog_unload(self) -> None:
        """Stop editing responses; the jobs themselves go on, now or after a restart."""
        await self._tasks.stop()

    @heavy
    @app_commands.command(name="start", description="Read what was written from a day on; it goes on after a restart")
    @app_commands.describe(since="The first day to read, as 2026-01-31")
    async def start(self, interaction: discord.Interaction, since: str) -> None:
        """Start a backfill and show how far it is."""
        try:
            day = date.fromisoformat(since.strip())
        except ValueError:
            await respond(interaction, refusals.not_a_date(since))
            return
        await defer(interaction)
        job = await self._reader.backfill_from(guild_id_of(interaction), day)
        self._tasks.start(self._show(interaction, job.job_id), "backfill progress")

    @app_commands.command(name="cancel", description="Stop reading history; what was read stays")
    async def cancel(self, interaction: discord.Interaction) -> None:
        """Stop the guild's backfills."""
        await respond(interaction, backfill_cancelled(await self._reader.cancel(guild_id_of(interaction))))

    async def _show(self, interaction: discord.Interaction, job_id: int) -> None:
        """Edit the response as the job proceeds, until the job ends or the response can no longer be edited."""
        guild_id = guild_id_of(interaction)
        shown = ""
        for _ in range(int(_SHOWN_FOR_SECONDS / _LOOK_EVERY_SECONDS)):
            progress = next((one for one in self._reader.progress(guild_id) if one.job.job_id == job_id), None)
            if progress is None:
                return
            text = backfill_progress(progress)
            if text != shown and not await edit(interaction, content=text):
                return  # the job goes on without being shown; `/status` has it
            shown = text
            if not progress.running:
                return
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
