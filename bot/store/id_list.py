"""Conditions on long lists of ids: one value for the database, however many they are."""

import json
from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, any_, bindparam, func, select

from bot.store.engine import AsyncConnection

_PIECE = 5000


def pieces(ids: Collection[int]) -> Iterator[list[int]]:
    """Ids in order, as many at once as one statement should deal with."""
    ordered = sorted(ids)
    return (ordered[start : start + _PIECE] for start in range(0, len(ordered), _PIECE))


def among(connection: AsyncConnection, column: ColumnElement[Any], ids: Collection[int]) -> ColumnElement[bool]:
    """The condition that a column is one of some ids.

    `in_()` has a parameter for each, which SQLAlchemy names and SQLite parses anew in every statement.
    """
    if connection.dialect.name == "postgresql":
        return column == any_(bindparam(None, list(ids), type_=ARRAY(BigInteger)))
    return column.in_(select(func.json_each(json.dumps(list(ids))).table_valued("value").c.value))
