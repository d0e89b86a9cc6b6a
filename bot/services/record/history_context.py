"""Context from the history: what rules need to know of the time before a stretch."""

from dataclasses import replace

from bot.domain.stretch import Stretch
from bot.services.recent import Recent
from bot.services.record.history import CONTEXT, History, UnreadableMessageError

_THREADS = 5000
"""How many threads' openers are kept in memory. That of another thread is fetched again."""


class HistoryContext:
    """Adds context to stretches, fetched from the history. It is a `ContextSource`."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._openers: Recent[int, tuple[int | None]] = Recent(_THREADS)

    async def opened(self, stretch: Stretch) -> Stretch:
        """The same stretch with the thread's opener, which is fetched once for each thread in use.

        Nothing is fetched if the thread's first message is in the stretch. The place has `opener_unreadable` if that
        message cannot be read. Raises UnreadableHistoryError.
        """
        thread_id = stretch.place.channel_id
        opener = self._openers.get(thread_id)
        if opener is None:
            first = [one for one in (*stretch.context, *stretch.messages) if one.opens(thread_id)]
            try:
                opener = (first[0].author_id if first else await self._history.opener(stretch.place),)
            except UnreadableMessageError:
                return replace(stretch, place=replace(stretch.place, opener_known=True, opener_unreadable=True))
            self._openers[thread_id] = opener
        known = replace(stretch.place, opener_id=opener[0], opener_known=True, opener_unreadable=False)
        return replace(stretch, place=known)

    async def earlier(self, stretch: Stretch) -> Stretch:
        """The same stretch with up to `CONTEXT` more messages before it. Raises UnreadableHistoryError."""
        before_id = min(stretch.first_id, stretch.context_first_id)
        found = await self._history.before(stretch.place, before_id, CONTEXT)
        return replace(
            stretch,
            context=found + stretch.context,
            context_first_id=found[0].message_id if len(found) >= CONTEXT else 0,
        )
