"""What stands in a database, table by table."""

from typing import Any

from sqlalchemy import select

from bot.store import tables
from bot.store.database import Database

RECORD = (
    tables.activity,
    tables.member,
    tables.touch,
    tables.waiting,
    tables.waiting_for,
    tables.span,
    tables.known_gap,
)


async def rows(database: Database, *chosen: Any) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of some tables (all of the record's without a choice), in order."""
    found = {}
    async with database.reading() as connection:
        for table in chosen or RECORD:
            keys = list(table.primary_key.columns)
            found[table.name] = [tuple(row) for row in await connection.execute(select(table).order_by(*keys))]
    return found
