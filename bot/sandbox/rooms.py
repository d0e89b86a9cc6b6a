"""Channels and direct messages: making, changing and deleting them, and who may see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.sandbox.entities import Channel, ChannelType, Guild, Member, Overwrite, Role, User
from bot.sandbox.intents import Intent
from bot.sandbox.payloads import channel_payload
from bot.sandbox.permissions import NOTHING, Permission
from bot.sandbox.roster import Roster
from bot.sandbox.state import CHANNEL_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterable


class Rooms(Roster):
    """The part of the world that is guild channels and DMs."""

    def add_channel(
        self,
        guild: Guild | int,
        name: str,
        *,
        kind: str | ChannelType = "text",
        parent: Channel | int | None = None,
        topic: str | None = None,
        tags: Iterable[str] = (),
        channel_id: int | None = None,
    ) -> Channel:
        """Make a channel; `kind` is text, news, voice, forum or category."""
        guild = self.guild(guild)
        channel = Channel(
            self.ids.make() if channel_id is None else channel_id,
            CHANNEL_TYPES[kind] if isinstance(kind, str) else kind,
            name,
            guild.id,
            parent_id=None if parent is None else self.channel(parent).id,
            position=len(guild.channels),
            topic=topic,
        )
        channel.tags = [
            {"id": str(self.ids.make()), "name": tag, "moderated": False, "emoji_id": None, "emoji_name": None}
            for tag in tags
        ]
        guild.channels[channel.id] = channel
        self.channels[channel.id] = channel
        self._channel_event("CHANNEL_CREATE", channel)
        return channel

    def edit_channel(self, channel: Channel | int, *, name: str | None = None, topic: str | None = None) -> None:
        """Change a channel's name or topic."""
        channel = self.channel(channel)
        channel.name = channel.name if name is None else name
        channel.topic = channel.topic if topic is None else topic
        self._channel_event("THREAD_UPDATE" if channel.is_thread else "CHANNEL_UPDATE", channel)

    def delete_channel(self, channel: Channel | int) -> None:
        """Delete a channel with its threads, or one thread; no event names the messages that go with it."""
        channel = self.channel(channel)
        guild = self.guild_of(channel)
        if guild is None:
            raise LookupError("a DM cannot be deleted")
        if channel.is_thread:
            data = {
                "id": str(channel.id),
                "guild_id": str(guild.id),
                "parent_id": str(channel.parent_id),
                "type": int(channel.type),
            }
            self.emit("THREAD_DELETE", Intent.GUILDS, data, channel=channel)
            del guild.threads[channel.id]
        else:
            self._channel_event("CHANNEL_DELETE", channel)
            for thread in self.threads_of(channel):
                del guild.threads[thread.id], self.channels[thread.id]
            del guild.channels[channel.id]
        del self.channels[channel.id]

    def set_overwrite(
        self,
        channel: Channel | int,
        target: Role | Member | User,
        *,
        allow: Permission = NOTHING,
        deny: Permission = NOTHING,
    ) -> None:
        """Say what a role or a member may do in a channel; nothing allowed and denied takes it away."""
        channel = self.channel(channel)
        guild = self.guild_of(channel)
        if guild is None or channel.is_thread:
            raise LookupError("only a guild channel has overwrites")
        seen = self.visible_channels(guild)
        if allow or deny:
            kind = 0 if isinstance(target, Role) else 1
            channel.overwrites[target.id] = Overwrite(target.id, kind, int(allow), int(deny))
        else:
            channel.overwrites.pop(target.id, None)
        self._channel_event("CHANNEL_UPDATE", channel)
        self.sync_threads(guild, seen)

    def deny_bot(self, channel: Channel | int, permissions: Permission) -> None:
        """Take permissions from the bot in one channel, on top of those already taken."""
        channel = self.channel(channel)
        before = channel.overwrites.get(self.bot.id)
        denied = Permission(0 if before is None else before.deny) | permissions
        self.set_overwrite(channel, self.bot, deny=denied)

    def allow_bot(self, channel: Channel | int, permissions: Permission) -> None:
        """Give back to the bot what `deny_bot` took in one channel."""
        channel = self.channel(channel)
        before = channel.overwrites.get(self.bot.id)
        denied = Permission(0 if before is None else before.deny) & ~permissions
        self.set_overwrite(channel, self.bot, deny=denied)

    def dm_with(self, user: User | Member | int) -> Channel:
        """Return the DM between the bot and a user, opened at first use."""
        user = self.user(user)
        if user.id not in self.dm_of:
            channel = Channel(self.ids.make(), ChannelType.DM, recipient=user)
            self.dm_of[user.id] = channel
            self.channels[channel.id] = channel
            data = channel_payload(self, channel)
            self.emit("CHANNEL_CREATE", Intent.DIRECT_MESSAGES, data, channel=channel)
        return self.dm_of[user.id]

    def close_dms(self, user: User | Member | int) -> None:
        """Let a user refuse DMs from now on: the bot gets 50007."""
        self.user(user).dms_open = False

    def open_dms(self, user: User | Member | int) -> None:
        """Let a user accept DMs again."""
        self.user(user).dms_open = True

    def shares_guild(self, user: User) -> bool:
        """Whether the bot and a user are in a guild together."""
        return any(user.id in guild.members and self.bot_in(guild) for guild in self.guilds.values())

    def _channel_event(self, name: str, channel: Channel) -> None:
        # Bots are told of channels they cannot see too; only of threads and messages they are not.
        data = channel_payload(self, channel)
        if channel.is_thread:
            self.emit(name, Intent.GUILDS, data, channel=channel)
        else:
            self.emit(name, Intent.GUILDS, data, guild=self.guild_of(channel))
