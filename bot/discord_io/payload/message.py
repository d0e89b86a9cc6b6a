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
from bot.domain.message import DELETED_USER_ID, Message, MessageKind

_KINDS = {0: MessageKind.DEFAULT, 19: MessageKind.REPLY}
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
    reply_to_id, reply_to_author_id, asks_for_target = None, None, False
    if kind is MessageKind.REPLY:
        reply_to_id = identity(child(raw, "message_reference"), "message_id")
        reply_to_author_id, known = _target_of(raw)
        asks_for_target = not known
    return RawMessage(
        Message(
            message_id=message_id,
            author_id=author_id,
            kind=kind,
            mentions=people,
            mentions_no_person=mentions_no_person,
            mentions_crowd=truth(raw, "mention_everyone") or bool(identities(raw, "mention_roles")),
            reply_to_id=reply_to_id,
            reply_to_author_id=reply_to_author_id,
        ),
        asks_for_target,
    )


def author_of(raw: Mapping[str, Any]) -> int | None:
    """The id of a message's author; None if that is no person. Raises MalformedError."""
    if optional_identity(raw, "webhook_id") is not None:
        return None
    return person_of(child(raw, "author"))


def person_of(user: Mapping[str, Any]) -> int | None:
    """A user's id; None if that is no person: a bot, a system account or the Deleted User. Raises MalformedError."""
    user_id = identity(user)
    no_person = flag(user, "bot") or flag(user, "system") or user_id == DELETED_USER_ID
    return None if no_person else user_id


def _kind_of(raw: Mapping[str, Any]) -> MessageKind:
    kind = _KINDS.get(number(raw, "type"), MessageKind.OTHER)
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


def _target_of(raw: Mapping[str, Any]) -> tuple[int | None, bool]:
    """Who wrote the message replied to, and whether that is known. Null: it is deleted. Missing: it is not known."""
    if "referenced_message" not in raw:
        return None, False
    if raw["referenced_message"] is None:
        return None, True
    try:
        return author_of(child(raw, "referenced_message")), True
    except MalformedError:
        return None, False
