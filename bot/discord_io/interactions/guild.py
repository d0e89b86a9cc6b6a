"""The guild of an interaction, for handlers whose audience is in a guild."""

import discord


class NoGuildError(LookupError):
    """An interaction from a DM reached a handler that needs a guild: its audience is too wide."""


def guild_id_of(interaction: discord.Interaction) -> int:
    """The id of the guild that an interaction comes from. Raises NoGuildError in a DM."""
    if interaction.guild_id is None:
        raise NoGuildError("this interaction comes from a DM, and needs a guild")
    return interaction.guild_id


def guild_of(interaction: discord.Interaction) -> discord.Guild:
    """The guild that an interaction comes from. Raises NoGuildError in a DM."""
    if interaction.guild is None:
        raise NoGuildError("this interaction comes from a DM, and needs a guild")
    return interaction.guild
