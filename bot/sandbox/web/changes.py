"""Noticing that something is different, so that open pages can look again."""

from __future__ import annotations

import asyncio


class Changes:
    """Counts changes; whoever shows the world waits for the next."""

    def __init__(self) -> None:
        self.revision = 0
        self._news = asyncio.Event()

    def note(self, *_what: object) -> None:
        """Something changed."""
        self.revision += 1
        self._news.set()
        self._news = asyncio.Event()

    async def after(self, revision: int, seconds: float) -> int:
        """Wait until there is a later revision than this one, or for some seconds; returns the revision then."""
        if self.revision == revision:
            try:
                async with asyncio.timeout(seconds):
                    await self._news.wait()
            except TimeoutError:
                pass
        return self.revision
