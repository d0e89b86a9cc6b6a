"""What the world consists of, and the one way its events leave it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.sandbox.entities import Channel, ChannelType, Guild, Member, PostedMessage, Role, User
from bot.sandbox.errors import ApiError
from bot.sandbox.intents import NO_INTENT, Intent
from bot.sandbox.permissions import ALL, Permission, channel_permissions
from bot.sandbox.snowflakes import Snowflakes

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

CHANNEL_TYPES = {
    "text": ChannelType.TEXT,
    "news": ChannelType.NEWS,
    "voice": ChannelType.VOICE,
    "forum": ChannelType.FORUM,
    "category": ChannelType.CATEGORY,
}


@dataclass(frozen=True, slots=True)
class Event:
    """Something the bot may be told.

    `render` makes the payload; it is given True for a client that may read message content. `intent` of
    zero means every session gets the event.
    """

    name: str
    intent: Intent
    render: Callable[[bool], dict[str, Any]]
    message: PostedMessage | None = None


class State:
    """Holds all entities and hands events on to whoever listens.

    An event is only handed on when the bot could see it: it is in the guild, the guild is available, and
    the channel is visible to it.
    """

    def __init__(self, now: Callable[[], datetime], *, bot_name: str, granted: Intent, bot_id: int | None) -> None:
        self.now = now
        self.ids = Snowflakes(now)
        self.users: dict[int, User] = {}
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.dm_of: dict[int, Channel] = {}
        self.files: dict[int, tuple[str, str, bytes]] = {}
        self.granted = granted
        self.base_url = ""
        self.listeners: list[Callable[[Event], None]] = []
        self.bot = User(bot_id or self.ids.make(), bot_name, bot=True)
        self.users[self.bot.id] = self.bot
        self.application_id = self.bot.id
        self.app_owner = User(self.ids.make(), "app-owner")
        self.users[self.app_owner.id] = self.app_owner

    # What is there

    def user(self, user: User | Member | int) -> User:
        """Return the user meant.

        Raises:
            LookupError: When no such user exists.
        """
        if isinstance(user, User):
            return user
        if isinstance(user, Member):
            return user.user
        if user not in self.users:
            raise LookupError(f"no user {user} in the sandbox")
        return self.users[user]

    def guild(self, guild: Guild | int) -> Guild:
        """Return the guild meant.

        Raises:
            LookupError: When no such guild exists.
        """
        if isinstance(guild, Guild):
            return guild
        if guild not in self.guilds:
            raise LookupError(f"no guild {guild} in the sandbox")
        return self.guilds[guild]

    def channel(self, channel: Channel | int) -> Channel:
        """Return the channel, thread or DM meant.

        Raises:
            LookupError: When no such channel exists.
        """
        if isinstance(channel, Channel):
            return channel
        if channel not in self.channels:
            raise LookupError(f"no channel {channel} in the sandbox")
        return self.channels[channel]

    def message(self, channel: Channel | int, message: PostedMessage | int) -> PostedMessage:
        """Return a message that is still in a channel.

        Raises:
            LookupError: When it is not there.
        """
        found = self.channel(channel).log.get(message if isinstance(message, int) else message.id)
        if found is None:
            raise LookupError(f"no such message in channel {self.channel(channel).name}")
        return found

    def member(self, guild: Guild | int, user: User | Member | int) -> Member:
        """Return a user's membership.

        Raises:
            LookupError: When the user is not in the guild.
        """
        guild, user = self.guild(guild), self.user(user)
        if user.id not in guild.members:
            raise LookupError(f"{user.name} is not in {guild.name}")
        return guild.members[user.id]

    def guild_of(self, channel: Channel) -> Guild | None:
        """Return the guild a channel belongs to, or None for a DM."""
        return None if channel.guild_id is None else self.guilds[channel.guild_id]

    # What the bot may do

    def bot_in(self, guild: Guild) -> bool:
        """Whether the bot is a member of a guild."""
        return self.bot.id in guild.members

    def permissions_of(self, user: User | Member | int, channel: Channel) -> int:
        """Return what a user may do in a channel or thread; in a DM, everything."""
        guild = self.guild_of(channel)
        user_id = user if isinstance(user, int) else user.id
        if guild is None:
            return ALL
        member = guild.members.get(user_id)
        if member is None:
            return 0
        judged = channel
        if channel.is_thread and channel.parent_id is not None:
            judged = guild.channels[channel.parent_id]
        allowed = channel_permissions(guild, member, judged)
        if channel.type == ChannelType.PRIVATE_THREAD and user_id not in channel.joined:
            return allowed if allowed & Permission.MANAGE_THREADS else 0
        return allowed

    def bot_may(self, channel: Channel, needed: Permission) -> bool:
        """Whether the bot has every one of the permissions in a channel."""
        return self.permissions_of(self.bot.id, channel) & needed == needed

    def require(self, channel: Channel, needed: Permission) -> None:
        """Refuse a request of the bot that needs permissions it does not have.

        Raises:
            ApiError: 50001 when it cannot see the channel, 50013 when something else is missing.
        """
        if not self.bot_may(channel, Permission.VIEW_CHANNEL):
            raise ApiError(50001)
        if not self.bot_may(channel, needed):
            raise ApiError(50013)

    # What it is told

    def emit(
        self,
        name: str,
        intent: Intent,
        data: dict[str, Any] | Callable[[bool], dict[str, Any]],
        *,
        guild: Guild | None = None,
        channel: Channel | None = None,
        message: PostedMessage | None = None,
    ) -> None:
        """Hand an event to the listeners unless the bot could not see it."""
        if not self.listeners:
            return
        if channel is not None and channel.guild_id is not None:
            guild = self.guilds[channel.guild_id]
            if not self.bot_may(channel, Permission.VIEW_CHANNEL):
                return
        if guild is not None and (guild.unavailable or not self.bot_in(guild)):
            return
        render = data if callable(data) else lambda _content: data
        event = Event(name, intent, render, message)
        for listener in self.listeners:
            listener(event)

    def emit_own(self, name: str, data: dict[str, Any]) -> None:
        """Hand on an event that every session gets, whatever its intents."""
        self.emit(name, NO_INTENT, data)

    def mentionable_roles(self, guild: Guild) -> dict[int, Role]:
        """Return the roles of a guild that anyone may mention."""
        return {role.id: role for role in guild.roles.values() if role.mentionable}
