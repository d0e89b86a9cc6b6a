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
    """A channel or thread as Discord shows it, with its newest message's id (0 without any)."""

    place: Place
    last_message_id: int


class History(Protocol):
    """Pages of a channel's messages, oldest first. Raises NoHistoryError."""

    async def after(self, place: Place, after_id: int) -> tuple[Message, ...]:
        """The up to 100 messages that follow a position; fewer means that there are no more."""

    async def before(self, place: Place, before_id: int, limit: int) -> tuple[Message, ...]:
        """The up to `limit` messages just before a position; fewer means that there are no more."""


class HistoryContext:
    """Brings context to a stretch from history. Where history cannot be read, there is none to be had."""

    def __init__(self, history: History) -> None:
        self._history = history

    async def earlier(self, stretch: Stretch) -> Stretch:
        """The same stretch with up to 50 more messages of context."""
        before_id = min(stretch.first_id, stretch.context_first_id)
        try:
            found = await self._history.before(stretch.place, before_id, CONTEXT)
        except NoHistoryError:
            found = ()
        return replace(
            stretch,
            context=found + stretch.context,
            context_first_id=found[0].message_id if len(found) == CONTEXT else 0,
        )
