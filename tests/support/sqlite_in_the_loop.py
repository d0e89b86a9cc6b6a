"""SQLite without its threads, for runs that ask it ten thousands of small questions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from aiosqlite import Connection
from aiosqlite.core import _STOP_RUNNING_SENTINEL


class _AtOnce:
    """In the place of the queue of a connection's thread: SQLAlchemy puts some work into it directly."""

    def put_nowait(self, item: tuple[asyncio.Future[Any], Callable[[], Any]]) -> None:
        future, function = item
        try:
            future.set_result(function())
        except Exception as error:  # noqa: BLE001 - raised by whoever waits
            future.set_exception(error)


@contextmanager
def sqlite_in_the_loop() -> Iterator[None]:
    """Have connections that are opened within it work in the thread of the event loop. They must be closed within it.

    Most of the time of a small statement goes to handing it to a thread and back. Other tasks get their turn before
    each statement, as they would meanwhile. A statement that waits for a lock, or takes long, stops the loop.
    """

    in_thread, stop_thread = Connection._execute, Connection.stop

    async def connect(self: Connection) -> Connection:
        if self._connection is None:
            self._connection = self._connector()
            # The thread, which was started and waits at the queue, has nothing to do.
            self._tx.put_nowait((None, lambda: _STOP_RUNNING_SENTINEL))
            self._tx = _AtOnce()
        return self

    async def execute(self: Connection, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if not isinstance(self._tx, _AtOnce):  # it was opened before
            return await in_thread(self, function, *args, **kwargs)
        if not self._running or not self._connection:
            raise ValueError("Connection closed")
        await asyncio.sleep(0)
        return function(*args, **kwargs)

    def stop(self: Connection) -> Any:
        if not isinstance(self._tx, _AtOnce):
            return stop_thread(self)
        # In its thread it would take real time, in which that of a FastLoop passes.
        self._running = False
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        return None

    with mock.patch.multiple(Connection, _connect=connect, _execute=execute, stop=stop):
        yield
