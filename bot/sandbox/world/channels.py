"""Guild channels: making, changing and deleting them, and their permission overwrites."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.sandbox.world.entities import Channel, ChannelType, Guild, Member, Overwrite, Role, User
from bot.sandbox.world.intents import Intent
from bot.sandbox.world.payloads import channel_payload
from bot.sandbox.world.permissions import NOTHING, Permission

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.sandbox.world.events import Events
    from bot.sandbox.world.state import State
    from bot.sandbox.world.visibility import Visibility

_KINDS = {
    "text": ChannelType.TEXT,
    "news": ChannelType.NEWS,
    "voice": ChannelType.VOICE,
    "forum": ChannelType.FORUM,
    "category": ChannelType.CATEGORY,
}


class ChannelRegistry:
    """The channels of all guilds; threads can be renamed and deleted here too."""

    def __init__(self, state: State, events: Events, visibility: Visibility) -> None:
        self._state = state
        self._events = events
        self._visibility = visibility

    def add(
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
        state = self._state
        guild = state.guild(guild)
        channel = Channel(
            state.ids.make() if channel_id is None else channel_id,
            _KINDS[kind] if isinstance(kind, str) else kind,
            name,
            guild.id,
            parent_id=None if parent is None else state.channel(parent).id,
            position=len(guild.channels),
            topic=topic,
        )
        channel.tags = [
            {"id": str(state.ids.make()), "name": tag, "moderated": False, "emoji_id": None, "emoji_name": None}
            for tag in tags
        ]
        guild.channels[channel.id] = channel
        state.channels[channel.id] = channel
        self._emit("CHANNEL_CREATE", channel)
        return channel

    def edit(self, channel: Channel | int, *, name: str | None = None, topic: str | None = None) -> None:
        """Change the name or topic of a channel or thread; what is None stays as it is."""
        channel = self._state.channel(channel)
        channel.name = channel.name if name is None else name
        channel.topic = channel.topic if topic is None else topic
        self._emit("THREAD_UPDATE" if channel.is_thread else "CHANNEL_UPDATE", channel)

    def delete(self, channel: Channel | int) -> None:
        """Delete a channel with its threads, or one thread; no event names the messages that are deleted with it.

        Raises:
            LookupError: If it is a DM.
        """
        channel = self._state.channel(channel)
        guild = self._state.guild_of(channel)
        if guild is None:
            raise LookupError("a DM cannot be deleted")
        if channel.is_thread:
            data = {
                "id": str(channel.id),
                "guild_id": str(guild.id),
                "parent_id": str(channel.parent_id),
                "type": int(channel.type),
            }
            self._events.emit("THREAD_DELETE", Intent.GUILDS, data, channel=channel)
            del guild.threads[channel.id]
        else:
            self._emit("CHANNEL_DELETE", channel)
            for thread in self._state.threads_of(channel):
                del guild.threads[thread.id], self._state.channels[thread.id]
            del guild.channels[channel.id]
        del self._state.channels[channel.id]

    def set_overwrite(
        self,
        channel: Channel | int,
        target: Role | Member | User,
        *,
        allow: Permission = NOTHING,
        deny: Permission = NOTHING,
    ) -> None:
        """Set what a channel allows and denies to a role or member; with neither, the overwrite is removed.

        Raises:
            LookupError: If it is a thread or a DM.
        """
        channel = self._state.channel(channel)
        guild = self._state.guild_of(channel)
        if guild is None or channel.is_thread:
            raise LookupError("only a guild channel has overwrites")
        with self._visibility.changing(guild):
            if allow or deny:
                kind = 0 if isinstance(target, Role) else 1
                channel.overwrites[target.id] = Overwrite(target.id, kind, int(allow), int(deny))
            else:
                channel.overwrites.pop(target.id, None)
            self._emit("CHANNEL_UPDATE", channel)

    def deny_bot(self, channel: Channel | int, permissions: Permission) -> None:
        """Take permissions from the bot in one channel, in addition to those already taken."""
        self._deny_bot(channel, self._denied_to_bot(channel) | permissions)

    def allow_bot(self, channel: Channel | int, permissions: Permission) -> None:
        """Give back to the bot what `deny_bot` took in one channel."""
        self._deny_bot(channel, self._denied_to_bot(channel) & ~permissions)

    def _denied_to_bot(self, channel: Channel | int) -> Permission:
        overwrite = self._state.channel(channel).overwrites.get(self._state.bot.id)
        return Permission(0 if overwrite is None else overwrite.deny)

    def _deny_bot(self, channel: Channel | int, denied: Permission) -> None:
        self.set_overwrite(channel, self._state.bot, deny=denied)

    def _emit(self, name: str, channel: Channel) -> None:
        # Bots get the events of channels that they cannot see too, but not those of threads and messages there.
        data = channel_payload(self._state, channel)
        if channel.is_thread:
            self._events.emit(name, Intent.GUILDS, data, channel=channel)
        else:
            self._events.emit(name, Intent.GUILDS, data, guild=self._state.guild_of(channel))
