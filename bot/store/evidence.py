"""What export files said of messages, kept so that it can be judged again when other files come.

There is one row for each message of a channel, the newest copy of it. The caller provides the transaction.
"""

from collections.abc import Collection, Container, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime
from itertools import repeat
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, delete, func, or_, select, union_all, update
from sqlalchemy.dialects import sqlite

from bot.domain.evidence import Copy, Ends, ImportedChannel
from bot.domain.message import SOMEBODY_ID, Message, MessageKind
from bot.domain.span import Span
from bot.domain.stretch import Place
from bot.store import tables
from bot.store.columns import DayNumber, Moment
from bot.store.engine import AsyncConnection
from bot.store.id_list import among, pieces
from bot.store.insertion import insert_into, parameters
from bot.store.staged_piece import KINDS, MENTIONS_CROWD, MENTIONS_NO_PERSON, StagedPiece

REDUCED = 4
"""In the column `flags`: mentions were left out."""
DELETED = 8
"""In the column `flags`: Spade heard that the message was deleted."""
_KINDS = {kind.value: kind for kind in MessageKind}
_NAMES = tuple(kind.value for kind in KINDS)

_SQLITE = sqlite.dialect()
_message = tables.imported_message.c
_channel = tables.imported_channel.c
_PLACE = ("channel_id", "message_id", "guild_id")
_FACTS = ("exported_at", "author_id", "kind", "flags", "reply_to_id", "mentions", "counted_on")
_COLUMNS = (*_PLACE, *_FACTS)
_SAVE = f"""
INSERT INTO imported_message ({", ".join(_COLUMNS)}) VALUES ({{}})
ON CONFLICT (channel_id, message_id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _FACTS)}
"""  # noqa: S608 - names of columns

Facts = tuple[int, int | None, str]
"""Of a stored message: its flags, what it replies to, and the people whom it mentions, each between two spaces."""
_NO_ONE = frozenset[int]()
_NO_FACTS: Facts = (0, None, "")


@dataclass(frozen=True, order=True, slots=True)
class StoredPlace:
    """That a channel's files have a message. `counted`: it is among its author's messages on record, by this copy."""

    message_id: int
    channel_id: int
    counted: bool


# Channels.


async def channels(connection: AsyncConnection, guild_id: int) -> dict[int, ImportedChannel]:
    """The channels of a guild of which files were imported."""
    found = await connection.execute(select(tables.imported_channel).where(_channel.guild_id == guild_id))
    return {
        row.channel_id: ImportedChannel(
            Place(guild_id, row.channel_id, row.is_thread, parent_id=row.parent_id), row.begins, row.gone
        )
        for row in found
    }


async def save_channels(connection: AsyncConnection, found: Iterable[ImportedChannel]) -> None:
    """Store what is known of channels, in the place of what was."""
    rows = [
        {
            "channel_id": one.place.channel_id,
            "guild_id": one.place.guild_id,
            "parent_id": one.place.parent_id,
            "is_thread": one.place.is_thread,
            "begins": one.begins,
            "gone": one.gone,
        }
        for one in found
    ]
    if rows:
        statement = insert_into(connection, tables.imported_channel)
        names = ("parent_id", "is_thread", "begins", "gone")
        statement = statement.on_conflict_do_update(
            index_elements=["channel_id"], set_={name: statement.excluded[name] for name in names}
        )
        await connection.execute(statement, rows)


async def mark_channel_gone(connection: AsyncConnection, channel_id: int) -> None:
    """A channel was deleted, and its threads with it: no file makes facts of it any more, be it the first one."""
    found = union_all(
        *(
            select(table.c.channel_id, table.c.guild_id, table.c.parent_id).where(
                or_(table.c.channel_id == channel_id, table.c.parent_id == channel_id)
            )
            for table in (tables.span, tables.known_gap, tables.imported_channel)
        )
    )
    gone: dict[int, dict[str, Any]] = {}
    for row in await connection.execute(found):
        for one, parent_id in ((channel_id, None), (row.channel_id, row.parent_id)):
            place = gone.setdefault(one, {"guild_id": row.guild_id, "parent_id": None})
            place["parent_id"] = place["parent_id"] or parent_id
    if gone:
        statement = insert_into(connection, tables.imported_channel)
        parent = func.coalesce(_channel.parent_id, statement.excluded.parent_id)
        await connection.execute(
            statement.on_conflict_do_update(index_elements=["channel_id"], set_={"gone": True, "parent_id": parent}),
            [
                {"channel_id": one, **place, "is_thread": place["parent_id"] is not None, "begins": False, "gone": True}
                for one, place in gone.items()
            ],
        )


# Copies of messages.


def _of_guild(guild_id: int) -> ColumnElement[bool]:
    """The condition that a message is of a guild, by whose channels it is found with the key."""
    return _message.channel_id.in_(select(_channel.channel_id).where(_channel.guild_id == guild_id))


async def with_ids(connection: AsyncConnection, message_ids: Collection[int]) -> dict[int, dict[int, Copy]]:
    """The stored copies of messages: by message, then by channel."""
    found: dict[int, dict[int, Copy]] = {}
    if not message_ids or not await _has_any(connection, min(message_ids), max(message_ids)):
        return found
    for some in pieces(message_ids):
        for row in await connection.execute(
            select(tables.imported_message).where(among(connection, _message.message_id, some))
        ):
            found.setdefault(row.message_id, {})[row.channel_id] = copy_of(row)
    return found


async def _has_any(connection: AsyncConnection, first_id: int, last_id: int) -> bool:
    """Whether any message from a position to another is stored, in whatever channel."""
    query = select(_message.message_id).where(_message.message_id.between(first_id, last_id)).limit(1)
    return await connection.scalar(query) is not None


async def save(connection: AsyncConnection, place: Place, copies: Collection[Copy]) -> None:
    """Store copies of messages of one channel, in the place of what is stored of them."""
    await _save_rows(connection, _driver_rows(place, copies))


async def save_piece(
    connection: AsyncConnection,
    place: Place,
    piece: StagedPiece,
    left_out: Container[int],
    more: Mapping[int, Facts],
    days: Iterable[tuple[date, Iterable[int]]],
) -> None:
    """Store the messages of a piece as they are, without those at the places `left_out`.

    `more` are the facts of those that have any, by place; `days` the places of those that count, by the day.
    """
    size = len(piece)
    facts = [_NO_FACTS] * size
    for one, found in more.items():
        facts[one] = found
    counted_on: list[int | None] = [None] * size
    for day, places in days:
        number = DayNumber().process_bind_param(day, _SQLITE)
        for one in places:
            counted_on[one] = number
    names = [_NAMES[kind] for kind in piece.kinds]
    authors = [author_id or None for author_id in piece.authors] if 0 in piece.authors else piece.authors
    seen = repeat(piece.seen) if isinstance(piece.seen, int) else piece.seen
    flags, replies, mentions = zip(*facts, strict=True)
    rows: Iterable[tuple[Any, ...]] = zip(
        repeat(place.channel_id), piece.ids, repeat(place.guild_id), seen, authors, names, flags, replies, mentions,
        counted_on,
    )  # fmt: skip
    await _save_rows(
        connection, [row for one, row in enumerate(rows) if one not in left_out] if left_out else list(rows)
    )


async def _save_rows(connection: AsyncConnection, rows: list[tuple[Any, ...]]) -> None:
    """Store rows as the database has them: nothing for SQLAlchemy to do with each value, which is most of the work."""
    if rows:
        await connection.exec_driver_sql(_SAVE.format(", ".join(parameters(connection, len(_COLUMNS)))), rows)


async def authors(connection: AsyncConnection, message_ids: Collection[int]) -> dict[int, int | None]:
    """The authors of those messages that are stored; None for one that no person wrote."""
    found: dict[int, int | None] = {}
    for some in pieces(message_ids):
        query = select(_message.message_id, _message.author_id).where(
            among(connection, _message.message_id, some), _message.kind != MessageKind.STARTER.value
        )
        for row in await connection.execute(query.order_by(_message.channel_id.desc())):
            found[row.message_id] = row.author_id
    return found


async def replies_to(connection: AsyncConnection, message_ids: Collection[int]) -> list[tuple[int, int, int | None]]:
    """The stored replies to some messages: channel, message and author of each."""
    found: list[tuple[int, int, int | None]] = []
    for some in pieces(message_ids):
        query = select(_message.channel_id, _message.message_id, _message.author_id)
        rows = await connection.execute(query.where(among(connection, _message.reply_to_id, some)))
        found += [(row.channel_id, row.message_id, row.author_id) for row in rows]
    return found


async def replied_to(connection: AsyncConnection, message_ids: Collection[int]) -> set[int]:
    """Those of some messages to which stored ones reply. It looks once at everything between the first and the last."""
    if not message_ids:
        return set()
    here = _message.reply_to_id.between(min(message_ids), max(message_ids))
    return set(await connection.scalars(select(_message.reply_to_id).where(here))).intersection(message_ids)


async def forget_targets(connection: AsyncConnection, message_ids: Collection[int], managers: AbstractSet[int]) -> None:
    """Forget which of these messages people who are no managers replied to, where no manager wrote them.

    Whom members answer is not to be kept. What is not stored may be a manager's.
    """
    target, ids = tables.imported_message.alias("target"), sorted(managers)
    by_somebody_else = (
        select(target.c.message_id)
        .where(
            target.c.message_id == _message.reply_to_id,
            target.c.kind != MessageKind.STARTER.value,
            or_(target.c.author_id.is_(None), target.c.author_id.not_in(ids)),
        )
        .correlate(tables.imported_message)
    )
    for some in pieces(message_ids):
        await connection.execute(
            update(tables.imported_message)
            .where(
                among(connection, _message.reply_to_id, some),
                or_(_message.author_id.is_(None), _message.author_id.not_in(ids)),
                by_somebody_else.exists(),
            )
            .values(reply_to_id=None)
        )


async def stored_of(
    connection: AsyncConnection, stretches: Mapping[int, Span], message_ids: Collection[int]
) -> list[StoredPlace]:
    """What is stored of some channels in a stretch of each, and of these messages in whatever channel."""
    found: set[StoredPlace] = set()
    first_id = min(one.first_id for one in stretches.values())
    last_id = max(one.last_id for one in stretches.values())
    here = _message.channel_id.in_(stretches) & _message.message_id.between(first_id, last_id)
    for some in [*pieces(message_ids)] or [[]]:
        query = select(_message.message_id, _message.channel_id, _message.counted_on)
        for row in await connection.execute(query.where(or_(here, among(connection, _message.message_id, some)))):
            if row.message_id in message_ids or stretches[row.channel_id].holds(row.message_id):
                found.add(StoredPlace(row.message_id, row.channel_id, row.counted_on is not None))
    return sorted(found)


async def count_elsewhere(connection: AsyncConnection, channel_id: int, message_ids: Collection[int]) -> None:
    """Some messages, which stand in several channels, count no longer by the copy in this one."""
    for some in pieces(message_ids):
        await connection.execute(
            update(tables.imported_message)
            .where(_message.channel_id == channel_id, among(connection, _message.message_id, some))
            .values(counted_on=None)
        )


async def extents(connection: AsyncConnection, guild_id: int) -> dict[int, Span]:
    """For each channel of a guild, from the first to the last stored message."""
    here = _message.channel_id == _channel.channel_id  # one look at each end, however many messages are stored
    ends = [select(end(_message.message_id)).where(here).scalar_subquery() for end in (func.min, func.max)]
    found = await connection.execute(select(_channel.channel_id, *ends).where(_channel.guild_id == guild_id))
    return {channel_id: Span(*span) for channel_id, *span in found if None not in span}


async def counts(connection: AsyncConnection, guild_id: int) -> dict[int, int]:
    """How many messages of each channel of a guild are stored."""
    query = select(_message.channel_id, func.count().label("messages")).where(_of_guild(guild_id))
    return {row.channel_id: row.messages for row in await connection.execute(query.group_by(_message.channel_id))}


async def mark_deleted(connection: AsyncConnection, message_ids: Collection[int]) -> None:
    """Spade heard that messages were deleted: no copy of them counts any more, from whatever file."""
    for some in pieces(message_ids):
        await connection.execute(
            update(tables.imported_message)
            .where(among(connection, _message.message_id, some))
            .values(flags=_message.flags.op("|")(DELETED))
        )


async def ends_of(connection: AsyncConnection, guild_id: int, people: Collection[int]) -> dict[int, Ends]:
    """The first and the last stored message of some people that counts."""
    counted = [kind.value for kind in MessageKind if Message(0, 0, kind).counted]
    ends: dict[int, tuple[int, int]] = {}
    for some in pieces(people):
        query = (
            select(_message.author_id, func.min(_message.message_id), func.max(_message.message_id))
            .where(
                _message.guild_id == guild_id, among(connection, _message.author_id, some), _message.kind.in_(counted)
            )
            .group_by(_message.author_id)
        )
        ends.update({author_id: (first, last) for author_id, first, last in await connection.execute(query)})
    stored = await with_ids(connection, {message_id for both in ends.values() for message_id in both})
    return {
        author_id: Ends(first, min(stored[first]), last, min(stored[last])) for author_id, (first, last) in ends.items()
    }


# Forgetting.


async def hide_person(connection: AsyncConnection, guild_id: int, person_id: int, *, as_manager: bool = True) -> int:
    """Keep a person's id no longer: their messages still stand between others. Returns the number of rows changed.

    Without `as_manager`, what they wrote is left as it is if they are a manager, but counts no longer.
    """
    table = tables.imported_message
    written = (_message.guild_id == guild_id, _message.author_id == person_id)
    await connection.execute(update(table).where(*written).values(counted_on=None))
    managers = select(tables.manager.c.manager_id).where(tables.manager.c.guild_id == guild_id)
    own = [] if as_manager else [_message.author_id.not_in(managers)]
    hidden = await connection.execute(update(table).where(*written, *own).values(author_id=SOMEBODY_ID))
    if not as_manager and await connection.scalar(managers.where(tables.manager.c.manager_id == person_id)):
        return int(hidden.rowcount)
    query = select(_message.channel_id, _message.message_id, _message.mentions)
    found = await connection.execute(query.where(_message.guild_id == guild_id, mentions_person(person_id)))
    named: list[dict[str, Any]] = []
    for row in found:
        people = people_in(row.mentions) - {person_id}
        people |= {min(people | {SOMEBODY_ID}) - 1}
        named.append({"channel": row.channel_id, "message": row.message_id, "people": _written(people)})
    if named:
        key = (_message.channel_id == bindparam("channel"), _message.message_id == bindparam("message"))
        await connection.execute(update(table).where(*key).values(mentions=bindparam("people")), named)
    return int(hidden.rowcount) + len(named)


def mentions_person(person_id: int) -> Any:  # noqa: ANN401 - a condition
    """The condition that a stored message mentions a person."""
    return _message.mentions.contains(f" {person_id} ")


async def people_mentioned(connection: AsyncConnection, guild_id: int) -> frozenset[int]:
    """Everybody whom stored messages of a guild mention."""
    query = select(_message.mentions).distinct().where(_message.guild_id == guild_id, _message.mentions != "")
    return frozenset().union(*(people_in(mentions) for mentions in await connection.scalars(query)))


async def forget_before(connection: AsyncConnection, guild_id: int, first_id: int) -> int:
    """Delete a guild's stored messages from before a position. What began before it is not whole any more."""
    table = tables.imported_message
    deleted = await connection.execute(delete(table).where(_of_guild(guild_id), _message.message_id < first_id))
    await connection.execute(
        update(tables.imported_channel)
        .where(_channel.guild_id == guild_id, _channel.channel_id < first_id)
        .values(begins=False)
    )
    return int(deleted.rowcount)


def _driver_rows(place: Place, copies: Iterable[Copy]) -> list[tuple[Any, ...]]:
    """The values of `_SAVE` as the database has them (bot/store/columns.py)."""
    moments: dict[datetime, int | None] = {}
    days: dict[date | None, int | None] = {None: None}
    rows: list[tuple[Any, ...]] = []
    for copy in copies:
        message, at, on = copy.message, copy.exported_at, copy.counted_on
        if at not in moments:
            moments[at] = Moment().process_bind_param(at, _SQLITE)
        if on not in days:
            days[on] = DayNumber().process_bind_param(on, _SQLITE)
        rows.append(
            (
                place.channel_id,
                message.message_id,
                place.guild_id,
                moments[at],
                message.author_id,
                message.kind.value,
                _flags(copy),
                message.reply_to_id,
                _written(message.mentions),
                days[on],
            )
        )
    return rows


def _flags(copy: Copy) -> int:
    message = copy.message
    return (
        MENTIONS_NO_PERSON * message.mentions_no_person
        | MENTIONS_CROWD * message.mentions_crowd
        | REDUCED * copy.reduced
        | DELETED * copy.deleted
    )


def copy_of(row: Row[Any]) -> Copy:
    """A row of the table as a copy."""
    message = Message(
        message_id=row.message_id,
        author_id=row.author_id,
        kind=_KINDS[row.kind],
        mentions=people_in(row.mentions),
        mentions_no_person=bool(row.flags & MENTIONS_NO_PERSON),
        mentions_crowd=bool(row.flags & MENTIONS_CROWD),
        reply_to_id=row.reply_to_id,
    )
    return Copy(message, row.exported_at, bool(row.flags & REDUCED), bool(row.flags & DELETED), row.counted_on)


def _written(people: AbstractSet[int]) -> str:
    """People as they are stored: each id between two spaces, so that one can be searched for."""
    return f" {' '.join(map(str, sorted(people)))} " if people else ""


def people_in(mentions: str) -> frozenset[int]:
    """The people in the column `mentions`."""
    return frozenset(map(int, mentions.split())) if mentions else _NO_ONE
