"""Once a day, deletes what is older than a guild wants to keep."""

import logging
from collections.abc import Collection
from datetime import datetime
from functools import partial

from bot.clock import Clock
from bot.domain.calendar import day_start
from bot.domain.due_work import Piece, Work
from bot.domain.guild import GuildSettings
from bot.domain.retention import first_day_kept, next_purge_at
from bot.services.delivery.agenda import Agenda
from bot.services.delivery.attempts import Attempts
from bot.services.delivery.due_times import DueTimes, Judged
from bot.store import due_times, guilds, retention
from bot.store.database import Connection, Database
from bot.store.due_times import Key

log = logging.getLogger(__name__)


class Retention:
    """Purges each guild whenever the first day that it keeps moves on, and after a restart: it is idempotent."""

    def __init__(
        self, database: Database, clock: Clock, attempts: Attempts | None = None, agenda: Agenda | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._attempts = attempts or Attempts(clock.now)
        self._due = DueTimes(database, due_times.PURGE, _due_purges, agenda)

    async def purge_due(self) -> int:
        """Purge every guild that is due now; returns how many rows were deleted. Raises UnsureTimeError."""
        rows: list[int] = []
        for settings in await self._due.look(self._clock.sure_now()):
            piece = Piece(Work.RETENTION, settings.guild_id)
            await self._attempts.attempt(piece, partial(self._purge, settings, rows), depends_on=settings)
        return sum(rows)

    async def _purge(self, settings: GuildSettings, rows: list[int]) -> bool:
        """Purge a guild; adds how many rows were deleted to `rows`."""
        now = self._clock.sure_now()
        day = first_day_kept(settings, now)
        assert day is not None
        async with self._database.writing() as connection:
            purged = await retention.forget_before(connection, settings.guild_id, day, day_start(day, settings.zone))
            # By its settings as they are now: others may have been saved meanwhile.
            key = settings.guild_id, 0
            if await guilds.all_settings(connection, [settings.guild_id]) == (settings,):
                await due_times.move_on(connection, due_times.PURGE, {key: next_purge_at(settings, now)})
        if purged:
            log.info("Forgot %s rows of server %s from before %s", purged, settings.guild_id, day)
        rows.append(purged)
        return True


async def _due_purges(connection: Connection, keys: Collection[Key], _now: datetime) -> Judged[GuildSettings]:
    """Every guild that does not keep everything: whoever purges it moves it on."""
    found = await guilds.all_settings(connection, {guild_id for guild_id, _ in keys})
    due = {(one.guild_id, 0): one for one in found if one.keep_months is not None}
    return Judged(tuple(due.values()), {key: None for key in keys if key not in due})
