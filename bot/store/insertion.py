"""INSERT … ON CONFLICT, which SQLite and PostgreSQL share but SQLAlchemy has in two separate classes."""

from sqlalchemy import Table
from sqlalchemy.dialects import sqlite

from bot.store.engine import AsyncConnection


def insert_into(connection: AsyncConnection, table: Table) -> sqlite.Insert:
    """An insert statement for the connection's dialect; both have the same `on_conflict_*` methods."""
    return insert_for(connection.dialect.name, table)


def insert_for(dialect: str, table: Table) -> sqlite.Insert:
    """The same for a dialect by its name, for a statement that is made once and kept."""
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - it has some twenty modules

        return postgresql.insert(table)  # type: ignore[return-value]  # the same methods
    return sqlite.insert(table)


def parameters(connection: AsyncConnection, number: int) -> list[str]:
    """What stands for so many values in a statement in the driver's own words."""
    return [f"${one}" for one in range(1, number + 1)] if connection.dialect.name == "postgresql" else ["?"] * number
