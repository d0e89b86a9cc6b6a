"""The gateway's websocket, whose events are checked before discord.py parses them.

discord.py lets every error of its parsers end the connection's loop.
"""

from typing import Any

import aiohttp
import discord
from discord.gateway import DiscordWebSocket, ReconnectWebSocket

from bot.discord_io.connection.gateway_events import GatewayEvents
from bot.discord_io.connection.reading_pace import ReadingPace
from bot.discord_io.payload.fields import Json, MalformedError, child, object_of
from bot.discord_io.payload.json_text import text_of, value_of
from bot.discord_io.payload.well_formed import well_formed_message

_TOLD_EVERY_SECONDS = 1.0
"""How often discord.py is told that messages come."""
_CLOSE_CODE = 4000
"""Unlike 1000 it lets Discord keep the session, so that what was not readable can be sent once more."""


_PAYLOADS = (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY)


class UnreadableConnectionError(Exception):
    """What the connection itself needs, or a whole payload, cannot be read: the connection is of no use any more."""


class _Decompressed(Exception):  # noqa: N818 - it is no error
    def __init__(self, payload: str) -> None:
        super().__init__()
        self.payload = payload


class EventSocket(DiscordWebSocket):
    """A connection to the gateway. `poll_event` raises UnreadableConnectionError, too, with the socket closed.

    `events` takes the events; whoever connects sets it before polling the first one, and `pace` if it is to be kept.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, *, loop: Any) -> None:  # noqa: ANN401 - as discord.py's
        super().__init__(socket, loop=loop)
        self.events: GatewayEvents | None = None
        self.pace: ReadingPace | None = None
        self._told_at = float("-inf")
        self._greeted = False
        self._only_decompress = False

    async def poll_event(self) -> None:
        """Take what comes next, without a timeout: whoever polls has one."""
        frame = await self.socket.receive()
        if frame.type in _PAYLOADS:
            await self.received_message(frame.data)
        else:
            await super().poll_event()  # the socket is closed by now, and tells discord.py so once more

    def log_receive(self, payload: Any, /) -> None:  # noqa: ANN401 - as discord.py's
        """discord.py's hook between decompressing a payload and parsing it."""
        if self._only_decompress:
            raise _Decompressed(payload)

    async def received_message(self, msg: Any, /) -> None:  # noqa: ANN401 - as discord.py's
        """Take a payload of the gateway, whole or a part, compressed or not."""
        try:
            text = await self._decompressed(msg)
            message = well_formed_message(text) if text is not None and self._greeted else None
            if message is not None:
                await self._note_message(message.sequence)
                if self.events is not None:
                    await self.events.received_message(message)
            elif text is not None:
                await self._receive(object_of(value_of(text), "payload"))
        except (ReconnectWebSocket, discord.ConnectionClosed, aiohttp.ClientError, OSError, TimeoutError):
            raise
        except Exception as error:
            await self.close(_CLOSE_CODE)
            raise UnreadableConnectionError(f"{type(error).__name__}: {error}") from error

    async def parse(self, name: str, data: Json) -> None:
        """Have discord.py parse an event that is well formed."""
        await super().received_message(text_of({"op": self.DISPATCH, "t": name, "d": data, "s": self.sequence}))

    async def _decompressed(self, msg: Any) -> str | None:  # noqa: ANN401 - bytes or str
        self._only_decompress = True
        try:
            await super().received_message(msg)
        except _Decompressed as found:
            return found.payload
        finally:
            self._only_decompress = False
        return None  # a part of a payload

    async def _receive(self, payload: Json) -> None:
        op, data = payload.get("op"), payload.get("d")
        if op == self.HELLO:
            _check_hello(payload)
            self._greeted = True
        elif not self._greeted and op not in {self.RECONNECT, self.INVALIDATE_SESSION}:
            raise MalformedError("HELLO")
        if op != self.DISPATCH:
            await self._receive_command(op, data, payload)
            return
        sequence = payload.get("s")
        has_number = isinstance(sequence, int) and not isinstance(sequence, bool)
        await self._note(sequence if has_number else None)
        if self.events is not None:
            await self.events.received(payload.get("t"), data)

    async def _note(self, sequence: object) -> None:
        """Give discord.py an event's number, so that it learns that the connection lives; the event only later."""
        await super().received_message(text_of({"op": self.DISPATCH, "s": sequence}))

    async def _note_message(self, sequence: int) -> None:
        """The same for a message, of which there may be hundreds a second."""
        self.sequence = sequence
        now = self.loop.time()
        if now - self._told_at >= _TOLD_EVERY_SECONDS:
            self._told_at = now
            await self._note(sequence)
        if self.pace is not None:
            self.pace.message()

    async def _receive_command(self, op: object, data: object, payload: Json) -> None:
        known = {self.HEARTBEAT, self.RECONNECT, self.INVALIDATE_SESSION, self.HELLO, self.HEARTBEAT_ACK}
        if isinstance(op, int) and op in known:
            await super().received_message(text_of({"op": op, "d": data}))
        elif payload.get("t") is not None and self.events is not None:
            await self.events.received(None, None)  # an event, but which?


def _check_hello(payload: Json) -> None:
    interval = child(payload, "d").get("heartbeat_interval")
    if not isinstance(interval, int | float) or isinstance(interval, bool) or not 0 < interval < 10**9:
        raise MalformedError("heartbeat_interval")
