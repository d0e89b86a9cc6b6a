"""What is left to do so that a SQLite file keeps no remains of erased rows. It is stored in the file itself.

`secure_delete` overwrites what is deleted, but rebalanced pages keep copies: only a rewritten file has none.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete, select, update

from bot.store import tables
from bot.store.engine import AsyncConnection
from bot.store.insertion import insert_into

REMAINS = "remains"
"""The name of the row that says so."""
_REWRITTEN_AT = "rewritten_at"


class Remains(StrEnum):
    """Where remains of erased rows may be."""

    IN_FILE = "in_file"
    REWRITING = "rewriting"
    """The file is being rewritten; if the process ended meanwhile, that has to begin again."""
    IN_LOG = "in_log"
    """The file is rewritten, and the write-ahead log may still have the old pages."""


async def owe(connection: AsyncConnection) -> None:
    """Note that rows were deleted of which no remains may be left. Nothing on PostgreSQL, which vacuums by itself."""
    if connection.dialect.name == "sqlite":
        await _set(connection, REMAINS, Remains.IN_FILE)


async def remains(connection: AsyncConnection) -> Remains | None:
    """Where remains may be; None if there are none."""
    found = await _get(connection, REMAINS)
    return None if found is None else Remains(found)


async def rewritten_at(connection: AsyncConnection) -> datetime | None:
    """When the file was last rewritten, or that was last tried; None if never."""
    found = await _get(connection, _REWRITTEN_AT)
    return None if found is None else datetime.fromisoformat(found)


async def begin_rewriting(connection: AsyncConnection, at: datetime) -> None:
    """Note that the file is about to be rewritten. What is erased from here on is owed anew."""
    await _set(connection, REMAINS, Remains.REWRITING)
    await _set(connection, _REWRITTEN_AT, at.isoformat())


async def end_rewriting(connection: AsyncConnection) -> None:
    """Note that the file was rewritten, unless something was erased meanwhile."""
    table = tables.installation
    await connection.execute(
        update(table)
        .where(table.c.name == REMAINS, table.c.value == Remains.REWRITING.value)
        .values(value=Remains.IN_LOG.value)
    )


async def forget_log(connection: AsyncConnection) -> None:
    """Note that the log was emptied after the file was rewritten, unless something was erased meanwhile."""
    table = tables.installation.c
    await connection.execute(
        delete(tables.installation).where(table.name == REMAINS, table.value == Remains.IN_LOG.value)
    )


async def _get(connection: AsyncConnection, name: str) -> str | None:
    table = tables.installation.c
    found: str | None = (await connection.execute(select(table.value).where(table.name == name))).scalar_one_or_none()
    return found


async def _set(connection: AsyncConnection, name: str, value: str) -> None:
    await connection.execute(
        insert_into(connection, tables.installation)
        .values(name=name, value=str(value))
        .on_conflict_do_update(index_elements=["name"], set_={"value": str(value)})
    )
