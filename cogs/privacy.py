"""What every person can see, export, stop and erase of what is stored about them."""

import re

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord_io.interactions.answering import defer
from bot.discord_io.interactions.authorisation import Audience
from bot.discord_io.interactions.cooldowns import Cost, heavy
from bot.discord_io.interactions.guard import Deferral
from bot.discord_io.interactions.guild import guild_id_of
from bot.discord_io.interactions.guild_cog import GuildCog
from bot.discord_io.interactions.handlers import control
from bot.discord_io.interactions.responses import respond
from bot.domain.snowflake import moment_of
from bot.services.delivery.messenger import Directory
from bot.services.members.privacy import PrivacyService
from bot.views.members import privacy as words


class Privacy(
    GuildCog,
    commands.GroupCog,
    audience=Audience.EVERYBODY_HERE,
    cost=Cost.LIGHT,
    group_name="privacy",
    group_description="What Spade stores about you here",
):
    """`/privacy`. Each command and button is about the person who uses it."""

    def __init__(self, service: PrivacyService, messenger: Directory) -> None:
        super().__init__()
        self._service = service
        self._messenger = messenger

    @app_commands.command(name="show", description="See what is stored about you on this server")
    async def show(self, interaction: discord.Interaction) -> None:
        """Say in plain words what is stored."""
        await defer(interaction)
        facts = await self._service.stored(guild_id_of(interaction), interaction.user.id)
        names = await self._messenger.names(guild_id_of(interaction), sorted(facts.touches)[:20])
        guild_name = await self._messenger.guild_name(guild_id_of(interaction))
        await respond(interaction, words.privacy_letter(facts, guild_name, names))

    @heavy
    @app_commands.command(name="export", description="Get everything that is stored about you as a file")
    async def export(self, interaction: discord.Interaction) -> None:
        """Respond with a JSON file."""
        await defer(interaction)
        await self._export(interaction)

    @app_commands.command(
        name="opt-out", description="Have your record deleted and not be recorded any more; it asks before it does"
    )
    async def opt_out(self, interaction: discord.Interaction) -> None:
        """Ask first."""
        await defer(interaction)
        await self._ask_opt_out(interaction)

    @app_commands.command(name="opt-in", description="Be recorded again after you opted out or were erased")
    async def opt_in(self, interaction: discord.Interaction) -> None:
        """Record again."""
        await defer(interaction)
        await self._opt_in(interaction)

    @app_commands.command(name="erase", description="Have everything about you erased; it asks before it does")
    async def erase(self, interaction: discord.Interaction) -> None:
        """Ask first."""
        await defer(interaction)
        await self._ask(interaction)

    @control(words.BUTTON_PATTERN, Audience.OWNER, Deferral.RESPONSE, cost=Cost.HEAVY, not_yours=words.not_about_you)
    async def carry_out(self, interaction: discord.Interaction, pressed: re.Match[str]) -> None:
        """Do what the button says, about the person who pressed it."""
        match pressed["deed"]:
            case "export":
                await self._export(interaction)
            case "ask_opt_out":
                await self._ask_opt_out(interaction)
            case "opt_out":
                await self._opt_out(interaction)
            case "opt_in":
                await self._opt_in(interaction)
            case "ask":
                await self._ask(interaction)
            case _:
                rows = await self._service.erase(guild_id_of(interaction), interaction.user.id)
                await respond(interaction, words.erased(rows))

    async def _export(self, interaction: discord.Interaction) -> None:
        document = await self._service.export(guild_id_of(interaction), interaction.user.id)
        await respond(interaction, words.export_parcel(document, interaction.user.id))

    async def _opt_out(self, interaction: discord.Interaction) -> None:
        manages = await self._service.opt_out(guild_id_of(interaction), interaction.user.id)
        guild_name = await self._messenger.guild_name(guild_id_of(interaction))
        await respond(interaction, words.opted_out(guild_name, manages=manages))

    async def _ask_opt_out(self, interaction: discord.Interaction) -> None:
        facts = await self._service.stored(guild_id_of(interaction), interaction.user.id)
        guild_name = await self._messenger.guild_name(guild_id_of(interaction))
        await respond(interaction, words.opt_out_letter(facts, guild_name))

    async def _opt_in(self, interaction: discord.Interaction) -> None:
        asked_at = moment_of(interaction.id)
        changed = await self._service.opt_in(guild_id_of(interaction), interaction.user.id, asked_at)
        await respond(interaction, words.opted_in(changed=changed))

    async def _ask(self, interaction: discord.Interaction) -> None:
        facts = await self._service.stored(guild_id_of(interaction), interaction.user.id)
        await respond(interaction, words.erase_letter(facts))
