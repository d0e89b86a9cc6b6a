"""What services need to have pictures drawn."""

from typing import Protocol

from bot.domain.digest_draft import DigestDraft


class Painter(Protocol):
    """Draws a digest's picture outside the event loop."""

    async def paint(self, draft: DigestDraft) -> bytes | None:
        """A PNG; None if there is nothing to draw, or if drawing failed, which is logged."""
