"""The list of who waits, on request."""

import re

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord_io.answers import answer
from bot.discord_io.messenger import sendable
from bot.services.waiting import WaitingList
from bot.views import answers
from bot.views.drafts import Parcel
from bot.views.waiting import BUTTON_PATTERN, PAGE_SIZE, waiting_letter


class Waiting(commands.Cog):
    """`/waiting`, for managers; turning its pages asks again who is one."""

    def __init__(self, waiting: WaitingList) -> None:
        self._waiting = waiting

    @app_commands.command(name="waiting", description="See who waits for an answer from you or the team")
    @app_commands.guild_only()
    async def show(self, interaction: discord.Interaction) -> None:
        """Show a manager the first page."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        assert interaction.guild_id is not None
        page = await self._waiting.page(interaction.guild_id, interaction.user.id, 1, PAGE_SIZE)
        await answer(interaction, answers.not_a_manager() if page is None else Parcel(waiting_letter(page)))

    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """A press on one of the list's buttons: the list as it is now takes the place of the one shown."""
        custom_id = str(dict(interaction.data or {}).get("custom_id", ""))
        found = re.fullmatch(BUTTON_PATTERN, custom_id)
        if not found or interaction.guild_id is None:
            return
        await interaction.response.defer()
        page = await self._waiting.page(interaction.guild_id, interaction.user.id, int(found["page"]), PAGE_SIZE)
        if page is None:
            await answer(interaction, answers.not_a_manager())
        else:
            await interaction.edit_original_response(**sendable(Parcel(waiting_letter(page))))
