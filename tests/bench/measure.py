"""What one piece of work costs: time, how long it holds up everything else, memory."""

import asyncio
import resource
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Self

_TRIES = 5
_ENOUGH_SECONDS = 3.0
_LOOK_EVERY = 0.001


@dataclass(frozen=True, slots=True)
class Cost:
    """`seconds` is the best of a few tries, `first` that of the first one, with nothing in any cache of the process.

    `hold` is the longest time in seconds for which the event loop could not turn to anything else. `peak` is the most
    memory, in bytes, that the process had used by the end.
    """

    seconds: float
    first: float
    hold: float
    peak: int


async def measured(work: Callable[[], Awaitable[object]], *, tries: int = _TRIES) -> Cost:
    """Do something up to so many times, fewer when it takes long."""
    took: list[float] = []
    async with _Watch() as watch:
        while len(took) < tries and sum(took) < _ENOUGH_SECONDS:
            started = time.perf_counter()
            await work()
            took.append(time.perf_counter() - started)
    return Cost(min(took), took[0], watch.hold, peak_memory())


def peak_memory() -> int:
    """The most memory that this process has had, in bytes."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024


def peak_memory_of_workers() -> int:
    """The same for the largest process that this one started and waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024


class _Watch:
    """Looks how long the event loop takes to come round."""

    def __init__(self) -> None:
        self.hold = 0.0

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._look())
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.sleep(0)
        self._task.cancel()

    async def _look(self) -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(_LOOK_EVERY)
            self.hold = max(self.hold, time.perf_counter() - before - _LOOK_EVERY)
