"""What happens when Spade is invited to a guild or removed from it."""

import logging
from collections.abc import Collection
from datetime import timedelta

from bot.clock import Clock
from bot.store import forgetting, guilds
from bot.store.database import Database

log = logging.getLogger(__name__)

KEPT_AFTER_REMOVAL = timedelta(days=30)


class MembershipService:
    """Keeps a guild's record for 30 days after Spade was removed, in case that was a mistake."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def removed(self, guild_id: int) -> None:
        """Spade was removed from a guild (an outage is no removal)."""
        async with self._database.writing() as connection:
            await guilds.mark_removed(connection, guild_id, self._clock.now())

    async def present(self, guild_ids: Collection[int]) -> None:
        """Spade is in these guilds now. Any other guild on record removed it while it was offline."""
        async with self._database.writing() as connection:
            await guilds.mark_present(connection, guild_ids, self._clock.now())

    async def purge_due(self) -> int:
        """Delete the record and the settings of guilds whose 30 days are over; returns how many.

        A hash is kept of each person who opted out, so that they are not recorded if Spade is invited again.
        """
        async with self._database.writing() as connection:
            expired = await guilds.removed_before(connection, self._clock.now() - KEPT_AFTER_REMOVAL)
            for guild_id in expired:
                for person_id in sorted((await forgetting.unrecorded(connection, guild_id)).opted_out):
                    await forgetting.remember(connection, guild_id, person_id)
                await guilds.purge(connection, guild_id)
        for guild_id in expired:
            log.info("Forgot all of the server %s: Spade was removed from it 30 days ago", guild_id)
        return len(expired)
