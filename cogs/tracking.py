"""Gateway events of guilds, channels, messages and reactions, each translated into a service call."""

import logging
from collections.abc import Callable, Collection
from contextlib import ExitStack
from functools import partial

import discord
from discord.ext import commands

from bot.background import BackgroundTasks
from bot.discord_io.connection.gateway_events import UnreadMessage
from bot.discord_io.connection.message_feed import MessageFeed, ReceivedMessage
from bot.discord_io.record.channel_visibility import ChannelVisibility
from bot.discord_io.record.connected_guilds import ConnectedGuilds
from bot.discord_io.record.messages import MessageReader
from bot.discord_io.record.places import is_recordable, is_visible, place_of
from bot.domain.message import Message
from bot.services.guild.membership import MembershipService
from bot.services.members.manager_reactions import ManagerReactions
from bot.services.members.proxies import Proxies
from bot.services.members.sightings import Sightings
from bot.services.record.channel_snapshot import ChannelSnapshot
from bot.services.record.follower import Follower
from bot.services.record.history_reader import HistoryReader
from bot.services.record.retry import outlast

log = logging.getLogger(__name__)

MOST_BEING_READ = 20
"""How many messages may wait at once for what they reply to; pages of history bring a hundred in one request."""


class Tracking(commands.Cog):
    """Records what happens in every guild, for as long as the cog is loaded.

    `tasks` are those of `guilds` and `visibility`, too; unloading the cog stops them.
    """

    def __init__(
        self,
        follower: Follower,
        guilds: ConnectedGuilds,
        visibility: ChannelVisibility,
        tasks: BackgroundTasks,
        sightings: Sightings,
        reactions: ManagerReactions,
        reader: HistoryReader,
        membership: MembershipService,
        messages: MessageReader,
        proxies: Proxies,
        feed: MessageFeed,
    ) -> None:
        self._follower = follower
        self._guilds = guilds
        self._visibility = visibility
        self._tasks = tasks
        self._sightings = sightings
        self._reactions = reactions
        self._reader = reader
        self._membership = membership
        self._messages = messages
        self._proxies = proxies
        self._feed = feed

    async def cog_load(self) -> None:
        """Start writing what is received."""
        self._feed.listen(self.hear, self._follower.room)
        self._tasks.start(self._follower.run(), "recording")
        self._tasks.start(self._sightings.run(), "looking at roles")
        self._tasks.start(self._reactions.run(), "noting reactions")
        self._tasks.start(outlast(self._proxies.run), "noting who writes through a proxy")

    async def cog_unload(self) -> None:
        """Write what was received, and stop."""
        self._feed.leave(self.hear)
        await self._reader.stop()
        await self._follower.settle_last()
        await self._tasks.stop()

    # Sessions and guilds.

    @commands.Cog.listener()
    async def on_connect(self) -> None:
        """A new session began: events before it may have been missed."""
        self._guilds.connected()

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """The session has shown all guilds: fetch what was missed."""
        self._guilds.complete()

    @commands.Cog.listener()
    async def on_guild_available(self, guild: discord.Guild) -> None:
        """A guild is visible: at the start of a session, before `ready`, or after an outage."""
        self._guilds.available(guild)

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Spade was invited, perhaps not for the first time."""
        self._guilds.available(guild)

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Spade was removed. Nothing is deleted at once."""
        self._guilds.removed(guild.id)
        await outlast(partial(self._membership.removed, guild.id))

    @commands.Cog.listener()
    async def on_guild_unavailable(self, guild: discord.Guild) -> None:
        """An outage: events of this guild are missed until it is available again. Nothing is deleted."""
        self._guilds.unavailable(guild.id)

    # Messages and reactions.

    def hear(self, received: ReceivedMessage) -> None:
        """A message was sent."""
        guild, channel, message = received.guild, received.channel, received.raw.message
        if channel is None or guild.unavailable:
            self._follower.note_out_of_sight(received.channel_id, message.message_id)
        if guild.unavailable or not is_recordable(channel):
            return  # the history has the message when the guild is available again
        known = self._follower.knows(channel.id)
        if not known and not is_visible(channel):
            return  # if the channel becomes visible again, its history has the message
        self._hear_proxies(received)
        place = place_of(channel, message)
        snapshot = None if known else ChannelSnapshot(place, message.message_id)
        if received.raw.asks_for_target:
            reading = ExitStack()
            take = reading.enter_context(self._follower.receiving(place, message.message_id))
            may_ask = self._follower.being_read <= MOST_BEING_READ
            asking = self._complete(received, take, reading, snapshot, may_ask=may_ask)
            self._tasks.start(asking, "asking what a message replies to")
        else:
            self._follower.receive(place, message)
            self._heard(received, snapshot)

    async def _complete(
        self,
        received: ReceivedMessage,
        take: Callable[[Message], None],
        reading: ExitStack,
        snapshot: ChannelSnapshot | None,
        *,
        may_ask: bool,
    ) -> None:
        try:
            with reading:
                take(await self._messages.completed(received.channel_id, received.raw, may_ask=may_ask))
        except Exception as error:  # noqa: BLE001 - whatever failed, the follower leaves the channel to its history
            message_id = received.raw.message.message_id
            log.debug("Message %s could not be read and is fetched again: %s", message_id, error)
        self._heard(received, snapshot)

    def _heard(self, received: ReceivedMessage, snapshot: ChannelSnapshot | None) -> None:
        """A message was taken, or left to the history; `snapshot` is of its channel, if that was not known."""
        author_id = received.raw.message.author_id
        if snapshot is not None:
            self._visibility.catch_up([snapshot])
        if author_id is not None and received.role_ids is not None:
            self._sightings.note(received.guild.id, author_id, received.role_ids)

    def _hear_proxies(self, received: ReceivedMessage) -> None:
        """Let a message tell who writes through a proxy, if it counts."""
        message, channel_id = received.raw.message, received.channel_id
        if self._follower.excludes(channel_id):
            return
        if received.webhook_id is not None:
            self._proxies.webhook_posted(received.guild.id, channel_id, message.message_id, received.webhook_id)
        elif message.author_id is not None and message.counted:
            self._proxies.person_wrote(received.guild.id, channel_id, message.message_id, message.author_id)

    @commands.Cog.listener()
    async def on_message_unread(self, missed: UnreadMessage) -> None:
        """A message was sent or deleted, and the event cannot be read: the history may tell it."""
        channel = missed.channel
        if not is_recordable(channel) or channel.guild.unavailable:
            if missed.message_id is not None:
                self._follower.note_out_of_sight(missed.channel_id, missed.message_id)
            return
        self._follower.message_missed(channel.id)
        if is_visible(channel):
            snapshot = ChannelSnapshot(place_of(channel), missed.message_id or 0, stale=missed.message_id is None)
            self._visibility.catch_up([snapshot])

    @commands.Cog.listener()
    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        """A message was deleted. The event does not name its author."""
        self._proxies.message_deleted(event.message_id)
        self._follower.messages_deleted(event.channel_id, [event.message_id])

    @commands.Cog.listener()
    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        """Several messages were deleted at once."""
        self._proxies.messages_purged(event.message_ids)
        self._follower.messages_deleted(event.channel_id, event.message_ids)

    @commands.Cog.listener()
    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        """A reaction was added. A manager's reaction sets a waiting message aside."""
        if event.guild_id is not None:
            self._reactions.note(event.guild_id, event.user_id, event.message_id)

    # Channels and threads.

    @commands.Cog.listener()
    async def on_guild_channel_create(self, channel: discord.abc.GuildChannel) -> None:
        """A channel was made."""
        await self._visibility.created(channel)

    @commands.Cog.listener()
    async def on_thread_create(self, thread: discord.Thread) -> None:
        """A thread was made."""
        await self._visibility.created(thread)

    @commands.Cog.listener()
    async def on_thread_join(self, thread: discord.Thread) -> None:
        """A thread that existed before became visible."""
        self._visibility.thread_changed(thread)

    @commands.Cog.listener()
    async def on_thread_update(self, _before: discord.Thread, after: discord.Thread) -> None:
        """A thread changed. It may be archived no longer."""
        self._visibility.thread_changed(after)

    @commands.Cog.listener()
    async def on_raw_thread_delete(self, event: discord.RawThreadDeleteEvent) -> None:
        """A thread was deleted, with all its messages."""
        self._visibility.deleted([event.thread_id])

    @commands.Cog.listener()
    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """A channel was deleted, with its threads."""
        threads = [thread.id for thread in channel.guild.threads if thread.parent_id == channel.id]
        self._visibility.deleted([channel.id, *threads])

    # Permissions.

    @commands.Cog.listener()
    async def on_guild_channel_update(self, before: discord.abc.GuildChannel, after: discord.abc.GuildChannel) -> None:
        """A channel changed. Its permissions may hide it, show it again, or make its history readable."""
        returned = is_recordable(before) and not is_visible(before)
        await self._visibility_changed(after.guild, [after], returned=[after] if returned else [])
        self._visibility.look_at([after])

    @commands.Cog.listener()
    async def on_guild_role_update(self, before: discord.Role, after: discord.Role) -> None:
        """A role changed. Spade may have it, as everybody has @everyone."""
        if before.permissions != after.permissions:
            channels = after.guild.channels
            returned = after.permissions.view_channel and not before.permissions.view_channel
            await self._visibility_changed(after.guild, channels, returned=channels if returned else [])

    @commands.Cog.listener()
    async def on_guild_role_delete(self, role: discord.Role) -> None:
        """A role was deleted: what it allowed is allowed no longer, and what it denied is denied no longer."""
        channels = role.guild.channels
        returned = [channel for channel in channels if channel.overwrites_for(role).view_channel is False]
        await self._visibility_changed(role.guild, channels, returned=returned)

    @commands.Cog.listener()
    async def on_member_update(self, before: discord.Member, after: discord.Member) -> None:
        """A member changed. Without the members intent Discord sends this of Spade itself: its roles may differ."""
        if after == after.guild.me and before.roles != after.roles:
            channels = after.guild.channels
            returned = [channel for channel in channels if is_recordable(channel) and not is_visible(channel, before)]
            await self._visibility_changed(after.guild, channels, returned=returned)

    async def _visibility_changed(
        self,
        guild: discord.Guild,
        channels: Collection[discord.abc.GuildChannel],
        *,
        returned: Collection[discord.abc.Snowflake],
    ) -> None:
        if self._guilds.ready:  # until then, catching up with the guild will see its channels as they are
            await self._visibility.changed(guild, channels, returned=returned)
