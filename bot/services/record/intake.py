"""Receiving live messages."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from bot.domain.message import Message
from bot.domain.stretch import Place
from bot.services.record.buffer import Buffer
from bot.services.record.channels import Channels
from bot.services.record.followed_channel import FollowedChannel
from bot.services.record.left_channels import LeftChannels


class Intake:
    """Takes live messages into the pending messages of their channels. A message that finds no room is not held."""

    def __init__(self, channels: Channels, buffer: Buffer, left: LeftChannels) -> None:
        self._channels = channels
        self._buffer = buffer
        self._left = left
        self._newest_id = 0
        self._being_read = 0

    @property
    def newest_id(self) -> int:
        """The highest id of a message that was received live; 0 before the first."""
        return self._newest_id

    @property
    def being_read(self) -> int:
        """How many messages are being read at the moment."""
        return self._being_read

    def receive(self, place: Place, message: Message) -> None:
        """Receive one live message that is read already. Never waits for writing."""
        session = self._channels.session
        self._take(self._channels.see(place, session), place, message, session)

    @contextmanager
    def receiving(self, place: Place, message_id: int) -> Iterator[Callable[[Message], None]]:
        """Receive one live message; yields a function that takes it once it has been read.

        Reading may take a request to Discord. Until the context is left, nothing after the message is recorded in its
        channel. Never waits for writing. If the block raises, the message counts as missed, so the channel is left to
        its history, and the exception is passed on.
        """
        session = self._channels.session
        channel = self._channels.see(place, session)
        channel.receiving.add(message_id)
        self._being_read += 1
        try:
            yield lambda message: self._take(channel, place, message, session)
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            self._left.leave(self._channels.get(place.channel_id) or channel, message_id, reason)
            raise
        finally:
            self._being_read -= 1
            channel.receiving.discard(message_id)

    def room(self) -> Awaitable[None] | None:
        """To be awaited before the next message is received; None if there is room, or waiting for it is of no use.

        So a burst waits at the other end of the connection, and does not have to be fetched from the history.
        """
        if not self._buffer.worth_waiting:
            return None
        self._make_room()
        return self._buffer.room() if self._buffer.full else None

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
        if self._buffer.full:
            self._make_room()
        if self._buffer.full:
            self._turn_away(now, message.message_id)
            return
        now.pending.add(message, asyncio.get_running_loop().time())
        if not now.followed and (now is not channel or not self._channels.channel_uninterrupted(now, session)):
            now.leave_to_history()  # messages after this one may have been missed

    def _turn_away(self, channel: FollowedChannel, message_id: int) -> None:
        """Do not hold a message. A channel that has to catch up anyway fetches it on the way."""
        if channel.followed:
            self._left.leave(channel, message_id, "writing does not keep up with what is received")
        else:
            channel.leave_to_history(message_id)
