"""Whom and what a command names: people, roles, channels and messages, as Discord sends them along."""

import logging
from typing import Any

import discord
from discord import app_commands

from bot.discord_io.connection.timeout import UNFIT

log = logging.getLogger(__name__)


def names_are_readable(interaction: discord.Interaction) -> bool:
    """Whether discord.py can read who uses a command, and what it names; if not, that is logged.

    It reads it where an error would be nobody's: before it has a command to blame for it.
    """
    person: object = interaction.user
    if not isinstance(person, discord.User | discord.Member):
        log.warning("Interaction %s cannot be read (member)", interaction.id)
        return False
    resolved: Any = dict(interaction.data or {}).get("resolved") or {}
    try:
        app_commands.Namespace(interaction, resolved, [])
    except UNFIT as error:
        log.warning("Interaction %s cannot be read (%s: %s)", interaction.id, type(error).__name__, error)
        return False
    return True
