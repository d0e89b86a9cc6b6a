"""Time that passes at once for whatever waits by the event loop's own time."""

import asyncio


def pass_seconds(seconds: float) -> None:
    """Let so many seconds pass for the running loop: what sleeps for less wakes up next.

    A test that waits for minutes in this way depends no longer on how fast the machine is. Not to be used while
    something is under way that has a time limit; whoever took the loop's `time` before does not notice.
    """
    loop = asyncio.get_running_loop()
    before = loop.time
    loop.time = lambda: before() + seconds
