"""The newest spans of channels, so that recording what follows in a channel need not look for them."""

from collections.abc import Mapping

from bot.domain.span import Span
from bot.services.recent import Recent
from bot.store import spans
from bot.store.database import Connection, Database
from bot.store.spans import StoredSpan

_CHANNELS = 10_000
"""Of how many channels they are held. Those of another channel are read again."""


class HeldSpans:
    """Spans that were read or written, held until anybody but their reader has written something.

    `of` and `note` are for a transaction that writes, `keep` for the moment after it was committed. If it was not, or
    may not have been, `keep` must not be called, and nothing is held any more.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._held: Recent[int, tuple[StoredSpan, ...]] = Recent(_CHANNELS)
        self._as_of: int | None = None

    async def of(self, connection: Connection, stretches: Mapping[int, Span]) -> dict[int, tuple[StoredSpan, ...]]:
        """The spans of some channels, in order, that end right before a stretch of the channel or later."""
        if self._as_of is None or self._as_of != self._database.ended:
            self._held = Recent(_CHANNELS)
        known: dict[int, tuple[StoredSpan, ...]] = {}
        missing: dict[int, Span] = {}
        for channel_id, stretch in stretches.items():
            held = self._held.get(channel_id)
            if held and held[0].first_id <= stretch.first_id <= held[0].last_id + 1:
                known[channel_id] = held
            else:
                missing[channel_id] = stretch
        return known | await spans.from_stretches(connection, missing) if missing else known

    def note(self, written: Mapping[int, tuple[StoredSpan, ...]]) -> None:
        """These are all spans of some channels from the first of them on, as they are in this transaction."""
        for channel_id, found in written.items():
            self._held[channel_id] = found

    def keep(self) -> None:
        """The transaction in which that was told was committed, just now."""
        self._as_of = self._database.ended
