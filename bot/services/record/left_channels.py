"""Channels that were left to the history one by one, and catching up with them."""

import asyncio
import logging

from bot.services.record.catch_up import CatchUp
from bot.services.record.channel_snapshot import ChannelSnapshot
from bot.services.record.channels import Channels
from bot.services.record.followed_channel import FollowedChannel

log = logging.getLogger(__name__)


class LeftChannels:
    """Interrupts channels of which a message was received and cannot be held, and has them caught up with.

    One channel begins; the others follow once anything was recorded since. So while nothing can be written, a full
    buffer makes requests for one channel at a time and not for all.

    `recorded` is an event that is set whenever something was recorded.
    """

    def __init__(self, channels: Channels, catch_up: CatchUp, recorded: asyncio.Event) -> None:
        self._channels = channels
        self._catch_up = catch_up
        self._recorded = recorded
        self._left: dict[FollowedChannel, None] = {}
        self._underway: set[FollowedChannel] = set()
        self._noted = asyncio.Event()

    def leave(self, channel: FollowedChannel, message_id: int, reason: str) -> None:
        """A message of a channel was received and cannot be held: the history has to bring it."""
        if channel.followed:
            log.warning("Channel %s is left to its history for now: %s", channel.place.channel_id, reason)
        self._channels.interrupt_channel(channel)
        channel.leave_to_history(message_id)
        self._left[channel] = None
        self._recorded.clear()
        self._noted.set()

    async def run(self) -> None:
        """Catch up with the channels that are left, until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                await self._noted.wait()
                self._noted.clear()
                while (channel := self._next()) is not None:
                    self._underway.add(channel)
                    await self._until_recorded(group.create_task(self._bring_up(channel)))

    def _next(self) -> FollowedChannel | None:
        """Take the next channel that nobody else catches up with; None if there is none at the moment.

        A channel that was hidden, or whose guild was interrupted since, is caught up with when it is visible again.
        """
        for channel in list(self._left):
            if channel in self._underway:
                continue
            del self._left[channel]
            if self._channels.channel_uninterrupted(channel, channel.interrupted_at):
                return channel
        return None

    async def _until_recorded(self, task: asyncio.Task[None]) -> None:
        recorded = asyncio.create_task(self._recorded.wait())
        try:
            await asyncio.wait((task, recorded), return_when=asyncio.FIRST_COMPLETED)
        finally:
            recorded.cancel()

    async def _bring_up(self, channel: FollowedChannel) -> None:
        try:
            if self._channels.holds(channel):
                await self._catch_up.all_of([ChannelSnapshot(channel.place, channel.wanted)], self._channels.session)
        except Exception:
            log.exception("Catching up with channel %s failed", channel.place.channel_id)
        finally:
            self._underway.discard(channel)
            if channel in self._left:
                self._noted.set()
