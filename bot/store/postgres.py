"""PostgreSQL through asyncpg: connections, the lock that excludes a second writer, and the recognition of outages."""

import os
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import DBAPIError

from bot.store.engine import AsyncEngine, new_engine
from bot.store.error import DatabaseUnreachableError, OutageError, StoreError, other_writer

_WRITER_LOCK = 0x5350414445  # "SPADE"; PostgreSQL keeps these numbers apart for each database
_CONNECT_SECONDS = 15
_TAKE_LOCK = f"SELECT pg_try_advisory_lock({_WRITER_LOCK})"
_HOLDER = """
SELECT application_name FROM pg_stat_activity JOIN pg_locks USING (pid)
WHERE locktype = 'advisory' AND objsubid = 1 AND granted AND classid = $1 AND objid = $2
    AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
# SQLSTATE classes: connection, rollback, insufficient resources, operator intervention, system error; 25006: read-only.
_OUTAGES = ("08", "40", "53", "57", "58", "25006")


def reading_engine(address: str, place: str, *, pool_size: int) -> AsyncEngine:
    """An engine whose transactions are read-only and see one snapshot."""
    engine = _engine(address, place, pool_size=pool_size, isolation_level="REPEATABLE READ")
    return AsyncEngine(engine.sync_engine.execution_options(postgresql_readonly=True))


def writing_engine(address: str, place: str) -> AsyncEngine:
    """An engine with one connection, which holds the writer's lock while it is open.

    Connecting raises OutageError if another process holds the lock. It is an advisory lock of the writing connection
    itself, so losing the connection always releases it.
    """
    engine = _engine(address, place, pool_size=1)

    def take_lock(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own connection
        cursor = connection.cursor()
        cursor.execute(_TAKE_LOCK)
        (taken,) = cursor.fetchone()
        if not taken:
            cursor.execute(_HOLDER, (_WRITER_LOCK >> 32, _WRITER_LOCK & 0xFFFFFFFF))
            holder = cursor.fetchone()
            connection.close()
            process = holder[0].removeprefix("spade ") if holder and holder[0] else "unknown"
            raise OutageError(str(other_writer(place, process)))
        cursor.close()
        connection.commit()

    event.listen(engine.sync_engine, "connect", take_lock)
    return engine


def is_outage(error: DBAPIError) -> bool:
    """Whether the server's state (lost connection, full disk, shutdown) caused the error, not a defect in Spade."""
    return error.connection_invalidated or str(getattr(error.orig, "sqlstate", None)).startswith(_OUTAGES)


def _engine(address: str, place: str, *, pool_size: int, **options: Any) -> AsyncEngine:
    try:
        import asyncpg  # noqa: PLC0415 - an optional dependency
    except ImportError as error:
        raise StoreError("PostgreSQL needs one more package: run `pip install 'spade[postgres]'`.") from error

    async def connect() -> Any:  # noqa: ANN401 - the driver's own connection
        try:
            # asyncpg parses the URL itself, because it knows its options, such as sslmode.
            return await asyncpg.connect(
                address, timeout=_CONNECT_SECONDS, server_settings={"application_name": f"spade {os.getpid()}"}
            )
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ValueError) as error:
            cause = str(error).strip().rstrip(".") or type(error).__name__
            away = isinstance(error, OSError | asyncpg.CannotConnectNowError)
            sentence = f"The database at {place} cannot be reached: {cause}"
            if away:
                raise DatabaseUnreachableError(f"{sentence}: see that its server runs and answers.") from error
            raise OutageError(f"{sentence}.") from error

    return new_engine(
        "postgresql+asyncpg://", connect, pool_size=pool_size, max_overflow=0, pool_pre_ping=True, **options
    )
