"""What was deleted and has yet to be taken back."""

import asyncio
from collections.abc import Iterable

from bot.services.record.recorder import Recorder


class Deletions:
    """Keeps what was deleted until it is off the record: nobody says it a second time."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._messages: set[int] = set()
        self._channels: set[int] = set()
        self._noted = asyncio.Event()

    def note(self, message_ids: Iterable[int]) -> None:
        """Messages were deleted. If a page or batch still brings them, they count for nothing but activity."""
        ids = list(message_ids)
        self._recorder.ignore(ids)
        self._messages.update(ids)
        self._noted.set()

    def note_channel(self, channel_id: int) -> None:
        """A channel or thread was."""
        self._channels.add(channel_id)
        self._noted.set()

    async def take_back_next(self) -> None:
        """Wait for something to take back, and do so."""
        await self._noted.wait()
        await self.take_back()

    async def take_back(self) -> None:
        """Take back everything noted so far; what fails stays noted."""
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
