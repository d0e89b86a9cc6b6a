"""Connections to a SQLite file, and how their transactions begin."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, event
from sqlalchemy.util import await_only

from bot.store.engine import AsyncEngine, new_engine
from bot.store.sqlite_driver import DatabaseConnection

BUSY_TIMEOUT_MS = 10_000
"""How long a statement waits for another program's lock."""
KEPT = 2
"""To open a further connection takes about a millisecond."""


def sqlite_engine(path: Path, *, pool_size: int, begin: str, read_only: bool) -> AsyncEngine:
    """An engine with up to `pool_size` connections, whose transactions start with the statement `begin`.

    Each has a thread and memory of its own, so no more than `KEPT` stay open when they are not in use.
    """
    engine = new_engine(
        URL.create("sqlite+aiosqlite", database=str(path)),
        lambda: DatabaseConnection(path.absolute()),
        pool_reset_on_return=None,  # a connection is given back after the end of its transaction: see Database
        pool_size=min(pool_size, KEPT),
        max_overflow=max(pool_size - KEPT, 0),
    )

    def on_connect(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own connection
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        if read_only:
            cursor.execute("PRAGMA query_only = ON")
        else:
            cursor.execute("PRAGMA journal_mode = WAL")
            cursor.execute("PRAGMA synchronous = FULL")
            cursor.execute("PRAGMA foreign_keys = ON")
            cursor.execute("PRAGMA secure_delete = ON")
        cursor.close()

    def on_begin(connection: Any) -> None:  # noqa: ANN401 - any kind of connection
        if read_only:
            # No lock is taken and no snapshot chosen before the first statement, so this needs no visit of its own.
            connection.connection.driver_connection.begin_with_next(begin)
        else:
            connection.exec_driver_sql(begin)

    def on_invalidate(connection: Any, _record: object, _error: object) -> None:  # noqa: ANN401 - as above
        # A cancelled task may have begun a transaction, and a closed SQLite connection keeps its lock until Python has
        # released every cursor.
        with suppress(ValueError):  # closed already
            await_only(asyncio.shield(connection.driver_connection.rollback()))

    event.listen(engine.sync_engine, "connect", on_connect)
    event.listen(engine.sync_engine, "invalidate", on_invalidate)
    event.listen(engine.sync_engine, "begin", on_begin)
    return engine
