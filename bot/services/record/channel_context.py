"""The last messages of a channel, as context for the ones that follow."""

from collections import deque
from collections.abc import Collection
from collections.abc import Set as AbstractSet
from datetime import timedelta

from bot.domain.message import Message
from bot.services.record.history import CONTEXT

ADDRESSING = 300
"""How many messages before the last ones are kept at most."""
_ADDRESSING_FOR = timedelta(minutes=10)
"""How long those are kept: as far back as answers are usually looked for. The history has what was before."""


class ChannelContext:
    """What has to be known of the time before a channel's position, to judge what follows, without a hole.

    That is the last `CONTEXT` messages, and of those before only what others are judged by: whoever addresses somebody
    where one of the two is a manager, or cannot be read, and the last message by anybody else where all the last ones
    are by the same person.
    """

    def __init__(self) -> None:
        self._last: deque[Message] = deque()
        self._addressing: deque[Message] = deque()
        self._first_id = 0
        self._thinned_for: AbstractSet[int] | None = None

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages, oldest first."""
        return (*self._addressing, *self._last)

    @property
    def first_id(self) -> int:
        """The position from which on `messages` are all that matter; 0 if no context is kept."""
        return self._first_id

    @property
    def thinned_for(self) -> AbstractSet[int] | None:
        """The managers for whom all that matters was kept; None if nothing was left out."""
        return self._thinned_for

    @property
    def thinned_until_id(self) -> int:
        """The position from which on nothing was left out."""
        return self._last[0].message_id if self._last else self._first_id

    def begin(self, messages: Collection[Message], first_id: int, managers: AbstractSet[int], *, thinned: bool) -> None:
        """Have these messages, oldest first, in the place of all that was kept: all that matter from `first_id` on.

        `thinned`: among them something was left out that does not matter for `managers`.
        """
        self.clear()
        self.add(messages, first_id, managers)
        if thinned:
            self._thinned_for = managers

    def add(self, messages: Collection[Message], first_id: int, managers: AbstractSet[int]) -> None:
        """Add the messages that follow, oldest first: all there are from `first_id` on; `managers` are the guild's."""
        self._first_id = self._first_id or first_id
        if self._thinned_for is not None and not managers <= self._thinned_for:
            self._keep_the_last()
        for message in messages:
            self._last.append(message)
            if len(self._last) > CONTEXT:
                self._retire(self._last.popleft(), managers)
        if self._last:
            self._forget_before(self._last[-1])

    def _retire(self, message: Message, managers: AbstractSet[int]) -> None:
        """Keep of a message that is none of the last ones what others are judged by."""
        if not message.readable or _concerns(message, managers) or self._by_one_person():
            self._addressing.append(message)
        else:
            self._thinned_for = managers

    def _by_one_person(self) -> bool:
        counted = (one.author_id for one in self._last if one.counted)
        first = next(counted, None)
        return all(author_id == first for author_id in counted)

    def _forget_before(self, newest: Message) -> None:
        since = newest.sent_at - _ADDRESSING_FOR
        while self._addressing and (len(self._addressing) > ADDRESSING or self._addressing[0].sent_at < since):
            self._first_id = self._addressing.popleft().message_id + 1

    def forget(self, message_ids: Collection[int]) -> None:
        """Leave out messages that were deleted."""
        if not any(message.message_id in message_ids for message in self.messages):
            return
        if self._thinned_for is not None:  # one that was left out may be the last by anybody else now
            self._keep_the_last()
        for kept in (self._last, self._addressing):
            left = [message for message in kept if message.message_id not in message_ids]
            kept.clear()
            kept.extend(left)

    def _keep_the_last(self) -> None:
        """Know nothing of the time before the last messages any more."""
        self._first_id = self.thinned_until_id
        self._thinned_for = None
        self._addressing.clear()

    def clear(self) -> None:
        """Keep no context. The next stretch then asks the history for it, if a rule needs any."""
        self._last.clear()
        self._addressing.clear()
        self._first_id = 0
        self._thinned_for = None


def _concerns(message: Message, managers: AbstractSet[int]) -> bool:
    """Whether a manager addresses somebody, or somebody a manager."""
    if not message.mentions and message.reply_to_author_id is None:
        return False
    people = (message.author_id, message.reply_to_author_id)
    return not managers.isdisjoint(message.mentions) or not managers.isdisjoint(people)
