"""An event loop in which waiting takes no time. Sockets, threads and processes are real."""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

HELD_SECONDS = 0.02


class _WhenIdle(selectors.DefaultSelector):
    """Waits for sockets as long as there is something to do; if there is not, lets time pass in small steps."""

    def __init__(self, idle: float, step: float) -> None:
        super().__init__()
        self.passed = 0.0
        self.held = 0
        self._idle = idle
        self._step = step

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            return super().select(None)
        found = super().select(min(timeout, HELD_SECONDS if self.held else self._idle))
        if not found and not self.held:
            self.passed += min(max(timeout, 0.0), self._step)
        return found


class FastLoop(asyncio.SelectorEventLoop):
    """Its time stands still while anything happens, and passes quickly while nothing does.

    After `idle` real seconds without an event, up to `step` seconds pass. What threads do for it takes no time; SQLite
    works in no thread of its own within `sqlite_in_the_loop`.
    """

    def __init__(self, idle: float = 0.0, step: float = 0.05) -> None:
        self._when_idle = _WhenIdle(idle, step)
        super().__init__(self._when_idle)

    def time(self) -> float:
        """The seconds that have passed."""
        return self._when_idle.passed

    def skip(self, seconds: float) -> None:
        """Let time pass at once: what is due in it comes late, and what recurs comes once."""
        self._when_idle.passed += seconds

    def hold(self) -> None:
        """Let no time pass, until `release` was called as often."""
        self._when_idle.held += 1

    def release(self, _done: object = None) -> None:
        """Undo one `hold`."""
        self._when_idle.held -= 1

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:  # type: ignore[override]
        """Run a function in a thread, in no time."""
        future = super().run_in_executor(executor, func, *args)
        self.hold()
        future.add_done_callback(self.release)
        return future


@contextmanager
def gateway_counts_in_loop_time() -> Iterator[None]:
    """Have discord.py's limit of frames a minute go by the FastLoop that runs, as everything else does."""

    class Time:
        def __getattr__(self, name: str) -> Any:
            return getattr(time, name)

        def time(self) -> float:
            return asyncio.get_running_loop().time()

    with mock.patch("discord.gateway.time", Time()):
        yield
