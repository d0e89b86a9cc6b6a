"""Dispatching REST requests: body, token, planned faults, rate limits, the route's handler, and observers."""

from __future__ import annotations

import asyncio
import json
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from aiohttp import BodyPartReader, web

from bot.sandbox.bodies.composing import Upload
from bot.sandbox.bodies.errors import ApiError
from bot.sandbox.rest.buckets import Buckets
from bot.sandbox.rest.call import Call
from bot.sandbox.rest.exchange import Exchange
from bot.sandbox.rest.request_log import LoggedRequest, RequestLog
from bot.sandbox.rest.routing import Reply

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.sandbox.interactions.commands import Commands
    from bot.sandbox.interactions.interactions import Interactions
    from bot.sandbox.rest.faults import Fault, RequestFaults
    from bot.sandbox.rest.routing import Route
    from bot.sandbox.world.world import World


def answer_of(status: int, body: object, headers: dict[str, str]) -> web.Response:
    """Make a response; JSON has exactly the content type Discord sends, without a charset."""
    if body is None:
        return web.Response(status=status, headers=headers)
    data = json.dumps(body, separators=(",", ":")).encode()
    return web.Response(status=status, body=data, headers=headers, content_type="application/json")


class Dispatcher:
    """Answers REST requests by their routes, and logs each of them.

    A defect met on the way is added to `failures` and answered with status 500. `token` returns the token that is
    valid at the time of a request.
    """

    def __init__(
        self,
        world: World,
        commands: Commands,
        interactions: Interactions,
        faults: RequestFaults,
        failures: list[str],
        *,
        token: Callable[[], str],
        clock: Callable[[], float],
        rate_limits: bool,
    ) -> None:
        self.observers: list[Callable[[Exchange], object]] = []
        self.buckets = Buckets(clock, enforced=rate_limits)
        self.requests = RequestLog()
        self._world = world
        self._commands = commands
        self._interactions = interactions
        self._faults = faults
        self._failures = failures
        self._token = token
        self._closing = asyncio.Event()

    def close(self) -> None:
        """Answer the requests that hang."""
        self._closing.set()

    def reopen(self) -> None:
        """Let requests hang again."""
        self._closing = asyncio.Event()

    def handler(self, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Return the aiohttp handler of a route."""

        async def serve(request: web.Request) -> web.StreamResponse:
            return await self._serve(route, request)

        return serve

    async def unknown(self, request: web.Request) -> web.Response:
        """Answer a request that no route matches, and note it as a failure."""
        text = f"the sandbox has no {request.method} {request.path}"
        self._failures.append(text)
        self._note(request, request.path, 404)
        return answer_of(404, {"message": text, "code": 0}, {"Via": "1.1 sandbox"})

    async def _serve(self, route: Route, request: web.Request) -> web.StreamResponse:
        faults = self._faults
        channel_id = request.match_info.get("channel_id", "")
        where = (route.method, route.template, int(channel_id) if channel_id.isdigit() else None)
        major = channel_id or request.match_info.get("guild_id") or request.match_info.get("webhook_id") or ""
        now = self._world.state.now()
        decision = self.buckets.judge(route.method, route.template, major, now.timestamp())
        headers = {**decision.headers, "Via": "1.1 sandbox", "Date": format_datetime(now, usegmt=True)}
        call = Call(
            self._world,
            self._commands,
            self._interactions,
            route.method,
            route.template,
            request.match_info,
            request.query,
        )
        if faults.strike("cut", *where):
            return self._cut(route, request)
        if faults.strike("hang", *where):
            self._note(request, route.template, 0)
            await self._closing.wait()
            return answer_of(500, None, headers)
        limited = faults.strike("429", *where)
        if limited is not None or decision.retry_after > 0:
            seconds = decision.retry_after if limited is None else limited.retry_after
            everywhere = decision.everywhere if limited is None else limited.everywhere
            return self._limit(route, request, seconds, headers, everywhere=everywhere)
        broken = faults.strike("5xx", *where)
        if broken is not None:
            self._note(request, route.template, broken.status)
            return web.Response(status=broken.status, text="upstream", headers=headers)
        status, body = await self._answer(route, request, call, where)
        if self.observers:
            self._show(Exchange(route.method, route.template, request.path, call.query, call.body, status, body))
        meanwhile = faults.strike("meanwhile", *where)
        if meanwhile is not None and meanwhile.action is not None:
            meanwhile.action()
        if faults.strike("lose", *where):
            return self._cut(route, request)
        reply = self._disturbed(where, status, body, headers)
        self._note(request, route.template, reply.status)
        return reply

    def _disturbed(
        self, where: tuple[str, str, int | None], status: int, body: object, headers: dict[str, str]
    ) -> web.Response:
        garbled = self._faults.strike("garble", *where)
        if garbled is not None:
            return _garbled(garbled, body, headers)
        altered = self._faults.strike("alter", *where) if status < 300 else None
        if altered is not None and altered.change is not None:
            body = altered.change(json.loads(json.dumps(body)))
        return answer_of(status, body, headers)

    async def _answer(
        self, route: Route, request: web.Request, call: Call, where: tuple[str, str, int | None]
    ) -> tuple[int, object]:
        try:
            await _read(request, call)
            if not route.open and request.headers.get("Authorization") != f"Bot {self._token()}":
                raise ApiError(0)  # noqa: TRY301  (every refusal is answered in one place)
            if self._faults.strike("403", *where):
                raise ApiError(50001)  # noqa: TRY301
            made = route.serve(call)
        except ApiError as refusal:
            return refusal.status, refusal.body()
        except Exception as error:  # noqa: BLE001  (a defect of the sandbox itself: noted, and answered as Discord's)
            self._failures.append(f"{route.method} {request.path}: {error!r}")
            return 500, {"message": f"500: {error!r}", "code": 0}
        if isinstance(made, Reply):
            return made.status, made.body
        return (204, None) if made is None else (200, made)

    def _limit(
        self, route: Route, request: web.Request, seconds: float, headers: dict[str, str], *, everywhere: bool
    ) -> web.Response:
        self._note(request, route.template, 429)
        body = {"message": "You are being rate limited.", "retry_after": seconds, "global": everywhere}
        headers["Retry-After"] = f"{seconds:.3f}"
        headers["X-RateLimit-Scope"] = "global" if everywhere else "user"
        if everywhere:
            headers["X-RateLimit-Global"] = "true"
        else:
            headers["X-RateLimit-Remaining"] = "0"
            headers["X-RateLimit-Reset-After"] = f"{seconds:.3f}"
        return answer_of(429, body | {"code": 0}, headers)

    def _cut(self, route: Route, request: web.Request) -> web.Response:
        self._note(request, route.template, 0)
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)

    def _note(self, request: web.Request, template: str, status: int) -> None:
        self.requests.add(LoggedRequest(request.method, template, request.path, status))

    def _show(self, exchange: Exchange) -> None:
        for observer in self.observers:
            try:
                observer(exchange)
            except Exception as error:  # noqa: BLE001  (an observer's objection is reported, not raised here)
                self._failures.append(f"{exchange.method} {exchange.path}: {error}")


def _garbled(fault: Fault, body: object, headers: dict[str, str]) -> web.Response:
    whole = json.dumps(body)
    data = (whole[: len(whole) // 2] if fault.text is None else fault.text).encode()
    answer = web.Response(status=fault.status, body=data, headers=headers)
    if fault.content_type:
        answer.headers["Content-Type"] = fault.content_type
    return answer


async def _read(request: web.Request, call: Call) -> None:
    kind = request.content_type
    if not request.can_read_body:
        return
    if kind == "application/json":
        call.body = _parsed(await request.read())
        return
    if kind == "multipart/form-data":
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                continue
            data = bytes(await part.read(decode=True))
            name = part.name or ""
            if name == "payload_json":
                call.body = _parsed(data)
            else:
                slot = int("".join(filter(str.isdigit, name)) or len(call.files))
                content_type = part.headers.get("Content-Type", "application/octet-stream")
                call.files.append(Upload(slot, part.filename or name, content_type, data))
        return
    raise ApiError(50109)


def _parsed(data: bytes) -> Any:  # noqa: ANN401  (any JSON)
    if not data:
        return None
    try:
        return json.loads(data)
    except ValueError:
        raise ApiError(50109) from None
