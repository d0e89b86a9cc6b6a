"""The time limit of requests to Discord: one that hangs must not hold up the record."""

import asyncio

SECONDS = 60.0
"""Longer than a rate limit usually delays a request."""


def request_timeout() -> asyncio.Timeout:
    """A context for one or more requests that raises TimeoutError if they take longer than `SECONDS` in all."""
    return asyncio.timeout(SECONDS)
