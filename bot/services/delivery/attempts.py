"""Due work that failed is tried again later and later, and hinders nothing else."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable
from datetime import datetime, timedelta

from bot.clock import UnsureTimeError
from bot.store.error import LostDatabaseError, OutageError

log = logging.getLogger(__name__)

DEADLINE_SECONDS = 300.0
"""How long one piece of due work may take. It is cancelled then: a claimed delivery is settled as after a crash."""
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=1)


class Attempts:
    """Which pieces of due work failed lately, by a key for each. Forgotten at a restart: then each is tried at once."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._failed: dict[Hashable, tuple[int, datetime]] = {}

    async def attempt(self, key: Hashable, what: str, work: Callable[[], Awaitable[bool]]) -> bool:
        """Do a piece of work, and return its result; False if it fails, or failed lately and is not to be tried yet.

        Any exception and a missed deadline are logged, `what` naming the work, and end here. The pause before the next
        attempt is a minute, doubled with each failure in a row, at most an hour. An outage or the loss of the database
        is raised. That the time is not certain is no failure.
        """
        failures, not_before = self._failed.get(key, (0, None))
        if not_before is not None and self._now() < not_before <= self._now() + LONGEST_PAUSE:
            return False  # a pause that is longer was begun when the time was taken for a later one
        deadline = asyncio.timeout(DEADLINE_SECONDS)
        try:
            async with deadline:
                done = await work()
        except (OutageError, LostDatabaseError):
            raise  # it is no failure of this work, and nothing else can be done, either
        except UnsureTimeError:
            return False
        except Exception:
            pause = min(FIRST_PAUSE * 2 ** min(failures, 10), LONGEST_PAUSE)
            self._failed[key] = (failures + 1, self._now() + pause)
            problem = f"took over {DEADLINE_SECONDS:.0f} s" if deadline.expired() else "failed"
            minutes = pause.total_seconds() / 60
            log.exception("%s %s; it is tried again in %.0f min at the earliest", what, problem, minutes)
            return False
        self._failed.pop(key, None)
        return done
