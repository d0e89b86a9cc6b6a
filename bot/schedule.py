"""The one scheduler: every few seconds it calls each registered piece of due work.

APScheduler only provides the interval. Each piece of work asks the database what is due, so a missed, late or doubled
tick has no effect.
"""

from collections.abc import Awaitable, Callable
from functools import partial

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from bot.domain.due_work import Piece
from bot.services.delivery.attempts import FIRST_PAUSE, Attempts
from bot.store.error import LostDatabaseError, OutageError

DueWork = Callable[[], Awaitable[object]]


class Schedule:
    """Calls each named piece of work at every tick, one after the other, until `ready` returns False.

    One that fails or takes long holds up none of the rest: it goes on in the background, and is not called again before
    it has ended. One that failed is called again after a minute. Only an outage or the loss of the database, which is
    logged by itself, ends a tick.
    """

    def __init__(self, seconds: float, ready: Callable[[], Awaitable[bool]], attempts: Attempts) -> None:
        self._seconds = seconds
        self._ready = ready
        self._attempts = attempts
        self._work: dict[str, DueWork] = {}
        self._scheduler = AsyncIOScheduler(timezone="UTC")

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the registered work, in the order of the calls."""
        return tuple(self._work)

    def add(self, name: str, work: DueWork) -> None:
        """Register a piece of work, which is called from the next tick on; ValueError if the name is taken."""
        if name in self._work:
            raise ValueError(f"{name} is on the schedule already")
        self._work[name] = work

    def remove(self, name: str) -> None:
        """Remove a piece of work; does nothing if the name is not registered."""
        self._work.pop(name, None)

    def start(self) -> None:
        """Start ticking; needs a running event loop."""
        self._scheduler.add_job(
            self.tick, IntervalTrigger(seconds=self._seconds), coalesce=True, max_instances=1, misfire_grace_time=None
        )
        self._scheduler.start()

    def stop(self) -> None:
        """Stop ticking; work in progress is not interrupted."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    async def tick(self) -> None:
        """Call every piece of work once, as long as `ready` returns True (connected, and the time is certain)."""
        for name, work in list(self._work.items()):
            if not await self._ready():
                return
            piece = Piece(name)
            try:
                await self._attempts.attempt(piece, partial(_done, work), longest_pause=FIRST_PAUSE, limited=False)
            except (OutageError, LostDatabaseError):
                return  # without the database nothing else can be done, either


async def _done(work: DueWork) -> bool:
    await work()
    return True
