"""What services need of Discord's message history."""

from dataclasses import dataclass, replace
from typing import Protocol

from bot.domain.message import Message
from bot.domain.stretch import Place, Stretch

PAGE = 100
"""Discord's largest page."""
CONTEXT = 50


class NoHistoryError(Exception):
    """The history cannot be read, and asking again will not help until something changes; says why."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A channel or thread as Discord shows it, with its newest message's id (0 without any).

    `stale`: it was out of sight, so newer messages may be there.
    """

    place: Place
    last_message_id: int
    stale: bool = False


class History(Protocol):
    """Pages of a channel's messages, oldest first. Raises NoHistoryError."""

    async def after(self, place: Place, after_id: int) -> tuple[Message, ...]:
        """The up to 100 messages that follow a position; fewer means that there are no more."""

    async def before(self, place: Place, before_id: int, limit: int) -> tuple[Message, ...]:
        """The up to `limit` messages just before a position; fewer means that there are no more."""

    async def opener(self, place: Place) -> int | None:
        """Who opened a thread (R3), if a person did. Raises NoHistoryError where nobody may know."""

    async def place(self, guild_id: int, channel_id: int) -> Place:
        """The place of a channel or thread, in the archive too."""


class HistoryContext:
    """Brings context to a stretch from history."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._openers: dict[int, int | None] = {}

    async def opened(self, stretch: Stretch) -> Stretch:
        """The same stretch with the thread's opener; asked for once a thread, unless its first message is at hand.

        Raises NoHistoryError.
        """
        thread_id = stretch.place.channel_id
        if thread_id not in self._openers:
            first = [message for message in (*stretch.context, *stretch.messages) if message.message_id == thread_id]
            self._openers[thread_id] = first[0].author_id if first else await self._history.opener(stretch.place)
        known = replace(stretch.place, opener_id=self._openers[thread_id], opener_known=True)
        return replace(stretch, place=known)

    async def earlier(self, stretch: Stretch) -> Stretch:
        """The same stretch with up to 50 more messages of context. Raises NoHistoryError."""
        before_id = min(stretch.first_id, stretch.context_first_id)
        found = await self._history.before(stretch.place, before_id, CONTEXT)
        return replace(
            stretch,
            context=found + stretch.context,
            context_first_id=found[0].message_id if len(found) == CONTEXT else 0,
        )
