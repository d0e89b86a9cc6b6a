"""Waiting until a condition holds."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE_SECONDS = 60.0
"""How long a condition is waited for if nothing else is said: what takes longer hangs, however busy the machine is."""


async def wait_until(condition: Callable[[], object], seconds: float) -> None:
    """Wait until a condition holds; it is checked every 3 milliseconds.

    Raises:
        TimeoutError: If that takes longer than `seconds`.
    """
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  (conditions on the world have no event to wait for)
            await asyncio.sleep(0.003)
