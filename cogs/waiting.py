"""The list of who waits, on request."""

import re

import discord
from discord import app_commands

from bot.discord_io.interactions.authorisation import Audience
from bot.discord_io.interactions.cooldowns import Cost
from bot.discord_io.interactions.guard import Deferral
from bot.discord_io.interactions.guild import guild_id_of
from bot.discord_io.interactions.guild_cog import GuildCog
from bot.discord_io.interactions.handlers import control
from bot.discord_io.interactions.responses import respond, update
from bot.services.members.waiting import WaitingList
from bot.views.members.waiting import BUTTON_PATTERN, PAGE_SIZE, waiting_letter


class Waiting(GuildCog, audience=Audience.MANAGERS, cost=Cost.LIGHT):
    """`/waiting`, and the buttons under its pages."""

    def __init__(self, waiting: WaitingList) -> None:
        self._waiting = waiting

    @app_commands.command(name="waiting", description="See who waits for an answer from you or the team")
    async def show(self, interaction: discord.Interaction) -> None:
        """Show the first page."""
        page = await self._waiting.page(guild_id_of(interaction), interaction.user.id, 1, PAGE_SIZE)
        await respond(interaction, waiting_letter(page))

    @control(BUTTON_PATTERN, Audience.MANAGERS, Deferral.UPDATE, cost=Cost.PRESS)
    async def turn_page(self, interaction: discord.Interaction, pressed: re.Match[str]) -> None:
        """Replace the page with another one, or the same, as the list is now."""
        page = await self._waiting.page(guild_id_of(interaction), interaction.user.id, int(pressed["page"]), PAGE_SIZE)
        await update(interaction, waiting_letter(page))
