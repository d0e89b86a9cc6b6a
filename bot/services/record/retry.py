"""Retrying work that must not be given up at its first failure."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.store.error import LostDatabaseError, OutageError

log = logging.getLogger(__name__)

RETRY_SECONDS = 5.0
"""The delay after the first failure. It doubles with each further failure."""
LONGEST_DELAY_SECONDS = 300.0
CHANNEL_TRIES = 7
"""How often a request about one channel is tried: with these delays, over five minutes."""

Result = TypeVar("Result")


def always() -> bool:
    """Never stop retrying, but for cancellation."""
    return True


async def outlast(work: Callable[[], Awaitable[Result]]) -> Result:
    """Await `work()`, again every `RETRY_SECONDS` while the database cannot be used; its other errors are raised."""
    while True:
        try:
            return await work()
        except OutageError:
            await asyncio.sleep(RETRY_SECONDS)


async def retry(
    what: str, work: Callable[[], Awaitable[Result]], *, wanted: Callable[[], bool] = always, tries: int | None = None
) -> Result | None:
    """Await `work()` until it succeeds and return its result; return None if it was given up.

    Any exception is logged as a warning (`what` names the work in it) and the work is tried again after a delay of
    `RETRY_SECONDS`, doubled each time up to `LONGEST_DELAY_SECONDS`. It is given up if `wanted()` is False before a
    try, after `tries` failures (None stands for no limit), or once the database is lost. Cancellation is passed on. An
    outage of the database is logged by itself, and is no failure: however long it lasts, the work is tried again every
    `RETRY_SECONDS`.
    """
    delay = RETRY_SECONDS
    left = tries
    while wanted():
        try:
            return await work()
        except OutageError:
            await asyncio.sleep(RETRY_SECONDS)
            continue
        except LostDatabaseError:
            return None  # the bot stops, and says why
        except Exception as error:  # noqa: BLE001 - whatever failed, giving up would leave the record incomplete
            left = None if left is None else left - 1
            then = "giving up" if left == 0 else f"trying again in {delay:.0f} s"
            log.warning("%s failed (%s: %s); %s", what, type(error).__name__, error, then)
        if left == 0:
            break
        await asyncio.sleep(delay)
        delay = min(2 * delay, LONGEST_DELAY_SECONDS)
    return None
