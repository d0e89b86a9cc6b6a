"""What Spade knows of one message: ids, a kind and whom it addresses. Never what it says."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from bot.domain.snowflake import moment_of

DELETED_USER_ID = 456226577798135808
"""The id of the account that Discord shows in place of every deleted one. It is not a person."""
NOTICE_TYPES = frozenset({24, 36, 37, 38, 39})
"""Discord's numbers of the types that are notices: AutoMod's alerts, and those of security actions and raids."""
SOMEBODY_ID = 0
"""Stands for a person whose id must not be kept: their message counts, and nothing is recorded about them."""


def is_named(person_id: int) -> bool:
    """Whether an id is a person's own. SOMEBODY_ID and the numbers below it stand for people who are not named."""
    return person_id > SOMEBODY_ID


class MessageKind(StrEnum):
    """The parts of a message's type that the rules need."""

    DEFAULT = "default"
    REPLY = "reply"
    FORWARD = "forward"
    OTHER = "other"
    """Join notices, pins, renames, thread starters, command answers: never counted."""
    STARTER = "thread_starter"
    """In a thread, stands for the message it was started on; by whoever started it. Never counted."""
    UNREADABLE = "unreadable"
    """Discord has a message there, and what a rule needs of it cannot be read: it stays missing from the record."""
    NOTICE = "notice"
    """A notice of Discord's under the name of somebody who did not write it, as an AutoMod alert: never counted."""


_NEVER_COUNTED = frozenset({MessageKind.OTHER, MessageKind.STARTER, MessageKind.NOTICE, MessageKind.UNREADABLE})


@dataclass(frozen=True, slots=True)
class Message:
    """One message, from a live event, from history or from an export file.

    `author_id` is None if the author is not a person: a bot, a webhook, Discord itself, the Deleted User.
    `mentions` are the people in the message's mentions, including the author of a replied-to message if the reply
    pings them. `mentions_no_person` is True if bots or the Deleted User are mentioned as well.
    `mentions_crowd` is True for @everyone, @here or a role.
    Nobody is the author of a NOTICE; its `mentions` are the person under whose name Discord wrote it.
    `reply_to_id` is the message that a Reply replies to. `reply_to_author_id` is the person who wrote that message,
    or None if it is deleted or was not written by a person.
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
        """When it was sent, read from its id."""
        return moment_of(self.message_id)

    @property
    def readable(self) -> bool:
        """Whether it can be recorded, or known not to count."""
        return self.kind is not MessageKind.UNREADABLE

    def replying_to(self, author_id: int | None, about: AbstractSet[int] = frozenset()) -> "Message":
        """The same message, as a reply to one by this person; None if no person wrote that, or it is deleted.

        If it replies to a notice, `about` are those whom that is about. The reply's ping does not address them.
        """
        return replace(self, reply_to_author_id=author_id, mentions=self.mentions - about)

    @property
    def counted(self) -> bool:
        """Whether it counts, apart from its channel (docs/rules.md#counted-messages)."""
        return self.author_id is not None and self.kind not in _NEVER_COUNTED

    def opens(self, thread_id: int) -> bool:
        """Whether its author opened this thread, in which it stands.

        A system message does not tell: that a thread was started on a message comes under the name of whoever did it.
        """
        spoken = self.kind in (MessageKind.DEFAULT, MessageKind.REPLY, MessageKind.FORWARD)
        return self.message_id == thread_id and spoken

    @property
    def mentions_nobody(self) -> bool:
        """Whether it mentions no person, no bot and no crowd."""
        return not (self.mentions or self.mentions_no_person or self.mentions_crowd)
