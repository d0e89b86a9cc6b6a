"""Deleted messages and channels whose facts have yet to be removed from the record."""

import asyncio
import logging
from collections.abc import Collection, Iterable
from itertools import islice

from bot.services.record.recorder import Recorder

log = logging.getLogger(__name__)

MOST_WAITING = 250_000
"""How many deletions of messages are kept for the record while it cannot be written. Then the oldest are forgotten."""
_BATCH = 5000
"""How many deletions are taken back in one transaction."""


class Deletions:
    """Keeps ids of what was deleted until the record is updated: Discord sends each delete only once.

    If the record cannot be written for so long that more than `MOST_WAITING` messages are deleted, the oldest of these
    deletions are not honoured, and the log says so.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._messages: dict[int, None] = {}
        self._channels: dict[int, None] = {}
        self._noted = asyncio.Event()

    def note(self, message_ids: Iterable[int]) -> None:
        """Messages were deleted. If a page or a batch still contains them, they count as activity only."""
        ids = list(message_ids)
        self._recorder.ignore(ids)
        _note(self._messages, ids)
        self._noted.set()

    def note_channel(self, channel_id: int) -> None:
        """A channel or thread was deleted."""
        _note(self._channels, [channel_id])
        self._noted.set()

    async def take_back_next(self) -> None:
        """Wait until something is noted, then take it back. Raises StoreError."""
        await self._noted.wait()
        await self.take_back()

    async def take_back(self) -> None:
        """Take back everything noted so far. If that fails, it stays noted, and the error is passed on."""
        self._noted.clear()
        try:
            while messages := list(islice(self._messages, _BATCH)):
                await self._recorder.take_back(messages)
                for message_id in messages:
                    self._messages.pop(message_id, None)
            for channel_id in list(self._channels):
                await self._recorder.take_back_channel(channel_id)
                self._channels.pop(channel_id, None)
        except BaseException:
            self._noted.set()
            raise


def _note(waiting: dict[int, None], ids: Collection[int]) -> None:
    waiting.update(dict.fromkeys(ids))
    if len(waiting) > MOST_WAITING:
        surplus = len(waiting) - MOST_WAITING + MOST_WAITING // 10
        for one in list(islice(waiting, surplus)):
            del waiting[one]
        log.error("%s deletions could not be written for so long that they are forgotten", surplus)
