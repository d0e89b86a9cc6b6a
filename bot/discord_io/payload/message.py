"""A message of Discord's JSON as the domain's: ids, kinds and addressees. Its content is never looked at.

What a rule needs and cannot be read makes the whole message unreadable: a guess would be a wrong record.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.discord_io.payload.fields import (
    MalformedError,
    child,
    children,
    flag,
    identities,
    identity,
    number,
    optional_identity,
    truth,
)
from bot.domain.message import DELETED_USER_ID, NOTICE_TYPES, Message, MessageKind

KINDS = {0: MessageKind.DEFAULT, 19: MessageKind.REPLY}
"""The kinds of those of Discord's types that count. All others are MessageKind.OTHER."""
_FORWARD = 1


@dataclass(frozen=True, slots=True)
class RawMessage:
    """A message that was read; `asks_for_target` if its `reply_to_author_id` has to be looked up."""

    message: Message
    asks_for_target: bool = False


def read(raw: Mapping[str, Any]) -> RawMessage:
    """Read a message. Raises MalformedError.

    Of one that does not count, only its id, author and kind are read.
    """
    message_id = identity(raw)
    kind = _kind_of(raw)
    author_id = author_of(raw)
    if author_id is None or kind is MessageKind.OTHER:
        return RawMessage(Message(message_id, author_id, kind))
    people, mentions_no_person = _mentioned(raw)
    reply_to_id, target = None, None
    if kind is MessageKind.REPLY:
        reply_to_id = identity(child(raw, "message_reference"), "message_id")
        target = _target_of(raw)
    message = Message(
        message_id=message_id,
        author_id=author_id,
        kind=kind,
        mentions=people,
        mentions_no_person=mentions_no_person,
        mentions_crowd=truth(raw, "mention_everyone") or bool(identities(raw, "mention_roles")),
        reply_to_id=reply_to_id,
    )
    if target is None:
        return RawMessage(message, asks_for_target=reply_to_id is not None)
    return RawMessage(target.answered_by(message))


@dataclass(frozen=True, slots=True)
class Target:
    """A message that was replied to: who wrote it, and if it is a notice, whom it is about."""

    author_id: int | None = None
    about: frozenset[int] = frozenset()

    def answered_by(self, message: Message) -> Message:
        """A message, as a reply to this one."""
        return message.replying_to(self.author_id, self.about)


def read_target(raw: Mapping[str, Any]) -> Target:
    """Read a message that was replied to. Raises MalformedError."""
    if number(raw, "type") not in NOTICE_TYPES:
        return Target(author_of(raw))
    named = person_of(child(raw, "author"))
    return Target(None, frozenset() if named is None else frozenset({named}))


def author_of(raw: Mapping[str, Any]) -> int | None:
    """The id of a message's author; None if that is no person, or did not write it. Raises MalformedError."""
    if optional_identity(raw, "webhook_id") is not None or number(raw, "type") in NOTICE_TYPES:
        return None
    return person_of(child(raw, "author"))


def webhook_of(raw: Mapping[str, Any]) -> int | None:
    """The id of the webhook that wrote a message by itself; None for any other message. Raises MalformedError.

    Answers to commands and messages of a followed channel carry a webhook's id as well, and are none.
    """
    webhook_id = optional_identity(raw, "webhook_id")
    by_itself = all(raw.get(key) is None for key in ("interaction", "interaction_metadata", "message_reference"))
    return webhook_id if by_itself and number(raw, "type") == 0 else None


def person_of(user: Mapping[str, Any]) -> int | None:
    """A user's id; None if that is no person: a bot, a system account or the Deleted User. Raises MalformedError."""
    user_id = identity(user)
    no_person = flag(user, "bot") or flag(user, "system") or user_id == DELETED_USER_ID
    return None if no_person else user_id


def _kind_of(raw: Mapping[str, Any]) -> MessageKind:
    kind = KINDS.get(number(raw, "type"), MessageKind.OTHER)
    if kind is not MessageKind.OTHER and raw.get("message_reference") is not None:
        reference = child(raw, "message_reference")
        if "type" in reference and number(reference, "type") == _FORWARD:
            return MessageKind.FORWARD
    return kind


def _mentioned(raw: Mapping[str, Any]) -> tuple[frozenset[int], bool]:
    """The people mentioned, and whether somebody is mentioned who is no person."""
    users = children(raw, "mentions")
    people = frozenset(person for user in users if (person := person_of(user)) is not None)
    return people, len(people) < len({identity(user) for user in users})


def _target_of(raw: Mapping[str, Any]) -> Target | None:
    """The message replied to; None if it is not known. Null stands for one that is deleted."""
    if "referenced_message" not in raw:
        return None
    if raw["referenced_message"] is None:
        return Target()
    try:
        return read_target(child(raw, "referenced_message"))
    except MalformedError:
        return None
