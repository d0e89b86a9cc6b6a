"""What every member can do about what is stored of them."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord_io.responses import answer, pressed
from bot.services.delivery.messenger import Directory
from bot.services.members.privacy import PrivacyService
from bot.views.members import privacy as words
from bot.views.words.refusals import only_in_server


@app_commands.guild_only()
class Privacy(commands.GroupCog, group_name="privacy", group_description="What Spade stores about you here"):
    """`/privacy`, for everybody, and about nobody but who asks."""

    def __init__(self, service: PrivacyService, messenger: Directory) -> None:
        super().__init__()
        self._service = service
        self._messenger = messenger

    @app_commands.command(name="show", description="See what is stored about you on this server")
    async def show(self, interaction: discord.Interaction) -> None:
        """Say in plain words what is stored."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        assert interaction.guild_id is not None
        facts = await self._service.stored(interaction.guild_id, interaction.user.id)
        names = await self._messenger.names(interaction.guild_id, sorted(facts.touches)[:20])
        guild_name = await self._messenger.guild_name(interaction.guild_id)
        await answer(interaction, words.privacy_letter(facts, guild_name, names))

    @app_commands.command(name="export", description="Get everything that is stored about you as a file")
    async def export(self, interaction: discord.Interaction) -> None:
        """Hand over a JSON file."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._export(interaction)

    @app_commands.command(name="opt-out", description="Have your record deleted, and do not be recorded any more")
    async def opt_out(self, interaction: discord.Interaction) -> None:
        """Stop recording."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._opt_out(interaction)

    @app_commands.command(name="opt-in", description="Be recorded again after you opted out or were erased")
    async def opt_in(self, interaction: discord.Interaction) -> None:
        """Record again."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._opt_in(interaction)

    @app_commands.command(name="erase", description="Have everything about you erased; it asks before it does")
    async def erase(self, interaction: discord.Interaction) -> None:
        """Ask first."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._ask(interaction)

    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """A press on one of the buttons: for whoever they were made for."""
        found = pressed(interaction, words.BUTTON_PATTERN)
        if found is None:
            return
        if interaction.guild_id is None:
            await answer(interaction, only_in_server())
            return
        if int(found["person_id"]) != interaction.user.id:
            await answer(interaction, words.not_about_you())
            return
        await interaction.response.defer(ephemeral=True, thinking=True)
        match found["deed"]:
            case "export":
                await self._export(interaction)
            case "opt_out":
                await self._opt_out(interaction)
            case "opt_in":
                await self._opt_in(interaction)
            case "ask":
                await self._ask(interaction)
            case _:
                rows = await self._service.erase(interaction.guild_id, interaction.user.id)
                await answer(interaction, words.erased(rows))

    async def _export(self, interaction: discord.Interaction) -> None:
        assert interaction.guild_id is not None
        document = await self._service.export(interaction.guild_id, interaction.user.id)
        await answer(interaction, words.export_parcel(document, interaction.user.id))

    async def _opt_out(self, interaction: discord.Interaction) -> None:
        assert interaction.guild_id is not None
        manages = await self._service.opt_out(interaction.guild_id, interaction.user.id)
        guild_name = await self._messenger.guild_name(interaction.guild_id)
        await answer(interaction, words.opted_out(guild_name, manages=manages))

    async def _opt_in(self, interaction: discord.Interaction) -> None:
        assert interaction.guild_id is not None
        changed = await self._service.opt_in(interaction.guild_id, interaction.user.id)
        await answer(interaction, words.opted_in(changed=changed))

    async def _ask(self, interaction: discord.Interaction) -> None:
        assert interaction.guild_id is not None
        facts = await self._service.stored(interaction.guild_id, interaction.user.id)
        await answer(interaction, words.erase_letter(facts))
