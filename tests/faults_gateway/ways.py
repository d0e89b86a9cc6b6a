"""The ways in which a gateway fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from tests.faults_gateway.hostile import HostileDiscord, Line, Moment, Way, reset

STATUSES = (400, 403, 404, 429, 500, 502, 503, 504)
CODES = (1000, 1001, 1011, 4000, 4001, 4002, 4003, 4005, 4006, 4007, 4008, 4009)
"""What a gateway may close with, except for the codes that say that no further try can succeed."""
SYNC_FLUSH = b"\x00\x00\xff\xff"
BEFORE_A_SESSION = frozenset({Moment.BEFORE_READY, Moment.IN_RESUME})


async def cut(line: Line) -> None:
    line.transport.abort()


def answering(status: int) -> Callable[[HostileDiscord, web.Request], Awaitable[web.StreamResponse]]:
    async def answer(_server: HostileDiscord, _request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text="<html>upstream</html>", content_type="text/html")

    return answer


async def never(server: HostileDiscord, _request: web.Request) -> web.StreamResponse:
    await server.over.wait()
    return web.Response()


async def reset_request(_server: HostileDiscord, request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    reset(request.transport)
    return web.Response()


async def upgrade_wrongly(_server: HostileDiscord, _request: web.Request) -> web.StreamResponse:
    headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": "no"}
    return web.Response(status=101, headers=headers)


async def end(line: Line) -> None:
    """End the stream without a close frame (1006)."""
    line.transport.close()


async def rst(line: Line) -> None:
    line.reset()


async def fall_silent(line: Line) -> None:
    line.sends = line.acknowledges = False


async def only_acknowledge(line: Line) -> None:
    line.sends = False


async def stop_midway(line: Line) -> None:
    """Send half of a payload, and then nothing any more."""
    whole = line.packed('{"op":0,"t":"MESSAGE_CREATE","s":1,"d":{}}')
    await line.websocket.send_bytes(whole[: len(whole) // 2])
    line.sends = line.acknowledges = False


def closing(code: int) -> Callable[[Line], Awaitable[object]]:
    async def close(line: Line) -> None:
        if code in {4006, 4007, 4009}:
            line.server.sessions.clear()
        await line.websocket.close(code=code)

    return close


async def ask_to_reconnect(line: Line) -> None:
    await line.send({"op": 7, "d": None})


def invalidating(*, resumable: bool) -> Callable[[Line], Awaitable[object]]:
    async def invalidate(line: Line) -> None:
        if not resumable:
            line.server.sessions.clear()
        await line.send({"op": 9, "d": resumable})

    return invalidate


async def break_the_framing(line: Line) -> None:
    line.transport.write(b"\xff\xff\xff\xff\xff\xff")


def saying(text: str) -> Callable[[Line], Awaitable[object]]:
    async def say_it(line: Line) -> None:
        await line.websocket.send_str(text)

    return say_it


def sending(data: bytes) -> Callable[[Line], Awaitable[object]]:
    async def send(line: Line) -> None:
        await line.websocket.send_bytes(data)

    return send


async def pack_no_text(line: Line) -> None:
    """At the start of a stream, bytes that decompress and are no UTF-8."""
    await line.websocket.send_bytes(b"\x78\x01\x00\x02\x00\xfd\xff\xff\xfe" + SYNC_FLUSH)


def greeting(data: object) -> Callable[[Line], Awaitable[object]]:
    async def greet(line: Line) -> None:
        await line.send({"op": 10, "d": data})

    return greet


def beginning(**changes: Any) -> Callable[[Line], Awaitable[object]]:
    """A READY with some fields changed, or left out where None is given."""

    async def begin(line: Line) -> None:
        ready = line.server._ready("0") | changes
        await line.send_event("READY", {key: value for key, value in ready.items() if value is not None}, 1)

    return begin


async def ready_for_nothing(line: Line) -> None:
    await line.send_event("READY", None, 1)


async def resumed_for_nothing(line: Line) -> None:
    await line.send_event("RESUMED", None, 1)


def _all() -> list[Way]:
    hello, ready, resume = (frozenset({one}) for one in (Moment.BEFORE_HELLO, Moment.BEFORE_READY, Moment.IN_RESUME))
    later = frozenset({Moment.LATER})
    return [
        *(Way(f"http-{status}", cut, answering(status)) for status in (200, *STATUSES)),
        Way("http-bad-upgrade", cut, upgrade_wrongly),
        Way("no-http-answer", cut, never),
        Way("request-reset", cut, reset_request),
        Way("refused", cut, listens=False),
        Way("reset", rst),
        Way("ended", end),
        Way("silence", fall_silent),
        Way("half-a-payload", stop_midway),
        Way("acknowledgements-only", only_acknowledge, moments=BEFORE_A_SESSION),
        *(Way(f"close-{code}", closing(code)) for code in CODES),
        Way("op-7", ask_to_reconnect),
        Way("op-9-resumable", invalidating(resumable=True)),
        Way("op-9", invalidating(resumable=False)),
        Way("bad-frame", break_the_framing),
        Way("bad-json", saying("{nonsense")),
        Way("json-null", saying("null")),
        Way("json-list", saying("[1]")),
        Way("json-number", saying("7")),
        Way("no-text", pack_no_text),
        Way("bad-compression", sending(b"\xff\xfe nonsense" + SYNC_FLUSH)),
        Way("hello-null", greeting(None), moments=hello),
        Way("hello-empty", greeting({}), moments=hello),
        Way("hello-words", greeting({"heartbeat_interval": "soon"}), moments=hello),
        Way("ready-null", ready_for_nothing, moments=ready),
        Way("ready-without-user", beginning(user=None), moments=ready),
        Way("ready-without-session", beginning(session_id=None), moments=ready),
        Way("ready-without-guilds", beginning(guilds=None), moments=ready),
        Way("ready-with-bad-address", beginning(resume_gateway_url=7), moments=ready),
        Way("resumed-null", resumed_for_nothing, moments=resume),
        Way("resume-address-silent", cut, never, resume_address=True, moments=later),
        Way("resume-address-503", cut, answering(503), resume_address=True, moments=later),
    ]


WAYS = _all()
EVERYTHING = [(way, moment) for way in WAYS for moment in Moment if moment in way.moments]
