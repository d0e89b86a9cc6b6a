"""Counting from the outside: what reaches SQLite, and how often another thread hands something to the event loop."""

import asyncio.base_events
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Counts:
    """How often. A statement for many rows (`executemany`) is one.

    `statements` are what SQLite is asked, BEGIN and COMMIT too; `hops` are the ways back from another thread.
    """

    statements: int = 0
    commits: int = 0
    hops: int = 0

    def __sub__(self, before: Self) -> "Counts":
        return Counts(self.statements - before.statements, self.commits - before.commits, self.hops - before.hops)


class Counter:
    """What was counted so far."""

    def __init__(self) -> None:
        self._lock = Lock()  # connections have threads of their own
        self._statements = self._commits = self._hops = 0

    def now(self) -> Counts:
        return Counts(self._statements, self._commits, self._hops)

    def statement(self, *, commits: bool) -> None:
        with self._lock:
            self._statements += 1
            self._commits += commits

    def hop(self) -> None:
        with self._lock:
            self._hops += 1


@contextmanager
def counting() -> Iterator[Counter]:
    """Count until the block ends, on the connections that are opened in it."""
    counter = Counter()

    class Cursor(sqlite3.Cursor):
        def execute(self, sql: str, *parameters: Any) -> Any:
            counter.statement(commits=sql.lstrip()[:6].upper() == "COMMIT")
            return super().execute(sql, *parameters)

        def executemany(self, sql: str, rows: Any) -> Any:
            counter.statement(commits=False)
            return super().executemany(sql, rows)

    class Connection(sqlite3.Connection):
        def cursor(self, factory: Any = None) -> Any:
            return super().cursor(factory or Cursor)

        def execute(self, sql: str, *parameters: Any) -> Any:
            return self.cursor().execute(sql, *parameters)

        def executemany(self, sql: str, rows: Any) -> Any:
            return self.cursor().executemany(sql, rows)

        def commit(self) -> None:
            if self.in_transaction:
                counter.statement(commits=True)
            super().commit()

    before = sqlite3.connect, sqlite3.Cursor, asyncio.base_events.BaseEventLoop.call_soon_threadsafe
    connect, _, hop = before

    def connected(*arguments: Any, **options: Any) -> Any:
        options.setdefault("factory", Connection)
        return connect(*arguments, **options)

    def handed(*arguments: Any, **options: Any) -> Any:
        counter.hop()
        return hop(*arguments, **options)

    _replace(connected, Cursor, handed)
    try:
        yield counter
    finally:
        _replace(*before)


def _replace(connect: Any, cursor: Any, hop: Any) -> None:
    """Where a module looks them up when it needs them: `sqlite3.Cursor.execute` may be called by that name, too."""
    for module in (sqlite3, sqlite3.dbapi2):
        vars(module).update(connect=connect, Cursor=cursor)
    asyncio.base_events.BaseEventLoop.call_soon_threadsafe = hop
