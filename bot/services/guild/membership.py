"""Spade's own coming and going: invited, removed, forgotten."""

import logging
from collections.abc import Collection
from datetime import timedelta

from bot.clock import Clock
from bot.store import forgetting, guilds
from bot.store.database import Database

log = logging.getLogger(__name__)

KEPT_AFTER_REMOVAL = timedelta(days=30)


class MembershipService:
    """Keeps what is recorded of a guild for thirty days after Spade was removed, in case it was a mistake."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def removed(self, guild_id: int) -> None:
        """Spade was removed from a guild (an outage is no removal)."""
        async with self._database.writing() as connection:
            await guilds.mark_removed(connection, guild_id, self._clock.now())

    async def present(self, guild_ids: Collection[int]) -> None:
        """The guilds Spade is in now: whatever else is on record was left while nobody was listening."""
        async with self._database.writing() as connection:
            await guilds.mark_present(connection, guild_ids, self._clock.now())

    async def purge_due(self) -> int:
        """Forget guilds whose time is up, with their settings; returns how many.

        Of those who opted out stays what stays of those who were erased: should Spade be invited again, it has to know.
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
