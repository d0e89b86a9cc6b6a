"""An event loop in which waiting takes no time. Sockets, threads and processes are real."""

from __future__ import annotations

import asyncio
import selectors


class _WhenIdle(selectors.DefaultSelector):
    """Waits for sockets as long as there is something to do; if there is not, lets time pass in small steps."""

    def __init__(self, idle: float, step: float) -> None:
        super().__init__()
        self.passed = 0.0
        self._idle = idle
        self._step = step

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            return super().select(None)
        found = super().select(min(timeout, self._idle))
        if not found:
            self.passed += min(max(timeout, 0.0), self._step)
        return found


class FastLoop(asyncio.SelectorEventLoop):
    """Its time stands still while anything happens, and passes quickly while nothing does.

    After `idle` real seconds without an event, up to `step` seconds pass. What threads and processes do takes no
    time if no part of it takes longer than `idle`.
    """

    def __init__(self, idle: float = 0.0, step: float = 0.05) -> None:
        self._when_idle = _WhenIdle(idle, step)
        super().__init__(self._when_idle)

    def time(self) -> float:
        """The seconds that have passed."""
        return self._when_idle.passed
