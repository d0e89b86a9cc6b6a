"""What happens when Spade is invited to a guild or removed from it."""

import logging
from collections.abc import Collection
from datetime import timedelta

from bot.clock import Clock
from bot.services.delivery.agenda import Agenda
from bot.store import forgetting, guilds
from bot.store.agenda import AgendaItem
from bot.store.database import Connection, Database

log = logging.getLogger(__name__)

KEPT_AFTER_REMOVAL = timedelta(days=30)


class MembershipService:
    """Keeps a guild's record for 30 days after Spade was removed, in case that was a mistake.

    The 30 days begin when it is certain what time it is: until then it is remembered, but not stored, who removed it.
    """

    def __init__(self, database: Database, clock: Clock, agenda: Agenda | None = None) -> None:
        self._database = database
        self._agenda = agenda or Agenda(database)
        self._clock = clock
        self._removed: set[int] = set()
        self._here: frozenset[int] | None = None

    async def removed(self, guild_id: int) -> None:
        """Spade was removed from a guild (an outage is no removal)."""
        self._removed.add(guild_id)
        await self._mark_removed()

    async def present(self, guild_ids: Collection[int]) -> None:
        """Spade is in these guilds now. Any other guild on record removed it while it was offline."""
        self._removed.difference_update(guild_ids)
        self._here = frozenset(guild_ids)
        async with self._database.writing() as connection:
            await guilds.mark_present(connection, guild_ids)
        await self._mark_removed()

    async def _mark_removed(self) -> None:
        if not self._clock.sure:
            return
        here, removed = self._here, sorted(self._removed)
        async with self._database.writing() as connection:
            now = self._clock.now()
            if here is not None:
                await guilds.mark_absent(connection, here, now)
            for guild_id in removed:
                await guilds.mark_removed(connection, guild_id, now)
        if here == self._here:
            self._here = None
        self._removed.difference_update(removed)

    async def purge_due(self, joined: Collection[int] = ()) -> int:
        """Delete the record and the settings of guilds whose 30 days are over, except `joined`; returns how many.

        A hash is kept of each person who opted out, so that they are not recorded if Spade is invited again. Raises
        UnsureTimeError.
        """
        if self._removed or self._here is not None:
            await self._mark_removed()
        if not await self._agenda.has(AgendaItem.REMOVED_GUILDS, self._clock.sure_now() - KEPT_AFTER_REMOVAL):
            return 0
        async with self._database.reading() as connection:
            if not await self._expired(connection, joined):
                return 0
        async with self._database.writing() as connection:
            expired = await self._expired(connection, joined)
            for guild_id in expired:
                for person_id in sorted((await forgetting.unrecorded(connection, guild_id)).opted_out):
                    await forgetting.remember(connection, guild_id, person_id)
                await guilds.purge(connection, guild_id)
        for guild_id in expired:
            log.info("Forgot all of the server %s: Spade was removed from it 30 days ago", guild_id)
        return len(expired)

    async def _expired(self, connection: Connection, joined: Collection[int]) -> list[int]:
        removed = await guilds.removed_before(connection, self._clock.sure_now() - KEPT_AFTER_REMOVAL)
        return [guild_id for guild_id in removed if guild_id not in joined]
