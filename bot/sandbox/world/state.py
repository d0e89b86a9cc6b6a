"""What exists in the world, and who may do what in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.sandbox.world.entities import Channel, ChannelType, Guild, Member, PostedMessage, Role, User
from bot.sandbox.world.permissions import ALL, Permission, channel_permissions
from bot.sandbox.world.snowflakes import Snowflakes

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bot.sandbox.world.intents import Intent


class State:
    """All entities by id, and questions about them. It changes nothing and sends nothing.

    `granted` are the privileged intents the bot's application has. `files` holds name, content type and bytes of each
    attachment by its id. `dms` holds the DM with each user by the user's id.
    """

    def __init__(self, now: Callable[[], datetime], *, bot_name: str, granted: Intent, bot_id: int | None) -> None:
        self.now = now
        self.ids = Snowflakes(now)
        self.users: dict[int, User] = {}
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.dms: dict[int, Channel] = {}
        self.files: dict[int, tuple[str, str, bytes]] = {}
        self.granted = granted
        self.base_url = ""
        self.bot = User(bot_id or self.ids.make(), bot_name, bot=True)
        self.users[self.bot.id] = self.bot
        self.application_id = self.bot.id
        self.app_owner = User(self.ids.make(), "app-owner")
        self.users[self.app_owner.id] = self.app_owner

    @property
    def gateway_url(self) -> str:
        """The address of the gateway."""
        return self.base_url.replace("http", "ws", 1) + "/gateway"

    # Finding entities

    def user(self, user: User | Member | int) -> User:
        """Return a user by id; a user or member object is resolved to its user.

        Raises:
            LookupError: If no such user exists.
        """
        if isinstance(user, User):
            return user
        if isinstance(user, Member):
            return user.user
        if user not in self.users:
            raise LookupError(f"no user {user} in the sandbox")
        return self.users[user]

    def guild(self, guild: Guild | int) -> Guild:
        """Return a guild by id; a guild object is returned as it is.

        Raises:
            LookupError: If no such guild exists.
        """
        if isinstance(guild, Guild):
            return guild
        if guild not in self.guilds:
            raise LookupError(f"no guild {guild} in the sandbox")
        return self.guilds[guild]

    def channel(self, channel: Channel | int) -> Channel:
        """Return a channel, thread or DM by id; a channel object is returned as it is.

        Raises:
            LookupError: If no such channel exists.
        """
        if isinstance(channel, Channel):
            return channel
        if channel not in self.channels:
            raise LookupError(f"no channel {channel} in the sandbox")
        return self.channels[channel]

    def message(self, channel: Channel | int, message: PostedMessage | int) -> PostedMessage:
        """Return a message that has not been deleted from a channel.

        Raises:
            LookupError: If the channel does not hold it.
        """
        found = self.channel(channel).log.get(message if isinstance(message, int) else message.id)
        if found is None:
            raise LookupError(f"no such message in channel {self.channel(channel).name}")
        return found

    def member(self, guild: Guild | int, user: User | Member | int) -> Member:
        """Return a user's membership.

        Raises:
            LookupError: If the user is not in the guild.
        """
        guild, user = self.guild(guild), self.user(user)
        if user.id not in guild.members:
            raise LookupError(f"{user.name} is not in {guild.name}")
        return guild.members[user.id]

    def guild_of(self, channel: Channel) -> Guild | None:
        """Return the guild a channel belongs to, or None for a DM."""
        return None if channel.guild_id is None else self.guilds[channel.guild_id]

    def threads_of(self, channel: Channel) -> list[Channel]:
        """Return all threads under a channel, newest first, archived or not."""
        guild = self.guild_of(channel)
        if guild is None:
            return []
        found = [thread for thread in guild.threads.values() if thread.parent_id == channel.id]
        return sorted(found, key=lambda thread: thread.id, reverse=True)

    def mentionable_roles(self, guild: Guild) -> dict[int, Role]:
        """Return the roles of a guild that anyone may mention."""
        return {role.id: role for role in guild.roles.values() if role.mentionable}

    # Who may do what

    def permissions_of(self, user: User | Member | int, channel: Channel) -> int:
        """Return the permission bits of a user in a channel or thread; in a DM, all of them."""
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

    def bot_in(self, guild: Guild) -> bool:
        """Whether the bot is a member of a guild."""
        return self.bot.id in guild.members

    def bot_may(self, channel: Channel, needed: Permission) -> bool:
        """Whether the bot has every one of the permissions in a channel."""
        return self.permissions_of(self.bot.id, channel) & needed == needed

    def visible_channels(self, guild: Guild) -> set[int]:
        """Return the ids of the guild channels the bot can see now; threads are not among them."""
        if not self.bot_in(guild):
            return set()
        return {c.id for c in guild.channels.values() if self.bot_may(c, Permission.VIEW_CHANNEL)}

    def active_threads(self, guild: Guild) -> list[Channel]:
        """Return the threads that are not archived and that the bot can see, newest first."""
        return [
            thread
            for _, thread in sorted(guild.threads.items(), reverse=True)
            if not thread.archived and self.permissions_of(self.bot.id, thread)
        ]

    def shares_guild(self, user: User) -> bool:
        """Whether the bot and a user are in a guild together."""
        return any(user.id in guild.members and self.bot_in(guild) for guild in self.guilds.values())
