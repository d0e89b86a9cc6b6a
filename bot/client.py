"""The discord.py bot: its intents, its cogs, and what happens when a command fails."""

import asyncio
import logging
import secrets
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import aiohttp
import discord
from discord import app_commands
from discord.ext import commands

from bot.clock import Clock
from bot.discord_io.command_names import CommandNames
from bot.discord_io.invalid_requests import InvalidRequests
from bot.discord_io.time_signal import TimeSignal
from bot.domain.guild import LANGUAGES
from bot.views.words.refusals import nothing_happened, only_in_server, unexpected_error
from bot.views.words.sentence import language_like, speaking

log = logging.getLogger(__name__)

INTENTS = discord.Intents(guilds=True, guild_messages=True, guild_reactions=True)
"""None of them is privileged: Spade reads who wrote to whom, never what."""
_TOKEN_REFUSED = 4004
UNANSWERED_SECONDS = 2.0
"""How long a press may go without an answer. Discord shows its own error after three seconds."""

ASKING_SECONDS = 20.0
"""How long Discord has to say what time it is."""

discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # Spade has no use for voice


async def apologise(interaction: discord.Interaction, error: BaseException, what: str) -> None:
    """Tell a person that something failed, with a reference that stands in the log."""
    reference = secrets.token_hex(4)
    log.error("Reference %s: %s failed", reference, what, exc_info=error)
    await _tell(interaction, unexpected_error(reference))


async def _tell(interaction: discord.Interaction, text: str) -> None:
    try:
        if interaction.response.is_done():
            await interaction.followup.send(text, ephemeral=True)
        else:
            await interaction.response.send_message(text, ephemeral=True)
    except (discord.HTTPException, aiohttp.ClientError, OSError) as refused:
        log.warning("A person could not be told what happened: %s", type(refused).__name__)
    except discord.InteractionResponded:
        pass  # somebody was quicker


class SpadeTree(app_commands.CommandTree["SpadeBot"]):
    """The commands; one that fails apologises with a reference that stands in the log."""

    async def interaction_check(self, interaction: discord.Interaction["SpadeBot"], /) -> bool:
        """Everything is about a server: whatever Discord lets through, nothing is done outside one."""
        if interaction.guild_id is not None:
            return True
        if interaction.type is discord.InteractionType.application_command:
            await _tell(interaction, only_in_server())
        return False

    async def on_error(
        self, interaction: discord.Interaction["SpadeBot"], error: app_commands.AppCommandError, /
    ) -> None:
        """Answer whoever ran the command, whatever went wrong."""
        if isinstance(error, app_commands.NoPrivateMessage):
            await _tell(interaction, only_in_server())
            return
        if isinstance(error, app_commands.CheckFailure) and interaction.response.is_done():
            return  # whoever refused has said why
        name = interaction.command.qualified_name if interaction.command else "?"
        await apologise(interaction, error, f"the command {name}")


class SpadeBot(commands.Bot):
    """Holds the connection and the cogs in `to_load`; what they do is in the services they were built with.

    `language_of` tells a guild's language, by which it is answered. The `clock` hears what time Discord says it is.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.invalid_requests = InvalidRequests(self._unauthorized)
        trace = self.invalid_requests.trace()
        trace.on_request_end.append(TimeSignal(clock.hear).answered)
        self._ending: asyncio.Task[None] | None = None
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            tree_cls=SpadeTree,
            intents=INTENTS,
            allowed_mentions=discord.AllowedMentions.none(),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
            http_trace=trace,
        )
        self.to_load: Sequence[commands.Cog] = ()
        self.language_of: Callable[[int], str] = lambda _: LANGUAGES[0]
        self._listen_in_their_language()

    async def start(self, token: str, *, reconnect: bool = True) -> None:
        """Connect, and stay connected. Raises LoginFailure when Discord does not, or no longer, take the token."""
        try:
            await super().start(token, reconnect=reconnect)
        except discord.ConnectionClosed as error:
            if error.code == _TOKEN_REFUSED:
                raise discord.LoginFailure("The gateway does not take the token.") from error
            raise
        if self._ending is not None:
            raise discord.LoginFailure("Discord does not take the token any more.")

    async def on_disconnect(self) -> None:
        """Nobody knows for how long."""
        self._clock.doubt()

    async def ask_time(self) -> None:
        """Have Discord say what time it is; nothing is heard when it does not answer, or without a date."""
        problem = "its answer has no date"
        try:
            async with asyncio.timeout(ASKING_SECONDS):
                await self.http.request(discord.http.Route("GET", "/gateway"))
        except discord.HTTPException:
            pass  # a refusal has a date, too
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            problem = type(error).__name__
        if not self._clock.sure:
            log.warning("Discord does not say what time it is (%s); nothing is sent before", problem)

    def _unauthorized(self) -> None:
        """The token was taken back: nothing that is tried from here on can succeed."""
        if self.user is not None and self._ending is None:  # before that, logging in fails by itself
            log.critical("Discord does not accept the token any more: stopping")
            self._ending = asyncio.get_running_loop().create_task(self.close())

    def _listen_in_their_language(self) -> None:
        """Let everything that an interaction starts speak the guild's language, in a DM the person's own."""
        parsers = self._connection.parsers
        parse = parsers["INTERACTION_CREATE"]

        def parse_in_language(data: Mapping[str, Any]) -> None:
            guild_id = data.get("guild_id")
            own = language_like(str(data.get("locale", "")))
            with speaking(own if guild_id is None else self.language_of(int(guild_id))):
                parse(data)

        parsers["INTERACTION_CREATE"] = parse_in_language

    def joined(self) -> Collection[int]:
        """The guilds that Spade is in, those too that Discord does not show just now."""
        return {guild.id for guild in self.guilds}

    async def setup_hook(self) -> None:
        """Load the cogs and make their commands known."""
        for cog in self.to_load:
            await self.add_cog(cog)
            for menu in getattr(cog, "context_menus", ()):
                self.tree.add_command(menu)
        await self.tree.set_translator(CommandNames())
        await self.tree.sync()

    async def on_ready(self) -> None:
        """Say so in the log: it is what whoever has just started Spade looks for."""
        log.info("Connected to Discord; servers: %s", len(self.guilds))

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """A press or a form that no cog takes up, such as a button of an older version, is answered all the same."""
        if interaction.type not in {discord.InteractionType.component, discord.InteractionType.modal_submit}:
            return
        await asyncio.sleep(UNANSWERED_SECONDS)
        if not interaction.response.is_done():
            await _tell(interaction, nothing_happened())

    async def on_error(self, event_method: str, /, *args: object, **_kwargs: object) -> None:
        """A listener failed. Where it was to answer somebody, they get an apology; the log has the rest."""
        error = sys.exc_info()[1]
        if error is not None and args and isinstance(args[0], discord.Interaction):
            await apologise(args[0], error, f"the listener {event_method}")
        else:
            log.error("The listener %s failed", event_method, exc_info=error)

    async def on_message(self, message: discord.Message, /) -> None:
        """No text commands: a message is for the cogs' listeners alone."""

    async def close(self) -> None:
        """Unload the cogs, so that what they hold is written, then disconnect."""
        for name in list(self.cogs):
            await self.remove_cog(name)
        await super().close()
