"""Reading history from before Spade came."""

import asyncio
from datetime import UTC, date, datetime, time

import discord
from discord import app_commands
from discord.ext import commands

from bot.clock import Clock
from bot.discord_io.responses import answer, refused_to_set_up
from bot.domain.snowflake import EPOCH
from bot.services.record.history_reader import HistoryReader
from bot.services.record.job_progress import JobProgress
from bot.views.guild.backfill import backfill_cancelled, backfill_progress
from bot.views.words import refusals

_LOOK_EVERY_SECONDS = 2.0
_SHOWN_FOR_SECONDS = 14 * 60
"""Discord lets an answer be edited for fifteen minutes; the job goes on without being watched."""


@app_commands.guild_only()
@app_commands.default_permissions(manage_guild=True)
class Backfills(
    commands.GroupCog, group_name="backfill", group_description="Read history from before Spade came to this server"
):
    """`/backfill`, for whoever may manage the server."""

    def __init__(self, reader: HistoryReader, clock: Clock) -> None:
        super().__init__()
        self._reader = reader
        self._clock = clock
        self._shown: set[asyncio.Task[None]] = set()

    async def cog_unload(self) -> None:
        """Keep no answer up to date any more; the jobs themselves go on, now or after a restart."""
        for task in list(self._shown):
            task.cancel()
        await asyncio.gather(*self._shown, return_exceptions=True)

    async def interaction_check(self, interaction: discord.Interaction, /) -> bool:
        """Only for Manage Server, whatever Discord shows."""
        return not await refused_to_set_up(interaction)

    @app_commands.command(name="start", description="Read what was written from a day on; it goes on after a restart")
    @app_commands.describe(since="The first day to read, as 2026-01-31")
    async def start(self, interaction: discord.Interaction, since: str) -> None:
        """Start a backfill and show how far it is."""
        assert interaction.guild_id is not None
        try:
            moment = datetime.combine(date.fromisoformat(since.strip()), time(), UTC)
        except ValueError:
            await answer(interaction, refusals.not_a_date(since))
            return
        await interaction.response.defer(ephemeral=True, thinking=True)
        job = await self._reader.backfill(interaction.guild_id, min(max(moment, EPOCH), self._clock.now()))
        task = asyncio.create_task(self._show(interaction, job.job_id), name="backfill progress")
        self._shown.add(task)
        task.add_done_callback(self._shown.discard)

    @app_commands.command(name="cancel", description="Stop reading history; what was read stays")
    async def cancel(self, interaction: discord.Interaction) -> None:
        """Stop the guild's backfills."""
        assert interaction.guild_id is not None
        await answer(interaction, backfill_cancelled(await self._reader.cancel(interaction.guild_id)))

    async def _show(self, interaction: discord.Interaction, job_id: int) -> None:
        """Keep the answer up to date until the job ends, or the answer can be edited no more."""
        assert interaction.guild_id is not None
        shown = ""
        for _ in range(int(_SHOWN_FOR_SECONDS / _LOOK_EVERY_SECONDS)):
            progress = next(one for one in self._reader.progress(interaction.guild_id) if one.job.job_id == job_id)
            text = _words(progress)
            if text != shown:
                await interaction.edit_original_response(content=text)
                shown = text
            if not progress.running:
                return
            await asyncio.sleep(_LOOK_EVERY_SECONDS)


def _words(progress: JobProgress) -> str:
    return backfill_progress(
        channels=progress.channels, done=progress.done, messages=progress.messages, running=progress.running
    )
