"""What services need of Discord's message history."""

from typing import Protocol

from bot.domain.message import Message
from bot.domain.stretch import Place

PAGE = 100
"""The most messages in one page: Discord's limit."""
CONTEXT = 50
"""How many earlier messages are brought as context of a stretch."""


class UnreadableHistoryError(Exception):
    """The history cannot be read, and a retry is of no use until a permission or the channel changes; says why."""


class GoneChannelError(UnreadableHistoryError):
    """Discord does not know the channel: it is deleted. A missing permission, or an outage, looks otherwise."""


class NoMessagesError(UnreadableHistoryError):
    """The channel is of a kind that has no messages of its own, or none that count."""


class UnreadableMessageError(Exception):
    """One message that is needed cannot be read; a retry may succeed. The message is the name of a field."""


class History(Protocol):
    """A channel's messages in pages, each oldest first. All methods raise UnreadableHistoryError.

    A message that cannot be read is in its page all the same, as one of kind UNREADABLE; if not even its id can be
    read, two of them stand for all positions where it may be.
    """

    async def after(self, place: Place, after_id: int) -> tuple[Message, ...]:
        """The first messages after a position, about `PAGE`; fewer than that if there are no more."""

    async def before(self, place: Place, before_id: int, limit: int) -> tuple[Message, ...]:
        """The last messages before a position, about `limit`; fewer than that if there are no more."""

    async def opener(self, place: Place) -> int | None:
        """The id of a thread's opener (docs/rules.md#thread); None if that is not a person.

        Raises UnreadableMessageError if the message that tells it cannot be read.
        """

    async def place(self, guild_id: int, channel_id: int) -> Place:
        """The place of a channel or thread, archived ones too."""
