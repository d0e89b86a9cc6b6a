"""How long one question to Discord may take: a request that hangs must not hold up the record for ever."""

import asyncio

SECONDS = 60.0
"""Longer than a rate limit makes a request wait, as a rule."""


def patience() -> asyncio.Timeout:
    """A block of requests that ends with TimeoutError when it takes too long."""
    return asyncio.timeout(SECONDS)
