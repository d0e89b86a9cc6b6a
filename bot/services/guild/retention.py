"""Once a day, deletes what is older than a guild wants to keep."""

import logging
from datetime import date
from functools import partial

from bot.clock import Clock
from bot.domain.calendar import day_start
from bot.domain.due_work import Piece, Work
from bot.domain.guild import GuildSettings
from bot.domain.retention import first_day_kept
from bot.services.delivery.attempts import Attempts
from bot.store import guilds, retention
from bot.store.database import Database

log = logging.getLogger(__name__)


class Retention:
    """Purges each guild whenever the first day that it keeps moves on, and after a restart: it is idempotent."""

    def __init__(self, database: Database, clock: Clock, attempts: Attempts | None = None) -> None:
        self._database = database
        self._clock = clock
        self._attempts = attempts or Attempts(clock.now)
        self._done: dict[int, date] = {}

    async def purge_due(self) -> int:
        """Purge every guild that is due now; returns how many rows were deleted. Raises UnsureTimeError."""
        async with self._database.reading() as connection:
            wanted = [one for one in await guilds.all_settings(connection) if one.keep_months is not None]
        self._done = {one.guild_id: self._done[one.guild_id] for one in wanted if one.guild_id in self._done}
        rows: list[int] = []
        for settings in wanted:
            piece = Piece(Work.RETENTION, settings.guild_id)
            await self._attempts.attempt(piece, partial(self._purge, settings, rows), depends_on=settings)
        return sum(rows)

    async def _purge(self, settings: GuildSettings, rows: list[int]) -> bool:
        """Purge a guild, unless that was done today; adds how many rows were deleted to `rows`."""
        day = first_day_kept(settings, self._clock.sure_now())
        if day is None or self._done.get(settings.guild_id) == day:
            return False
        async with self._database.writing() as connection:
            purged = await retention.forget_before(connection, settings.guild_id, day, day_start(day, settings.zone))
        self._done[settings.guild_id] = day
        if purged:
            log.info("Forgot %s rows of server %s from before %s", purged, settings.guild_id, day)
        rows.append(purged)
        return True
