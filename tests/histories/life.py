"""The life of one process: it counts its commits, and may end right after one of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from bot.store.database import Connection, Database

Result = TypeVar("Result")


class DiedError(Exception):
    """The process was killed while it did something."""


class Life:
    """One process. After `dies_after` commits nothing of it writes, reads or goes on any more."""

    def __init__(self, dies_after: int | None = None) -> None:
        self.commits = 0
        self.dies_after = dies_after
        self._dead = asyncio.Event()

    @property
    def over(self) -> bool:
        return self._dead.is_set()

    def dies_in(self, commits: int) -> None:
        self.dies_after = self.commits + commits

    def end(self) -> None:
        self._dead.set()

    def hook(self, database: Database) -> Database:
        """Have a database count its commits, and do nothing any more once the process is dead."""
        writing, reading = database.writing, database.reading

        @asynccontextmanager
        async def counted() -> AsyncIterator[Connection]:
            self._require()
            async with writing() as connection:
                self._require()
                yield connection
                self._require()
            self.commits += 1
            if self.commits == self.dies_after:
                self.end()
                self._require()

        @asynccontextmanager
        async def watched() -> AsyncIterator[Connection]:
            self._require()
            async with reading() as connection:
                yield connection

        database.writing = counted
        database.reading = watched
        return database

    def _require(self) -> None:
        if self.over:
            raise asyncio.CancelledError

    async def through(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Await some work of the process. Raises DiedError if the process ends first."""
        task, death = asyncio.ensure_future(work), asyncio.ensure_future(self._dead.wait())
        await asyncio.wait((task, death), return_when=asyncio.FIRST_COMPLETED)
        death.cancel()
        if self.over:
            task.cancel()
            await asyncio.wait((task,))
            if not task.cancelled():
                task.exception()
            raise DiedError
        return task.result()


async def end_all_others() -> None:
    """Cancel every other task of the loop, and return when they have ended: a dead process leaves none behind."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    while others := {task for task in others if not task.done()}:
        for task in others:
            task.cancel()
        await asyncio.wait(others, timeout=1)
