"""The discord.py bot: its intents, its cogs, and what happens when a command fails."""

import logging
import secrets
from collections.abc import Sequence

import discord
from discord import app_commands
from discord.ext import commands

from bot.views.answers import only_in_server, unexpected_error

log = logging.getLogger(__name__)

INTENTS = discord.Intents(guilds=True, guild_messages=True, guild_reactions=True)
"""None of them is privileged: Spade reads who wrote to whom, never what."""


discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # Spade has no use for voice


class SpadeTree(app_commands.CommandTree["SpadeBot"]):
    """The commands; one that fails apologises with a reference that stands in the log."""

    async def on_error(
        self, interaction: discord.Interaction["SpadeBot"], error: app_commands.AppCommandError, /
    ) -> None:
        """Answer whoever ran the command, whatever went wrong."""
        if isinstance(error, app_commands.NoPrivateMessage):
            text = only_in_server()
        else:
            reference = secrets.token_hex(4)
            name = interaction.command.qualified_name if interaction.command else "?"
            log.error("Reference %s: the command %s failed", reference, name, exc_info=error)
            text = unexpected_error(reference)
        try:
            if interaction.response.is_done():
                await interaction.followup.send(text, ephemeral=True)
            else:
                await interaction.response.send_message(text, ephemeral=True)
        except discord.HTTPException as refused:
            log.warning("The apology could not be delivered: %s", refused.text)


class SpadeBot(commands.Bot):
    """Holds the connection and the cogs in `to_load`; what they do is in the services they were built with."""

    def __init__(self) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            tree_cls=SpadeTree,
            intents=INTENTS,
            allowed_mentions=discord.AllowedMentions.none(),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
        )
        self.to_load: Sequence[commands.Cog] = ()

    async def setup_hook(self) -> None:
        """Load the cogs and make their commands known."""
        for cog in self.to_load:
            await self.add_cog(cog)
        await self.tree.sync()

    async def on_message(self, message: discord.Message, /) -> None:
        """No text commands: a message is for the cogs' listeners alone."""

    async def close(self) -> None:
        """Unload the cogs, so that what they hold is written, then disconnect."""
        for name in list(self.cogs):
            await self.remove_cog(name)
        await super().close()
