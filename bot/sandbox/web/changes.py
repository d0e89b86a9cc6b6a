"""Counting changes, so that open pages can reload."""

from __future__ import annotations

import asyncio


class Changes:
    """A counter of changes that callers can wait on."""

    def __init__(self) -> None:
        self.revision = 0
        self._news = asyncio.Event()

    def note(self, *_what: object) -> None:
        """Count a change and wake the callers that wait."""
        self.revision += 1
        self._news.set()
        self._news = asyncio.Event()

    async def after(self, revision: int, seconds: float) -> int:
        """Wait for a later revision, or for some seconds; return the revision at that time."""
        if self.revision == revision:
            try:
                async with asyncio.timeout(seconds):
                    await self._news.wait()
            except TimeoutError:
                pass
        return self.revision
