"""The sandbox: a Discord on 127.0.0.1, REST and gateway, with its world, its people and its faults."""

from __future__ import annotations

import json
import time
from random import Random
from typing import TYPE_CHECKING, Self

from aiohttp import web

from bot.sandbox.clients.people import People
from bot.sandbox.conditions import PATIENCE_SECONDS, wait_until
from bot.sandbox.faults import Faults
from bot.sandbox.gateway.disorder import Disorder
from bot.sandbox.gateway.faults import GatewayFaults
from bot.sandbox.gateway.gateway import Gateway
from bot.sandbox.interactions.commands import Commands
from bot.sandbox.interactions.interactions import Interactions
from bot.sandbox.rest import ROUTES
from bot.sandbox.rest.dispatch import Dispatcher
from bot.sandbox.rest.faults import RequestFaults
from bot.sandbox.world.intents import NO_INTENT, Intent
from bot.sandbox.world.world import World

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime
    from types import TracebackType

    from bot.sandbox.rest.exchange import Exchange
    from bot.sandbox.world.entities import Channel, Member, PostedMessage, User

    PageHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]

API = "/api/v10"


class SandboxFailure(AssertionError):  # noqa: N818  (it reports failures that were collected, one or many)
    """The bot sent something that Discord does not know; raised when the sandbox closes."""


class Sandbox:
    """A loopback Discord for one bot; an async context manager that listens while it is open.

    It reads no wall clock: `now` gives the time of everything in its world. On leaving, it raises
    `SandboxFailure` if the bot sent something that Discord does not know (unless `strict` is off, or another
    exception is raised). If `page` is set, it answers browsers at every other address. A new `token` is
    valid for REST at once; sessions of the gateway keep the first one.
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
        self.world = World(now, bot_name=bot_name, granted=granted, bot_id=bot_id)
        self.gateway = Gateway(
            self.world,
            Disorder(Random(seed + 1)),  # noqa: S311  (reproducible faults, no secrets)
            self.failures,
            token=token,
            heartbeat_seconds=heartbeat_seconds,
        )
        request_faults = RequestFaults(Random(seed))  # noqa: S311
        self.faults = Faults(request_faults, GatewayFaults(self.gateway))
        self.commands = Commands(self.world.state)
        self.interactions = Interactions(self.world)
        self.people = People(self.world, self.commands, self.interactions, self.gateway)
        self.page: PageHandler | None = None
        self._dispatcher = Dispatcher(
            self.world,
            self.commands,
            self.interactions,
            request_faults,
            self.failures,
            token=lambda: self.token,
            clock=time.monotonic,
            rate_limits=rate_limits,
        )
        self.requests = self._dispatcher.requests
        self._port = port
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The address, such as http://127.0.0.1:40001; REST is below /api/v10, the gateway at /gateway."""
        return self.world.state.base_url

    @property
    def api_url(self) -> str:
        """The address of the REST API."""
        return self.url + API

    @property
    def gateway_url(self) -> str:
        """The address of the gateway."""
        return self.world.state.gateway_url

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
        """Listen on 127.0.0.1; after `stop`, on the same port again."""
        self._dispatcher.reopen()
        app = web.Application(client_max_size=32 * 1024 * 1024)
        for route in ROUTES:
            app.router.add_route(route.method, API + route.template, self._dispatcher.handler(route))
        app.router.add_get("/gateway", self.gateway.serve)
        app.router.add_get("/gateway/", self.gateway.serve)
        app.router.add_get("/attachments/{channel_id}/{file_id}/{name}", self._attachment)
        app.router.add_route("*", "/{rest:.*}", self._elsewhere)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2, handle_signals=False)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.world.state.base_url = f"http://127.0.0.1:{self._port}"

    async def stop(self) -> None:
        """Cut all connections and stop listening; the world keeps its state."""
        self.gateway.disorder.flush()
        self._dispatcher.close()
        for connection in list(self.gateway.connections):
            connection.abort()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def observe(self, observer: Callable[[Exchange], object]) -> None:
        """Call an observer with every exchange; an exception it raises is added to the failures."""
        self._dispatcher.observers.append(observer)

    def dms(self, user: User | Member | int) -> list[PostedMessage]:
        """Return the messages in the DM between the bot and a user, oldest first."""
        channel = self.world.state.dms.get(self.world.state.user(user).id)
        return [] if channel is None else channel.messages

    def read(self, channel: Channel | int) -> list[PostedMessage]:
        """Return the messages in a channel, oldest first."""
        return self.world.state.channel(channel).messages

    async def until(self, condition: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until a condition holds.

        Raises:
            TimeoutError: If that takes longer than `seconds`.
        """
        await wait_until(condition, seconds)

    async def connected(self, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until the bot has a live gateway session.

        Raises:
            TimeoutError: If that takes longer than `seconds`.
        """
        await self.until(lambda: self.gateway.live, seconds)

    async def drained(self) -> None:
        """Wait until all events so far were written to the bot (the bot need not have handled them)."""
        await self.gateway.drained()

    def file(self, attachment: dict[str, object]) -> bytes:
        """Return the bytes of an attachment."""
        return self.world.state.files[int(str(attachment["id"]))][2]

    def picture(self, message: PostedMessage) -> bytes:
        """Return the picture that a message's first embed shows.

        Raises:
            LookupError: If no embed shows an uploaded picture.
        """
        for embed in message.embeds:
            found = str(embed.get("image", {}).get("url", "")).split("/")
            if len(found) > 2 and found[-2].isdecimal() and int(found[-2]) in self.world.state.files:
                return self.world.state.files[int(found[-2])][2]
        raise LookupError("no embed shows a picture")

    async def _elsewhere(self, request: web.Request) -> web.StreamResponse:
        """Answer every other address: by the page if one is set, else as an unknown route."""
        if self.page is None or request.path.startswith(("/api/", "/gateway")):
            return await self._dispatcher.unknown(request)
        return await self.page(request)

    async def _attachment(self, request: web.Request) -> web.Response:
        file_id = request.match_info["file_id"]
        stored = self.world.state.files.get(int(file_id)) if file_id.isdecimal() else None
        if stored is None:
            return web.Response(status=404, body=json.dumps({"message": "no such file"}).encode())
        return web.Response(body=stored[2], content_type=stored[1].partition(";")[0])
