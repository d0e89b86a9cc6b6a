"""The live messages of all guilds, passed on as they come."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import discord

from bot.discord_io.payload.message import RawMessage

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A message of a guild.

    `channel` is None if the client does not know it. `role_ids` are the author's; None if the event does not tell.
    `webhook_id` is that of the webhook that wrote it, if one did.
    """

    guild: discord.Guild
    channel_id: int
    channel: object
    raw: RawMessage
    role_ids: tuple[int, ...] | None
    webhook_id: int | None = None


Hearer = Callable[[ReceivedMessage], object]
Room = Callable[[], Awaitable[None] | None]
"""What to await before the next message is passed on; None for nothing."""


class MessageFeed:
    """Calls everybody who listens for each message, at once. One that fails is logged, and holds up no other.

    Messages are by far the most of all events, and discord.py's listeners would cost a task for each of them.
    """

    def __init__(self) -> None:
        self._hearers: list[Hearer] = []
        self._rooms: dict[Hearer, Room] = {}

    def listen(self, hearer: Hearer, room: Room | None = None) -> None:
        """Pass what comes from now on to a function, too; `room` tells whether it has room for the next message."""
        self._hearers.append(hearer)
        if room is not None:
            self._rooms[hearer] = room

    def leave(self, hearer: Hearer) -> None:
        """Pass nothing more to a function that listened."""
        self._hearers.remove(hearer)
        self._rooms.pop(hearer, None)

    async def room(self) -> None:
        """Wait until all who listen have room for the next message, or do not wait for it any more."""
        for room in tuple(self._rooms.values()):
            if (waiting := room()) is not None:
                await waiting

    def pass_on(self, received: ReceivedMessage) -> None:
        """Pass a message to all who listen."""
        for hearer in tuple(self._hearers):
            try:
                hearer(received)
            except Exception:
                log.exception("Message %s could not be heard", received.raw.message.message_id)
