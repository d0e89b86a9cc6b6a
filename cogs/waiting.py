"""The list of who waits, on request."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord_io.responses import MANAGERS_SEE, answer, pressed, refused_to_manage, update
from bot.services.guild.access import Access
from bot.services.members.waiting import WaitingList
from bot.views.members.waiting import BUTTON_PATTERN, PAGE_SIZE, waiting_letter


class Waiting(commands.Cog):
    """`/waiting`, for managers; turning its pages asks again who is one."""

    def __init__(self, waiting: WaitingList, access: Access) -> None:
        self._waiting = waiting
        self._access = access

    @app_commands.command(name="waiting", description="See who waits for an answer from you or the team")
    @app_commands.default_permissions(MANAGERS_SEE)
    @app_commands.guild_only()
    async def show(self, interaction: discord.Interaction) -> None:
        """Show a manager the first page."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        if await refused_to_manage(interaction, self._access):
            return
        assert interaction.guild_id is not None
        page = await self._waiting.page(interaction.guild_id, interaction.user.id, 1, PAGE_SIZE)
        await answer(interaction, waiting_letter(page))

    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """A press on one of the list's buttons: the list as it is now takes the place of the one shown."""
        found = pressed(interaction, BUTTON_PATTERN)
        if found is None:
            return
        await interaction.response.defer()
        if await refused_to_manage(interaction, self._access):
            return
        assert interaction.guild_id is not None
        page = await self._waiting.page(interaction.guild_id, interaction.user.id, int(found["page"]), PAGE_SIZE)
        await update(interaction, waiting_letter(page))
