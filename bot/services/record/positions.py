"""Where a channel's record stands, and where it opens."""

from bot.clock import Clock
from bot.domain.snowflake import first_id_at
from bot.domain.span import Span
from bot.domain.stretch import Place
from bot.services.record.beginning import watched_from
from bot.store import spans
from bot.store.database import Database


class Openings:
    """Says up to which position a channel is on record, and opens a record that has not begun."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def position(self, place: Place, behind_id: int | None, *, before_id: int | None = None) -> int:
        """Where a channel's record stands (or stood, `before_id`); one that has not begun opens at `behind_id`.

        That is right behind the channel's newest message, None where nothing was ever said.
        """
        return await self.recorded_until(place, before_id) or await self._open(place, behind_id)

    async def recorded_until(self, place: Place, before_id: int | None = None) -> int | None:
        """Where a channel's record stands (or stood, before a position); None before its first span or gap."""
        async with self._database.reading() as connection:
            reach = await spans.reach_of(connection, place.channel_id, before_id)
        return reach.last_id if reach is not None else None

    async def _open(self, place: Place, behind_id: int | None) -> int:
        """Open a channel's first span at the moment it becomes visible: right behind its newest message.

        Where nothing was ever said, as in every forum, it opens where the guild's record begins. What was made since
        then is recorded from its beginning, and a thread is as visible as its channel.
        """
        async with self._database.writing() as connection:
            begins_id = first_id_at(await watched_from(connection, place.guild_id, self._clock.now()))
            if place.parent_id is not None:
                above = await spans.reach_of(connection, place.parent_id)
                return max(place.channel_id - 1, above.first_id if above is not None else begins_id)
            if place.channel_id >= begins_id:
                return place.channel_id - 1
            opening = max(place.channel_id, begins_id if behind_id is None else behind_id)
            await spans.add(connection, place, Span(opening, opening))
            return opening
