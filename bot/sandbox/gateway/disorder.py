"""Seeded disorder of gateway events: some are repeated, some change places with the next one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.sandbox.world.snowflakes import time_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from bot.sandbox.world.events import Event

HELD_SECONDS = 0.2


class Disorder:
    """Decides for each event whether it is repeated or swapped with the next one.

    Only messages written within `reorder_within` seconds of each other (by their ids) change places, and
    a message is held back for at most a fifth of a second.
    """

    def __init__(self, random: Random) -> None:
        self.duplicate = 0.0
        self.reorder = 0.0
        self.reorder_within = 1.0
        self.duplicated = 0
        self.reordered = 0
        self.release: Callable[[Event], None] = lambda _event: None
        self._random = random
        self._held: Event | None = None
        self._timer: asyncio.TimerHandle | None = None

    def arrange(self, event: Event) -> list[Event]:
        """Return the events to deliver now, in this order; one may be held back for the next call."""
        held, self._held = self._held, None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if held is not None:
            if self._close(held, event):
                self.reordered += 1
                return [event, held]
            return [held, event]
        if self.reorder and event.name == "MESSAGE_CREATE" and self._random.random() < self.reorder:
            self._held = event
            self._timer = asyncio.get_running_loop().call_later(HELD_SECONDS, self.flush)
            return []
        return [event]

    def repeats(self, event: Event) -> bool:
        """Whether this event is delivered a second time."""
        if not self.duplicate or not event.name.startswith("MESSAGE_"):
            return False
        twice = self._random.random() < self.duplicate
        self.duplicated += twice
        return twice

    def flush(self) -> None:
        """Deliver the event that is held back, if any."""
        held, self._held = self._held, None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if held is not None:
            self.release(held)

    def _close(self, first: Event, second: Event) -> bool:
        if second.name != "MESSAGE_CREATE" or first.message is None or second.message is None:
            return False
        gap = abs(time_of(second.message.id) - time_of(first.message.id))
        return gap.total_seconds() < self.reorder_within
