"""The discord.py bot: its intents, its cogs, and what comes before and after a command, a press or a form."""

import asyncio
import logging
import sys
from collections.abc import Collection, Sequence
from itertools import chain
from typing import Any

import aiohttp
import discord
from discord import InteractionType, app_commands
from discord.ext import commands

from bot.clock import Clock
from bot.discord_io.connection.content_type import require_json
from bot.discord_io.connection.gateway import Backoff, GatewayConnection
from bot.discord_io.connection.invalid_requests import InvalidRequests
from bot.discord_io.connection.message_feed import MessageFeed, ReceivedMessage
from bot.discord_io.connection.problem import described
from bot.discord_io.connection.reading_pace import OpenedSockets
from bot.discord_io.connection.time_signal import TimeSignal
from bot.discord_io.connection.unsure_requests import note_broken_connection, note_server_error
from bot.discord_io.interactions.apology import apologise, tell
from bot.discord_io.interactions.command_names import CommandNames
from bot.discord_io.interactions.controls import Control, control_class
from bot.discord_io.interactions.forms import Forms
from bot.discord_io.interactions.guard import InteractionGuard
from bot.discord_io.interactions.guild_cog import GuildCog
from bot.discord_io.interactions.named import names_are_readable
from bot.discord_io.interactions.registration import CommandRegistration
from bot.discord_io.interactions.responses import custom_id_of
from bot.store.error import LostDatabaseError, OutageError
from bot.views.nudge.presses import already_settled
from bot.views.words.refusals import nothing_happened

log = logging.getLogger(__name__)

INTENTS = discord.Intents(guilds=True, guild_messages=True, guild_reactions=True)
"""None of them is privileged: Spade reads who wrote to whom, never what they wrote."""
_TOKEN_REFUSED = 4004
UNANSWERED_SECONDS = 2.0
"""How long a press or a form may stay without an answer. Discord shows an error of its own after three seconds."""

LOGIN_SECONDS = 30.0
"""The timeout of logging in, without what is done once that has succeeded."""
_HEARD_EVERY_SECONDS = 0.5
"""How often the clock hears the ids of messages that agree with each other to the second."""
_SECOND = 1000 << 22
"""In ids."""
ASKING_SECONDS = 20.0
"""The timeout of the question what time it is."""

GUILDS_APART_SECONDS = 0.5
"""A session has shown its guilds when no further one comes for so long. One that comes later catches up by itself."""

discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # Spade has no use for voice


class SpadeTree(app_commands.CommandTree["SpadeBot"]):
    """The commands. Each use is authorised before; one that fails is answered with an apology."""

    async def interaction_check(self, interaction: discord.Interaction["SpadeBot"], /) -> bool:
        """Authorise commands, context menus and suggestions alike; discord.py asks here before each of them."""
        return names_are_readable(interaction) and await self.client.guard.admits_command(interaction)

    async def on_error(
        self, interaction: discord.Interaction["SpadeBot"], error: app_commands.AppCommandError, /
    ) -> None:
        """Apologise to the person who used the command."""
        name = interaction.command.qualified_name if interaction.command else "?"
        await apologise(interaction, error, f"the command {name}")


class SpadeBot(commands.Bot):
    """Holds the connection and the cogs; what they do is in the services they were built with.

    `equip` comes before `start`. The `clock` hears what time Discord says it is. Live messages come by the `feed`;
    when there are many, for `gather_seconds` at a time.
    """

    guard: InteractionGuard

    def __init__(self, clock: Clock, *, gather_seconds: float = 0.0) -> None:
        self._clock = clock
        self._gather_seconds = gather_seconds
        self._sockets = OpenedSockets()
        self._heard = 0, float("-inf")
        self.feed = MessageFeed()
        self.feed.listen(self._hear_time)
        self.invalid_requests = InvalidRequests(self._unauthorized)
        trace = self.invalid_requests.trace()
        trace.on_request_end.append(TimeSignal(clock.hear).answered)
        trace.on_request_end.append(require_json)
        trace.on_request_end.append(self._sockets.answered)
        trace.on_request_end.append(note_server_error)
        trace.on_request_exception.append(note_broken_connection)
        self._ending: asyncio.Task[None] | None = None
        self._logging_in: asyncio.Timeout | None = None
        self._asked_in_vain = ""
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            tree_cls=SpadeTree,
            intents=INTENTS,
            allowed_mentions=discord.AllowedMentions.none(),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            guild_ready_timeout=GUILDS_APART_SECONDS,
            max_messages=None,
            http_trace=trace,
        )
        self._cogs_to_load: Sequence[commands.Cog] = ()
        self._controls: dict[str, Sequence[type[Control]]] = {}
        self._forms = Forms()
        self._registration = CommandRegistration(self.tree.sync)

    def equip(self, guard: InteractionGuard, cogs: Sequence[commands.Cog]) -> None:
        """Give the bot the guard that stands before every callback, and the cogs to load once it is logged in."""
        self.guard = guard
        self._cogs_to_load = cogs

    async def start(self, token: str, *, reconnect: bool = True) -> None:
        """Connect, and stay connected. Raises LoginFailure if Discord refuses the token, at first or later."""
        try:
            await super().start(token, reconnect=reconnect)
        except discord.ConnectionClosed as error:
            if error.code == _TOKEN_REFUSED:
                raise discord.LoginFailure("The gateway does not take the token.") from error
            raise
        if self._ending is not None:
            raise discord.LoginFailure("Discord does not take the token any more.")

    async def login(self, token: str) -> None:
        """Log in, and run `setup_hook`. Raises TimeoutError if Discord does not answer."""
        async with asyncio.timeout(LOGIN_SECONDS) as self._logging_in:
            await super().login(token)

    async def connect(self, *, reconnect: bool = True) -> None:  # noqa: ARG002 - discord.py's signature
        """Keep the gateway connected; see `GatewayConnection`. Reconnects whatever `reconnect` says."""
        await GatewayConnection(self, Backoff(), self.feed, self._sockets, self._gather_seconds).keep()

    def dispatch(self, event_name: str, /, *args: Any, **kwargs: Any) -> None:
        """Pass an event to the listeners, unless the bot is closing: discord.py may still have one on its way then."""
        if not self.is_closed():
            super().dispatch(event_name, *args, **kwargs)

    async def on_disconnect(self) -> None:
        """Doubt the clock: how long the connection will be gone is unknown."""
        self._clock.doubt()
        self._heard = 0, float("-inf")

    def _hear_time(self, received: ReceivedMessage) -> None:
        message, now = received.raw.message, asyncio.get_running_loop().time()
        before_id, at = self._heard
        if now - at >= _HEARD_EVERY_SECONDS or abs(message.message_id - before_id) > _SECOND:
            self._heard = message.message_id, now
            self._clock.hear_id(message.sent_at)

    async def ask_time(self) -> None:
        """Ask Discord for the time. The clock hears nothing if Discord does not answer, or answers without a date.

        The log gets one line for each different problem of a series of questions in vain.
        """
        problem = "no date to be believed"
        try:
            async with asyncio.timeout(ASKING_SECONDS):
                # An answer with a rate limit gives the time twice.
                await self.http.request(discord.http.Route("GET", "/users/@me"))
        except discord.HTTPException:
            pass  # a refusal has a date, too
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            problem = described(error)
        if self._clock.sure:
            problem = ""
        elif problem != self._asked_in_vain:
            log.warning("Discord does not say what time it is (%s); nothing is sent before", problem)
        self._asked_in_vain = problem

    def _unauthorized(self) -> None:
        """The token was revoked: stop, since no request can succeed from here on."""
        if self.user is not None and self._ending is None:  # before that, logging in fails by itself
            log.critical("Discord does not accept the token any more: stopping")
            self._ending = asyncio.get_running_loop().create_task(self.close())

    def joined(self) -> Collection[int]:
        """The ids of the guilds that Spade is in, including those that are unavailable during an outage."""
        return {guild.id for guild in self.guilds}

    async def setup_hook(self) -> None:
        """Load the cogs and make their commands known."""
        if self._logging_in is not None:
            self._logging_in.reschedule(None)  # a rate limit may delay the commands
        for cog in self._cogs_to_load:
            await self.add_cog(cog)
        await self.tree.set_translator(CommandNames())
        await self._registration.register()

    async def add_cog(self, cog: commands.Cog, /, **options: Any) -> None:
        """Load a cog, with its context menus, controls and forms."""
        await super().add_cog(cog, **options)
        if isinstance(cog, GuildCog):
            for menu in cog.context_menus:
                self.tree.add_command(menu)
            controls = [control_class(one, cog, self.guard) for one in cog.handlers(InteractionType.component)]
            self._controls[cog.qualified_name] = controls
            self.add_dynamic_items(*controls)
            for declared in cog.handlers(InteractionType.modal_submit):
                self._forms.add(declared, cog)

    async def remove_cog(self, name: str, /, **options: Any) -> commands.Cog | None:
        """Unload a cog, with all that was loaded with it."""
        self.remove_dynamic_items(*self._controls.pop(name, ()))
        cog = await super().remove_cog(name, **options)
        if isinstance(cog, GuildCog):
            if cog.app_command is not None:  # discord.py looks for a group under the cog's name
                self.tree.remove_command(cog.app_command.name)
            for menu in cog.context_menus:
                self.tree.remove_command(menu.name, type=menu.type)
            for declared in cog.handlers(InteractionType.modal_submit):
                self._forms.remove(declared)
        return cog

    async def on_ready(self) -> None:
        """Log the number of servers: people who have just started Spade look for it."""
        log.info("Connected to Discord; servers: %s", len(self.guilds))

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """Let the clock hear the id of an interaction; then pass a sent form on, or answer what no cog takes.

        A press or a form that no cog takes may be from an older version.
        """
        self._clock.hear_id(interaction.created_at)
        if interaction.type not in {InteractionType.component, InteractionType.modal_submit}:
            return
        self.guard.speak(interaction)
        is_form = interaction.type is InteractionType.modal_submit
        if is_form and await self._forms.dispatch(self.guard, interaction):
            return
        await asyncio.sleep(UNANSWERED_SECONDS)
        if not interaction.response.is_done():
            await tell(interaction, already_settled() if self._knows_control(interaction) else nothing_happened())

    def _knows_control(self, interaction: discord.Interaction) -> bool:
        """Whether a press is on a control of a loaded cog. Unanswered, it has gone from its message meanwhile."""
        custom_id = custom_id_of(interaction)
        controls = chain.from_iterable(self._controls.values())
        return any(control.handler.pattern.fullmatch(custom_id) for control in controls)

    async def on_error(self, event_method: str, /, *args: object, **_kwargs: object) -> None:
        """A listener failed: apologise if it had an interaction to answer, and log the error."""
        error = sys.exc_info()[1]
        if error is not None and args and isinstance(args[0], discord.Interaction):
            await apologise(args[0], error, f"the listener {event_method}")
        elif not isinstance(error, OutageError | LostDatabaseError):  # they are logged by themselves
            log.error("The listener %s failed", event_method, exc_info=error)

    async def close(self) -> None:
        """Unload the cogs, so that what they hold is written, then disconnect."""
        self._registration.stop()
        for name in list(self.cogs):
            await self.remove_cog(name)
        await super().close()
