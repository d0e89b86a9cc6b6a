"""Messages received over the gateway that are not on record yet."""

import asyncio
from collections.abc import Collection, Iterable

from bot.domain.message import Message

BUFFER_LIMIT = 5000
"""How many messages are held in memory, over all channels. Those that find no room are left to the history."""


ROOM_SECONDS = 5.0
"""How long whoever receives messages waits for room, since writing is much cheaper than to ask for the history."""


class Buffer:
    """Counts the messages that all channels hold in memory. The limit is for the receiver to respect."""

    def __init__(self) -> None:
        self._held = 0
        self._freed = asyncio.Event()
        self._waited_in_vain = False

    @property
    def full(self) -> bool:
        """Whether the limit is reached."""
        return self._held >= BUFFER_LIMIT

    def add(self) -> None:
        """Count one message more."""
        self._held += 1

    def remove(self, count: int) -> None:
        """Count so many messages less."""
        self._held -= count
        if count and not self.full:
            self._waited_in_vain = False
            self._freed.set()

    @property
    def worth_waiting(self) -> bool:
        """Whether there is no room, and `room` has not waited in vain since there was any."""
        return self.full and not self._waited_in_vain

    async def room(self) -> None:
        """Wait until there is room, for `ROOM_SECONDS` at most."""
        self._freed.clear()
        try:
            async with asyncio.timeout(ROOM_SECONDS):
                await self._freed.wait()
        except TimeoutError:
            self._waited_in_vain = True


class PendingMessages:
    """One channel's messages that were received and are not on record yet, each at most once."""

    def __init__(self, buffer: Buffer) -> None:
        self._buffer = buffer
        self._received: dict[int, tuple[Message, float]] = {}
        self._deleted: set[int] = set()

    def __bool__(self) -> bool:
        return bool(self._received)

    @property
    def first_received_at(self) -> float:
        """When the message was received that is held for longest; there must be one."""
        return next(iter(self._received.values()))[1]

    @property
    def newest_id(self) -> int:
        """The highest id; 0 if there is no message."""
        return max(self._received, default=0)

    def before(self, position: int) -> int:
        """`position`, or the position before the first message if that is lower."""
        return min([position, *(message_id - 1 for message_id in self._received)])

    def by_id(self) -> dict[int, Message]:
        """The messages as they are now, by id; the dictionary is a copy."""
        return {message_id: message for message_id, (message, _) in self._received.items()}

    def add(self, message: Message, received_at: float) -> None:
        """Hold a message that was received at a time of the event loop. It is ignored if it is held already."""
        if message.message_id not in self._received:
            self._received[message.message_id] = (message, received_at)
            self._buffer.add()

    def ripe(self, ripe_at: float, before_id: int | None, limit: int) -> tuple[Message, ...]:
        """Up to `limit` messages that may be written now, oldest first.

        These are all up to the newest that was received at `ripe_at` or earlier and is older than `before_id`, if
        that is given: a message received later with a lower id must not be left behind.
        """
        ripe = [
            message_id
            for message_id, (_, received_at) in self._received.items()
            if received_at <= ripe_at and (before_id is None or message_id < before_id)
        ]
        newest_id = max(ripe, default=0)
        ready = sorted(message_id for message_id in self._received if message_id <= newest_id)[:limit]
        return tuple(self._received[message_id][0] for message_id in ready)

    def mark_deleted(self, message_ids: Iterable[int]) -> None:
        """Note which of the held messages were deleted: they may be written long after that was heard."""
        self._deleted.update(message_id for message_id in message_ids if message_id in self._received)

    def deleted_among(self, messages: Iterable[Message]) -> Collection[int]:
        """The ids of those messages that are held and were deleted."""
        return [message.message_id for message in messages if message.message_id in self._deleted]

    def drop(self, message_ids: Iterable[int]) -> None:
        """Hold these messages no longer; ids that are not held are ignored."""
        known = [message_id for message_id in message_ids if self._received.pop(message_id, None) is not None]
        self._deleted.difference_update(known)
        self._buffer.remove(len(known))

    def drop_up_to(self, position: int) -> None:
        """Hold no message with an id up to `position`."""
        self.drop([message_id for message_id in self._received if message_id <= position])

    def clear(self) -> None:
        """Hold no message."""
        self.drop(list(self._received))
