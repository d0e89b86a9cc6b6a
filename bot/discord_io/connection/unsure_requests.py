"""Requests that Discord may have carried out although its answer was an error: discord.py repeats them by itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import SimpleNamespace

import aiohttp

_SERVER_ERROR = 500
_unsure: ContextVar[list[str] | None] = ContextVar("unsure requests", default=None)


@contextmanager
def unsure_requests() -> Iterator[list[str]]:
    """A block of requests; yields a list that gets an entry, a reason, for each that may have been carried out.

    A request that succeeds in the end is repeated with the same effect, as far as Discord knows its nonce. One that is
    refused in the end may have been carried out at an earlier try.
    """
    noted: list[str] = []
    token = _unsure.set(noted)
    try:
        yield noted
    finally:
        _unsure.reset(token)


async def note_server_error(
    _session: aiohttp.ClientSession, _context: SimpleNamespace, params: aiohttp.TraceRequestEndParams
) -> None:
    """The hook that aiohttp calls when a response begins to arrive."""
    noted = _unsure.get()
    if noted is not None and params.response.status >= _SERVER_ERROR:
        noted.append(str(params.response.status))


async def note_broken_connection(
    _session: aiohttp.ClientSession, _context: SimpleNamespace, params: aiohttp.TraceRequestExceptionParams
) -> None:
    """The hook that aiohttp calls when no response arrives."""
    noted = _unsure.get()
    if noted is not None:
        noted.append(type(params.exception).__name__)
