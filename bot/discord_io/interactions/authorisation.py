"""Who may use a command, a control or a form. Each declares an audience; the server side authorises every use.

What Discord shows to whom is a hint: a changed client sends whatever it likes.
"""

from collections.abc import Callable
from enum import Enum, auto
from typing import Any

import discord
from discord import app_commands

from bot.services.guild.access import Access
from bot.views.words.refusals import not_a_manager, not_a_manager_yet, not_allowed, only_in_server

MANAGERS_SEE = discord.Permissions(manage_messages=True)
"""The permissions with which Discord shows the managers' commands by default."""
_SERVER_MANAGERS_SEE = discord.Permissions(manage_guild=True)
_EXTRA = "audience"
"""The key under which a command carries its audience in discord.py's `extras`."""

AnyCommand = app_commands.Command[Any, ..., Any] | app_commands.ContextMenu | app_commands.Group


class Audience(Enum):
    """For whom a command, a control or a form is."""

    ANYBODY = auto()
    """Anybody, in a guild and in a DM."""
    EVERYBODY_HERE = auto()
    """Everybody, in a guild."""
    MANAGERS = auto()
    """In a guild, the people on its manager list."""
    SERVER_MANAGERS = auto()
    """In a guild, people with the permission Manage Server."""
    MANAGERS_AND_SERVER_MANAGERS = auto()
    """Either of the two."""
    OWNER = auto()
    """In a guild, the person whose id is `person_id` in the custom id."""
    RECIPIENT = auto()
    """In a DM, the person to whom Spade sent the message.

    The custom id names the delivery. The service compares its recipient, its message and its one-time state with the
    press, in the transaction that carries the press out.
    """

    @property
    def reads_record(self) -> bool:
        """Whether authorising reads the database, so that the interaction has to be deferred before."""
        return self in {Audience.MANAGERS, Audience.MANAGERS_AND_SERVER_MANAGERS}

    @property
    def shown_to(self) -> discord.Permissions | None:
        """The permissions with which Discord shows a command of this audience by default; None: to everybody."""
        if self is Audience.SERVER_MANAGERS:
            return _SERVER_MANAGERS_SEE
        return MANAGERS_SEE if self.reads_record else None


class Refusal(Enum):
    """Why somebody may not."""

    ONLY_IN_SERVER = auto()
    NOT_A_MANAGER = auto()
    NOT_A_MANAGER_YET = auto()
    """As before, and the person may change the manager list."""
    NOT_ALLOWED = auto()
    NOT_YOURS = auto()


REFUSALS: dict[Refusal, Callable[[], str]] = {
    Refusal.ONLY_IN_SERVER: only_in_server,
    Refusal.NOT_A_MANAGER: not_a_manager,
    Refusal.NOT_A_MANAGER_YET: not_a_manager_yet,
    Refusal.NOT_ALLOWED: not_allowed,
}
"""The sentences. What is not yours depends on what it is: its handler brings the sentence along."""


class UndeclaredAudienceError(LookupError):
    """A command reached the tree without an audience: nobody may use it."""


class Authorisation:
    """Authorises people, by the record and by what Discord says of them; never by what a client sent."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def refusal(
        self, interaction: discord.Interaction, audience: Audience, owner_id: int | None = None
    ) -> Refusal | None:
        """Why the person of this interaction is not of this audience; None if they are.

        `owner_id` is the person in the custom id, for the audience OWNER.
        """
        if audience is Audience.ANYBODY:
            return None
        if audience is Audience.RECIPIENT:
            return None if interaction.guild_id is None else Refusal.NOT_YOURS
        if interaction.guild_id is None:
            return Refusal.ONLY_IN_SERVER
        if audience is Audience.OWNER:
            return None if owner_id == interaction.user.id else Refusal.NOT_YOURS
        return await self._refusal_here(interaction, interaction.guild_id, audience)

    async def may_get_suggestions(self, interaction: discord.Interaction, audience: Audience) -> bool:
        """Whether the person may be shown suggestions for a command of this audience. Writes nothing to the record."""
        if interaction.guild_id is None or not audience.reads_record:
            return await self.refusal(interaction, audience) is None
        if audience is Audience.MANAGERS_AND_SERVER_MANAGERS and interaction.permissions.manage_guild:
            return True
        return await self._access.may_manage(interaction.guild_id, interaction.user.id, _role_ids(interaction))

    async def _refusal_here(
        self, interaction: discord.Interaction, guild_id: int, audience: Audience
    ) -> Refusal | None:
        manages_server = interaction.permissions.manage_guild
        if audience is Audience.SERVER_MANAGERS:
            return None if manages_server else Refusal.NOT_ALLOWED
        admits_server_managers = audience is Audience.MANAGERS_AND_SERVER_MANAGERS and manages_server
        if audience is Audience.EVERYBODY_HERE or admits_server_managers:
            return None
        if await self._access.is_manager(guild_id, interaction.user.id, _role_ids(interaction)):
            return None
        return Refusal.NOT_A_MANAGER_YET if manages_server else Refusal.NOT_A_MANAGER


def declare_audience(command: AnyCommand, audience: Audience) -> None:
    """Give a command its audience: for the check on the server side, and for what Discord shows to whom.

    An audience that the command has already stays. All commands are about a guild, so Discord offers none in a DM.
    """
    command.extras = {_EXTRA: audience} | command.extras  # a copy: copies of a command share the original's
    declared = command.extras[_EXTRA]
    app_commands.guild_only(command)
    if declared.shown_to is not None:
        app_commands.default_permissions(declared.shown_to)(command)


def declared_audience(command: AnyCommand) -> Audience | None:
    """The audience that a command was given; None without one."""
    found = command.extras.get(_EXTRA)
    return found if isinstance(found, Audience) else None


def _role_ids(interaction: discord.Interaction) -> list[int]:
    return [role.id for role in interaction.user.roles] if isinstance(interaction.user, discord.Member) else []
