"""Up to which position a channel is on record, and where the record of a new one opens."""

from bot.clock import Clock
from bot.domain.snowflake import first_id_at
from bot.domain.span import Span
from bot.domain.stretch import Place
from bot.services.record.beginning import watched_from
from bot.store import spans
from bot.store.database import Database


class Positions:
    """Looks up positions in the database, and opens the record of channels that have none."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def recorded_until(self, place: Place, before_id: int | None = None) -> int | None:
        """The last position of a channel's spans and known gaps; None if there are none.

        With `before_id`, only spans and gaps that begin before it count.
        """
        async with self._database.reading() as connection:
            reach = await spans.reach_of(connection, place.channel_id, before_id)
        return reach.last_id if reach is not None else None

    async def position_of(self, place: Place, opening_id: int | None, *, before_id: int | None = None) -> int:
        """The same, but if the record has not begun it is opened, and the position where it opens is returned.

        `opening_id` is the position right after the channel's newest message; None if it has no messages.
        """
        return await self.recorded_until(place, before_id) or await self._open(place, opening_id)

    async def _open(self, place: Place, opening_id: int | None) -> int:
        """Open a channel's first span at the moment it becomes visible: right after its newest message.

        A channel without messages, such as every forum, opens where the guild's record begins. A channel made since
        then is recorded from its first message. A thread opens where its channel does.
        """
        async with self._database.writing() as connection:
            begins_id = first_id_at(await watched_from(connection, place.guild_id, self._clock.now()))
            if place.parent_id is not None:
                parent = await spans.reach_of(connection, place.parent_id)
                return max(place.channel_id - 1, parent.first_id if parent is not None else begins_id)
            if place.channel_id >= begins_id:
                return place.channel_id - 1
            opening = max(place.channel_id, begins_id if opening_id is None else opening_id)
            await spans.add(connection, place, Span(opening, opening))
            return opening
