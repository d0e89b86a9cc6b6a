"""How often a busy connection is read: some messages at a time, which costs far less than each by itself."""

import asyncio
from types import SimpleNamespace

import aiohttp

_SWITCHING_PROTOCOLS = 101


class OpenedSockets:
    """Remembers the transport of the websocket that was opened last: aiohttp shows it only while it connects."""

    def __init__(self) -> None:
        self.newest: asyncio.Transport | None = None

    async def answered(
        self, _session: aiohttp.ClientSession, _context: SimpleNamespace, params: aiohttp.TraceRequestEndParams
    ) -> None:
        """Aiohttp's hook after each answer."""
        connection = params.response.connection
        if params.response.status == _SWITCHING_PROTOCOLS and connection is not None:
            self.newest = connection.transport


class ReadingPace:
    """Stops reading for a moment after two messages that came within that moment, so that the next come together.

    To wake up for a message costs several times what is done with it. Nothing is lost: the system holds what arrives,
    and the sender waits when that is much. With fewer messages than one a moment, each is read at once. What people
    wait for, such as the answer to a press, is late by a moment at most.
    """

    def __init__(self, transport: asyncio.Transport | None, seconds: float) -> None:
        self._transport = transport
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._before = float("-inf")
        self._paused = False

    def message(self) -> None:
        """A message was read."""
        if self._paused or self._transport is None or not self._seconds:
            return
        now = self._loop.time()
        if now - self._before < self._seconds:
            self._paused = True
            self._transport.pause_reading()
            self._loop.call_later(self._seconds, self._go_on, self._transport)
        self._before = now

    def _go_on(self, transport: asyncio.Transport) -> None:
        self._paused = False
        transport.resume_reading()
