"""Users, guilds, members and roles: who is there, and what changes about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.sandbox.entities import Channel, Guild, Member, Role, User
from bot.sandbox.intents import Intent
from bot.sandbox.payloads import (
    active_threads,
    channel_payload,
    guild_create_payload,
    guild_payload,
    member_payload,
    role_payload,
    user_payload,
)
from bot.sandbox.permissions import ORDINARY, Permission
from bot.sandbox.state import State

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


class Roster(State):
    """The part of the world that is people, guilds and roles. Every change tells the bot what it may know."""

    def add_user(
        self,
        name: str,
        *,
        bot: bool = False,
        display_name: str | None = None,
        dms_open: bool = True,
        user_id: int | None = None,
        webhook: bool = False,
        system: bool = False,
    ) -> User:
        """Make a user; it is in no guild yet."""
        user = User(
            self.ids.make() if user_id is None else user_id,
            name,
            display_name=display_name,
            bot=bot,
            webhook=webhook,
            system=system,
            dms_open=dms_open,
        )
        self.users[user.id] = user
        return user

    def add_webhook(self, name: str, *, user_id: int | None = None) -> User:
        """Make an author for webhook messages."""
        return self.add_user(name, webhook=True, user_id=user_id)

    def add_guild(
        self,
        name: str,
        *,
        owner: User | int | None = None,
        guild_id: int | None = None,
        bot_permissions: int = ORDINARY,
        everyone: int = ORDINARY,
        invited: bool = True,
    ) -> Guild:
        """Make a guild with its owner and, unless told otherwise, the bot in it."""
        owner = self.add_user("owner") if owner is None else self.user(owner)
        guild = Guild(self.ids.make() if guild_id is None else guild_id, name, owner.id)
        guild.roles[guild.id] = Role(guild.id, guild.id, "@everyone", int(everyone), 0)
        self.guilds[guild.id] = guild
        guild.members[owner.id] = Member(guild.id, owner, self.now())
        if invited:
            self.invite_bot(guild, permissions=bot_permissions)
        return guild

    def invite_bot(self, guild: Guild | int, *, permissions: int = ORDINARY) -> None:
        """Put the bot (back) into a guild with a role of its own."""
        guild = self.guild(guild)
        role = Role(self.ids.make(), guild.id, self.bot.name, int(permissions), len(guild.roles), bot_id=self.bot.id)
        guild.roles[role.id] = role
        guild.members[self.bot.id] = Member(guild.id, self.bot, self.now(), [role.id])
        guild.bot_joined_at = self.now()
        self._announce(guild, joined=True)

    def kick_bot(self, guild: Guild | int) -> None:
        """Take the bot out of a guild: GUILD_DELETE without `unavailable`."""
        guild = self.guild(guild)
        self.emit("GUILD_DELETE", Intent.GUILDS, {"id": str(guild.id)}, guild=guild)
        guild.members.pop(self.bot.id, None)
        for role in [role for role in guild.roles.values() if role.bot_id == self.bot.id]:
            del guild.roles[role.id]

    def take_down(self, guild: Guild | int) -> None:
        """Let an outage hit a guild: GUILD_DELETE with `unavailable`; it stays silent until `bring_back`."""
        guild = self.guild(guild)
        self.emit("GUILD_DELETE", Intent.GUILDS, {"id": str(guild.id), "unavailable": True}, guild=guild)
        guild.unavailable = True

    def bring_back(self, guild: Guild | int) -> None:
        """End an outage: GUILD_CREATE."""
        guild = self.guild(guild)
        guild.unavailable = False
        self._announce(guild)

    def rename_guild(self, guild: Guild | int, name: str) -> None:
        """Change a guild's name."""
        guild = self.guild(guild)
        guild.name = name
        self.emit("GUILD_UPDATE", Intent.GUILDS, guild_payload(guild), guild=guild)

    def _announce(self, guild: Guild, *, joined: bool = False) -> None:
        data = guild_create_payload(self, guild)
        if joined:
            del data["unavailable"]  # its absence is how a client tells a new guild from one that returns
        self.emit("GUILD_CREATE", Intent.GUILDS, data, guild=guild)

    # Roles

    def add_role(
        self,
        guild: Guild | int,
        name: str,
        *,
        permissions: int = 0,
        mentionable: bool = False,
        role_id: int | None = None,
        color: int = 0,
    ) -> Role:
        """Make a role."""
        guild = self.guild(guild)
        role = Role(
            self.ids.make() if role_id is None else role_id,
            guild.id,
            name,
            int(permissions),
            len(guild.roles),
            mentionable=mentionable,
            color=color,
        )
        guild.roles[role.id] = role
        self._role_event("GUILD_ROLE_CREATE", guild, role)
        return role

    def edit_role(self, role: Role, *, name: str | None = None, permissions: int | None = None) -> None:
        """Change a role; channels that become visible to the bot are told with their threads."""
        guild = self.guilds[role.guild_id]
        seen = self.visible_channels(guild)
        role.name = role.name if name is None else name
        role.permissions = role.permissions if permissions is None else int(permissions)
        self._role_event("GUILD_ROLE_UPDATE", guild, role)
        self.sync_threads(guild, seen)

    def remove_role(self, role: Role) -> None:
        """Delete a role and take it from its bearers."""
        guild = self.guilds[role.guild_id]
        del guild.roles[role.id]
        data = {"guild_id": str(guild.id), "role_id": str(role.id)}
        self.emit("GUILD_ROLE_DELETE", Intent.GUILDS, data, guild=guild)
        for member in guild.members.values():
            if role.id in member.roles:
                self._set_roles(guild, member, [other for other in member.roles if other != role.id])

    def _role_event(self, name: str, guild: Guild, role: Role) -> None:
        data = {"guild_id": str(guild.id), "role": role_payload(role)}
        self.emit(name, Intent.GUILDS, data, guild=guild)

    # Members

    def add_member(
        self,
        guild: Guild | int,
        user: User | int,
        *,
        roles: Iterable[Role | int] = (),
        nick: str | None = None,
        joined_at: datetime | None = None,
    ) -> Member:
        """Let a user join a guild."""
        guild, user = self.guild(guild), self.user(user)
        wanted = [role if isinstance(role, int) else role.id for role in roles]
        member = Member(guild.id, user, joined_at or self.now(), wanted, nick)
        guild.members[user.id] = member
        self._member_event("GUILD_MEMBER_ADD", guild, member)
        return member

    def remove_member(self, guild: Guild | int, user: User | Member | int) -> None:
        """Let a user leave a guild (the bot: see `kick_bot`)."""
        guild = self.guild(guild)
        member = self.member(guild, user)
        del guild.members[member.id]
        data = {"guild_id": str(guild.id), "user": user_payload(member.user)}
        self.emit("GUILD_MEMBER_REMOVE", Intent.GUILD_MEMBERS, data, guild=guild)

    def give_role(self, role: Role, user: User | Member | int) -> None:
        """Give a role to a member."""
        guild = self.guilds[role.guild_id]
        member = self.member(guild, user)
        self._set_roles(guild, member, [*member.roles, role.id])

    def take_role(self, role: Role, user: User | Member | int) -> None:
        """Take a role from a member."""
        guild = self.guilds[role.guild_id]
        member = self.member(guild, user)
        self._set_roles(guild, member, [other for other in member.roles if other != role.id])

    def _set_roles(self, guild: Guild, member: Member, roles: list[int]) -> None:
        seen = self.visible_channels(guild)
        member.roles = roles
        self._member_event("GUILD_MEMBER_UPDATE", guild, member)
        if member.user is self.bot:
            self.sync_threads(guild, seen)

    def _member_event(self, name: str, guild: Guild, member: Member) -> None:
        data: dict[str, Any] = member_payload(member) | {"guild_id": str(guild.id)}
        own = member.user is self.bot and name == "GUILD_MEMBER_UPDATE"
        self.emit(name, Intent(0) if own else Intent.GUILD_MEMBERS, data, guild=guild)

    # What the bot sees of a guild

    def visible_channels(self, guild: Guild) -> set[int]:
        """Return the ids of the guild channels the bot can see now."""
        if not self.bot_in(guild):
            return set()
        return {c.id for c in guild.channels.values() if self.bot_may(c, Permission.VIEW_CHANNEL)}

    def sync_threads(self, guild: Guild, seen_before: set[int]) -> None:
        """Send the threads of channels that were not visible before: THREAD_LIST_SYNC."""
        gained = self.visible_channels(guild) - seen_before
        threads = [thread for thread in active_threads(self, guild) if thread.parent_id in gained]
        if gained:
            data = {
                "guild_id": str(guild.id),
                "channel_ids": [str(channel_id) for channel_id in sorted(gained)],
                "threads": [channel_payload(self, thread) for thread in threads],
                "members": [],
            }
            self.emit("THREAD_LIST_SYNC", Intent.GUILDS, data, guild=guild)

    def threads_of(self, channel: Channel) -> list[Channel]:
        """Return all threads under a channel, newest first, archived or not."""
        guild = self.guild_of(channel)
        if guild is None:
            return []
        found = [thread for thread in guild.threads.values() if thread.parent_id == channel.id]
        return sorted(found, key=lambda thread: thread.id, reverse=True)
