"""How far the archives of a guild's threads have to be looked through."""

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
    """How archives are to be looked at: how far channels' records reach, `since` when the guild's begins, how far back.

    An archive shows last what was archived first. What was archived before `from_at`, but for a few days that are
    looked at all the same, was looked at before. None: the channels were out of sight, so all that may belong on
    record is looked at.
    """

    recorded: Mapping[int, Span]
    since: datetime
    from_at: datetime | None

    def begins(self, channel_id: int) -> int | None:
        """From where on a channel and its threads belong on record; None where Spade has just come to all of it."""
        if channel_id in self.recorded:
            return self.recorded[channel_id].first_id
        since_id = first_id_at(self.since)
        return max(channel_id, since_id) if self.recorded or channel_id >= since_id else None


class ThreadArchives:
    """Says how far to look, and keeps what an earlier look left. Looks at nothing itself."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def look(self, guild_id: int) -> ArchiveScope:
        """The look that a new session takes; to be asked for before anything newer goes on record."""
        async with self._database.writing() as connection:
            since = await watched_from(connection, guild_id, self._clock.now())
            recorded = await spans.reaches(connection, guild_id)
            newest_id = max(
                (span.last_id for span in (await spans.extents(connection, guild_id)).values()), default=None
            )
            newest_at = since if newest_id is None else moment_of(newest_id)
            return ArchiveScope(recorded, since, await guilds.archives_from(connection, guild_id, newest_at))

    async def look_at_all(self, guild_id: int) -> ArchiveScope:
        """The look at channels that are back in sight."""
        async with self._database.writing() as connection:
            since = await watched_from(connection, guild_id, self._clock.now())
            return ArchiveScope(await spans.reaches(connection, guild_id), since, None)

    async def read(self, guild_id: int) -> None:
        """All of them were looked through, and what they held is on record."""
        async with self._database.writing() as connection:
            await guilds.archives_read(connection, guild_id)
