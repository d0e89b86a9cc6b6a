"""Converts one message of an export to a domain message: ids, its kind and whom it addresses."""

import re
from collections.abc import Mapping
from typing import Any

from bot.domain.message import DELETED_USER_ID, NOTICE_TYPES, Message, MessageKind
from bot.domain.snowflake import HIGHEST_ID

CROWD = re.compile(r"@everyone|@here|<@&\d+>")
"""What addresses everybody, or a role, in the text of a message."""
# The tool writes the number of a message type that its version does not know: up to 2.47 it names none of the notices.
# One that names them will write Discord's own names, as it does for the others.
_NOTICES = (
    "AutoModerationAction",
    "GuildIncidentAlertModeEnabled",
    "GuildIncidentAlertModeDisabled",
    "GuildIncidentReportRaid",
    "GuildIncidentReportFalseAlarm",
)
KINDS = {
    "Default": MessageKind.DEFAULT,
    "0": MessageKind.DEFAULT,
    "Reply": MessageKind.REPLY,
    "19": MessageKind.REPLY,
    **dict.fromkeys((*_NOTICES, *map(str, NOTICE_TYPES)), MessageKind.NOTICE),
    "21": MessageKind.STARTER,
    "ThreadStarterMessage": MessageKind.STARTER,
}
"""The kinds of messages by the tool's names of their types; every other one is OTHER."""
_CAN_FORWARD = (MessageKind.DEFAULT, MessageKind.REPLY)
_FORWARD_REFERENCES = ("Forward", "1", 1)
_BODY = ("content", "attachments", "embeds", "stickers")


class RecordError(Exception):
    """A part of an export is not what DiscordChatExporter writes; the message is part of a sentence."""


def message_of(record: object) -> Message:
    """Convert one entry of `messages`; `reply_to_author_id` is not set.

    The text is searched for @everyone, @here and raw role mentions and is not kept. A role mention that the tool
    replaced by the role's name cannot be recognised. A missing `type` means an ordinary message.

    Raises:
        RecordError: The entry is not one that DiscordChatExporter writes.
    """
    if not isinstance(record, dict):
        raise RecordError("not a message")
    reference = record.get("reference")
    if reference is not None and not isinstance(reference, dict):
        raise RecordError("an unknown kind of reference")
    author = record.get("author")
    if not isinstance(author, dict):
        raise RecordError("no author")
    kind = _kind(record, reference)
    if kind is MessageKind.NOTICE:
        named = _person(author)
        about = frozenset() if named is None else frozenset({named})
        return Message(snowflake(record.get("id")), None, kind, mentions=about)
    mentions, mentions_no_person = _mentions(record.get("mentions"))
    content = record.get("content")
    return Message(
        message_id=snowflake(record.get("id")),
        author_id=_person(author),
        kind=kind,
        mentions=mentions,
        mentions_no_person=mentions_no_person,
        mentions_crowd=isinstance(content, str) and "@" in content and CROWD.search(content) is not None,
        reply_to_id=_replied_to(reference) if kind is MessageKind.REPLY else None,
    )


def snowflake(value: object) -> int:
    """A Discord id, given as text or as a number.

    Raises:
        RecordError: The value is not an id.
    """
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= len(str(HIGHEST_ID)):
        value = int(value)
    if type(value) is int and 0 < value <= HIGHEST_ID:
        return value
    raise RecordError("an id that is no Discord id")


def _person(user: Mapping[str, Any]) -> int | None:
    """The user's id; None for bots and webhooks (the tool marks both with `isBot`) and for the Deleted User."""
    user_id = snowflake(user.get("id"))
    return None if user.get("isBot") is True or user_id == DELETED_USER_ID else user_id


def _mentions(users: object) -> tuple[frozenset[int], bool]:
    if not users:
        return frozenset(), False
    if not isinstance(users, list) or not all(isinstance(user, dict) for user in users):
        raise RecordError("an unknown kind of mentions")
    everyone = {_person(user) for user in users}
    people = frozenset(user_id for user_id in everyone if user_id is not None)
    return people, None in everyone


def _kind(record: Mapping[str, Any], reference: Mapping[str, Any] | None) -> MessageKind:
    name = record.get("type")
    if name is None:
        kind = MessageKind.DEFAULT
    elif isinstance(name, str | int):
        kind = KINDS.get(str(name), MessageKind.OTHER)
    else:
        kind = MessageKind.OTHER
    return MessageKind.FORWARD if kind in _CAN_FORWARD and _forwards(record, kind, reference) else kind


def _forwards(record: Mapping[str, Any], kind: MessageKind, reference: Mapping[str, Any] | None) -> bool:
    if record.get("forwardedMessage") is not None:
        return True
    if reference is None:
        return False
    if "type" in reference:
        return reference["type"] in _FORWARD_REFERENCES
    # Before 2.47 the tool wrote neither the reference's type nor the forwarded content.
    return kind is MessageKind.DEFAULT and not any(record.get(part) for part in _BODY)


def _replied_to(reference: Mapping[str, Any] | None) -> int | None:
    message_id = None if reference is None else reference.get("messageId")
    return None if message_id is None or message_id == "" else snowflake(message_id)
