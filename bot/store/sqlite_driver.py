"""aiosqlite with one visit to a connection's thread for each statement.

aiosqlite has a thread for each connection, and SQLAlchemy goes there four times for a statement: to make a cursor, to
execute, to fetch and to close. To go there and back costs many times what a small statement does.
"""

import sqlite3
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import aiosqlite
from aiosqlite.context import contextmanager

CHUNK = 2500
"""Up to how many rows are fetched in the visit that executes a statement."""


class DatabaseCursor(aiosqlite.Cursor):
    """Executes one statement, fetches its rows and releases SQLite's cursor in one visit to the thread.

    Where a statement has `CHUNK` rows or more, SQLite's cursor stays open: what `fetchmany` asks for beyond them is
    another visit, and `fetchall` one for all that is left. After a cancelled task, `close` releases it.
    """

    def __init__(self, connection: "DatabaseConnection") -> None:
        self._connection = connection
        self._rows: list[Any] = []  # fetched, not asked for yet
        self._released = True
        super().__init__(connection, None)  # type: ignore[arg-type] # SQLite's is made when there is a statement

    async def execute(self, sql: str, parameters: Iterable[Any] | None = None) -> "DatabaseCursor":
        """Execute a statement and fetch its first rows."""
        await self._run(sqlite3.Cursor.execute, sql, [] if parameters is None else parameters)
        return self

    async def executemany(self, sql: str, parameters: Iterable[Iterable[Any]]) -> "DatabaseCursor":
        """Execute a statement for each of many parameters."""
        await self._run(sqlite3.Cursor.executemany, sql, parameters)
        return self

    async def fetchone(self) -> Any:  # noqa: ANN401 - a row
        """The next row; None after the last."""
        rows = await self.fetchmany(1)
        return rows[0] if rows else None

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        """Up to `size` rows; fewer are the last ones."""
        size = self.arraysize if size is None else size
        if len(self._rows) < size and not self._released:
            self._rows += await self._connection.visit(self._fetch, size - len(self._rows))
        rows, self._rows = self._rows[:size], self._rows[size:]
        return rows

    async def fetchall(self) -> list[Any]:
        """All rows that are left."""
        if not self._released:
            self._rows += await self._connection.visit(self._fetch, None)
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """Release SQLite's cursor, if it is not yet."""
        if not self._released:
            await self._connection.visit(self.release)

    @property
    def description(self) -> Any:  # noqa: ANN401 - SQLite's
        """The columns; None before a statement was executed, or where it has none."""
        return None if self._cursor is None else self._cursor.description

    async def _run(self, work: Callable[..., object], *given: object) -> None:
        self._released = False
        self._rows = await self._connection.visit(self._start, self._connection.beginning(), work, *given)

    # What follows is called in the connection's thread.

    def _start(self, beginning: str | None, work: Callable[..., object], *given: object) -> list[Any]:
        self._cursor = self._connection.new_cursor()
        self._connection.unreleased.add(self)
        try:
            if beginning is not None:
                self._cursor.execute(beginning)
            work(self._cursor, *given)
            if self._cursor.description is not None:
                return self._fetch(CHUNK)
        except BaseException:
            self.release()
            raise
        self.release()
        return []

    def _fetch(self, size: int | None) -> list[Any]:
        rows = self._cursor.fetchall() if size is None else self._cursor.fetchmany(size)
        if size is None or len(rows) < size:
            self.release()
        return rows

    def release(self) -> None:
        """Release SQLite's cursor."""
        self._cursor.close()
        self._released = True
        self._connection.unreleased.discard(self)


class DatabaseConnection(aiosqlite.Connection):
    """A connection whose cursors are `DatabaseCursor`. Its thread does not hold up the end of the process."""

    def __init__(self, path: Path) -> None:
        super().__init__(partial(sqlite3.connect, path, isolation_level=None), iter_chunk_size=CHUNK)
        self._thread.daemon = True
        self._beginning: str | None = None
        self.unreleased: set[DatabaseCursor] = set()
        """Cursors with more rows to fetch; used in the thread alone."""

    async def visit(self, work: Callable[..., Any], *given: object) -> Any:  # noqa: ANN401 - what `work` returns
        """Do something in the thread."""
        return await self._execute(work, *given)  # type: ignore[no-untyped-call] # by aiosqlite

    @contextmanager
    async def cursor(self) -> aiosqlite.Cursor:
        """A `DatabaseCursor`, for which the thread is not needed yet."""
        return DatabaseCursor(self)

    def begin_with_next(self, statement: str) -> None:
        """Have the next statement of a cursor begin a transaction, in the same visit to the thread."""
        self._beginning = statement

    def beginning(self) -> str | None:
        """The statement that is to begin a transaction now; whoever asks executes it."""
        statement, self._beginning = self._beginning, None
        return statement

    async def rollback(self) -> None:
        """Roll back the transaction, if it has begun, and release its cursors, with which SQLite keeps its snapshot."""
        if self.beginning() is None:
            await self.visit(self._roll_back)

    def new_cursor(self) -> sqlite3.Cursor:
        """A cursor of SQLite's; to be called in the thread."""
        return self._conn.cursor()

    def _roll_back(self) -> None:
        for cursor in list(self.unreleased):
            cursor.release()
        self._conn.rollback()
