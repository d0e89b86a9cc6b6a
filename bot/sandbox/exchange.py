"""One request and its answer, on the way in, on the way out, and for those who look on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot.sandbox.errors import ApiError, Problems

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.sandbox.commands import Commands
    from bot.sandbox.composing import Upload
    from bot.sandbox.entities import Channel, Guild, PostedMessage
    from bot.sandbox.interactions import Interactions
    from bot.sandbox.world import World


@dataclass(frozen=True, slots=True)
class Exchange:
    """What an observer gets: a request and the answer it was given."""

    method: str
    template: str
    path: str
    query: Mapping[str, str]
    request: Any
    status: int
    response: Any


@dataclass(slots=True)
class Call:
    """A request that was understood: its route, parameters and body."""

    world: World
    commands: Commands
    interactions: Interactions
    method: str
    template: str
    params: Mapping[str, str]
    query: Mapping[str, str]
    body: Any = None
    files: list[Upload] = field(default_factory=list)

    def id(self, name: str) -> int:
        """Return a path parameter that is an id.

        Raises:
            ApiError: 50035 when it is not a number.
        """
        return snowflake(name, self.params[name])

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """Return a query parameter that is a number between two bounds.

        Raises:
            ApiError: 50035 when it is not.
        """
        text = self.query.get(name)
        if text is None:
            return default
        if not text.isdigit() or not low <= int(text) <= high:
            problems = Problems()
            problems.add((name,), "NUMBER_TYPE_COERCE", f'Value "{text}" should be {low} to {high}.')
            problems.raise_if_any()
        return int(text)

    @property
    def fields(self) -> dict[str, Any]:
        """The body as an object; a missing one is empty."""
        return self.body if isinstance(self.body, dict) else {}

    def channel(self) -> Channel:
        """Return the channel of the path.

        Raises:
            ApiError: 10003 when there is none, 50001 when the bot is not in its guild or cannot see it.
        """
        channel = self.world.channels.get(self.id("channel_id"))
        if channel is None:
            raise ApiError(10003)
        if not self.world.permissions_of(self.world.bot, channel):
            raise ApiError(50001)
        return channel

    def guild(self) -> Guild:
        """Return the guild of the path.

        Raises:
            ApiError: 10004 when there is none or the bot is not in it.
        """
        guild = self.world.guilds.get(self.id("guild_id"))
        if guild is None or not self.world.bot_in(guild):
            raise ApiError(10004)
        return guild

    def message(self, channel: Channel) -> PostedMessage:
        """Return the message of the path.

        Raises:
            ApiError: 10008 when it is not in the channel.
        """
        message = channel.log.get(self.id("message_id"))
        if message is None:
            raise ApiError(10008)
        return message


def snowflake(name: str, text: str) -> int:
    """Read an id.

    Raises:
        ApiError: 50035 when it is not a number.
    """
    if not text.isdigit():
        problems = Problems()
        problems.add((name,), "NUMBER_TYPE_COERCE", f'Value "{text}" is not snowflake.')
        problems.raise_if_any()
    return int(text)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with a status of its own."""

    status: int
    body: Any


@dataclass(frozen=True, slots=True)
class Route:
    """A route of the REST API; `open` ones need no token in the header."""

    method: str
    template: str
    serve: Callable[[Call], object]
    open: bool = False


class Routes:
    """Collects the routes of one resource; use `add` as a decorator.

    A handler returns JSON (200), None (204) or a `Reply`.
    """

    def __init__(self) -> None:
        self.all: list[Route] = []

    def add(
        self,
        method: str,
        template: str,
        *,
        open: bool = False,  # noqa: A002  (the route's own word)
    ) -> Callable[[Callable[[Call], object]], Callable[[Call], object]]:
        """Register the decorated handler for a method and a route template."""

        def register(serve: Callable[[Call], object]) -> Callable[[Call], object]:
            self.all.append(Route(method, template, serve, open))
            return serve

        return register
