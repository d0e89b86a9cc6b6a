"""Messages from export files, as they are judged: each with who wrote what it replies to.

The caller provides the transaction.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, case, func, literal_column, or_, select

from bot.domain.evidence import replying
from bot.domain.message import Message, MessageKind
from bot.domain.relevance import Outline
from bot.store import tables
from bot.store.engine import AsyncConnection
from bot.store.evidence import DELETED, copy_of
from bot.store.id_list import among, pieces

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


def _replying(row: Row[Any]) -> Message:
    return replying(copy_of(row), row.target_author_id, to_notice=bool(row.to_notice))


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


async def messages_of(
    connection: AsyncConnection, channel_id: int, message_ids: Collection[int]
) -> list[JudgedMessage]:
    """Some messages of a channel, oldest first."""
    other = tables.imported_message.alias("other")
    elsewhere = (
        select(literal_column("1"))
        .where(other.c.message_id == _message.message_id, other.c.channel_id < _message.channel_id)
        .exists()
    )
    query = select(tables.imported_message, _TARGET_AUTHOR, _TO_NOTICE, elsewhere.label("elsewhere"))
    found: list[JudgedMessage] = []
    for some in pieces(message_ids):
        here = (_message.channel_id == channel_id, among(connection, _message.message_id, some))
        rows = await connection.execute(query.where(*here).order_by(_message.message_id))
        found += [JudgedMessage(_replying(row), bool(row.elsewhere)) for row in rows]
    return found


async def messages_before(
    connection: AsyncConnection, channel_id: int, before_id: int, limit: int
) -> tuple[Message, ...]:
    """The newest messages of a channel before a position, oldest first, without those that were deleted."""
    query = (
        select(tables.imported_message, _TARGET_AUTHOR, _TO_NOTICE)
        .where(_message.channel_id == channel_id, _message.message_id < before_id, _NOT_DELETED)
        .order_by(_message.message_id.desc())
        .limit(limit)
    )
    found = (await connection.execute(query)).all()
    return tuple(map(_replying, reversed(found)))


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
