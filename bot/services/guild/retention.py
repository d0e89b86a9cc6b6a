"""Once a day, deletes what is older than a guild wants to keep."""

import logging
from datetime import date

from bot.clock import Clock
from bot.domain.calendar import day_start, local_day
from bot.domain.retention import kept_from
from bot.store import guilds, retention
from bot.store.database import Database

log = logging.getLogger(__name__)


class Retention:
    """Purges each guild once a local day. It does so again after a restart, which is idempotent."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._done: dict[int, tuple[date, int]] = {}

    async def purge_due(self) -> int:
        """Purge every guild that is due now; returns how many rows were deleted. Raises UnsureTimeError."""
        async with self._database.reading() as connection:
            wanted = [one for one in await guilds.all_settings(connection) if one.keep_months is not None]
        rows = 0
        for settings in wanted:
            assert settings.keep_months is not None
            today = local_day(self._clock.sure_now(), settings.zone)
            if self._done.get(settings.guild_id) == (today, settings.keep_months):
                continue
            day = kept_from(today, settings.keep_months)
            async with self._database.writing() as connection:
                purged = await retention.forget_before(
                    connection, settings.guild_id, day, day_start(day, settings.zone)
                )
            self._done[settings.guild_id] = (today, settings.keep_months)
            if purged:
                log.info("Forgot %s rows of server %s from before %s", purged, settings.guild_id, day)
            rows += purged
        return rows
