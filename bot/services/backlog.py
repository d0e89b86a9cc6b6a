"""What events say, kept for one worker, so that no event waits for the database."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Generic, TypeVar

log = logging.getLogger(__name__)

RETRY_SECONDS = 5.0
"""The delay before what failed is tried again."""

Key = TypeVar("Key")
Value = TypeVar("Value")

Work = Callable[[Mapping[Key, Value]], Awaitable[Collection[Key]]]
"""Does what was noted and returns the keys of what failed. It raises nothing that is to be tried again.

What is forgotten meanwhile goes from what it was given.
"""


class Backlog(Generic[Key, Value]):
    """Holds at most `limit` notes, each under a key; what is noted again replaces the earlier note.

    When it is full the oldest note is forgotten, and the log says so once, until everything was done. `what` names the
    notes there.
    """

    def __init__(self, what: str, limit: int) -> None:
        self._what = what
        self._limit = limit
        self._waiting: dict[Key, Value] = {}
        self._doing: dict[Key, Value] = {}
        self._noted = asyncio.Event()
        self._overflowed = False

    def __len__(self) -> int:
        return len(self._waiting)

    def note(self, key: Key, value: Value) -> None:
        """Have the worker do this soon."""
        if key not in self._waiting and len(self._waiting) >= self._limit:
            del self._waiting[next(iter(self._waiting))]
            if not self._overflowed:
                log.error("More than %s %s wait to be written: the oldest are left out", self._limit, self._what)
            self._overflowed = True
        self._waiting[key] = value
        self._noted.set()

    def forget(self, key: Key) -> None:
        """Have the worker not do this. If it has begun, it can tell by what it was given, until it is done."""
        self._waiting.pop(key, None)
        self._doing.pop(key, None)

    async def work(self, do: Work[Key, Value]) -> None:
        """Do what is noted, all of it at a time, until cancelled. What failed is tried again, if it still stands."""
        while True:
            await self._noted.wait()
            self._noted.clear()
            self._doing, self._waiting = self._waiting, {}
            failed = await do(self._doing)
            self._waiting = {key: self._doing[key] for key in failed if key in self._doing} | self._waiting
            self._doing = {}
            self._overflowed = self._overflowed and bool(self._waiting)
            if failed:
                self._noted.set()
                await asyncio.sleep(RETRY_SECONDS)
