"""Channels that become visible to the bot: it is sent their threads."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from bot.sandbox.world.intents import Intent
from bot.sandbox.world.payloads import channel_payload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.sandbox.world.entities import Guild
    from bot.sandbox.world.events import Events
    from bot.sandbox.world.state import State


class Visibility:
    """Compares what the bot can see of a guild before and after a change of roles or overwrites."""

    def __init__(self, state: State, events: Events) -> None:
        self._state = state
        self._events = events

    @contextmanager
    def changing(self, guild: Guild) -> Iterator[None]:
        """Send THREAD_LIST_SYNC on leaving the block, for the channels that became visible inside it."""
        before = self._state.visible_channels(guild)
        yield
        gained = self._state.visible_channels(guild) - before
        if gained:
            threads = [thread for thread in self._state.active_threads(guild) if thread.parent_id in gained]
            data = {
                "guild_id": str(guild.id),
                "channel_ids": [str(channel_id) for channel_id in sorted(gained)],
                "threads": [channel_payload(self._state, thread) for thread in threads],
                "members": [],
            }
            self._events.emit("THREAD_LIST_SYNC", Intent.GUILDS, data, guild=guild)
