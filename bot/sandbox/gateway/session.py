"""Gateway sessions: numbered events, the buffer for resuming, and the connection they are sent on."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from aiohttp import ClientConnectionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from bot.sandbox.gateway.compression import Compression
    from bot.sandbox.world.intents import Intent

BUFFERED = 200_000
FRAMES, FRAME_SECONDS = 120, 60.0
"""How many frames a client may send, heartbeats too, in how many seconds."""


def encoded(payload: object) -> str:
    """Write a payload as compact JSON."""
    return json.dumps(payload, separators=(",", ":"))


class Connection:
    """One websocket; texts are queued and written in order by a background task."""

    def __init__(self, socket: web.WebSocketResponse, request: web.Request, compression: Compression | None) -> None:
        self._socket = socket
        self._request = request
        self._compression = compression
        self._queue: asyncio.Queue[str] = asyncio.Queue()
        self._writer = asyncio.create_task(self._write())
        self.session: Session | None = None
        self.acknowledges = True
        self.closed_here = False
        self._frames: deque[float] = deque()

    def takes_frame(self, now: float) -> bool:
        """Count a frame of the client's at `now`, in seconds; False if it is one too many."""
        while self._frames and self._frames[0] <= now - FRAME_SECONDS:
            self._frames.popleft()
        self._frames.append(now)
        return len(self._frames) <= FRAMES

    @property
    def pending(self) -> int:
        """How many texts have not been written yet."""
        return self._queue.qsize()

    def send(self, text: str) -> None:
        """Queue a text."""
        self._queue.put_nowait(text)

    def send_op(self, op: int, data: object = None) -> None:
        """Queue a payload that is not an event."""
        self.send(encoded({"op": op, "d": data, "s": None, "t": None}))

    def abort(self) -> None:
        """Cut the connection without a closing handshake."""
        self._writer.cancel()
        if self._request.transport is not None:
            self._request.transport.abort()

    async def close(self, code: int, reason: str) -> None:
        """Write the queued texts, then close with a code."""
        self.closed_here = True
        await self.drained()
        self._writer.cancel()
        await self._socket.close(code=code, message=reason.encode())

    async def drained(self) -> None:
        """Wait until every queued text was written, or the connection has ended."""
        joined = asyncio.ensure_future(self._queue.join())
        await asyncio.wait({joined, self._writer}, return_when=asyncio.FIRST_COMPLETED)
        joined.cancel()

    def stop(self) -> None:
        """Stop writing; the socket is already closed."""
        self._writer.cancel()

    async def _write(self) -> None:
        with suppress(ClientConnectionError, ConnectionError):
            while True:
                text = await self._queue.get()
                try:
                    if self._compression is None:
                        await self._socket.send_str(text)
                    else:
                        await self._socket.send_bytes(self._compression.pack(text))
                finally:
                    self._queue.task_done()


class Session:
    """One identified session of the bot. It outlives its connection until it is invalid or replaced.

    `write` makes the text of an event's payload; a replay sends the same text again.
    """

    def __init__(self, session_id: str, intents: Intent, write: Callable[[dict[str, Any]], str] = encoded) -> None:
        self.id = session_id
        self.intents = intents
        self._write = write
        self.seq = 0
        self.connection: Connection | None = None
        self.resumable = True
        self._sent: deque[tuple[int, str]] = deque(maxlen=BUFFERED)

    def push(self, name: object, data: object) -> None:
        """Number an event, keep it for a resume, and send it if connected."""
        self.seq += 1
        text = self._write({"op": 0, "d": data, "s": self.seq, "t": name})
        self._sent.append((self.seq, text))
        if self.connection is not None:
            self.connection.send(text)

    def acknowledge(self, seq: int | None) -> None:
        """Drop the events that the client has confirmed."""
        while self._sent and seq is not None and self._sent[0][0] <= seq:
            self._sent.popleft()

    def missed(self, seq: int) -> list[str] | None:
        """Return the events after a sequence number, or None if some of them were dropped."""
        if seq > self.seq:
            return None
        missed = [text for number, text in self._sent if number > seq]
        return missed if len(missed) == self.seq - seq else None
