"""Draws pictures in a short-lived process, so that drawing takes neither the event loop's time nor the bot's memory."""

import asyncio
import logging
import pickle
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import bot
from bot.domain.digest_draft import DigestDraft
from bot.views.digest.chart import digest_picture
from bot.views.digest.picture import PictureFacts
from bot.views.words.sentence import speaking

log = logging.getLogger(__name__)

DRAWING_SECONDS = 60.0
_ROOT = Path(bot.__file__).parent.parent


class PaintingError(Exception):
    """A picture was not drawn; the message says why."""


class ProcessPainter:
    """Starts a process for each picture. If drawing fails, the digest goes without."""

    async def paint(self, draft: DigestDraft) -> bytes | None:
        """The digest's picture; None without conversations, or when drawing fails."""
        with speaking(draft.week.guild.language):
            picture = digest_picture(draft)
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
    """The PNG. The process has a session of its own, so that a Ctrl-C for the bot does not reach it.

    If the bot ends, its pipes close, and then it ends by itself.
    """
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
