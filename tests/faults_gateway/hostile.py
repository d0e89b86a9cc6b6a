"""A Discord for one bot that fails at a chosen moment in a chosen way, on a real socket."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Any

from aiohttp import ClientConnectionError, WSMsgType, web

from bot.sandbox.gateway.compression import Compression, compression_for
from bot.sandbox.world.intents import NO_INTENT
from bot.sandbox.world.payloads import guild_create_payload, message_event, own_user_payload
from bot.sandbox.world.world import World

HEARTBEAT_SECONDS = 41.25
TOKEN = "a.b.c"


class Moment(StrEnum):
    """When the gateway fails."""

    BEFORE_HELLO = "before-hello"
    BEFORE_READY = "before-ready"
    """After IDENTIFY."""
    IN_READY = "in-ready"
    """READY was sent, its guild was not."""
    LATER = "later"
    """While messages flow."""
    IN_RESUME = "in-resume"
    """Half of what was missed was sent again; RESUMED was not."""


@dataclass(frozen=True)
class Way:
    """How the gateway fails: `strike` does it to a connection, `answer` to a request for one.

    With `answer`, a connection that is further on is cut, and the requests after it are answered so. `listens` False:
    nobody listens. `resume_address`: only the address for a RESUME fails; the one for new sessions works all the time.
    """

    name: str
    strike: Callable[[Line], Awaitable[object]]
    answer: Callable[[HostileDiscord, web.Request], Awaitable[web.StreamResponse]] | None = None
    listens: bool = True
    resume_address: bool = False
    moments: frozenset[Moment] = frozenset(Moment)

    @property
    def at_request(self) -> bool:
        """Whether requests for a connection fail, once the outage has begun."""
        return self.answer is not None or not self.listens


@dataclass
class Fault:
    """One outage. `struck` counts what it hit; with `rest`, the REST API fails as well."""

    way: Way
    moment: Moment
    rest: bool = False
    struck: int = 0


class Line:
    """One websocket connection of the bot."""

    def __init__(self, server: HostileDiscord, websocket: web.WebSocketResponse, request: web.Request) -> None:
        self.server = server
        self.websocket = websocket
        self.transport: asyncio.Transport = request.transport
        self.session: Session | None = None
        self.sends = True
        self.acknowledges = True
        self._compression: Compression | None = compression_for(request.query.get("compress"))

    def packed(self, text: str) -> bytes:
        """A text as it goes over the wire; each has to be sent."""
        assert self._compression is not None
        return self._compression.pack(text)

    async def send(self, payload: object) -> None:
        """Send a payload, unless the connection has fallen silent or is gone."""
        if self.sends and not self.websocket.closed:
            with suppress(ClientConnectionError, ConnectionError):
                await self.websocket.send_bytes(self.packed(json.dumps(payload)))

    async def send_event(self, name: str, data: object, number: int) -> None:
        """Send a dispatch."""
        await self.send({"op": 0, "t": name, "s": number, "d": data})

    async def acknowledge(self) -> None:
        """Answer heartbeats for as long as it is open, whether they came or not: the bot's go by the real clock."""
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            if self.acknowledges and not self.websocket.closed:
                try:
                    await self.websocket.send_bytes(self.packed('{"op":11}'))
                except (ClientConnectionError, ConnectionError):
                    return

    def reset(self) -> None:
        """Cut it with a TCP RST."""
        reset(self.transport)


class Session:
    """A session that can be resumed: what was sent in it, by number."""

    def __init__(self, session_id: str) -> None:
        self.session_id = session_id
        self.sent: list[tuple[str, object]] = []
        self.line: Line | None = None

    async def push(self, name: str, data: object) -> None:
        """Keep an event, and send it if somebody is there."""
        self.sent.append((name, data))
        if self.line is not None:
            await self.line.send_event(name, data, len(self.sent))


@cache
def payloads() -> dict[str, Any]:
    """A user, a guild and a message as Discord describes them."""
    world = World(lambda: datetime(2026, 3, 2, 12, tzinfo=UTC), bot_name="spade", granted=NO_INTENT, bot_id=None)
    guild = world.guilds.add("Town", owner=world.users.add("owner"))
    channel, ann = world.channels.add(guild, "square"), world.users.add("ann")
    world.members.add(guild, ann)
    message = world.messages.post(channel, ann, "words")
    return {
        "me": own_user_payload(world.state),
        "application_id": str(world.state.application_id),
        "guild": guild_create_payload(world.state, guild),
        "message": message_event(world.state, message, content=False),
    }


class HostileDiscord:
    """REST for logging in, and a gateway. `fault` strikes every connection that comes to its moment."""

    def __init__(self) -> None:
        self.fault: Fault | None = None
        self.sessions: dict[str, Session] = {}
        self.lines: set[Line] = set()
        self.readies = 0
        self.over = asyncio.Event()
        self.port = 0
        self._reserved = ExitStack()
        self._messages = 0
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen on a port of its own, which nobody else gets during an outage."""
        never_listening = self._reserved.enter_context(socket.socket())
        never_listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        never_listening.bind(("127.0.0.1", 0))
        self.port = int(never_listening.getsockname()[1])
        app = web.Application()
        app.router.add_get("/gateway", self._gateway)
        app.router.add_get("/resume/", self._gateway)
        app.router.add_route("*", "/api/v10/{rest:.*}", self._rest)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handle_signals=False)
        await self._runner.setup()
        await self._listen()

    async def stop(self) -> None:
        """End everything."""
        self.over.set()
        assert self._runner is not None
        await self._runner.cleanup()
        self._reserved.close()

    async def _listen(self) -> None:
        assert self._runner is not None
        self._site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await self._site.start()

    async def fail(self, fault: Fault) -> None:
        """Begin an outage; a connection that flows is struck at once if that is the moment."""
        self.fault = fault
        if fault.moment is Moment.LATER:
            for line in [line for line in self.lines if line.session is not None and line.session.line is line]:
                await self._strike(line)
        elif not fault.way.listens and fault.moment is Moment.BEFORE_HELLO:
            await self._stop_listening()

    async def heal(self) -> None:
        """End the outage. A connection that fell silent stays so."""
        self.fault = None
        if self._site is None:
            await self._listen()

    async def _stop_listening(self) -> None:
        assert self.fault is not None
        self.fault.struck += 1
        site, self._site = self._site, None
        if site is not None:
            await site.stop()

    def cut(self, *, keep_sessions: bool) -> None:
        """Cut all connections, so that the bot comes again: to resume, or to begin a new session."""
        if not keep_sessions:
            self.sessions.clear()
        for line in list(self.lines):
            line.transport.abort()

    async def post(self) -> int:
        """Somebody writes a message; returns its id."""
        self._messages += 1
        message_id = id_at(datetime.now(UTC)) + self._messages
        for session in list(self.sessions.values()):
            await session.push("MESSAGE_CREATE", payloads()["message"] | {"id": str(message_id)})
        return message_id

    # REST

    async def _rest(self, request: web.Request) -> web.StreamResponse:
        fault = self.fault
        if fault is not None and fault.rest and fault.way.answer is not None:
            fault.struck += 1
            return await fault.way.answer(self, request)
        return self._answer(request.path)

    @staticmethod
    def _answer(path: str) -> web.Response:
        me, guild = payloads()["me"], payloads()["guild"]
        lists = {"public": {"threads": [], "members": [], "has_more": False}, "messages": [], "commands": []}
        application = {"name": "Spade", "icon": None, "description": "", "verify_key": "", "flags": 0, "owner": me}
        application |= {"bot_public": True, "bot_require_code_grant": False, "team": None, "summary": ""}
        if path.endswith("/users/@me"):
            return _json(me)
        if path.endswith("/oauth2/applications/@me"):
            return _json(application | {"id": payloads()["application_id"]})
        if (last := path.rpartition("/")[2]) in lists:
            return _json(lists[last])
        for channel in guild["channels"]:
            if path.endswith(f"/channels/{channel['id']}"):
                return _json(channel | {"guild_id": guild["id"]})
        return _json({"message": "Unknown", "code": 10008}, status=404)

    # The gateway

    async def _gateway(self, request: web.Request) -> web.StreamResponse:
        fault = self.fault
        if fault is not None and fault.way.answer is not None and self._fails_at_request(fault, request):
            fault.struck += 1
            return await fault.way.answer(self, request)
        websocket = web.WebSocketResponse(compress=False)
        try:
            await websocket.prepare(request)
        except ConnectionError:
            return web.Response()
        line = Line(self, websocket, request)
        self.lines.add(line)
        acks = asyncio.create_task(line.acknowledge())
        try:
            if not await self._fails(line, Moment.BEFORE_HELLO):
                await line.send({"op": 10, "d": {"heartbeat_interval": int(HEARTBEAT_SECONDS * 1000)}})
            async for frame in websocket:
                if frame.type in {WSMsgType.TEXT, WSMsgType.BINARY} and line.sends:
                    await self._hear(line, json.loads(frame.data))
        finally:
            acks.cancel()
            self.lines.discard(line)
            if line.session is not None and line.session.line is line:
                line.session.line = None
        return websocket

    @staticmethod
    def _fails_at_request(fault: Fault, request: web.Request) -> bool:
        if fault.way.resume_address:
            return bool(fault.struck) and request.path.startswith("/resume")
        return bool(fault.struck) or fault.moment is Moment.BEFORE_HELLO

    async def _hear(self, line: Line, command: dict[str, Any]) -> None:
        if command["op"] == 1 and line.acknowledges:
            await line.send({"op": 11})
        elif command["op"] == 2:
            await self._identify(line)
        elif command["op"] == 6:
            await self._resume(line, command["d"])

    async def _identify(self, line: Line) -> None:
        if await self._fails(line, Moment.BEFORE_READY, Moment.IN_RESUME):
            return
        self.readies += 1
        session = line.session = Session(f"{self.readies:x}")
        self.sessions = {session.session_id: session}
        session.line = line
        await session.push("READY", self._ready(session.session_id))
        if await self._fails(line, Moment.IN_READY):
            return
        await session.push("GUILD_CREATE", payloads()["guild"])
        await self._begin_to_flow(line)

    async def _resume(self, line: Line, data: dict[str, Any]) -> None:
        session = self.sessions.get(data["session_id"])
        if session is None or data["seq"] is None or data["seq"] > len(session.sent):
            await line.send({"op": 9, "d": False})
            return
        line.session = session
        session.line = None
        missed = list(enumerate(session.sent, 1))[data["seq"] :]
        for number, (name, event) in missed[: len(missed) // 2]:
            await line.send_event(name, event, number)
        if await self._fails(line, Moment.BEFORE_READY, Moment.IN_READY, Moment.IN_RESUME):
            return
        for number, (name, event) in missed[len(missed) // 2 :]:
            await line.send_event(name, event, number)
        session.line = line
        await session.push("RESUMED", {})
        await self._begin_to_flow(line)

    async def _begin_to_flow(self, line: Line) -> None:
        if self.fault is not None and self.fault.struck:
            await self._fails(line, Moment.LATER)

    async def _fails(self, line: Line, *moments: Moment) -> bool:
        """Whether the connection has come to its moment; then it is struck."""
        fault = self.fault
        if fault is None or fault.moment not in moments or (fault.way.resume_address and fault.struck):
            return False
        await self._strike(line)
        return True

    async def _strike(self, line: Line) -> None:
        assert self.fault is not None
        if line.session is not None:
            line.session.line = None
        if not self.fault.way.listens:
            await self._stop_listening()
        else:
            self.fault.struck += 1
        await self.fault.way.strike(line)

    def _ready(self, session_id: str) -> dict[str, Any]:
        return {
            "v": 10,
            "user": payloads()["me"],
            "session_id": session_id,
            "resume_gateway_url": f"ws://127.0.0.1:{self.port}/resume/",
            "guilds": [{"id": payloads()["guild"]["id"], "unavailable": True}],
            "application": {"id": payloads()["application_id"], "flags": 0},
        }


def id_at(moment: datetime) -> int:
    """The first id of a moment."""
    return (int(moment.timestamp() * 1000) - 1420070400000) << 22


def reset(transport: asyncio.Transport) -> None:
    """Cut a TCP connection with an RST."""
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def _json(body: object, *, status: int = 200) -> web.Response:
    return web.Response(status=status, body=json.dumps(body).encode(), content_type="application/json")
