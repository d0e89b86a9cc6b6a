"""One request for message history: limited in time, with a refusal as the services know it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import discord

from bot.discord_io.connection.problem import described
from bot.discord_io.connection.timeout import request_timeout
from bot.services.record.history import GoneChannelError, UnreadableHistoryError

_UNKNOWN_CHANNEL = 10003


@asynccontextmanager
async def history_request() -> AsyncIterator[None]:
    """A context for requests that read messages.

    Raises UnreadableHistoryError if Discord refuses for lack of a permission, and TimeoutError. Other errors of
    discord.py are passed on, discord.NotFound too, with words that say which request failed.
    """
    try:
        async with request_timeout():
            yield
    except discord.Forbidden as error:
        raise unreadable(error) from error
    except discord.HTTPException as error:
        error.args = (described(error),)  # services log it and do not know its attributes
        raise


def unreadable(error: discord.HTTPException) -> UnreadableHistoryError:
    """Discord's refusal, as the services know it; a GoneChannelError if Discord does not know the channel."""
    gone = isinstance(error, discord.NotFound) and error.code == _UNKNOWN_CHANNEL
    return GoneChannelError(described(error)) if gone else UnreadableHistoryError(described(error))
