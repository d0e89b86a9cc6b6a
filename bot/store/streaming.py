"""Reading many rows without blocking the event loop."""

from collections.abc import AsyncIterator, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, literal_column

from bot.store.engine import AsyncConnection

_AT_A_TIME = 2500


async def rows(connection: AsyncConnection, query: Select[Any]) -> AsyncIterator[Row[Any]]:
    """The rows of a query, fetched and converted in chunks, so that other tasks run in between.

    The caller must iterate to the end, or the connection stays busy.
    """
    async for some in chunks(connection, query):
        for row in some:
            yield row


async def chunks(connection: AsyncConnection, query: Select[Any]) -> AsyncIterator[Sequence[Row[Any]]]:
    """The same many at once, which takes less for each."""
    async for some in connection.partitions(query, _AT_A_TIME):
        yield some


@lru_cache(64)
def unindexed(column: ColumnElement[int]) -> ColumnElement[int]:
    """An expression with the column's value for which SQLite does not choose an index.

    Without statistics, SQLite may read a whole table in the order of an unsuitable index.
    """
    return (column + literal_column("0")).label(column.key)
