"""Connections to a database that are awaited, over SQLAlchemy's own engine.

`sqlalchemy.ext.asyncio` has the same and more, but brings SQLAlchemy's object-relational mapper along: fifty modules
and eight megabytes that nothing here uses. As there, a statement runs in a greenlet, from which the driver awaits.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Concatenate, ParamSpec, TypeVar, TypeVarTuple, overload

from sqlalchemy import Connection, CursorResult, Dialect, Engine, Executable, Row, ScalarResult, create_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, PoolProxiedConnection
from sqlalchemy.sql.selectable import TypedReturnsRows
from sqlalchemy.util import greenlet_spawn

_Columns = TypeVarTuple("_Columns")
_Value = TypeVar("_Value")
_Given = ParamSpec("_Given")

Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]]
"""Of a statement; several, and it is executed for each of them."""


class AsyncConnection:
    """A connection of an `AsyncEngine`, for one task at a time."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def dialect(self) -> Dialect:
        """The kind of database."""
        return self._connection.dialect

    @overload
    async def execute(
        self, statement: TypedReturnsRows[*_Columns], parameters: Parameters | None = None
    ) -> CursorResult[*_Columns]: ...

    @overload
    async def execute(
        self, statement: Executable, parameters: Parameters | None = None
    ) -> CursorResult[*tuple[Any, ...]]: ...

    async def execute(
        self, statement: Executable, parameters: Parameters | None = None
    ) -> CursorResult[*tuple[Any, ...]]:
        """Execute a statement, and fetch all of its rows."""
        return await greenlet_spawn(self._connection.execute, statement, parameters)

    async def exec_driver_sql(self, statement: str, parameters: Any = None) -> CursorResult[*tuple[Any, ...]]:  # noqa: ANN401
        """Execute a statement as the driver takes it, with the parameters that the driver takes."""
        return await greenlet_spawn(self._connection.exec_driver_sql, statement, parameters)

    @overload
    async def scalar(
        self, statement: TypedReturnsRows[_Value], parameters: Parameters | None = None
    ) -> _Value | None: ...

    @overload
    async def scalar(self, statement: Executable, parameters: Parameters | None = None) -> Any: ...  # noqa: ANN401

    async def scalar(self, statement: Executable, parameters: Parameters | None = None) -> Any:
        """The first column of the first row; None if there is no row."""
        return (await self.execute(statement, parameters)).scalar()

    @overload
    async def scalars(
        self, statement: TypedReturnsRows[_Value], parameters: Parameters | None = None
    ) -> ScalarResult[_Value]: ...

    @overload
    async def scalars(self, statement: Executable, parameters: Parameters | None = None) -> ScalarResult[Any]: ...

    async def scalars(self, statement: Executable, parameters: Parameters | None = None) -> ScalarResult[Any]:
        """The first column of every row."""
        return (await self.execute(statement, parameters)).scalars()

    async def partitions(self, statement: Executable, size: int) -> AsyncIterator[Sequence[Row[*tuple[Any, ...]]]]:
        """The rows of a statement, fetched so many at a time. It must be iterated to the end or closed."""
        result = await greenlet_spawn(
            self._connection.execute, statement, None, execution_options={"stream_results": True}
        )
        try:
            while rows := await greenlet_spawn(result.fetchmany, size):
                yield rows
        finally:
            await greenlet_spawn(result.close)

    async def run_sync(
        self, work: Callable[Concatenate[Connection, _Given], _Value], *args: _Given.args, **options: _Given.kwargs
    ) -> _Value:
        """Call something that uses SQLAlchemy's own connection, and whatever it executes is awaited."""
        return await greenlet_spawn(partial(work, self._connection, *args, **options))

    async def get_raw_connection(self) -> PoolProxiedConnection:
        """The connection as the pool has it; the driver's own is its `driver_connection`."""
        return await greenlet_spawn(getattr, self._connection, "connection")


class AsyncEngine:
    """An engine of SQLAlchemy's with a driver that is awaited. Events are listened to at `sync_engine`."""

    def __init__(self, sync_engine: Engine) -> None:
        self.sync_engine = sync_engine

    @property
    def dialect(self) -> Dialect:
        """The kind of database."""
        return self.sync_engine.dialect

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[AsyncConnection]:
        """A connection for the block. What is not committed then is rolled back, also if the task is cancelled."""
        connection = await greenlet_spawn(self.sync_engine.connect)
        try:
            yield AsyncConnection(connection)
        finally:
            await _completed(greenlet_spawn(connection.close))

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """A connection with a transaction, committed at the end of the block, and rolled back if that raises."""
        async with self.connect() as connection:
            transaction = await connection.run_sync(Connection.begin)
            with_it = transaction.__enter__()
            try:
                yield connection
            except BaseException:
                await greenlet_spawn(with_it.__exit__, *sys.exc_info())
                raise
            await greenlet_spawn(with_it.__exit__, None, None, None)

    async def dispose(self) -> None:
        """Close the connections that are not in use."""
        await greenlet_spawn(self.sync_engine.dispose)


def new_engine(url: Any, connect: Callable[[], Awaitable[Any]], **options: Any) -> AsyncEngine:  # noqa: ANN401
    """An engine whose connections to a database are what `connect` returns. Options are those of `create_engine`."""

    def creator() -> Any:  # noqa: ANN401 - the dialect's connection
        dialect: Any = engine.dialect
        return dialect.loaded_dbapi.connect(async_creator_fn=connect)

    engine = create_engine(url, creator=creator, poolclass=AsyncAdaptedQueuePool, **options)
    return AsyncEngine(engine)


async def _completed(work: Coroutine[Any, Any, None]) -> None:
    """Do something whole even if the task is cancelled meanwhile, which is raised afterwards."""
    task = asyncio.create_task(work)
    cancelled = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            if task.done():
                raise
            cancelled = error
    if cancelled is not None:
        raise cancelled
