"""The last messages of a channel, as context for the ones that follow."""

from collections import deque
from collections.abc import Collection

from bot.domain.message import Message
from bot.services.record.history import CONTEXT


class ChannelContext:
    """The last messages before a channel's position, without a hole among them: at most `CONTEXT`."""

    def __init__(self) -> None:
        self._messages: deque[Message] = deque(maxlen=CONTEXT)
        self._first_id = 0

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages, oldest first."""
        return tuple(self._messages)

    @property
    def first_id(self) -> int:
        """The position from which on `messages` are all there are; 0 if no context is kept."""
        return self._first_id

    def add(self, messages: Collection[Message], first_id: int) -> None:
        """Add the messages that follow, oldest first: all there are from `first_id` on."""
        overflow = len(self._messages) + len(messages) > CONTEXT
        self._first_id = self._first_id or first_id
        self._messages.extend(messages)
        if overflow:
            self._first_id = self._messages[0].message_id

    def forget(self, message_ids: Collection[int]) -> None:
        """Leave out messages that were deleted."""
        if any(message.message_id in message_ids for message in self._messages):
            kept = [message for message in self._messages if message.message_id not in message_ids]
            self._messages.clear()
            self._messages.extend(kept)

    def clear(self) -> None:
        """Keep no context. The next stretch then asks the history for it, if a rule needs any."""
        self._messages.clear()
        self._first_id = 0
