"""Requests to Discord: limited in time, and failed if the answer is not of the shape that it should have."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from bot.discord_io.payload.fields import MalformedError

SECONDS = 60.0
"""Longer than a rate limit usually delays a request."""
UNFIT = (MalformedError, LookupError, TypeError, ValueError, AttributeError, RecursionError)
"""What reading an answer of another shape raises, here or in discord.py: JSON that is cut short is a ValueError."""


class MalformedAnswerError(aiohttp.ClientError):
    """Discord's answer is no JSON, or not of the shape that it should have. It is an outage: it may pass."""


@asynccontextmanager
async def request_timeout(seconds: float | None = None) -> AsyncIterator[None]:
    """A context for one or more requests, and for reading their answers.

    Raises TimeoutError if they take longer than `seconds` in all (None: than `SECONDS`), and MalformedAnswerError.
    """
    async with asyncio.timeout(SECONDS if seconds is None else seconds):
        try:
            yield
        except UNFIT as error:
            raise MalformedAnswerError(f"an answer that cannot be read: {type(error).__name__} {error}") from error
