"""Messages from export files, as they are judged: each with who wrote what it replies to.

The caller provides the transaction.
"""

from collections.abc import Collection
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, literal_column, or_, select

from bot.domain.evidence import Copy, replying
from bot.domain.message import Message, MessageKind
from bot.domain.relevance import Concern, Outline
from bot.store import tables
from bot.store.engine import AsyncConnection
from bot.store.evidence import DELETED, REDUCED, copy_of, people_in
from bot.store.id_list import among, pieces
from bot.store.staged_piece import MENTIONS_CROWD, MENTIONS_NO_PERSON

_message = tables.imported_message.c


@dataclass(frozen=True, slots=True)
class JudgedMessage:
    """A message as it is judged. `elsewhere`: a channel with a lower id has it, too, and it is judged there alone."""

    message: Message
    elsewhere: bool


_NOT_DELETED = _message.flags.op("&")(DELETED) == 0


def _target_author() -> ColumnElement[int | None]:
    """Who wrote the message that one replies to; null if no person did, or it is not stored.

    A thread repeats its starter message under the same id, by whoever started it: that is asked last.
    """
    target, original = tables.imported_message.alias("target"), tables.imported_message.alias("original")
    of_target = select(target.c.author_id).where(target.c.message_id == _message.reply_to_id)
    starter = MessageKind.STARTER.value
    there = select(original.c.message_id).where(
        original.c.message_id == _message.reply_to_id, original.c.kind != starter
    )
    return func.coalesce(
        *(
            query.correlate(tables.imported_message).scalar_subquery()
            for query in (
                of_target.where(target.c.channel_id == _message.channel_id, target.c.kind != starter),
                of_target.where(target.c.kind != starter).order_by(target.c.channel_id).limit(1),
                of_target.where(~there.correlate(tables.imported_message).exists())
                .order_by(target.c.channel_id)
                .limit(1),
            )
        )
    )


_TARGET_AUTHOR = _target_author().label("target_author_id")
_notice = tables.imported_message.alias("notice")
_TO_NOTICE = (
    select(literal_column("1"))
    .where(_notice.c.message_id == _message.reply_to_id, _notice.c.kind == MessageKind.NOTICE.value)
    .correlate(tables.imported_message)
    .exists()
    .label("to_notice")
)


_KINDS = {kind.value: kind for kind in MessageKind}
_JUDGED = (
    _message.message_id,
    _message.author_id,
    _message.kind,
    _message.flags,
    _message.reply_to_id,
    _message.mentions,
    _TARGET_AUTHOR,
    _TO_NOTICE,
)
"""What `_replying` takes."""


def _replying(
    message_id: int,
    author_id: int | None,
    kind: str,
    flags: int,
    reply_to_id: int | None,
    mentions: str,
    target_author_id: int | None,
    to_notice: int | None,
) -> Message:
    message = Message(
        message_id,
        author_id,
        _KINDS[kind],
        people_in(mentions),
        mentions_no_person=bool(flags & MENTIONS_NO_PERSON),
        mentions_crowd=bool(flags & MENTIONS_CROWD),
        reply_to_id=reply_to_id,
        reply_to_author_id=target_author_id,
    )
    if mentions or flags & REDUCED or to_notice:
        return replying(Copy(message, reduced=bool(flags & REDUCED)), target_author_id, to_notice=bool(to_notice))
    return message


def _previous(name: str) -> ColumnElement[Any]:
    """A column of the message before one that counts."""
    earlier = tables.imported_message.alias("earlier")
    return (
        select(earlier.c[name])
        .where(
            earlier.c.channel_id == _message.channel_id,
            earlier.c.message_id < _message.message_id,
            earlier.c.author_id.is_not(None),
            earlier.c.kind.in_([kind.value for kind in MessageKind if Message(0, 0, kind).counted]),
            earlier.c.flags.op("&")(DELETED) == 0,
        )
        .order_by(earlier.c.message_id.desc())
        .limit(1)
        .correlate(tables.imported_message)
        .scalar_subquery()
    )


_PREVIOUS_ID = _previous("message_id")
_PREVIOUS_AUTHOR = _previous("author_id")


async def outlines(connection: AsyncConnection, channel_id: int, first_id: int, limit: int) -> list[Outline]:
    """The oldest messages of a channel from a position on, without those that were deleted."""
    query = (
        select(_message.message_id, _message.author_id, _message.kind, _message.reply_to_id, _message.mentions)
        .where(_message.channel_id == channel_id, _message.message_id >= first_id, _NOT_DELETED)
        .order_by(_message.message_id)
        .limit(limit)
    )
    found = await connection.execute(query)
    return [(one, author_id, kind, target_id, mentions) for one, author_id, kind, target_id, mentions in found]


async def concerns(
    connection: AsyncConnection,
    channel_id: int,
    first_id: int,
    managers: AbstractSet[int],
    *,
    before_id: int | None = None,
    limit: int | None = None,
) -> list[Concern]:
    """The oldest messages of a channel from a position on, up to another, that managers wrote or that concern them.

    Without those that were deleted. Members' messages are stored with what concerns managers alone.
    """
    by_manager = _message.author_id.in_(sorted(managers))
    concerning = or_(by_manager, _message.mentions != "", _message.reply_to_id.is_not(None))
    plain = and_(by_manager, _message.kind == MessageKind.DEFAULT.value, _message.mentions == "")
    query = (
        select(
            _message.message_id,
            _message.author_id,
            _message.kind,
            _message.reply_to_id,
            _message.mentions,
            case((plain, _PREVIOUS_ID)).label("previous_id"),
            case((plain, _PREVIOUS_AUTHOR)).label("previous_author_id"),
        )
        .where(_message.channel_id == channel_id, _message.message_id >= first_id, _NOT_DELETED, concerning)
        .order_by(_message.message_id)
        .limit(limit)
    )
    if before_id is not None:
        query = query.where(_message.message_id < before_id)
    return [
        (one, author_id, kind, target_id, mentions, previous_id, previous_author_id)
        for one, author_id, kind, target_id, mentions, previous_id, previous_author_id in await connection.execute(
            query
        )
    ]


async def messages_of(
    connection: AsyncConnection, channel_id: int, message_ids: Collection[int]
) -> list[JudgedMessage]:
    """Some messages of a channel, oldest first, without those that were deleted."""
    other = tables.imported_message.alias("other")
    elsewhere = (
        select(literal_column("1"))
        .where(other.c.message_id == _message.message_id, other.c.channel_id < _message.channel_id)
        .exists()
    )
    query = select(*_JUDGED, elsewhere.label("elsewhere"))
    found: list[JudgedMessage] = []
    for some in pieces(message_ids):
        here = (_message.channel_id == channel_id, among(connection, _message.message_id, some), _NOT_DELETED)
        rows = await connection.execute(query.where(*here).order_by(_message.message_id))
        found += [JudgedMessage(_replying(*facts), bool(is_elsewhere)) for *facts, is_elsewhere in rows]
    return found


async def messages_before(
    connection: AsyncConnection, channel_id: int, before_id: int, limit: int
) -> tuple[Message, ...]:
    """The newest messages of a channel before a position, oldest first, without those that were deleted."""
    query = (
        select(*_JUDGED)
        .where(_message.channel_id == channel_id, _message.message_id < before_id, _NOT_DELETED)
        .order_by(_message.message_id.desc())
        .limit(limit)
    )
    found = (await connection.execute(query)).all()
    return tuple(_replying(*row) for row in reversed(found))


async def starter(connection: AsyncConnection, thread_id: int) -> Message | None:
    """The message that a thread was started on, as in the thread or else in its channel; None if it is not stored."""
    rows = await connection.execute(
        select(tables.imported_message)
        .where(
            _message.message_id == thread_id,
            or_(_message.channel_id != thread_id, _message.kind != MessageKind.STARTER.value),
        )
        .order_by(case((_message.channel_id == thread_id, 0), else_=1), _message.channel_id)
        .limit(1)
    )
    row = rows.first()
    return None if row is None else copy_of(row).message


async def first_message(connection: AsyncConnection, channel_id: int) -> Message | None:
    """The first stored message of a channel, be it deleted or not."""
    query = select(tables.imported_message).where(_message.channel_id == channel_id).order_by(_message.message_id)
    row = (await connection.execute(query.limit(1))).first()
    return None if row is None else copy_of(row).message
