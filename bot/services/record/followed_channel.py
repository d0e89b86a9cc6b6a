"""The state of one channel that is followed, or has to catch up first."""

import asyncio
from collections.abc import Collection

from bot.domain.message import Message
from bot.domain.stretch import Place, Stretch
from bot.services.record.buffer import Buffer, PendingMessages
from bot.services.record.channel_context import ChannelContext


class FollowedChannel:
    """A channel or thread: how far it is on record, and which of its messages were received since.

    position: everything up to it is on record, or a known gap. None: it was not looked up yet.
    followed: no message after `position` was missed, so pending messages can be recorded as what follows. While it
        is False the channel has to catch up, and pending messages may be dropped, since the history has them.
    excluded: the channel did not count when its messages were last to be recorded.
    seen_in: the newest session in which something showed that the channel exists.
    interrupted_at: the session that began when one of its messages could not be read or held; 0 for none.
    receiving: the ids of messages that are being read. Nothing after them may be recorded yet.
    wanted: the newest message that the history has to bring.
    turn: held while the position is moved. All code that records for the channel takes it first.
    """

    def __init__(self, place: Place, buffer: Buffer) -> None:
        self.place = place
        self.position: int | None = None
        self.followed = False
        self.excluded = False
        self.seen_in = 0
        self.interrupted_at = 0
        self.receiving: set[int] = set()
        self.wanted = 0
        self.turn = asyncio.Lock()
        self.pending = PendingMessages(buffer)
        self.context = ChannelContext()
        self._first_dropped: int | None = None
        self._dropped = 0

    @property
    def idle(self) -> bool:
        """Whether all that was received is on record, and nobody is about to record more."""
        return self.followed and not (self.pending or self.receiving or self.turn.locked())

    @property
    def first_received(self) -> int | None:
        """The oldest message that was received and is not on record, held or dropped; None for none.

        Meaningful while the position was not looked up yet.
        """
        held = self.pending.by_id()
        return min((*held, *(() if self._first_dropped is None else (self._first_dropped,))), default=None)

    @property
    def dropped(self) -> int:
        """The newest message that was received and dropped, so that only the history has it; 0 for none."""
        return self._dropped

    def want(self, message_id: int) -> None:
        """Have the history bring everything up to a message."""
        self.wanted = max(self.wanted, message_id)

    def leave_to_history(self, received_id: int | None = None) -> None:
        """Drop the pending messages, and one that was received and is not held: catching up will fetch them."""
        dropped = [*self.pending.by_id(), *(() if received_id is None else (received_id,))]
        if self.position is None:
            known = () if self._first_dropped is None else (self._first_dropped,)
            self._first_dropped = min((*dropped, *known), default=None)
        self._dropped = max(self._dropped, *dropped, 0)
        self.want(self._dropped)
        self.pending.clear()

    def note_deleted(self, message_ids: Collection[int]) -> None:
        """Messages were deleted: what is written or judged later does not take them for there."""
        self.pending.mark_deleted(message_ids)
        self.context.forget(message_ids)

    def unfollow(self) -> None:
        """Events may be missed from here on: the channel has to catch up before it is followed again."""
        self.leave_to_history()
        self.followed = False
        # A delete may be missed, too, and a message that is gone must not serve as context.
        self.context.clear()

    def interrupt(self, session: int) -> None:
        """One of its messages was missed: it has to catch up in a session that begins now."""
        self.interrupted_at = session
        self.unfollow()

    @property
    def known_position(self) -> int:
        """`position`, which must have been looked up."""
        assert self.position is not None
        return self.position

    @property
    def next_id(self) -> int:
        """The first position that is not on record. `position` must have been looked up."""
        return self.known_position + 1

    def next_stretch(self, messages: Collection[Message], last_id: int) -> Stretch:
        """What follows the position, up to `last_id`: these messages and no others."""
        first_id = self.next_id
        return Stretch(
            place=self.place,
            first_id=first_id,
            last_id=last_id,
            messages=tuple(messages),
            context=self.context.messages,
            context_first_id=self.context_first_id(first_id),
            thinned_for=self.context.thinned_for,
            thinned_until_id=self.context.thinned_until_id,
        )

    def context_first_id(self, first_id: int) -> int:
        """From where on the context of what begins at `first_id` has all that matters."""
        return self.context.first_id or first_id
