"""Draws pictures in a short-lived process, so that neither the event loop nor the bot's memory feels it."""

import asyncio
import logging
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

from bot.domain.report import DigestDraft
from bot.domain.rules import Rules
from bot.views.chart import digest_picture
from bot.views.digest_drafts import digest_facts
from bot.views.picture import draw_digest
from bot.views.sentence import speaking

log = logging.getLogger(__name__)

DRAWING_SECONDS = 60.0


class ProcessPainter:
    """A worker for each picture, gone when it is drawn. A digest without its picture is still a digest."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    async def paint(self, draft: DigestDraft) -> bytes | None:
        """The digest's picture; None for a quiet week, or when drawing fails."""
        with speaking(draft.guild.language):
            picture = digest_picture(digest_facts(draft, self._rules))
        if picture is None:
            return None
        with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
            try:
                async with asyncio.timeout(DRAWING_SECONDS):
                    return await asyncio.get_running_loop().run_in_executor(pool, draw_digest, picture)
            except (BrokenProcessPool, TimeoutError, OSError, ValueError):
                log.exception("The digest's picture could not be drawn; the digest goes without it")
                return None
