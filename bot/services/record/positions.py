"""Up to which position a channel is on record, and where the record of a new one opens."""

from bot.clock import Clock
from bot.domain.snowflake import first_id_at
from bot.domain.span import Span
from bot.domain.stretch import Place
from bot.services.record.beginning import watched_from
from bot.store import spans
from bot.store.database import Connection, Database


class Positions:
    """Looks up positions in the database, and opens the record of channels that have none."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def recorded_until(self, place: Place) -> int | None:
        """The position up to which a channel is on record (`spans.ends`); None if nothing of it is."""
        async with self._database.reading() as connection:
            end = await spans.end_of(connection, place)
        return None if end is None else end.position

    async def position_of(self, place: Place, opening_id: int | None) -> int:
        """The same, but if the record has not begun it is opened, and the position where it opens is returned.

        `opening_id` is the position right after the channel's newest message; None if it has no messages.
        """
        async with self._database.reading() as connection:
            end = await spans.end_of(connection, place)
        if end is not None and (end.told or place.parent_id is not None):
            return end.position
        return await self._open(place, opening_id, None if end is None else end.position)

    async def _open(self, place: Place, opening_id: int | None, imported_until: int | None) -> int:
        async with self._database.writing() as connection:
            if place.parent_id is not None:
                return await self._thread_opening(connection, place, place.parent_id)
            opening = imported_until and imported_until + 1
            opening = opening or await self._opening(connection, place, opening_id)
            if opening >= place.channel_id:
                # A file that is imported later does not tell until when Spade was here; this does.
                await spans.add(connection, place, Span(opening, opening))
            return opening

    async def _thread_opening(self, connection: Connection, place: Place, parent_id: int) -> int:
        """A thread opens where its channel does."""
        parent = await spans.reach_of(connection, parent_id)
        opens_id = await self._begins(connection, place) if parent is None else parent.first_id
        return max(place.channel_id - 1, opens_id)

    async def _opening(self, connection: Connection, place: Place, opening_id: int | None) -> int:
        """Where a channel's record opens at the moment it becomes visible: right after its newest message.

        A channel without messages, such as every forum, opens where the guild's record begins. A channel made since
        then is recorded from its first message.
        """
        begins_id = await self._begins(connection, place)
        if place.channel_id >= begins_id:
            return place.channel_id if opening_id is None else place.channel_id - 1
        return max(place.channel_id, begins_id if opening_id is None else opening_id)

    async def _begins(self, connection: Connection, place: Place) -> int:
        return first_id_at(await watched_from(connection, place.guild_id, self._clock.now()))
