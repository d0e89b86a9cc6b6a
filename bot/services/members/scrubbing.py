"""Removing what erased rows leave behind in the database file: seldom, in one place, and remembered over a restart."""

import logging
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.services.delivery.agenda import Agenda
from bot.store import scrubbing
from bot.store.agenda import AgendaItem
from bot.store.database import Connection, Database
from bot.store.error import StoreError
from bot.store.scrubbing import Remains

log = logging.getLogger(__name__)

REWRITE_EVERY = timedelta(hours=6)
"""The file is rewritten at most once in this time, however many people are erased. Recording waits meanwhile: about
5 s for 650 MB."""


class Scrubbing:
    """Rewrites the database file after erasures, and empties its write-ahead log.

    On PostgreSQL there is nothing to do: the server vacuums by itself.
    """

    def __init__(self, database: Database, clock: Clock, agenda: Agenda | None = None) -> None:
        self._database = database
        self._agenda = agenda or Agenda(database)
        self._clock = clock

    async def owe(self, connection: Connection) -> None:
        """Note, in the transaction that deletes rows, that no remains of them may be left."""
        await scrubbing.owe(connection)

    async def finish_due(self) -> None:
        """Do what is owed and due: the file is rewritten at once after a first erasure, else `REWRITE_EVERY` later.

        A failure is logged, and tried again after the same time; a log that is in use is tried again at the next call.
        """
        if not await self._agenda.has(AgendaItem.REMAINS, self._clock.now()):
            return
        async with self._database.reading() as connection:
            left = await scrubbing.remains(connection)
            if left is None:
                return
            last = await scrubbing.rewritten_at(connection)
        if left is not Remains.IN_LOG:
            if not _is_due(last, self._clock.now()):
                return
            await self._begin()
            try:
                await self._database.rewrite()
            except StoreError as error:
                log.warning("The database file still has remains of what was erased, and is rewritten later: %s", error)
                return
            await self._end()
        await self._empty_log()

    async def finish(self) -> None:
        """Do it now, whatever was done before. Raises StoreError."""
        await self._begin()
        await self._database.rewrite()
        await self._end()
        await self._empty_log()

    async def _begin(self) -> None:
        async with self._database.writing() as connection:
            await scrubbing.begin_rewriting(connection, self._clock.now())

    async def _end(self) -> None:
        async with self._database.writing() as connection:
            await scrubbing.end_rewriting(connection)

    async def _empty_log(self) -> None:
        if await self._database.empty_log():
            async with self._database.writing() as connection:
                await scrubbing.forget_log(connection)


def _is_due(last: datetime | None, now: datetime) -> bool:
    """Whether the file may be rewritten again; a time in the future comes from a clock that was wrong."""
    return last is None or not timedelta() <= now - last < REWRITE_EVERY
