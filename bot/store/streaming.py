"""Reading many rows without keeping everybody else waiting."""

from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, literal_column
from sqlalchemy.ext.asyncio import AsyncConnection

_AT_A_TIME = 2500


async def rows(connection: AsyncConnection, query: Select[Any]) -> AsyncIterator[Row[Any]]:
    """The rows of a query, fetched and converted some at a time: the event loop gets its turn in between.

    Iterate to the end, or the connection stays busy.
    """
    result = await connection.stream(query)
    async for some in result.partitions(_AT_A_TIME):
        for row in some:
            yield row


def unindexed(column: ColumnElement[int]) -> ColumnElement[int]:
    """The same value, written so that SQLite chooses no index for it.

    It knows nothing of how many rows a value has and may read a whole table in the order of the wrong index.
    """
    return (column + literal_column("0")).label(column.key)
