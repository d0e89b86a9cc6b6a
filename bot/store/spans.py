"""Which stretches of each channel are on record (spans), and which are known to be missing (known gaps).

Spans are what Discord told. What was imported from files is on record, too, but closes no stretch.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Table, case, delete, func, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from bot.domain.span import Span, merged
from bot.domain.stretch import Place
from bot.store import tables
from bot.store.insertion import insert_into
from bot.store.people import is_counted

_span = tables.span.c
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


async def known_gaps(connection: AsyncConnection, guild_id: int) -> dict[int, tuple[Span, ...]]:
    """The known gaps of a guild, by channel."""
    gap = tables.known_gap.c
    query = select(gap.channel_id, gap.first_id, gap.last_id).where(gap.guild_id == guild_id)
    result: dict[int, tuple[Span, ...]] = {}
    for row in await connection.execute(query.order_by(gap.channel_id, gap.first_id)):
        result[row.channel_id] = (*result.get(row.channel_id, ()), Span(row.first_id, row.last_id))
    return result


async def known_gaps_of(connection: AsyncConnection, channel_id: int) -> tuple[Span, ...]:
    """The known gaps of a channel, in order."""
    gap = tables.known_gap.c
    query = select(gap.first_id, gap.last_id).where(gap.channel_id == channel_id).order_by(gap.first_id)
    return tuple(Span(row.first_id, row.last_id) for row in await connection.execute(query))


async def gaps_of_counted(connection: AsyncConnection, guild_id: int) -> tuple[Span, ...]:
    """The known gaps of the channels that are not excluded."""
    gap = tables.known_gap.c
    query = select(gap.first_id, gap.last_id).where(gap.guild_id == guild_id, is_counted(gap.channel_id, guild_id))
    return tuple(Span(row.first_id, row.last_id) for row in await connection.execute(query))


async def add_known_gap(connection: AsyncConnection, guild_id: int, channel_id: int, gap: Span, reason: str) -> None:
    """Store a known gap and its reason. If one with the same start is longer, its end stays."""
    known = tables.known_gap.c
    values = {"last_id": gap.last_id, "guild_id": guild_id, "reason": reason}
    statement = insert_into(connection, tables.known_gap).values(channel_id=channel_id, first_id=gap.first_id, **values)
    longest = case((known.last_id > gap.last_id, known.last_id), else_=gap.last_id)
    await connection.execute(
        statement.on_conflict_do_update(index_elements=["channel_id", "first_id"], set_={**values, "last_id": longest})
    )


async def forget_known_gaps(connection: AsyncConnection, channel_id: int, filled: Span) -> None:
    """Delete the known gaps that lie within a stretch, because it was fetched."""
    known = tables.known_gap.c
    await connection.execute(
        delete(tables.known_gap).where(
            known.channel_id == channel_id, known.first_id >= filled.first_id, known.last_id <= filled.last_id
        )
    )
