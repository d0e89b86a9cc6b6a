"""Membership: users joining and leaving guilds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.sandbox.world.entities import Guild, Member, Role, User
from bot.sandbox.world.intents import Intent
from bot.sandbox.world.payloads import member_payload, user_payload

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from bot.sandbox.world.events import Events
    from bot.sandbox.world.state import State


class Memberships:
    """Adds users to guilds and removes them. For the bot itself see `Guilds.invite_bot` and `Guilds.kick_bot`."""

    def __init__(self, state: State, events: Events) -> None:
        self._state = state
        self._events = events

    def add(
        self,
        guild: Guild | int,
        user: User | int,
        *,
        roles: Iterable[Role | int] = (),
        nick: str | None = None,
        joined_at: datetime | None = None,
    ) -> Member:
        """Let a user join a guild, now or with the given time of joining."""
        guild, user = self._state.guild(guild), self._state.user(user)
        wanted = [role if isinstance(role, int) else role.id for role in roles]
        member = Member(guild.id, user, joined_at or self._state.now(), wanted, nick)
        guild.members[user.id] = member
        data = member_payload(member) | {"guild_id": str(guild.id)}
        self._events.emit("GUILD_MEMBER_ADD", Intent.GUILD_MEMBERS, data, guild=guild)
        return member

    def remove(self, guild: Guild | int, user: User | Member | int) -> None:
        """Let a user leave a guild."""
        guild = self._state.guild(guild)
        member = self._state.member(guild, user)
        del guild.members[member.id]
        data = {"guild_id": str(guild.id), "user": user_payload(member.user)}
        self._events.emit("GUILD_MEMBER_REMOVE", Intent.GUILD_MEMBERS, data, guild=guild)
