"""Recording what follows in a channel."""

import asyncio
from collections.abc import Collection

from bot.domain.message import Message
from bot.domain.span import Span
from bot.services.record.channels import Channels
from bot.services.record.followed_channel import FollowedChannel
from bot.services.record.gaps import Gaps
from bot.services.record.history import UnreadableHistoryError
from bot.services.record.history_context import HistoryContext
from bot.services.record.recorder import Recorded, Recorder


class ChannelRecorder:
    """Records what follows a channel's position, and moves the position there.

    What follows in an excluded channel is noted as a known gap instead. So a channel that is included again needs
    nothing more to be complete: what was written before stands in its gaps, or is still ahead of its position.

    The caller holds the channel's `turn`, and knows that no message between the position and `last_id` is missing
    from those it gives.
    """

    def __init__(self, recorder: Recorder, context: HistoryContext, channels: Channels, gaps: Gaps) -> None:
        self._recorder = recorder
        self._context = context
        self._channels = channels
        self._gaps = gaps
        self.recorded = asyncio.Event()
        """Set whenever something was recorded."""

    async def record(self, channel: FollowedChannel, messages: Collection[Message], last_id: int) -> None:
        """Record everything from a channel's position to `last_id`: these messages, oldest first.

        Raises StoreError, and UnreadableHistoryError if a rule needs earlier messages and the history cannot be read.
        If the messages could not be recorded, the position is not moved.
        """
        session, first_id = self._channels.session, channel.next_id
        self._recorder.ignore(channel.pending.deleted_among(messages))  # it may have been heard long ago
        recorded = await self._recorder.record(channel.next_stretch(messages, last_id), self._context)
        self.recorded.set()
        channel.excluded = recorded.excluded
        if recorded.excluded:
            await self._gaps.note_excluded(channel.place, Span(first_id, last_id))
        channel.position = last_id
        self._keep_context(channel, messages, first_id, session, recorded)

    async def record_or_miss(self, channel: FollowedChannel, messages: Collection[Message], last_id: int) -> None:
        """Do the same; if a rule needs earlier messages that cannot be read, note a known gap instead.

        The position is moved in either case, so that the channel goes on. Raises StoreError.
        """
        session, first_id = self._channels.session, channel.next_id
        try:
            await self.record(channel, messages, last_id)
        except UnreadableHistoryError as error:
            await self._gaps.note(channel.place, Span(first_id, last_id), str(error))
            channel.position = last_id
            self._keep_context(channel, messages, first_id, session, Recorded())

    def _keep_context(
        self,
        channel: FollowedChannel,
        messages: Collection[Message],
        first_id: int,
        session: int,
        recorded: Recorded,
    ) -> None:
        """Keep messages as context for the next ones, unless the channel was interrupted since `session`.

        What had to be fetched as context is kept, too, so that it is fetched once and not for each of the next ones.

        After an interruption other messages may lie between them and the next ones, and some of them may have been
        deleted.
        """
        if self._channels.channel_uninterrupted(channel, session):
            gone = self._recorder.gone
            judged = recorded.judged
            if judged is not None and judged.context_first_id < channel.context_first_id(first_id):
                earlier = [message for message in judged.context if message.message_id not in gone]
                channel.context.begin(
                    earlier,
                    max(judged.context_first_id, channel.place.channel_id),
                    recorded.managers,
                    thinned=judged.thinned_for is not None,
                )
            left = [message for message in messages if message.message_id not in gone]
            channel.context.add(left, first_id, recorded.managers)
        else:
            channel.context.clear()
