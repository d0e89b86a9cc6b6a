"""What services need of the process that draws pictures."""

from typing import Protocol

from bot.domain.digest_draft import DigestDraft


class Painter(Protocol):
    """Draws a digest's picture outside the event loop."""

    async def paint(self, draft: DigestDraft) -> bytes | None:
        """A PNG; None when there is nothing to draw, or drawing failed (the log says so)."""
