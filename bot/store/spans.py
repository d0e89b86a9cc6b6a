"""Which stretches of each channel are on record (spans), and which are known to be missing (known gaps).

Spans are what Discord told. What was imported from files is on record, too, but closes no stretch.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Table, case, delete, func, or_, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from bot.domain.span import Span, merged
from bot.domain.stretch import Place
from bot.store import tables
from bot.store.insertion import insert_into
from bot.store.people import is_counted

_span = tables.span.c
_gap = tables.known_gap.c
_imported = (tables.imported_channel.c.guild_id, tables.imported_channel.c.channel_id)


def _ends(*of: Table, before_id: int | None = None) -> ReadOnlyColumnCollection[str, Any]:
    """The bounds of all rows of some tables, and for each channel with imported messages, those of its messages.

    With `before_id`, of the rows and messages that start before it.
    """
    message = tables.imported_message.c

    def imported(end: Callable[[ColumnElement[int]], ColumnElement[int]]) -> ColumnElement[int]:
        query = select(end(message.message_id)).where(message.channel_id == _imported[1])
        return (query if before_id is None else query.where(message.message_id < before_id)).scalar_subquery()

    recorded = [select(table.c.guild_id, table.c.channel_id, table.c.first_id, table.c.last_id) for table in of]
    if before_id is not None:
        recorded = [query.where(table.c.first_id < before_id) for query, table in zip(recorded, of, strict=True)]
    first_id, last_id = imported(func.min), imported(func.max)
    messages = select(*_imported, first_id.label("first_id"), last_id.label("last_id")).where(first_id.is_not(None))
    return union_all(*recorded, messages).subquery().c


_extent = _ends(tables.span)
_reach = _ends(tables.span, tables.known_gap)


async def of_channel(connection: AsyncConnection, channel_id: int) -> tuple[Span, ...]:
    """A channel's spans, in order."""
    query = select(_span.first_id, _span.last_id).where(_span.channel_id == channel_id).order_by(_span.first_id)
    return tuple(Span(row.first_id, row.last_id) for row in await connection.execute(query))


async def of_guild(connection: AsyncConnection, guild_id: int) -> dict[int, tuple[Span, ...]]:
    """The spans of a guild's channels, in order."""
    query = select(_span.channel_id, _span.first_id, _span.last_id).where(_span.guild_id == guild_id)
    found: dict[int, list[Span]] = {}
    for row in await connection.execute(query.order_by(_span.channel_id, _span.first_id)):
        found.setdefault(row.channel_id, []).append(Span(row.first_id, row.last_id))
    return {channel_id: tuple(spans) for channel_id, spans in found.items()}


async def extents(connection: AsyncConnection, guild_id: int) -> dict[int, Span]:
    """For each channel on record, from the start of its first span or imported message to the end of its last."""
    return await _extents(connection, _extent, guild_id)


async def reaches(connection: AsyncConnection, guild_id: int) -> dict[int, Span]:
    """The same with known gaps."""
    return await _extents(connection, _reach, guild_id)


async def counted_channels(connection: AsyncConnection, guild_id: int) -> frozenset[int]:
    """The channels and threads on record that are not excluded."""
    query = select(_extent.channel_id).where(_extent.guild_id == guild_id, is_counted(_extent.channel_id, guild_id))
    return frozenset(await connection.scalars(query.distinct()))


async def _extents(
    connection: AsyncConnection, stretches: ReadOnlyColumnCollection[str, Any], guild_id: int
) -> dict[int, Span]:
    query = (
        select(stretches.channel_id, func.min(stretches.first_id), func.max(stretches.last_id))
        .where(stretches.guild_id == guild_id)
        .group_by(stretches.channel_id)
    )
    return {channel_id: Span(first_id, last_id) for channel_id, first_id, last_id in await connection.execute(query)}


async def reach_of(connection: AsyncConnection, channel_id: int, before_id: int | None = None) -> Span | None:
    """The reach of one channel, or of what starts before `before_id` of it; None if there is none."""
    reach = _reach if before_id is None else _ends(tables.span, tables.known_gap, before_id=before_id)
    query = select(func.min(reach.first_id), func.max(reach.last_id)).where(reach.channel_id == channel_id)
    first_id, last_id = (await connection.execute(query)).one()
    return None if first_id is None else Span(first_id, last_id)


async def add(connection: AsyncConnection, place: Place, span: Span) -> None:
    """Store a span, merged with those that it overlaps or adjoins."""
    channel_id = place.channel_id
    meets = (_span.channel_id == channel_id, _span.first_id <= span.last_id + 1, _span.last_id >= span.first_id - 1)
    found = (await connection.execute(select(tables.span).where(*meets))).all()
    (whole,) = merged([*(Span(row.first_id, row.last_id) for row in found), span])
    parents = [row.parent_id for row in found if row.parent_id is not None]
    if found:
        await connection.execute(delete(tables.span).where(*meets))
    await connection.execute(
        insert_into(connection, tables.span).values(
            channel_id=channel_id,
            guild_id=place.guild_id,
            parent_id=place.parent_id if place.parent_id is not None or not parents else parents[0],
            first_id=whole.first_id,
            last_id=whole.last_id,
        )
    )


async def known_gaps(
    connection: AsyncConnection, guild_id: int, *, counted: bool = False
) -> dict[int, tuple[Span, ...]]:
    """The known gaps of a guild by channel, or only those of the channels that are `counted`: not excluded."""
    query = select(_gap.channel_id, _gap.first_id, _gap.last_id).where(_gap.guild_id == guild_id)
    if counted:
        query = query.where(*_in_counted(guild_id))
    result: dict[int, tuple[Span, ...]] = {}
    for row in await connection.execute(query.order_by(_gap.channel_id, _gap.first_id)):
        result[row.channel_id] = (*result.get(row.channel_id, ()), Span(row.first_id, row.last_id))
    return result


async def known_gaps_of(connection: AsyncConnection, channel_id: int) -> tuple[Span, ...]:
    """The known gaps of a channel, in order."""
    query = select(_gap.first_id, _gap.last_id).where(_gap.channel_id == channel_id).order_by(_gap.first_id)
    return tuple(Span(row.first_id, row.last_id) for row in await connection.execute(query))


async def gaps_of_counted(connection: AsyncConnection, guild_id: int) -> tuple[Span, ...]:
    """The known gaps of the channels that are not excluded."""
    query = select(_gap.first_id, _gap.last_id).where(_gap.guild_id == guild_id, *_in_counted(guild_id))
    return tuple(Span(row.first_id, row.last_id) for row in await connection.execute(query))


def _in_counted(guild_id: int) -> tuple[ColumnElement[bool], ...]:
    """The conditions that a gap's channel is not excluded: a thread that has only gaps is in no span."""
    excluded = select(tables.excluded_channel.c.channel_id).where(tables.excluded_channel.c.guild_id == guild_id)
    return is_counted(_gap.channel_id, guild_id), or_(_gap.parent_id.is_(None), _gap.parent_id.not_in(excluded))


async def add_known_gap(
    connection: AsyncConnection,
    guild_id: int,
    channel_id: int,
    gap: Span,
    reason: str,
    *,
    parent_id: int | None = None,
) -> None:
    """Store a known gap and its reason; `parent_id` is a thread's channel.

    If one with the same start is longer, its end stays.
    """
    values = {"last_id": gap.last_id, "guild_id": guild_id, "reason": reason, "parent_id": parent_id}
    statement = insert_into(connection, tables.known_gap).values(channel_id=channel_id, first_id=gap.first_id, **values)
    longest = case((_gap.last_id > gap.last_id, _gap.last_id), else_=gap.last_id)
    parent = func.coalesce(statement.excluded.parent_id, _gap.parent_id)
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["channel_id", "first_id"], set_={**values, "last_id": longest, "parent_id": parent}
        )
    )


async def lengthen_known_gap(connection: AsyncConnection, place: Place, gap: Span, reason: str) -> None:
    """Add a stretch to the known gap with the same reason that ends right before it, or in it.

    If there is none, the stretch becomes a gap of its own.
    """
    meets = (_gap.channel_id == place.channel_id, _gap.first_id <= gap.first_id, _gap.last_id >= gap.first_id - 1)
    longest = case((_gap.last_id > gap.last_id, _gap.last_id), else_=gap.last_id)
    lengthened = await connection.execute(
        update(tables.known_gap).where(*meets, _gap.reason == reason).values(last_id=longest)
    )
    if not lengthened.rowcount:
        await add_known_gap(connection, place.guild_id, place.channel_id, gap, reason, parent_id=place.parent_id)


async def forget_known_gaps(connection: AsyncConnection, channel_id: int, filled: Span) -> None:
    """Delete the known gaps that lie within a stretch, because it was fetched."""
    await connection.execute(
        delete(tables.known_gap).where(
            _gap.channel_id == channel_id, _gap.first_id >= filled.first_id, _gap.last_id <= filled.last_id
        )
    )
