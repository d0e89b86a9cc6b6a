"""Messages straight from the gateway's text, if they are well formed, as nearly all of them are.

Nothing but the fields that Spade uses is decoded. Of everything else, and of whatever is odd in any way, the general
reading (`bot.discord_io.payload.message`) tells what it says, or what is wrong with it.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from bot.discord_io.payload.message import KINDS, RawMessage
from bot.domain.message import DELETED_USER_ID, NOTICE_TYPES, Message, MessageKind
from bot.domain.snowflake import HIGHEST_ID

_NAMED = '"MESSAGE_CREATE"'
_FORWARD = 1
_KNOWN_IDS = 8192
_DIGITS = len(str(HIGHEST_ID))


class _User(Struct):
    id: str
    bot: bool = False
    system: bool = False


class _Target(Struct):
    type: int
    author: _User
    webhook_id: str | None = None


class _MessageReference(Struct):
    message_id: str | UnsetType = UNSET
    type: int = 0


class _Member(Struct):
    roles: list[str]


class _Event(Struct):
    id: str
    type: int
    channel_id: str
    guild_id: str
    author: _User
    mentions: list[_User]
    mention_roles: list[str]
    mention_everyone: bool
    message_reference: _MessageReference | None = None
    referenced_message: _Target | UnsetType | None = UNSET
    webhook_id: None = None
    member: _Member | UnsetType = UNSET


class _Payload(Struct):
    op: Literal[0]
    t: Literal["MESSAGE_CREATE"]
    s: int
    d: _Event


_payload = msgspec.json.Decoder(_Payload)


class _OddError(Exception):
    """Something is not as usual."""


@dataclass(frozen=True, slots=True)
class WellFormedMessage:
    """A message of a guild, the number of its event, and the roles of its author; None if the event does not tell."""

    sequence: int
    guild_id: int
    channel_id: int
    raw: RawMessage
    role_ids: tuple[int, ...] | None


def well_formed_message(text: str) -> WellFormedMessage | None:
    """The message of a payload of the gateway; None if that is anything but a well-formed message of a guild."""
    if _NAMED not in text:
        return None
    try:
        payload = _payload.decode(text)
        return _read(payload.s, payload.d)
    except (msgspec.DecodeError, UnicodeError, RecursionError, _OddError):
        return None


def _read(sequence: int, event: _Event) -> WellFormedMessage:
    message_id, channel_id = _id(event.id), _known_id(event.channel_id)
    if message_id < channel_id or event.type < 0 or event.type in NOTICE_TYPES:
        raise _OddError
    roles = event.member.roles if isinstance(event.member, _Member) else None
    return WellFormedMessage(
        sequence,
        _known_id(event.guild_id),
        channel_id,
        _message(message_id, event),
        None if roles is None else tuple(map(_known_id, roles)),
    )


def _message(message_id: int, event: _Event) -> RawMessage:
    kind = KINDS.get(event.type, MessageKind.OTHER)
    reference = event.message_reference
    if kind is not MessageKind.OTHER and reference is not None and reference.type:
        if reference.type != _FORWARD:
            raise _OddError
        kind = MessageKind.FORWARD
    author_id = _person(event.author)
    if author_id is None or kind is MessageKind.OTHER:
        return RawMessage(Message(message_id, author_id, kind))
    mentions, mentions_no_person = frozenset[int](), False
    if event.mentions:
        people = [_person(user) for user in event.mentions]
        mentions = frozenset(person for person in people if person is not None)
        mentions_no_person = None in people
    for role_id in event.mention_roles:
        _known_id(role_id)
    crowd = event.mention_everyone or bool(event.mention_roles)
    if kind is not MessageKind.REPLY:
        return RawMessage(Message(message_id, author_id, kind, mentions, mentions_no_person, crowd))
    if reference is None or not isinstance(reference.message_id, str):
        raise _OddError
    reply_to_id, target = _id(reference.message_id), event.referenced_message
    to_id = None if target is None or isinstance(target, UnsetType) else _author_of(target)
    reply = Message(message_id, author_id, kind, mentions, mentions_no_person, crowd, reply_to_id, to_id)
    return RawMessage(reply, asks_for_target=isinstance(target, UnsetType))


def _author_of(target: _Target) -> int | None:
    if target.type < 0 or target.type in NOTICE_TYPES or target.webhook_id is not None:
        raise _OddError
    return _person(target.author)


def _person(user: _User) -> int | None:
    user_id = _known_id(user.id)
    return None if user.bot or user.system or user_id == DELETED_USER_ID else user_id


def _id(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > _DIGITS:
        raise _OddError
    found = int(text)
    if not 0 < found <= HIGHEST_ID:
        raise _OddError
    return found


_known_id = lru_cache(_KNOWN_IDS)(_id)
"""The same for ids that come again and again: of guilds, channels, roles and people."""
