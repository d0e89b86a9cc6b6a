"""The one ticking clock hand: every few seconds, each piece of due work gets its turn.

APScheduler only ticks. What is due is asked of the database at each tick, so that a missed, late or doubled tick
changes nothing.
"""

import logging
from collections.abc import Awaitable, Callable

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

log = logging.getLogger(__name__)

DueWork = Callable[[], Awaitable[object]]


class Schedule:
    """Calls each named piece of due work at every tick, one after the other. One that fails does not stop the rest."""

    def __init__(self, seconds: float, ready: Callable[[], Awaitable[bool]]) -> None:
        self._seconds = seconds
        self._ready = ready
        self._work: dict[str, DueWork] = {}
        self._scheduler = AsyncIOScheduler(timezone="UTC")

    @property
    def names(self) -> tuple[str, ...]:
        """What gets a turn, in order."""
        return tuple(self._work)

    def add(self, name: str, work: DueWork) -> None:
        """Give a piece of work its turn from the next tick on; a name stands for one piece."""
        if name in self._work:
            raise ValueError(f"{name} is on the schedule already")
        self._work[name] = work

    def remove(self, name: str) -> None:
        """Take a piece of work off; nothing happens when it is not there."""
        self._work.pop(name, None)

    def start(self) -> None:
        """Start ticking; needs a running event loop."""
        self._scheduler.add_job(
            self.tick, IntervalTrigger(seconds=self._seconds), coalesce=True, max_instances=1, misfire_grace_time=None
        )
        self._scheduler.start()

    def stop(self) -> None:
        """Stop ticking; a tick that is under way ends by itself."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    async def tick(self) -> None:
        """One turn for everything that is due; none while `ready` says no: not connected, or the time is not known."""
        if not await self._ready():
            return
        for name, work in list(self._work.items()):
            try:
                await work()
            except Exception:
                log.exception("The due work %s failed; it gets its turn again", name)
