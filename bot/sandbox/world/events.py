"""Events that leave the world: what the bot is sent, limited to what it can see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.sandbox.world.intents import NO_INTENT, Intent
from bot.sandbox.world.permissions import Permission

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.sandbox.world.entities import Channel, Guild, PostedMessage
    from bot.sandbox.world.state import State


@dataclass(frozen=True, slots=True)
class Event:
    """One gateway event.

    `render` makes the payload; it is given True for a client that may read message content. An `intent` of
    zero means that every session gets the event.
    """

    name: str
    intent: Intent
    render: Callable[[bool], dict[str, Any]]
    message: PostedMessage | None = None


class Events:
    """Passes events to the listeners, at once and in order.

    An event is passed on only if the bot could see it: it is in the guild, the guild is available, and
    the channel is visible to it.
    """

    def __init__(self, state: State) -> None:
        self.listeners: list[Callable[[Event], None]] = []
        self._state = state

    def emit(
        self,
        name: str,
        intent: Intent,
        data: dict[str, Any] | Callable[[bool], dict[str, Any]],
        *,
        guild: Guild | None = None,
        channel: Channel | None = None,
        message: PostedMessage | None = None,
    ) -> None:
        """Pass an event to the listeners unless the bot could not see it."""
        if not self.listeners:
            return
        if channel is not None and channel.guild_id is not None:
            guild = self._state.guilds[channel.guild_id]
            if not self._state.bot_may(channel, Permission.VIEW_CHANNEL):
                return
        if guild is not None and (guild.unavailable or not self._state.bot_in(guild)):
            return
        render = data if callable(data) else lambda _content: data
        event = Event(name, intent, render, message)
        for listener in self.listeners:
            listener(event)

    def emit_to_all(self, name: str, data: dict[str, Any]) -> None:
        """Pass on an event that every session gets, whatever its intents."""
        self.emit(name, NO_INTENT, data)
