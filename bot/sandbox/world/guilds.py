"""Guilds: making and renaming them, the bot's coming and going, and outages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.sandbox.world.entities import Guild, Member, Role, User
from bot.sandbox.world.intents import Intent
from bot.sandbox.world.payloads import guild_create_payload, guild_payload
from bot.sandbox.world.permissions import ORDINARY

if TYPE_CHECKING:
    from bot.sandbox.world.events import Events
    from bot.sandbox.world.state import State
    from bot.sandbox.world.users import Users


class Guilds:
    """Makes guilds and changes them as a whole."""

    def __init__(self, state: State, events: Events, users: Users) -> None:
        self._state = state
        self._events = events
        self._users = users

    def add(
        self,
        name: str,
        *,
        owner: User | int | None = None,
        guild_id: int | None = None,
        bot_permissions: int = ORDINARY,
        everyone: int = ORDINARY,
        invited: bool = True,
    ) -> Guild:
        """Make a guild with its owner in it, and the bot too if it is `invited`.

        `everyone` are the permissions of the role @everyone. Without an `owner` a new user is made for it.
        """
        owner = self._users.add("owner") if owner is None else self._state.user(owner)
        guild = Guild(self._state.ids.make() if guild_id is None else guild_id, name, owner.id)
        guild.roles[guild.id] = Role(guild.id, guild.id, "@everyone", int(everyone), 0)
        self._state.guilds[guild.id] = guild
        guild.members[owner.id] = Member(guild.id, owner, self._state.now())
        if invited:
            self.invite_bot(guild, permissions=bot_permissions)
        return guild

    def rename(self, guild: Guild | int, name: str) -> None:
        """Change a guild's name."""
        guild = self._state.guild(guild)
        guild.name = name
        self._events.emit("GUILD_UPDATE", Intent.GUILDS, guild_payload(guild), guild=guild)

    def invite_bot(self, guild: Guild | int, *, permissions: int = ORDINARY) -> None:
        """Add the bot to a guild, for the first time or again, with a role that no other member has."""
        guild, bot = self._state.guild(guild), self._state.bot
        role = Role(self._state.ids.make(), guild.id, bot.name, int(permissions), len(guild.roles), bot_id=bot.id)
        guild.roles[role.id] = role
        guild.members[bot.id] = Member(guild.id, bot, self._state.now(), [role.id])
        guild.bot_joined_at = self._state.now()
        self._announce(guild, joined=True)

    def kick_bot(self, guild: Guild | int) -> None:
        """Remove the bot from a guild: GUILD_DELETE without `unavailable`."""
        guild, bot = self._state.guild(guild), self._state.bot
        self._events.emit("GUILD_DELETE", Intent.GUILDS, {"id": str(guild.id)}, guild=guild)
        guild.members.pop(bot.id, None)
        for role in [role for role in guild.roles.values() if role.bot_id == bot.id]:
            del guild.roles[role.id]

    def take_down(self, guild: Guild | int) -> None:
        """Begin an outage: GUILD_DELETE with `unavailable`; the guild sends no event until `bring_back`."""
        guild = self._state.guild(guild)
        data = {"id": str(guild.id), "unavailable": True}
        self._events.emit("GUILD_DELETE", Intent.GUILDS, data, guild=guild)
        guild.unavailable = True

    def bring_back(self, guild: Guild | int) -> None:
        """End an outage: GUILD_CREATE."""
        guild = self._state.guild(guild)
        guild.unavailable = False
        self._announce(guild)

    def _announce(self, guild: Guild, *, joined: bool = False) -> None:
        data = guild_create_payload(self._state, guild)
        if joined:
            del data["unavailable"]  # its absence is how a client tells a new guild from one that returns
        self._events.emit("GUILD_CREATE", Intent.GUILDS, data, guild=guild)
