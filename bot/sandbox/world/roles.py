"""Roles: making and changing them, and who has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.sandbox.world.entities import Guild, Member, Role, User
from bot.sandbox.world.intents import NO_INTENT, Intent
from bot.sandbox.world.payloads import member_payload, role_payload

if TYPE_CHECKING:
    from bot.sandbox.world.events import Events
    from bot.sandbox.world.state import State
    from bot.sandbox.world.visibility import Visibility


class Roles:
    """The roles of all guilds. If a change lets the bot see more channels, it is sent their threads."""

    def __init__(self, state: State, events: Events, visibility: Visibility) -> None:
        self._state = state
        self._events = events
        self._visibility = visibility

    def add(
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
        guild = self._state.guild(guild)
        role = Role(
            self._state.ids.make() if role_id is None else role_id,
            guild.id,
            name,
            int(permissions),
            len(guild.roles),
            mentionable=mentionable,
            color=color,
        )
        guild.roles[role.id] = role
        self._emit("GUILD_ROLE_CREATE", guild, role)
        return role

    def edit(self, role: Role, *, name: str | None = None, permissions: int | None = None) -> None:
        """Change a role's name or permissions; what is None stays as it is."""
        guild = self._state.guilds[role.guild_id]
        with self._visibility.changing(guild):
            role.name = role.name if name is None else name
            role.permissions = role.permissions if permissions is None else int(permissions)
            self._emit("GUILD_ROLE_UPDATE", guild, role)

    def remove(self, role: Role) -> None:
        """Delete a role and take it from the members that have it."""
        guild = self._state.guilds[role.guild_id]
        del guild.roles[role.id]
        data = {"guild_id": str(guild.id), "role_id": str(role.id)}
        self._events.emit("GUILD_ROLE_DELETE", Intent.GUILDS, data, guild=guild)
        for member in guild.members.values():
            if role.id in member.roles:
                self._set(guild, member, [other for other in member.roles if other != role.id])

    def give(self, role: Role, user: User | Member | int) -> None:
        """Give a role to a member."""
        guild = self._state.guilds[role.guild_id]
        member = self._state.member(guild, user)
        self._set(guild, member, [*member.roles, role.id])

    def take(self, role: Role, user: User | Member | int) -> None:
        """Take a role from a member."""
        guild = self._state.guilds[role.guild_id]
        member = self._state.member(guild, user)
        self._set(guild, member, [other for other in member.roles if other != role.id])

    def _set(self, guild: Guild, member: Member, roles: list[int]) -> None:
        intent = NO_INTENT if member.user is self._state.bot else Intent.GUILD_MEMBERS
        with self._visibility.changing(guild):
            member.roles = roles
            data = member_payload(member) | {"guild_id": str(guild.id)}
            self._events.emit("GUILD_MEMBER_UPDATE", intent, data, guild=guild)

    def _emit(self, name: str, guild: Guild, role: Role) -> None:
        data = {"guild_id": str(guild.id), "role": role_payload(role)}
        self._events.emit(name, Intent.GUILDS, data, guild=guild)
