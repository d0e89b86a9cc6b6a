"""Writing received messages to the record."""

import asyncio
import logging
from collections.abc import Collection
from dataclasses import dataclass

from bot.services.record.channel_recorder import ChannelRecorder
from bot.services.record.channels import Channels
from bot.services.record.followed_channel import FollowedChannel

log = logging.getLogger(__name__)

BATCH = 500
"""The most messages that are recorded in one transaction."""


@dataclass(frozen=True, slots=True)
class WriteFailure:
    """What a guild's channel could not be written for."""

    guild_id: int
    error: BaseException


class LiveWriter:
    """Records the pending messages of channels that are followed."""

    def __init__(self, channels: Channels, recorder: ChannelRecorder) -> None:
        self._channels = channels
        self._recorder = recorder

    async def write(self, ripe_at: float) -> list[WriteFailure]:
        """Record what was received at `ripe_at` (a time of the event loop) or earlier; returns what failed.

        Channels are written concurrently: one that fails, or waits for Discord, does not hold up the others.
        """
        self._channels.forget_archived()
        due = [channel for channel in self._channels if channel.followed and channel.pending]
        outcomes = await asyncio.gather(*(self._write(channel, ripe_at) for channel in due), return_exceptions=True)
        return [
            WriteFailure(channel.place.guild_id, outcome)
            for channel, outcome in zip(due, outcomes, strict=True)
            if outcome is not None
        ]

    async def write_last(self, hidden: Collection[FollowedChannel]) -> None:
        """Record what was received of channels before they were hidden, without waiting for older messages.

        What fails is logged, and left to the history: it is in no span, so catching up will fetch it.
        """
        now = asyncio.get_running_loop().time()
        outcomes = await asyncio.gather(*(self._write(channel, now) for channel in hidden), return_exceptions=True)
        for channel, outcome in zip(hidden, outcomes, strict=True):
            self._channels.interrupt_channel(channel)
            if outcome is not None:
                log.warning(
                    "Channel %s: pending messages were not written, the history has to bring them (%s)",
                    channel.place.channel_id,
                    outcome,
                )

    async def _write(self, channel: FollowedChannel, ripe_at: float) -> None:
        async with channel.turn:
            while channel.followed:
                channel.pending.drop_up_to(channel.known_position)
                messages = channel.pending.ripe(ripe_at, min(channel.receiving, default=None), BATCH)
                if not messages:
                    return
                await self._recorder.record_or_miss(channel, messages, messages[-1].message_id)
