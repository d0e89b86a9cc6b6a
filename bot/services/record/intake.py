"""Receiving live messages."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from bot.domain.message import Message
from bot.domain.stretch import Place
from bot.services.record.buffer import Buffer
from bot.services.record.channels import Channels
from bot.services.record.followed_channel import FollowedChannel


class Intake:
    """Takes live messages into the pending messages of their channels."""

    def __init__(self, channels: Channels, buffer: Buffer) -> None:
        self._channels = channels
        self._buffer = buffer
        self._newest_id = 0

    @property
    def newest_id(self) -> int:
        """The highest id of a message that was received live; 0 before the first."""
        return self._newest_id

    @asynccontextmanager
    async def receiving(self, place: Place, message_id: int) -> AsyncIterator[Callable[[Message], None]]:
        """Receive one live message; yields a function that takes it once it has been read.

        Reading may take a request to Discord. Until the context is left, nothing after the message is recorded in its
        channel. Waits at first while the buffer is full, so that writing can keep up. If the block raises, the message
        counts as missed, so the channel has to catch up in a new session, and the exception is passed on.
        """
        session = self._channels.session
        channel = self._channels.see(place, session)
        channel.receiving.add(message_id)
        try:
            # A message older than those pending must not wait for room: they are not written before it is received.
            if self._buffer.full and message_id > channel.pending.newest_id:
                self._make_room()
                await self._buffer.wait_for_room()
            yield lambda message: self._take(channel, place, message, session)
        except Exception:
            self._channels.interrupt_channel(self._channels.get(place.channel_id) or channel)
            raise
        finally:
            channel.receiving.discard(message_id)

    def _make_room(self) -> None:
        """Drop what writing cannot: the pending messages of channels that have to catch up."""
        for channel in self._channels:
            if not channel.followed:
                channel.leave_to_history()

    def _take(self, channel: FollowedChannel, place: Place, message: Message, session: int) -> None:
        """Take a message whose reading began in `session`, when `channel` was the state of its channel."""
        self._newest_id = max(self._newest_id, message.message_id)
        now = self._channels.get(place.channel_id)
        if now is None:
            return  # hidden or deleted meanwhile: if the channel is visible again, its history has the message
        now.place = place
        now.pending.add(message, asyncio.get_running_loop().time())
        if not now.followed and (now is not channel or not self._channels.channel_uninterrupted(now, session)):
            now.leave_to_history()  # messages after this one may have been missed
