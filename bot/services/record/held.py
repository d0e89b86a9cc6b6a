"""What was read of the database, held until the tables that it was read from are changed."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from bot.services.recent import Recent
from bot.store.database import Connection, Database
from bot.store.table_changes import Table

_ENTRIES = 1000
"""How many answers are held. Another one is read again."""

Key = TypeVar("Key")
Value = TypeVar("Value")


class Held(Generic[Key, Value]):
    """Answers to a question about the rows of some tables."""

    def __init__(
        self, database: Database, tables: tuple[Table, ...], read: Callable[[Connection, Key], Awaitable[Value]]
    ) -> None:
        self._database = database
        self._tables = tables
        self._read = read
        self._held: Recent[Key, Value] = Recent(_ENTRIES)
        self._as_of: int | None = None

    async def of(self, key: Key) -> Value | None:
        """The answer as it is now; None where other processes may write as well, so that nothing can be held."""
        changed = self._database.changed(*self._tables)
        if changed is None:
            return None
        if changed != self._as_of:
            self._held, self._as_of = Recent(_ENTRIES), changed
        held = self._held
        answer = held.get(key)
        if answer is None:
            async with self._database.reading() as connection:
                answer = held[key] = await self._read(connection, key)
        return answer
