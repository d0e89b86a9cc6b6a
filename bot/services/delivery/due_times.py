"""Finds due work for all guilds at once: each tick reads the few rows that are due for a look, and moves on the others.

Whether something is due is judged by the rules in the domain, row by row; a due time only says that it need not be
judged before. So it may be too early, never too late.
"""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from bot.services.delivery.agenda import Agenda
from bot.store import due_times
from bot.store.database import Connection, Database
from bot.store.due_times import DueColumn, DueRow, Key

Found = TypeVar("Found")

ROWS_AT_ONCE = 100
"""How many rows are judged in one go, while nothing else is done and, if any moves on, nothing else is written."""


@dataclass(frozen=True, slots=True)
class Judged(Generic[Found]):
    """What is due now; and for each row with nothing due, when it is to be judged again: None for never."""

    due: tuple[Found, ...]
    ahead: dict[Key, datetime | None]


Judge = Callable[[Connection, Collection[Key], datetime], Awaitable[Judged[Found]]]
"""Judges rows at a moment."""


class DueTimes(Generic[Found]):
    """The due times of one kind of work.

    At first everything is judged anew: settings, time zones and clocks may have been others when Spade ran last. So it
    is when the time is earlier than it was: what was found by a clock that was ahead does not count.
    """

    def __init__(self, database: Database, kind: DueColumn, judge: Judge[Found], agenda: Agenda | None = None) -> None:
        self._database = database
        self._agenda = agenda or Agenda(database)
        self._kind = kind
        self._judge = judge
        self._looked_at: datetime | None = None
        self._left: set[DueRow] = set()
        """What was due at the last look, and may be so still."""

    async def look(self, now: datetime) -> tuple[Found, ...]:
        """What is due at `now`. With nothing due it is at most one question to the database for all guilds."""
        if self._looked_at is None or now < self._looked_at:
            async with self._database.writing() as connection:
                await due_times.look_at_all(connection, self._kind)
        self._looked_at = now
        if not await self._agenda.has(self._kind, now):
            self._left = set()
            return ()
        found: list[Found] = []
        left: set[DueRow] = set()
        last: DueRow | None = None
        while True:
            async with self._database.reading() as connection:
                rows = await self._rows(connection, now, last)
                judged = await self._judged(connection, rows, now) if self._left.issuperset(rows) else None
            if judged is None or judged.ahead:
                # Where nobody changes what they depend on before they are stored.
                async with self._database.writing() as connection:
                    rows = await self._rows(connection, now, last)
                    judged = await self._judged(connection, rows, now)
                    await due_times.move_on(connection, self._kind, judged.ahead)
            found += judged.due
            left.update(row for row in rows if row.key not in judged.ahead)
            if len(rows) < ROWS_AT_ONCE:
                self._left = left
                return tuple(found)
            last = rows[-1]

    async def _rows(self, connection: Connection, now: datetime, last: DueRow | None) -> tuple[DueRow, ...]:
        return await due_times.due(connection, self._kind, now, after=last, limit=ROWS_AT_ONCE)

    async def _judged(self, connection: Connection, rows: tuple[DueRow, ...], now: datetime) -> Judged[Found]:
        return await self._judge(connection, [row.key for row in rows], now) if rows else Judged((), {})
