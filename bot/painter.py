"""Draws pictures in a short-lived process, so that drawing takes neither the event loop's time nor the bot's memory."""

import asyncio
import logging
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import bot
from bot.domain.digest_draft import DigestDraft
from bot.views.digest.canvas import draw_digest
from bot.views.digest.chart import digest_picture
from bot.views.words.sentence import speaking

log = logging.getLogger(__name__)

DRAWING_SECONDS = 60.0
"""How long a picture may take, waiting for its turn included."""
AT_ONCE = 2
"""How many processes draw at the same time; each takes some 30 MB."""
MOST_WAITING = 20
"""How many pictures wait for their turn at most. A further digest goes without."""
_PASSED_ON = frozenset(
    {
        "PATH",
        "HOME",
        "TMPDIR",
        "LANG",
        "LC_ALL",
        "LC_CTYPE",
        "TZ",
        "LD_LIBRARY_PATH",
        "PYTHONPATH",
        "PYTHONHOME",
        "PYTHONDONTWRITEBYTECODE",
    }
)
"""The environment variables that drawing may need. The token and the database's password are not among them."""
_ROOT = Path(bot.__file__).parent.parent


class PaintingError(Exception):
    """A picture was not drawn; the message says why."""


class ProcessPainter:
    """Starts a process for each picture, a few at a time. If drawing fails or takes too long, the digest goes without.

    All pictures have to go through one painter, since it counts the processes.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._unfinished = 0

    async def paint(self, draft: DigestDraft) -> bytes | None:
        """The digest's picture; None without conversations, if too many are wanted at once, or when drawing fails."""
        with speaking(draft.week.guild.language):
            picture = digest_picture(draft)
        if picture is None:
            return None
        if self._unfinished >= AT_ONCE + MOST_WAITING:
            log.warning("Too many pictures are wanted at once, and a digest goes without")
            return None
        self._unfinished += 1
        try:
            async with asyncio.timeout(DRAWING_SECONDS), self._turn:
                return await _rasterised(draw_digest(picture))
        except TimeoutError:
            log.warning("The digest's picture took too long to draw, and it goes without")
        except (PaintingError, OSError) as error:
            log.warning("The digest's picture could not be drawn, and it goes without: %s", error)
        finally:
            self._unfinished -= 1
        return None


async def _rasterised(svg: str) -> bytes:
    """The picture as a PNG. The process has a session of its own, so that a Ctrl-C for the bot does not reach it.

    It inherits no open file but the three pipes. If the bot ends, they close, and then it ends by itself.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot.drawing",
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        cwd=_ROOT,
        env={name: value for name, value in os.environ.items() if name in _PASSED_ON},
        start_new_session=True,
    )
    try:
        drawn, complaint = await process.communicate(svg.encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise PaintingError(_reason(process.returncode, complaint))
    return drawn


def _reason(status: int, complaint: bytes) -> str:
    """Why a process failed: the signal that ended it, or the last line it wrote."""
    if status < 0:
        return f"signal {-status}"
    return complaint.decode(errors="replace").strip().rpartition("\n")[2] or f"status {status}"
