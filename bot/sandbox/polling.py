"""Waiting for something to become true."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


async def until(condition: Callable[[], object], seconds: float) -> None:
    """Wait until a condition holds; it is looked at every few milliseconds.

    Raises:
        TimeoutError: When that takes longer than `seconds`.
    """
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  (any condition on the world; none of them announces itself)
            await asyncio.sleep(0.003)
