"""Draws pictures in a short-lived process, so that neither the event loop nor the bot's memory feels it."""

import asyncio
import logging
import pickle
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import bot
from bot.domain.report import DigestDraft
from bot.domain.rules import Rules
from bot.views.digest.chart import digest_picture
from bot.views.digest.picture import PictureFacts
from bot.views.digest.writer import digest_facts
from bot.views.words.sentence import speaking

log = logging.getLogger(__name__)

DRAWING_SECONDS = 60.0
_ROOT = Path(bot.__file__).parent.parent


class PaintingError(Exception):
    """A picture was not drawn; the message says why."""


class ProcessPainter:
    """A process for each picture, gone when it is drawn. A digest without its picture is still a digest."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    async def paint(self, draft: DigestDraft) -> bytes | None:
        """The digest's picture; None without conversations, or when drawing fails."""
        with speaking(draft.guild.language):
            picture = digest_picture(digest_facts(draft, self._rules))
        if picture is None:
            return None
        try:
            async with asyncio.timeout(DRAWING_SECONDS):
                return await _drawn(picture)
        except TimeoutError:
            log.warning("The digest's picture took too long to draw, and it goes without")
        except (PaintingError, OSError) as error:
            log.warning("The digest's picture could not be drawn, and it goes without: %s", error)
        return None


async def _drawn(picture: PictureFacts) -> bytes:
    """In a session of its own: a Ctrl-C that ends the bot is not for it, and with the bot it is gone all the same."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.drawing", stdin=PIPE, stdout=PIPE, stderr=PIPE, cwd=_ROOT, start_new_session=True
    )
    try:
        drawn, complaint = await process.communicate(pickle.dumps(picture))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise PaintingError(
            complaint.decode(errors="replace").strip().rpartition("\n")[2] or f"status {process.returncode}"
        )
    return drawn
