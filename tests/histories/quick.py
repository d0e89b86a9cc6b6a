"""A loop in which waiting takes no time, and SQLite without its threads: a run is fast, and always the same.

The database is a real file, written by the real driver.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

from aiosqlite import Connection

from bot.store import database
from bot.store.engine import AsyncEngine
from bot.store.sqlite_engine import sqlite_engine
from tests.support.fast_loop import FastLoop
from tests.support.sqlite_in_the_loop import sqlite_in_the_loop

Result = TypeVar("Result")


class _Statements:
    """Makes engines that share what their statements were compiled to: a run opens the same file several times."""

    def __init__(self) -> None:
        self._first: dict[bool, AsyncEngine] = {}

    def engine(self, path: Path, *, read_only: bool, **given: Any) -> AsyncEngine:
        made = sqlite_engine(path, read_only=read_only, **given)
        first = self._first.setdefault(read_only, made)
        made.sync_engine.dialect = first.sync_engine.dialect
        made.sync_engine._compiled_cache = first.sync_engine._compiled_cache
        return made


_statements = _Statements()


@contextmanager
def _none_left() -> Iterator[None]:
    """Close what is open in the end: a process that was killed closes nothing."""
    opened: list[Connection] = []
    connect = Connection._connect

    async def noted(self: Connection) -> Connection:
        opened.append(self)
        return await connect(self)

    with mock.patch.object(Connection, "_connect", noted):
        yield
    for one in opened:
        if one._connection is not None:
            one.stop()


def run_quickly(work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """Run a coroutine on a loop of its own, whose time passes at once when there is nothing to do."""
    with (
        mock.patch.object(database, "sqlite_engine", _statements.engine),
        sqlite_in_the_loop(),
        _none_left(),
        asyncio.Runner(loop_factory=lambda: FastLoop(step=float("inf"))) as runner,
    ):
        return runner.run(work())


def jump(seconds: float) -> None:
    """Let time pass on the loop that runs, without waking whoever waits again and again in it."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, FastLoop)
    loop.skip(seconds)
