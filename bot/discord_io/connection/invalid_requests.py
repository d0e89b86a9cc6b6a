"""Counts invalid requests, and delays new requests long before Discord would block them.

Discord blocks an IP address after 10,000 responses of 401, 403 or 429 within ten minutes (its reference, "Invalid
Request Limit"; a 429 whose scope is "shared" does not count).
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from types import SimpleNamespace

import aiohttp

log = logging.getLogger(__name__)

WINDOW_SECONDS = 600.0
LIMIT = 1000
"""A tenth of what Discord allows."""
_UNAUTHORIZED = 401
_INVALID = frozenset({_UNAUTHORIZED, 403, 429})
_OWN_TOKENS = ("/webhooks/", "/interactions/")
"""Routes that carry a token of their own: a 401 there says nothing about the bot's token."""


class InvalidRequests:
    """Watches the responses of one HTTP session. `on_unauthorized` is called if Discord rejects the bot's token."""

    def __init__(self, on_unauthorized: Callable[[], object], *, limit: int = LIMIT) -> None:
        self._on_unauthorized = on_unauthorized
        self._limit = limit
        self._times: deque[float] = deque()

    def trace(self) -> aiohttp.TraceConfig:
        """The hooks that aiohttp calls before and after each request."""
        config = aiohttp.TraceConfig()
        config.on_request_start.append(self._starting)
        config.on_request_end.append(self._ended)
        return config

    @property
    def count(self) -> int:
        """How many invalid requests there were in the last ten minutes."""
        earliest = asyncio.get_running_loop().time() - WINDOW_SECONDS
        while self._times and self._times[0] <= earliest:
            self._times.popleft()
        return len(self._times)

    async def _starting(
        self, _session: aiohttp.ClientSession, _context: SimpleNamespace, _params: aiohttp.TraceRequestStartParams
    ) -> None:
        while self.count >= self._limit:
            seconds = self._times[0] + WINDOW_SECONDS - asyncio.get_running_loop().time()
            log.error("Discord turned down %s requests in ten minutes: waiting %.0f s", self._limit, seconds)
            await asyncio.sleep(max(seconds, 0.0))

    async def _ended(
        self, _session: aiohttp.ClientSession, _context: SimpleNamespace, params: aiohttp.TraceRequestEndParams
    ) -> None:
        response = params.response
        if response.status not in _INVALID or response.headers.get("X-RateLimit-Scope") == "shared":
            return
        self._times.append(asyncio.get_running_loop().time())
        if response.status == _UNAUTHORIZED and not any(part in params.url.path for part in _OWN_TOKENS):
            self._on_unauthorized()
