"""What Spade knows of one message: ids, a kind and whom it addresses. Never what it says."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.snowflake import moment_of

DELETED_USER_ID = 456226577798135808
"""The one account Discord shows for everybody who deleted theirs; it is no person."""


class MessageKind(StrEnum):
    """As much of a message's type as the rules need."""

    DEFAULT = "default"
    REPLY = "reply"
    FORWARD = "forward"
    OTHER = "other"
    """Joins, pins, renames, thread starters, command answers: never counted."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message, from whatever source.

    `author_id` is None when the author is no person: a bot, a webhook, Discord itself, the Deleted User.
    `mentions` are the people in the message's mentions (the pinged author of a replied-to message among
    them); `mentions_no_person` says that there are others there: bots or the Deleted User.
    `mentions_crowd` is @everyone, @here or a role.
    `reply_to_id` is the message a Reply replies to; `reply_to_author_id` is the person who wrote it, or None
    when that message is gone or not a person's.
    """

    message_id: int
    author_id: int | None
    kind: MessageKind = MessageKind.DEFAULT
    mentions: frozenset[int] = frozenset()
    mentions_no_person: bool = False
    mentions_crowd: bool = False
    reply_to_id: int | None = None
    reply_to_author_id: int | None = None

    @property
    def sent_at(self) -> datetime:
        """When it was sent, from its id."""
        return moment_of(self.message_id)

    @property
    def counted(self) -> bool:
        """R1 but for the channel: by a person, and of a type that people write."""
        return self.author_id is not None and self.kind is not MessageKind.OTHER

    @property
    def mentions_nobody(self) -> bool:
        """Neither people nor bots nor a crowd are mentioned."""
        return not (self.mentions or self.mentions_no_person or self.mentions_crowd)
