"""Due work that fails or hangs is tried again later and later, and hinders nothing else."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable
from contextlib import nullcontext
from datetime import datetime, timedelta
from functools import partial

from bot.clock import UnsureTimeError
from bot.domain.due_work import Cause, FailedWork, Piece
from bot.services.delivery.messenger import DiscordTroubleError, DiscordUnreachableError
from bot.store.error import LostDatabaseError, OutageError, StoreError

log = logging.getLogger(__name__)

DEADLINE_SECONDS = 300.0
"""How long one piece of due work may take. It is cancelled then: a claimed delivery is settled as after a crash."""
PATIENCE_SECONDS = 20.0
"""How long the others wait for a piece that is slow. It goes on in the background after that."""
AT_ONCE = 8
"""How many pieces are waited for at the same time."""
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=1)
OUTAGE_PAUSE = timedelta(minutes=5)
"""The longest pause after a question that Discord did not answer: nothing was refused."""


class Attempts:
    """Runs pieces of due work, and keeps which of them failed lately or are still running.

    Failures are forgotten at a restart, when each piece is tried at once, and `LONGEST_PAUSE` after a piece was due for
    its next try and was not tried: its guild or manager is gone, or its day is over.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._failures: dict[Piece, tuple[FailedWork, Hashable]] = {}
        self._running: dict[Piece, asyncio.Task[bool]] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def attempt(
        self,
        piece: Piece,
        work: Callable[[], Awaitable[bool]],
        *,
        depends_on: Hashable = None,
        longest_pause: timedelta = LONGEST_PAUSE,
        limited: bool = True,
    ) -> bool:
        """Do a piece of work, and return its result; False if it fails, is not to be tried yet, or is still running.

        Any exception is logged and ends here; after `DEADLINE_SECONDS` the work is cancelled, unless it is not
        `limited`. The pause before the next attempt is a minute, doubled with each failure in a row, at most
        `longest_pause`; none if `depends_on` is another than at the failure. An outage or the loss of the database is
        raised, and that the time is not certain is no failure.
        """
        if piece in self._running or self._pauses(piece, depends_on):
            return False
        async with self._slots if limited else nullcontext():
            if piece in self._running:
                return False
            task = self._running[piece] = asyncio.create_task(
                self._try(piece, work, depends_on, longest_pause, DEADLINE_SECONDS if limited else None)
            )
            task.add_done_callback(partial(self._ended, piece))
            try:
                await asyncio.wait({task}, timeout=PATIENCE_SECONDS)
            except asyncio.CancelledError:
                task.cancel()
                raise
        if not task.done():
            log.info("%s takes long; the rest goes on meanwhile", piece)
            return False
        return task.result()

    def failing(self, guild_id: int) -> tuple[FailedWork, ...]:
        """What fails in a guild, and what fails of the whole process; longest first."""
        self._forget_old()
        found = [one for one, _ in self._failures.values() if one.piece.guild_id in {None, guild_id}]
        return tuple(sorted(found, key=lambda failure: failure.since))

    async def stop(self) -> None:
        """Cancel what is running, and return when it has ended."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _ended(self, piece: Piece, task: asyncio.Task[bool]) -> None:
        self._running.pop(piece, None)
        if not task.cancelled():
            task.exception()  # whoever still waits gets it; otherwise asyncio would complain

    async def _try(
        self,
        piece: Piece,
        work: Callable[[], Awaitable[bool]],
        depends_on: Hashable,
        longest_pause: timedelta,
        seconds: float | None,
    ) -> bool:
        deadline = asyncio.timeout(seconds)
        try:
            async with deadline:
                done = await work()
        except (OutageError, LostDatabaseError):
            raise  # it is no failure of this work, and nothing else can be done, either
        except UnsureTimeError:
            return False
        except Exception as error:
            failure = self._failure(piece, error, longest_pause, expired=deadline.expired())
            self._failures[piece] = (failure, depends_on)
            self._forget_old()
            again = f"it is tried again at {failure.again_at:%H:%M}Z at the earliest"
            match failure.cause:
                case Cause.FAULT:
                    log.exception("%s failed; %s", piece, again)
                case Cause.DEADLINE:
                    log.exception("%s took over %.0f s; %s", piece, seconds, again)
                case _:
                    log.warning("%s failed: %s; %s", piece, error, again)
            return False
        self._failures.pop(piece, None)
        return done

    def _failure(self, piece: Piece, error: Exception, longest_pause: timedelta, *, expired: bool) -> FailedWork:
        now = self._now()
        before = self._failures[piece][0] if piece in self._failures else None
        count = before.count if before is not None else 0
        pause = min(FIRST_PAUSE * 2 ** min(count, 10), longest_pause)
        cause, reason = Cause.FAULT, None
        if expired:
            cause = Cause.DEADLINE
        elif isinstance(error, DiscordUnreachableError):
            cause, pause = Cause.UNANSWERED, min(pause, OUTAGE_PAUSE)
        elif isinstance(error, DiscordTroubleError):
            cause, reason = Cause.DISCORD, str(error)
        elif isinstance(error, StoreError):
            cause = Cause.DATABASE
        return FailedWork(piece, cause, before.since if before is not None else now, count + 1, now + pause, reason)

    def _pauses(self, piece: Piece, depends_on: Hashable) -> bool:
        if piece not in self._failures:
            return False
        failure, depended_on = self._failures[piece]
        left = failure.again_at - self._now()
        # More than the longest pause is left only if the clock was set back.
        return depended_on == depends_on and timedelta(0) < left <= LONGEST_PAUSE

    def _forget_old(self) -> None:
        oldest = self._now() - LONGEST_PAUSE
        for piece in [piece for piece, (failure, _) in self._failures.items() if failure.again_at < oldest]:
            del self._failures[piece]
