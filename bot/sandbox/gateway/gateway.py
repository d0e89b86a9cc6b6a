"""The gateway: hello, identify, resume, heartbeats, and events gated by intents."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from email.utils import format_datetime
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

from bot.sandbox.gateway.compression import compression_for
from bot.sandbox.gateway.member_query import MemberQuery
from bot.sandbox.gateway.session import Connection, Session, encoded
from bot.sandbox.world.intents import KNOWN, PRIVILEGED, Intent
from bot.sandbox.world.payloads import guild_create_payload, own_user_payload

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.sandbox.gateway.disorder import Disorder
    from bot.sandbox.world.events import Event
    from bot.sandbox.world.world import World


class Closed(Exception):  # noqa: N818  (it ends a connection and is no error of the sandbox)
    """The gateway ends a connection with a close code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}")
        self.code = code
        self.reason = reason


class HandshakeMoment(Enum):
    """When a handshake that is to fail does."""

    REQUEST = auto()
    """Instead of the upgrade to a websocket: an HTTP status."""
    BEFORE_HELLO = auto()
    BEFORE_READY = auto()
    """After IDENTIFY or RESUME, and before the answer to it."""
    AFTER_READY = auto()
    """After READY, and before the first guild; a RESUME is refused as in BEFORE_READY."""


@dataclass(frozen=True, slots=True)
class HandshakeFault:
    """Every handshake fails at one moment: with an HTTP status at REQUEST, with a close code later."""

    moment: HandshakeMoment
    code: int


class Gateway:
    """All sessions of the bot. It gets events from the world and commands from clients.

    `disorder` may repeat events or change their order. An opcode that Discord does not know is added to `failures`.
    """

    def __init__(
        self, world: World, disorder: Disorder, failures: list[str], *, token: str, heartbeat_seconds: float = 41.25
    ) -> None:
        self.disorder = disorder
        self.sessions: dict[str, Session] = {}
        self.connections: set[Connection] = set()
        self.identified = 0
        self.resumed = 0
        self.presence: dict[str, Any] | None = None
        self.handshake_fault: HandshakeFault | None = None
        self.handshakes_failed = 0
        self.alteration: Callable[[dict[str, Any]], object] | None = None
        self._state = world.state
        self._failures = failures
        self._token = token
        self._heartbeat_seconds = heartbeat_seconds
        disorder.release = self.deliver
        world.events.listeners.append(self._on_event)

    @property
    def live(self) -> list[Session]:
        """The sessions that are connected now."""
        return [session for session in self.sessions.values() if session.connection is not None]

    async def drained(self) -> None:
        """Wait until every event so far was written to the connected clients."""
        self.disorder.flush()
        for connection in list(self.connections):
            await connection.drained()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one websocket until it ends."""
        if (code := self._fails_at(HandshakeMoment.REQUEST)) is not None:
            return web.Response(status=code)
        socket = web.WebSocketResponse(max_msg_size=1 << 22, compress=False)
        socket.headers["Date"] = format_datetime(self._state.now(), usegmt=True)
        try:
            await socket.prepare(request)
        except ConnectionResetError:
            return web.Response()  # the client disconnected before the handshake; this is not sent
        if (code := self._fails_at(HandshakeMoment.BEFORE_HELLO)) is not None:
            await socket.close(code=code)
            return socket
        connection = Connection(socket, request, compression_for(request.query.get("compress")))
        self.connections.add(connection)
        hello = {"heartbeat_interval": int(self._heartbeat_seconds * 1000), "_trace": []}
        connection.send(self._written({"op": 10, "d": hello, "s": None, "t": None}))
        try:
            async for frame in socket:
                if frame.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
                    self._dispatch(connection, frame.data)
        except Closed as end:
            self._detach(connection, gone=end.code != 4000)
            await connection.close(end.code, end.reason)
        finally:
            left = socket.close_code in {1000, 1001} and not connection.closed_here
            self._detach(connection, gone=left)
            connection.stop()
        return socket

    def _fails_at(self, *moments: HandshakeMoment) -> int | None:
        """The status or close code if handshakes are to fail at one of these moments; counts the failure."""
        fault = self.handshake_fault
        if fault is None or fault.moment not in moments:
            return None
        self.handshakes_failed += 1
        return fault.code

    def _written(self, payload: dict[str, Any]) -> str:
        """The text of a payload, altered if that is planned: a str stands for itself, anything else for its JSON."""
        if self.alteration is None:
            return encoded(payload)
        altered = self.alteration(json.loads(encoded(payload)))
        return altered if isinstance(altered, str) else encoded(altered)

    def _detach(self, connection: Connection, *, gone: bool) -> None:
        self.connections.discard(connection)
        session = connection.session
        if session is None or session.connection is not connection:
            return
        session.connection = None
        if gone or not session.resumable:
            self.sessions.pop(session.id, None)

    # Commands from clients

    def _dispatch(self, connection: Connection, raw: str | bytes) -> None:
        if not connection.takes_frame(asyncio.get_running_loop().time()):
            raise Closed(4008, "Rate limited.")
        op, data = _parsed(raw)
        if op == 1:
            self._heartbeat(connection, data)
        elif op == 2:
            self._identify(connection, data)
        elif op == 6:
            self._resume(connection, data)
        elif connection.session is None:
            raise Closed(4003, "Not authenticated.")
        elif op == 3:
            self.presence = data
        elif op == 8:
            try:
                self._list_members(connection.session, data)
            except ValueError as problem:
                self._failures.append(f"gateway: Request Guild Members {problem}")
                raise Closed(4002, "Error while decoding payload.") from None
        elif op != 4:
            self._failures.append(f"gateway: a client sent op {op}, which the sandbox does not know")
            raise Closed(4001, "Unknown opcode.")

    def _heartbeat(self, connection: Connection, seq: int | None) -> None:
        if connection.session is not None:
            connection.session.acknowledge(seq)
        if connection.acknowledges:
            connection.send_op(11)

    def _identify(self, connection: Connection, data: dict[str, Any]) -> None:
        if connection.session is not None:
            raise Closed(4005, "Already authenticated.")
        if data.get("token") != self._token:
            raise Closed(4004, "Authentication failed.")
        wanted = data.get("intents")
        if not isinstance(wanted, int) or wanted & ~KNOWN:
            raise Closed(4013, "Invalid intent(s).")
        intents = Intent(wanted)
        if intents & PRIVILEGED & ~self._state.granted:
            raise Closed(4014, "Disallowed intent(s).")
        if (code := self._fails_at(HandshakeMoment.BEFORE_READY)) is not None:
            raise Closed(code, "")
        for stale in [s for s in self.sessions.values() if s.connection is None]:
            del self.sessions[stale.id]
        self.identified += 1
        session = Session(f"{self._state.ids.make():x}", intents, self._written)
        self.sessions[session.id] = session
        session.connection, connection.session = connection, session
        guilds = [guild for guild in self._state.guilds.values() if self._state.bot_in(guild)]
        session.push("READY", self._ready(session, [guild.id for guild in guilds]))
        if (code := self._fails_at(HandshakeMoment.AFTER_READY)) is not None:
            raise Closed(code, "")
        for guild in guilds:
            if intents & Intent.GUILDS and not guild.unavailable:
                session.push("GUILD_CREATE", guild_create_payload(self._state, guild))

    def _ready(self, session: Session, guild_ids: list[int]) -> dict[str, Any]:
        return {
            "v": 10,
            "user": own_user_payload(self._state),
            "user_settings": {},
            "session_type": "normal",
            "session_id": session.id,
            "resume_gateway_url": self._state.gateway_url,
            "relationships": [],
            "private_channels": [],
            "presences": [],
            "guilds": [{"id": str(guild_id), "unavailable": True} for guild_id in guild_ids],
            "guild_join_requests": [],
            "geo_ordered_rtc_regions": [],
            "auth": {},
            "application": {"id": str(self._state.application_id), "flags": 0},
            "_trace": [],
        }

    def _resume(self, connection: Connection, data: dict[str, Any]) -> None:
        if data.get("token") != self._token:
            raise Closed(4004, "Authentication failed.")
        if (code := self._fails_at(HandshakeMoment.BEFORE_READY, HandshakeMoment.AFTER_READY)) is not None:
            raise Closed(code, "")
        session = self.sessions.get(data.get("session_id") or "")
        seq = data.get("seq")
        missed = session.missed(seq) if session is not None and isinstance(seq, int) else None
        if session is None or missed is None or not session.resumable:
            connection.send_op(9, data=False)
            return
        if session.connection is not None:
            session.connection.abort()
        session.connection, connection.session = connection, session
        self.resumed += 1
        for text in missed:
            connection.send(text)
        session.push("RESUMED", {"_trace": []})

    def _list_members(self, session: Session, data: object) -> None:
        """Answer Request Guild Members, unless it is for a guild the bot is not in or needs the members intent."""
        wanted = MemberQuery.read(data)
        guild = self._state.guilds.get(wanted.guild_id)
        if guild is None or not self._state.bot_in(guild):
            return
        if wanted.whole_guild and not session.intents & Intent.GUILD_MEMBERS:
            return
        for chunk in wanted.chunks(guild):
            session.push("GUILD_MEMBERS_CHUNK", chunk)

    # Events from the world

    def _on_event(self, event: Event) -> None:
        for delivered in self.disorder.arrange(event):
            self.deliver(delivered)
            if self.disorder.repeats(delivered):
                self.deliver(delivered)

    def deliver(self, event: Event) -> None:
        """Send an event to every session whose intents cover it, with content only if the session may read it."""
        for session in list(self.sessions.values()):
            if not event.intent or event.intent & session.intents:
                session.push(event.name, event.render(bool(session.intents & Intent.MESSAGE_CONTENT)))


def _parsed(raw: str | bytes) -> tuple[int, Any]:
    try:
        command = json.loads(raw)
        return command["op"], command.get("d")
    except (ValueError, TypeError, KeyError):
        raise Closed(4002, "Error while decoding payload.") from None
