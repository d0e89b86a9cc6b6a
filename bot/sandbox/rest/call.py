"""One request as a route's handler gets it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot.sandbox.bodies.errors import ApiError, Problems
from bot.sandbox.world.permissions import Permission

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.sandbox.bodies.composing import Upload
    from bot.sandbox.interactions.commands import Commands
    from bot.sandbox.interactions.interactions import Interactions
    from bot.sandbox.world.entities import Channel, Guild, PostedMessage
    from bot.sandbox.world.state import State
    from bot.sandbox.world.world import World


@dataclass(slots=True)
class Call:
    """A request with its route, parameters, body and files, and the parts of the sandbox that handlers use."""

    world: World
    commands: Commands
    interactions: Interactions
    method: str
    template: str
    params: Mapping[str, str]
    query: Mapping[str, str]
    body: Any = None
    files: list[Upload] = field(default_factory=list)

    @property
    def state(self) -> State:
        """The state of the world."""
        return self.world.state

    def id(self, name: str) -> int:
        """Return a path parameter that is an id.

        Raises:
            ApiError: 50035 if it is not a number.
        """
        return snowflake(name, self.params[name])

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """Return a query parameter that is a number between two bounds.

        Raises:
            ApiError: 50035 if it is not.
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
            ApiError: 10003 if there is none, 50001 if the bot is not in its guild or cannot see it.
        """
        channel = self.state.channels.get(self.id("channel_id"))
        if channel is None:
            raise ApiError(10003)
        if not self.state.permissions_of(self.state.bot, channel):
            raise ApiError(50001)
        return channel

    def guild(self) -> Guild:
        """Return the guild of the path.

        Raises:
            ApiError: 10004 if there is none or the bot is not in it.
        """
        guild = self.state.guilds.get(self.id("guild_id"))
        if guild is None or not self.state.bot_in(guild):
            raise ApiError(10004)
        return guild

    def message(self, channel: Channel) -> PostedMessage:
        """Return the message of the path.

        Raises:
            ApiError: 10008 if it is not in the channel.
        """
        message = channel.log.get(self.id("message_id"))
        if message is None:
            raise ApiError(10008)
        return message

    def require(self, channel: Channel, needed: Permission) -> None:
        """Check that the bot has permissions in a channel.

        Raises:
            ApiError: 50001 if it cannot see the channel, 50013 if something else is missing.
        """
        if not self.state.bot_may(channel, Permission.VIEW_CHANNEL):
            raise ApiError(50001)
        if not self.state.bot_may(channel, needed):
            raise ApiError(50013)


def snowflake(name: str, text: str) -> int:
    """Read an id.

    Raises:
        ApiError: 50035 if it is not a number.
    """
    if not text.isdigit():
        problems = Problems()
        problems.add((name,), "NUMBER_TYPE_COERCE", f'Value "{text}" is not snowflake.')
        problems.raise_if_any()
    return int(text)
