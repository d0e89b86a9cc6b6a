"""The sandbox: a Discord on 127.0.0.1, REST and gateway, with its world, its people and its faults."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Self

from aiohttp import web

from bot.sandbox.commands import Commands
from bot.sandbox.door import Door
from bot.sandbox.errors import SandboxFailure
from bot.sandbox.faults import Faults
from bot.sandbox.gateway import Gateway
from bot.sandbox.intents import NO_INTENT, Intent
from bot.sandbox.interactions import Interactions
from bot.sandbox.people import People
from bot.sandbox.polling import until
from bot.sandbox.requests import RequestLog
from bot.sandbox.rest import ROUTES
from bot.sandbox.world import World

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime
    from types import TracebackType

    from bot.sandbox.entities import Channel, Member, PostedMessage, User
    from bot.sandbox.exchange import Exchange

    Visits = Callable[[web.Request], Awaitable[web.StreamResponse]]

API = "/api/v10"


class Sandbox:
    """A loopback Discord for one bot; an async context manager that listens while it is open.

    It reads no wall clock: `now` gives the time of everything in its world. On leaving, it raises
    `SandboxFailure` when something reached it that Discord would not know (unless `strict` is off, or
    another error is on its way). Whatever is set as `page` answers browsers at every other address.
    """

    def __init__(
        self,
        *,
        now: Callable[[], datetime],
        token: str = "sandbox-token",  # noqa: S107  (a sandbox keeps no secrets)
        seed: int = 0,
        bot_name: str = "spade",
        bot_id: int | None = None,
        granted: Intent = NO_INTENT,
        heartbeat_seconds: float = 41.25,
        rate_limits: bool = False,
        strict: bool = True,
        port: int = 0,
    ) -> None:
        self.token = token
        self.strict = strict
        self.failures: list[str] = []
        self.requests = RequestLog()
        self.world = World(now, bot_name=bot_name, granted=granted, bot_id=bot_id)
        self.faults = Faults(seed)
        self.gateway = Gateway(self.world, self.faults, token, heartbeat_seconds=heartbeat_seconds)
        self.commands = Commands(self.world)
        self.interactions = Interactions(self.world)
        self.people = People(self.world, self.commands, self.interactions, self.gateway)
        self.page: Visits | None = None
        self.gateway.failures = self.failures
        self.faults.gateway = self.gateway
        self.faults.order.release = self.gateway.deliver
        self._door = Door(self, clock=time.monotonic, rate_limits=rate_limits)
        self._port = port
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The address, such as http://127.0.0.1:40001; REST is below /api/v10, the gateway at /gateway."""
        return self.world.base_url

    @property
    def api_url(self) -> str:
        """The address of the REST API."""
        return self.url + API

    @property
    def gateway_url(self) -> str:
        """The address of the gateway."""
        return self.url.replace("http", "ws", 1) + "/gateway"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
        if self.strict and self.failures and error is None:
            raise SandboxFailure("\n".join(self.failures))

    async def start(self) -> None:
        """Listen on 127.0.0.1; after `stop`, at the same port again."""
        self._door.reopen()
        app = web.Application(client_max_size=32 * 1024 * 1024)
        for route in ROUTES:
            app.router.add_route(route.method, API + route.template, self._door.opener(route))
        app.router.add_get("/gateway", self.gateway.answer)
        app.router.add_get("/gateway/", self.gateway.answer)
        app.router.add_get("/attachments/{channel_id}/{file_id}/{name}", self._attachment)
        app.router.add_route("*", "/{rest:.*}", self._elsewhere)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2, handle_signals=False)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.world.base_url = f"http://127.0.0.1:{self._port}"

    async def stop(self) -> None:
        """Cut all connections and stop listening; the world stays as it is."""
        self.faults.order.flush()
        self._door.close()
        for connection in list(self.gateway.connections):
            connection.abort()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def observe(self, observer: Callable[[Exchange], object]) -> None:
        """Show every exchange to an observer; what it raises counts as a failure of the sandbox."""
        self._door.observers.append(observer)

    def dms(self, user: User | Member | int) -> list[PostedMessage]:
        """Return what stands in the DM between the bot and a user, oldest first."""
        channel = self.world.dm_of.get(self.world.user(user).id)
        return [] if channel is None else channel.messages

    def read(self, channel: Channel | int) -> list[PostedMessage]:
        """Return what stands in a channel, oldest first."""
        return self.world.channel(channel).messages

    async def until(self, condition: Callable[[], object], seconds: float = 10.0) -> None:
        """Wait until a condition holds.

        Raises:
            TimeoutError: When that takes longer than `seconds`.
        """
        await until(condition, seconds)

    async def connected(self, seconds: float = 10.0) -> None:
        """Wait until the bot has a live gateway session.

        Raises:
            TimeoutError: When that takes longer than `seconds`.
        """
        await self.until(lambda: self.gateway.live, seconds)

    async def drained(self) -> None:
        """Wait until all events so far were written to the bot (not: until it has dealt with them)."""
        await self.gateway.drained()

    def file(self, attachment: dict[str, object]) -> bytes:
        """Return the bytes of an attachment."""
        return self.world.files[int(str(attachment["id"]))][2]

    def picture(self, message: PostedMessage) -> bytes:
        """Return the picture that a message's first embed shows.

        Raises:
            LookupError: When it shows none that was sent along.
        """
        for embed in message.embeds:
            found = str(embed.get("image", {}).get("url", "")).split("/")
            if len(found) > 2 and found[-2].isdecimal() and int(found[-2]) in self.world.files:
                return self.world.files[int(found[-2])][2]
        raise LookupError("no embed shows a picture")

    async def _elsewhere(self, request: web.Request) -> web.StreamResponse:
        """What is neither Discord's nor a file: the page's, if there is one."""
        if self.page is None or request.path.startswith(("/api/", "/gateway")):
            return await self._door.unknown(request)
        return await self.page(request)

    async def _attachment(self, request: web.Request) -> web.Response:
        file_id = request.match_info["file_id"]
        stored = self.world.files.get(int(file_id)) if file_id.isdecimal() else None
        if stored is None:
            return web.Response(status=404, body=json.dumps({"message": "no such file"}).encode())
        return web.Response(body=stored[2], content_type=stored[1].partition(";")[0])
