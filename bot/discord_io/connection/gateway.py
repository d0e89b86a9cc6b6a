"""Keeping the gateway connected: bounded delays between tries, and a RESUME wherever Discord may accept one.

discord.py's own loop waits up to 1,024 s, reconnects without a delay after some close codes, and fails if the very
first handshake does (issue 10520 of Rapptz/discord.py).
"""

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NoReturn

import aiohttp
import discord
from discord.gateway import DiscordWebSocket, ReconnectWebSocket

from bot.background import BackgroundTasks
from bot.discord_io.connection.event_socket import EventSocket, UnreadableConnectionError
from bot.discord_io.connection.gateway_events import GatewayEvents
from bot.discord_io.connection.message_feed import MessageFeed
from bot.discord_io.connection.problem import described
from bot.discord_io.connection.reading_pace import OpenedSockets, ReadingPace
from bot.discord_io.payload.fields import Json

log = logging.getLogger(__name__)

# Together these bring Spade back within a minute of the server's return: a try that hangs ends before the longest delay
# is over, since that is counted from the beginning of the try, and a new session begins with a wait of five seconds.
HANDSHAKE_SECONDS = 15.0
"""How long a try may take until IDENTIFY or RESUME is sent, after a HELLO."""
ANSWER_SECONDS = 20.0
"""How long each next event may take after that until READY or RESUMED. Acknowledged heartbeats are no answer."""
SILENCE_SECONDS = 50.0
"""How long a connection may bring nothing at all. Heartbeats are acknowledged every 41 s."""
STABLE_SECONDS = 30.0
"""A connection that brought something for as long as this ends a series of failures."""
FIRST_DELAY_SECONDS = 1.0
LONGEST_DELAY_SECONDS = 50.0
RESUME_TRIES = 3
"""After so many failures in a row Discord's ordinary address is tried for a new session, not the one for a RESUME."""
_FINAL = frozenset({4004, 4010, 4011, 4012, 4013, 4014})
"""Close codes after which no further try can succeed: the token, the sharding, the API version or the intents."""
_INTENTS_NOT_GRANTED = 4014


_PASSING = (
    ReconnectWebSocket,
    OSError,
    TimeoutError,
    aiohttp.ClientError,
    discord.HTTPException,
    discord.GatewayNotFound,
    discord.ConnectionClosed,
    UnreadableConnectionError,
)
"""What ends a connection, or a try to make one."""


class Backoff:
    """The delays between tries, in seconds: none before the second try, then doubling up to the longest.

    `share` gives the part of a delay that is waited for, from half of it to all of it, so that many clients do not
    come back at the same moment.
    """

    def __init__(self, share: Callable[[], float] = lambda: random.uniform(0.5, 1.0)) -> None:  # noqa: S311
        self._share = share
        self.failures = 0

    def next(self) -> float:
        """Count one more failure, and give the delay after it."""
        self.failures += 1
        if self.failures == 1:
            return 0.0
        doublings = min(self.failures - 2, 16)  # more would only make a huge number
        return self._share() * min(FIRST_DELAY_SECONDS * float(2**doublings), LONGEST_DELAY_SECONDS)

    def reset(self) -> None:
        """The connection is stable again."""
        self.failures = 0


@dataclass(frozen=True, slots=True)
class Loss:
    """Why a connection, or the try to make one, ended. `resumable`: Discord may still know the session."""

    problem: str
    resumable: bool


class GatewayConnection:
    """The gateway connection of a client that is logged in.

    Each interruption is dispatched as `disconnect`. The log gets one line for each different problem of a series of
    failed tries, one when the session goes on after that, and none for a connection that is replaced at once.

    `opened` has heard of the client's websockets; `gather_seconds` is for how long a busy one is not read at a time.
    """

    def __init__(
        self,
        client: discord.Client,
        backoff: Backoff,
        feed: MessageFeed,
        opened: OpenedSockets,
        gather_seconds: float,
    ) -> None:
        self._client = client
        self._backoff = backoff
        self._resume: dict[str, Any] = {}
        self._initial = True
        self._logged: set[str] = set()
        self._told_away = False
        self._socket: EventSocket | None = None
        self._events = GatewayEvents(client, self._parse, feed)
        self._opened: list[EventSocket] = []
        self._transports = opened
        self._gather_seconds = gather_seconds
        self._closing = BackgroundTasks()
        self._time = asyncio.get_running_loop().time

    async def keep(self) -> None:
        """Connect, and reconnect until the client is closed.

        Raises ConnectionClosed or PrivilegedIntentsRequired, with the client closed, if Discord says that no further
        try can succeed.
        """
        try:
            while not self._client.is_closed():
                began_at = self._time()
                loss = await self._connected()
                self._client.dispatch("disconnect")
                if not self._client.is_closed():
                    await asyncio.sleep(began_at + self._delay_after(loss) - self._time())
        finally:
            await self._closing.stop()
            await self._events.refreshes.stop()

    async def _parse(self, name: str, data: Json) -> None:
        assert self._socket is not None  # events come from a connection
        await self._socket.parse(name, data)

    async def _connected(self) -> Loss:
        """Hold one connection until it ends."""
        socket = None
        try:
            handshake = _socket_class(self._opened).from_client(
                self._client, initial=self._initial, shard_id=self._client.shard_id, **self._resume
            )
            socket = self._client.ws = self._socket = await asyncio.wait_for(handshake, HANDSHAKE_SECONDS)
            socket.events = self._events
            socket.pace = ReadingPace(self._transports.newest, self._gather_seconds)
            self._initial = False
            await self._poll(socket)
        except Exception as error:  # noqa: BLE001 - discord.py raises whatever a malformed frame makes it raise
            loss = await self._loss(error)
        finally:
            while self._opened:
                self._closing.start(_close(self._opened.pop()), "closing a connection")
        if not loss.resumable:
            self._resume = {}
        elif socket is not None:
            self._resume = _resume_of(socket)
        return loss

    async def _poll(self, socket: DiscordWebSocket) -> NoReturn:
        """Take what comes, until something ends the connection."""
        answered = socket.wait_for("RESUMED" if self._resume else "READY", lambda _: True)
        opened_at = progress_at = self._time()
        sequence = socket.sequence
        async with asyncio.timeout_at(opened_at + ANSWER_SECONDS) as limit:
            while True:
                await socket.poll_event()
                now = self._time()
                if socket.sequence != sequence:
                    sequence, progress_at = socket.sequence, now
                until = now + SILENCE_SECONDS if answered.done() else progress_at + ANSWER_SECONDS
                # Not after each of hundreds of events a second: that would cost more than to read some of them.
                if abs(until - (limit.when() or 0)) > SILENCE_SECONDS / 50:
                    limit.reschedule(until)
                if answered.done() and self._told_away:
                    self._told_away = False
                    if self._resume:  # the client itself tells of a new session
                        log.info("Connected to Discord again")
                if now - opened_at >= STABLE_SECONDS:
                    self._backoff.reset()
                    self._logged.clear()

    async def _loss(self, error: Exception) -> Loss:
        if isinstance(error, discord.ConnectionClosed) and error.code in _FINAL:
            self._client.dispatch("disconnect")
            await self._client.close()
            if error.code == _INTENTS_NOT_GRANTED:
                raise discord.PrivilegedIntentsRequired(error.shard_id) from None
            raise error
        if isinstance(error, ReconnectWebSocket):
            return Loss("Discord ended the connection", error.resume)
        if isinstance(error, _PASSING):
            return Loss(_described(error), resumable=True)
        # What was lost with it is not known, and a RESUME could bring the same again.
        return Loss(f"it sent what cannot be read ({type(error).__name__})", resumable=False)

    def _delay_after(self, loss: Loss) -> float:
        """The seconds from the beginning of the last try to the next."""
        delay = self._backoff.next()
        if self._backoff.failures >= RESUME_TRIES:
            self._resume = {}
        if delay and loss.problem not in self._logged:
            self._logged.add(loss.problem)
            self._told_away = True
            every = f"{LONGEST_DELAY_SECONDS:.0f}"
            log.warning("Not connected to Discord: %s. Trying again, at least every %s s", loss.problem, every)
        return delay


def _socket_class(opened: list[EventSocket]) -> type[EventSocket]:
    """A websocket that is added to `opened` when it opens: if its handshake does not end, nobody else knows it."""

    class Socket(EventSocket):
        def __init__(self, socket: aiohttp.ClientWebSocketResponse, *, loop: asyncio.AbstractEventLoop) -> None:
            super().__init__(socket, loop=loop)
            opened.append(self)

    return Socket


async def _close(socket: DiscordWebSocket) -> None:
    """Close what discord.py may have left open, with its thread. The other side has half a minute to say goodbye."""
    with suppress(Exception):
        await socket.close()


def _resume_of(socket: DiscordWebSocket) -> dict[str, Any]:
    """What a RESUME of this connection's session needs; nothing if there was no session yet."""
    if socket.session_id is None:
        return {}
    return {"resume": True, "session": socket.session_id, "sequence": socket.sequence, "gateway": socket.gateway}


def _described(error: Exception) -> str:
    if isinstance(error, discord.ConnectionClosed):
        return f"it closed the connection with {error.code}"
    if isinstance(error, aiohttp.WSServerHandshakeError):
        return f"the gateway answered {error.status}"
    if isinstance(error, UnreadableConnectionError):
        return f"what it sent cannot be read ({error})"
    if isinstance(error, TimeoutError):
        return "the gateway did not answer in time"
    if isinstance(error, discord.HTTPException):
        return described(error)
    return f"the gateway cannot be reached ({type(error).__name__})"
