"""What becomes of each gateway event: parsed by discord.py, read here, dropped, or known to be missing."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import discord

from bot.discord_io.connection.guild_refreshes import GuildRefreshes
from bot.discord_io.connection.message_feed import MessageFeed, ReceivedMessage
from bot.discord_io.payload import events, message
from bot.discord_io.payload.events import Surroundings
from bot.discord_io.payload.fields import Json, MalformedError, child, identities, object_of, readable_identity
from bot.discord_io.payload.places import Lost
from bot.discord_io.payload.well_formed import WellFormedMessage

log = logging.getLogger(__name__)

Parse = Callable[[str, Json], Awaitable[None]]
"""Has discord.py parse an event."""

WithMessages = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread


@dataclass(frozen=True, slots=True)
class UnreadMessage:
    """A message, or the deletion of one, that could not be read, dispatched as `message_unread`.

    `message_id` is None if that cannot be told, and for a deletion.
    """

    channel_id: int
    channel: object
    message_id: int | None


class GatewayEvents:
    """Takes the events of a connection, one after the other. `parse` hands one to discord.py.

    Messages go to the `feed`, after all listeners of what came before them have begun.
    An event that Spade does not use is dropped. Of one that it uses, what discord.py gets is checked before; what
    cannot be read is logged, and what it should have told is fetched by other means, where there are any.
    """

    def __init__(self, client: discord.Client, parse: Parse, feed: MessageFeed) -> None:
        self._client = client
        self._parse = parse
        self._feed = feed
        self._others_first = False
        self.refreshes = GuildRefreshes(client, self._inspect, self._inject)

    async def received(self, name: object, data: object) -> None:
        """Take an event. Raises MalformedError if it is the handshake's and cannot be read."""
        self._others_first = self._others_first or name != events.MESSAGE
        if not isinstance(name, str):
            log.warning("An event without a type cannot be read")
            self._doubt_all()
        elif name == events.MESSAGE:
            await self._let_others_begin()
            await self._feed.room()
            self._receive_message(data)
        elif name in events.HANDSHAKE:
            await self._begin(name, data)
        elif name in events.READERS:
            await self._pass_on(name, data)

    async def _begin(self, name: str, data: object) -> None:
        try:
            clean, lost = self._read(name, data)
        except (MalformedError, ValueError) as error:
            raise MalformedError(f"{name}: {error}") from error
        if lost:
            log.warning("Discord's %s is not readable as a whole: %s", name, ", ".join(lost))
        if name == "READY":
            self.refreshes.clear()
        await self._parse(name, clean or {})

    async def _pass_on(self, name: str, data: object) -> None:
        try:
            clean, lost = self._read(name, data)
            if clean is not None:
                await self._parse(name, clean)
        except Exception as error:  # noqa: BLE001 - whatever failed, it is one event
            self._fail(name, data, error)
            return
        if name in events.STATE and clean is not None:
            self._note_state(name, clean, lost)
        elif lost:
            log.warning("%s is not readable as a whole: %s", name, ", ".join(lost))
            self._miss_delete(name, data)

    def _note_state(self, name: str, clean: Json, lost: tuple[str, ...]) -> None:
        guild_id = events.guild_of(name, clean)
        if lost:
            log.warning("%s of guild %s is not readable as a whole: %s", name, guild_id, ", ".join(lost))
            if name == "GUILD_CREATE":
                self.refreshes.settled(guild_id)
            self.refreshes.incomplete(guild_id, lost)
        elif name in {"GUILD_CREATE", "GUILD_DELETE"}:
            self.refreshes.settled(guild_id)
        self.refreshes.note(guild_id, name, clean)

    def _fail(self, name: str, data: object, error: Exception) -> None:
        log.warning("%s cannot be read (%s: %s; %s)", name, type(error).__name__, error, events.ids_in(data))
        if name in events.STATE:
            guild_id = events.guild_named_by(name, data, self._surroundings())
            if guild_id is not None:
                self.refreshes.doubt([guild_id])
            elif name != "GUILD_CREATE":
                self._doubt_all()
            else:  # of which guild? perhaps of a new one
                known = [guild.id for guild in self._client.guilds if guild.unavailable]
                self.refreshes.doubt([*known, *([one] if (one := readable_identity(data)) is not None else ())])
        else:
            self._miss_delete(name, data)

    def _miss_delete(self, name: str, data: object) -> None:
        """A message is gone, and it is not known which: what is held of its channel must not stand before others."""
        if name in events.DELETES:
            channel_id, channel = self._channel_of(data)
            self._miss_message(self._guild_of(channel, data), channel_id, channel, None)

    def _doubt_all(self) -> None:
        self.refreshes.doubt([guild.id for guild in self._client.guilds])

    # What refreshes need.

    def _inspect(self, name: str, raw: Json) -> tuple[str, ...]:
        return self._read(name, raw)[1]

    async def _inject(self, name: str, raw: Json) -> None:
        clean, _ = self._read(name, raw)
        if clean is not None:
            await self._parse(name, clean)

    # Reading.

    def _read(self, name: str, data: object) -> tuple[Json | None, tuple[str, ...]]:
        """What discord.py is to parse, None for nothing, and the elements that could not be read."""
        known = self._surroundings()
        clean = events.READERS[name](object_of(data, "d"), known)
        if name == "GUILD_UPDATE" and clean is not None:
            guild = self._client.get_guild(int(clean["id"]))
            clean["unavailable"] = guild is not None and guild.unavailable
        return clean, tuple(known.lost.elements)

    def _surroundings(self) -> Surroundings:
        user = self._client.user
        return Surroundings(
            own_id=user.id if user is not None else 0,
            knows_guild=lambda guild_id: self._client.get_guild(guild_id) is not None,
            guild_of_channel=self._guild_of_channel,
            guild_of_role=self._guild_of_role,
            lost=Lost(),
        )

    def _guild_of_channel(self, channel_id: int) -> int | None:
        channel = self._client.get_channel(channel_id)
        return channel.guild.id if isinstance(channel, discord.abc.GuildChannel | discord.Thread) else None

    def _guild_of_role(self, role_id: int) -> int | None:
        found = (guild.id for guild in self._client.guilds if guild.get_role(role_id) is not None)
        return next(found, None)

    # Messages.

    async def received_message(self, message: WellFormedMessage) -> None:
        """Take the event of a message that was read already."""
        if self._others_first:
            await self._let_others_begin()
        await self._feed.room()
        guild = self._client.get_guild(message.guild_id)
        found = None if guild is None else guild.get_channel_or_thread(message.channel_id)
        channel = found or self._client.get_channel(message.channel_id)
        if isinstance(channel, WithMessages):
            message_id = message.raw.message.message_id
            if message_id > (channel.last_message_id or 0):
                channel.last_message_id = message_id
            guild = channel.guild
        if guild is not None:
            self._feed.pass_on(ReceivedMessage(guild, message.channel_id, channel, message.raw, message.role_ids))

    async def _let_others_begin(self) -> None:
        if self._others_first:
            self._others_first = False
            await asyncio.sleep(0)  # discord.py calls the listeners of other events in tasks

    def _receive_message(self, data: object) -> None:
        (channel_id, channel), message_id = self._channel_of(data), readable_identity(data)
        if isinstance(data, dict) and "guild_id" not in data and channel is None:
            return  # a direct message
        if isinstance(channel, WithMessages):
            channel.last_message_id = max(message_id or 0, channel.last_message_id or 0) or None
        guild = self._guild_of(channel, data)
        try:
            raw = message.read(object_of(data, "d"))
            if channel_id is None or raw.message.message_id < channel_id:
                raise MalformedError("channel_id")  # noqa: TRY301 - nothing is older than its channel
            role_ids, webhook_id = _roles_of(data), message.webhook_of(object_of(data, "d"))
        except MalformedError as error:
            log.warning("%s cannot be read (field %s; %s)", events.MESSAGE, error, events.ids_in(data))
            self._miss_message(guild, channel_id, channel, message_id)
            return
        if guild is not None:
            received = ReceivedMessage(guild, channel_id, channel, raw, role_ids, webhook_id)
            self._feed.pass_on(received)

    def _channel_of(self, data: object) -> tuple[int | None, object]:
        """The id of an event's channel, and the channel, each None if it cannot be told."""
        channel_id = readable_identity(data, "channel_id")
        return channel_id, None if channel_id is None else self._client.get_channel(channel_id)

    def _guild_of(self, channel: object, data: object) -> discord.Guild | None:
        """The guild of an event's channel, or else the one that the event names."""
        if isinstance(channel, WithMessages):
            return channel.guild
        guild_id = readable_identity(data, "guild_id")
        return None if guild_id is None else self._client.get_guild(guild_id)

    def _miss_message(
        self, guild: discord.Guild | None, channel_id: int | None, channel: object, message_id: int | None
    ) -> None:
        """A message was missed: its channel has to catch up, or its guild, or everything, as far as is known."""
        if channel_id is not None and message_id is not None and message_id < channel_id:
            message_id = None  # one of the two ids is wrong
        if channel_id is not None and channel is not None:
            self._client.dispatch("message_unread", UnreadMessage(channel_id, channel, message_id))
        elif channel_id is not None and guild is not None and message_id is not None and channel_id >= guild.id:
            self._client.dispatch("message_unread", UnreadMessage(channel_id, None, message_id))
        elif guild is not None:
            self.refreshes.doubt([guild.id])
        else:
            self._doubt_all()


def _roles_of(data: Any) -> tuple[int, ...] | None:  # noqa: ANN401 - an object of JSON
    """The roles of a message's author; None if the event does not tell, as for a webhook."""
    if not isinstance(data, Mapping) or "member" not in data:
        return None
    try:
        return tuple(identities(child(data, "member"), "roles"))
    except MalformedError as error:
        log.warning("The author's roles cannot be read (%s; %s)", error, events.ids_in(data))
        return None
