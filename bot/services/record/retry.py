"""Trying again until something works."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

log = logging.getLogger(__name__)

RETRY_SECONDS = 5.0
_LONGEST_PAUSE = 300.0

Result = TypeVar("Result")


async def persistently(
    what: str, work: Callable[[], Awaitable[Result]], wanted: Callable[[], bool], *, tries: int | None = None
) -> Result | None:
    """Do something until it succeeds, with growing pauses; None when it is no longer wanted by then.

    `what` stands in the log before "failed". With `tries`, None too when all of them failed: seven take five minutes.
    """
    pause = RETRY_SECONDS
    left = tries
    while wanted():
        try:
            return await work()
        except Exception as error:  # noqa: BLE001 - whatever it was, giving up would leave the record incomplete
            left = None if left is None else left - 1
            then = "giving up" if left == 0 else f"trying again in {pause:.0f} s"
            log.warning("%s failed (%s: %s); %s", what, type(error).__name__, error, then)
        if left == 0:
            break
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
    return None
