"""Direct messages: the DM channels between the bot and users, and whether users accept DMs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.sandbox.world.entities import Channel, ChannelType, Member, User
from bot.sandbox.world.intents import Intent
from bot.sandbox.world.payloads import channel_payload

if TYPE_CHECKING:
    from bot.sandbox.world.events import Events
    from bot.sandbox.world.state import State


class DirectMessages:
    """The DM channels of the bot, one for each user."""

    def __init__(self, state: State, events: Events) -> None:
        self._state = state
        self._events = events

    def channel_with(self, user: User | Member | int) -> Channel:
        """Return the DM channel between the bot and a user; it is made at first use."""
        user = self._state.user(user)
        if user.id not in self._state.dms:
            channel = Channel(self._state.ids.make(), ChannelType.DM, recipient=user)
            self._state.dms[user.id] = channel
            self._state.channels[channel.id] = channel
            data = channel_payload(self._state, channel)
            self._events.emit("CHANNEL_CREATE", Intent.DIRECT_MESSAGES, data, channel=channel)
        return self._state.dms[user.id]

    def close(self, user: User | Member | int) -> None:
        """Let a user refuse DMs from now on: the bot gets 50007."""
        self._state.user(user).dms_open = False

    def open(self, user: User | Member | int) -> None:
        """Let a user accept DMs again."""
        self._state.user(user).dms_open = True
