"""Known gaps: what could not be fetched is noted, shown, and asked for again."""

import logging
from collections.abc import Collection

from bot.domain.span import Span
from bot.domain.stretch import Place
from bot.services.record.history import History, HistoryContext, NoHistoryError
from bot.services.record.pages import pages
from bot.services.record.recorder import Recorder
from bot.store import guilds, spans
from bot.store.database import Database

log = logging.getLogger(__name__)


class Gaps:
    """Notes and fills the gaps of channels. A gap is forgotten once all of it is on record."""

    def __init__(self, database: Database, recorder: Recorder, history: History, context: HistoryContext) -> None:
        self._database = database
        self._recorder = recorder
        self._history = history
        self._context = context

    async def note(self, place: Place, gap: Span | None, reason: str) -> None:
        """A stretch of a channel is missing; None for nothing."""
        if gap is not None:
            async with self._database.writing() as connection:
                await spans.add_known_gap(connection, place.guild_id, place.channel_id, gap, reason)
            log.warning("Channel %s: messages are missing from the record (%s).", place.channel_id, reason)

    async def channels(self, guild_id: int) -> Collection[int]:
        """The channels of a guild that have gaps."""
        async with self._database.reading() as connection:
            return tuple(await spans.known_gaps(connection, guild_id))

    async def excluded(self, place: Place) -> bool:
        """Whether nothing of a channel counts, so that nothing of it is to be fetched."""
        async with self._database.reading() as connection:
            excluded = await guilds.excluded_channels(connection, place.guild_id)
        return place.channel_id in excluded or place.parent_id in excluded

    async def try_to_fill(self, guild_id: int, channel_id: int, place: Place | None) -> None:
        """Fill what can be filled; trouble with one channel stands in the log, and is not the others'.

        Without a place the channel is not in sight: it is a thread in the archive, or gone.
        """
        try:
            await self.fill(place or await self._history.place(guild_id, channel_id))
        except NoHistoryError:
            return
        except Exception as error:  # noqa: BLE001 - whatever it was, it is asked for again
            log.warning("Channel %s: what is missing is still not to be had (%s)", channel_id, error)

    async def fill(self, place: Place) -> None:
        """Fetch what is missing of a channel, where it counts and its history can be read by now."""
        async with self._database.reading() as connection:
            gaps = await spans.known_gaps_of(connection, place.channel_id)
        for gap in gaps:
            try:
                async for stretch in pages(self._history, place, gap):
                    if (await self._recorder.record(stretch, self._context)).excluded:
                        return
            except NoHistoryError:
                return
            async with self._database.writing() as connection:
                await spans.forget_known_gaps(connection, place.channel_id, gap)
