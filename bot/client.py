"""The discord.py bot: intents, loading of cogs, and how a refused login is told."""

from collections.abc import Awaitable, Callable, Sequence

import discord
from discord.ext import commands

INTENTS = discord.Intents(guilds=True, guild_messages=True, guild_reactions=True)
"""None of them is privileged: Spade reads who wrote to whom, never what."""


class SpadeBot(commands.Bot):
    """Holds the connection and the cogs; what they do is in the services they were built with."""

    def __init__(self, add_cogs: Callable[["SpadeBot"], Awaitable[Sequence[commands.Cog]]]) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            intents=INTENTS,
            allowed_mentions=discord.AllowedMentions.none(),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
        )
        self._add_cogs = add_cogs

    async def setup_hook(self) -> None:
        """Load the cogs and make their commands known."""
        for cog in await self._add_cogs(self):
            await self.add_cog(cog)
        await self.tree.sync()
