"""How far back the archived threads of a guild have to be searched for messages that are not on record."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bot.clock import Clock
from bot.domain.snowflake import first_id_at, moment_of
from bot.domain.span import Span
from bot.services.record.beginning import watched_from
from bot.store import guilds, spans
from bot.store.database import Connection, Database


@dataclass(frozen=True, slots=True)
class ArchiveScope:
    """What a search of archived threads has to cover.

    recorded: for each channel and thread, from where to where its record reaches.
    ends: for each of them, the position up to which nothing has to be fetched.
    since: when the guild's record begins.
    from_at: threads archived before it were searched earlier. Discord lists threads by the time of archiving, newest
        first, so a search can end there, after a few days more to be safe. None: the channels were hidden, so
        everything that may belong on record is searched.
    """

    recorded: Mapping[int, Span]
    ends: Mapping[int, int]
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

        What Discord told last tells when the last session ended; where it told nothing yet, that is when Spade came,
        or with the end of what was imported before. It is stored as the start of the search until `mark_searched` is
        called, so that a search that is interrupted begins there again.
        """
        async with self._database.writing() as connection:
            scope = await self._scope(connection, guild_id)
            told = [part.last_id for parts in (await spans.of_guild(connection, guild_id)).values() for part in parts]
            newest_id = max(told or scope.ends.values(), default=None)
            newest_at = await guilds.watch(connection, guild_id, self._clock.now())
            if newest_id is not None and (told or moment_of(newest_id) < newest_at):
                newest_at = moment_of(newest_id)
            return replace(scope, from_at=await guilds.archives_from(connection, guild_id, newest_at))

    async def everything(self, guild_id: int) -> ArchiveScope:
        """The scope for channels that were hidden and are visible again."""
        async with self._database.writing() as connection:
            return await self._scope(connection, guild_id)

    async def mark_searched(self, guild_id: int) -> None:
        """All archives of a guild were searched, and what was found is on record."""
        async with self._database.writing() as connection:
            await guilds.archives_read(connection, guild_id)

    async def _scope(self, connection: Connection, guild_id: int) -> ArchiveScope:
        since = await watched_from(connection, guild_id, self._clock.now())
        recorded, ends = await spans.reaches(connection, guild_id), await spans.ends(connection, guild_id)
        return ArchiveScope(recorded, ends, since, None)
