"""Whether there is anything to look for: asked once for all kinds of due work, and again only after a change."""

from collections.abc import Mapping
from datetime import datetime

from bot.store import agenda
from bot.store.agenda import Key
from bot.store.database import Database


class Agenda:
    """From when on each kind of due work is to be looked for.

    The answer is held until what it depends on has been changed, so a tick with nothing due asks nothing, however much
    is recorded meanwhile. Where other processes may write as well, every question is asked.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._earliest: Mapping[Key, datetime | None] = {}
        self._as_of: int | None = None

    async def has(self, key: Key, now: datetime) -> bool:
        """Whether there may be something of a kind by `now`."""
        changed = self._database.changed(*agenda.TABLES)
        if changed is None or changed != self._as_of:
            async with self._database.reading() as connection:
                self._earliest = await agenda.earliest(connection)
            self._as_of = changed
        at = self._earliest[key]
        return at is not None and at <= now
