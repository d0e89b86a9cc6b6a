"""How far back the archived threads of a guild have to be searched for messages that are not on record."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.clock import Clock
from bot.domain.snowflake import first_id_at, moment_of
from bot.domain.span import Span
from bot.services.record.beginning import watched_from
from bot.store import guilds, spans
from bot.store.database import Database


@dataclass(frozen=True, slots=True)
class ArchiveScope:
    """What a search of archived threads has to cover.

    recorded: for each channel and thread, from where to where its record reaches.
    since: when the guild's record begins.
    from_at: threads archived before it were searched earlier. Discord lists threads by the time of archiving, newest
        first, so a search can end there, after a few days more to be safe. None: the channels were hidden, so
        everything that may belong on record is searched.
    """

    recorded: Mapping[int, Span]
    since: datetime
    from_at: datetime | None

    def begins(self, channel_id: int) -> int | None:
        """The position from which on a channel and its threads belong on record.

        None if nothing is on record and the channel is older than Spade's coming, so nothing before it belongs there.
        """
        if channel_id in self.recorded:
            return self.recorded[channel_id].first_id
        since_id = first_id_at(self.since)
        return max(channel_id, since_id) if self.recorded or channel_id >= since_id else None


class ThreadArchives:
    """Says what to search, and remembers how far earlier searches got. It searches nothing itself."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def unsearched(self, guild_id: int) -> ArchiveScope:
        """The scope for a new session. It must be asked for before anything newer is recorded.

        The guild's newest record tells when the last session ended. It is stored as the start of the search until
        `mark_searched` is called, so that a search that is interrupted begins there again.
        """
        async with self._database.writing() as connection:
            since = await watched_from(connection, guild_id, self._clock.now())
            recorded = await spans.reaches(connection, guild_id)
            newest_id = max(
                (span.last_id for span in (await spans.extents(connection, guild_id)).values()), default=None
            )
            newest_at = since if newest_id is None else moment_of(newest_id)
            return ArchiveScope(recorded, since, await guilds.archives_from(connection, guild_id, newest_at))

    async def everything(self, guild_id: int) -> ArchiveScope:
        """The scope for channels that were hidden and are visible again."""
        async with self._database.writing() as connection:
            since = await watched_from(connection, guild_id, self._clock.now())
            return ArchiveScope(await spans.reaches(connection, guild_id), since, None)

    async def mark_searched(self, guild_id: int) -> None:
        """All archives of a guild were searched, and what was found is on record."""
        async with self._database.writing() as connection:
            await guilds.archives_read(connection, guild_id)
