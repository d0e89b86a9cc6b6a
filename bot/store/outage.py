"""An outage of the database: one line in the log when it begins, one when it is over, whatever fails meanwhile."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from enum import Enum, auto

from bot.store.error import OutageError, StoreError

log = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 1.0
CALM_SECONDS = 6.0
"""How long nothing may fail before an outage is over: recording tries again every five seconds, and on a disk that is
almost full some of it succeeds."""


class Transaction(Enum):
    """What a transaction does. One can fail without the other: on a full disk, reading goes on."""

    READING = auto()
    WRITING = auto()


class DatabaseOutage:
    """Whether a database can be used, by what its transactions meet. Silent until `announce`.

    During an outage a task looks for its end: `look` begins a transaction of the kind that failed, and may do nothing
    where that would prove nothing. `close` ends the task.
    """

    def __init__(self, look: Callable[[Transaction], Awaitable[None]]) -> None:
        self._look = look
        self._announced = False
        self._failed_at: dict[Transaction, float] = {}
        self._worked_at: dict[Transaction, float] = {}
        self._began_at = 0.0
        self._looking: asyncio.Task[None] | None = None

    def announce(self) -> None:
        """Log outages from now on: before, whoever opens the database says why it cannot be used."""
        self._announced = True

    def failed(self, kind: Transaction, error: OutageError) -> None:
        """A transaction met the outage."""
        if not self._announced:
            return
        now = asyncio.get_running_loop().time()
        if not self._failed_at:
            self._began_at = now
            log.error("Recording waits: %s", error)
            self._looking = asyncio.create_task(self._wait_for_end(), name="looking for the database")
        self._failed_at[kind] = now
        self._worked_at.pop(kind, None)

    def worked(self, kind: Transaction) -> None:
        """A transaction ended well."""
        if kind in self._failed_at:
            self._worked_at.setdefault(kind, asyncio.get_running_loop().time())

    async def close(self) -> None:
        """Stop looking for the end of an outage."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _wait_for_end(self) -> None:
        clock = asyncio.get_running_loop().time
        while not self._is_over(clock()):
            await asyncio.sleep(LOOK_EVERY_SECONDS)
            for kind in self._failed_at.keys() - self._worked_at.keys():
                with suppress(StoreError):
                    await self._look(kind)
        lasted = max(self._worked_at.values()) - self._began_at
        self._failed_at.clear()
        self._worked_at.clear()
        log.info("The database can be used again after %.0f s; what was heard meanwhile is recorded now", lasted)

    def _is_over(self, now: float) -> bool:
        return self._failed_at.keys() == self._worked_at.keys() and all(
            now - failed_at >= CALM_SECONDS for failed_at in self._failed_at.values()
        )
