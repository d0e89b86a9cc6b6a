"""Deleted messages and channels whose facts have yet to be removed from the record."""

import asyncio
from collections.abc import Iterable

from bot.services.record.recorder import Recorder


class Deletions:
    """Keeps ids of what was deleted until the record is updated: Discord sends each delete only once."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._messages: set[int] = set()
        self._channels: set[int] = set()
        self._noted = asyncio.Event()

    def note(self, message_ids: Iterable[int]) -> None:
        """Messages were deleted. If a page or a batch still contains them, they count as activity only."""
        ids = list(message_ids)
        self._recorder.ignore(ids)
        self._messages.update(ids)
        self._noted.set()

    def note_channel(self, channel_id: int) -> None:
        """A channel or thread was deleted."""
        self._channels.add(channel_id)
        self._noted.set()

    async def take_back_next(self) -> None:
        """Wait until something is noted, then take it back. Raises StoreError."""
        await self._noted.wait()
        await self.take_back()

    async def take_back(self) -> None:
        """Take back everything noted so far. If that fails, it stays noted, and the error is passed on."""
        self._noted.clear()
        try:
            if self._messages:
                messages = set(self._messages)
                await self._recorder.take_back(messages)
                self._messages -= messages
            for channel_id in list(self._channels):
                await self._recorder.take_back_channel(channel_id)
                self._channels.discard(channel_id)
        except BaseException:
            self._noted.set()
            raise
