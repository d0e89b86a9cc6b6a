"""Responses to interactions. Nothing of what Discord answers to one is used, so that may be of any shape."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from json import JSONDecodeError

import discord

from bot.discord_io.connection.timeout import UNFIT, MalformedAnswerError

log = logging.getLogger(__name__)


@asynccontextmanager
async def answering(interaction: discord.Interaction) -> AsyncIterator[None]:
    """A context for responding to an interaction, at first or later.

    Once Discord has taken the first response, an answer that discord.py cannot read is logged and not raised. Before,
    one that is no JSON is raised as MalformedAnswerError: whether the response was taken is not known.
    """
    try:
        yield
    except UNFIT as error:
        if not interaction.response.is_done():
            if isinstance(error, JSONDecodeError):
                raise MalformedAnswerError(f"an answer that is no JSON: {error}") from error
            raise
        log.warning("What Discord answered to a response cannot be read (%s: %s)", type(error).__name__, error)


async def defer(interaction: discord.Interaction) -> None:
    """Promise a response that only the person who asked will see."""
    async with answering(interaction):
        await interaction.response.defer(ephemeral=True, thinking=True)


async def defer_update(interaction: discord.Interaction) -> None:
    """Promise that the message whose control was pressed will change."""
    async with answering(interaction):
        await interaction.response.defer()
