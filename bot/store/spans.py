"""Which stretches of each channel are on record (spans), and which are known to be missing (known gaps).

Spans are what Discord told. What was imported from files is on record, too, but closes no stretch.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Delete,
    Select,
    Table,
    bindparam,
    case,
    delete,
    func,
    literal,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from bot.domain.snowflake import first_id_at
from bot.domain.span import Span, merged
from bot.domain.stretch import Place
from bot.store import guilds, tables
from bot.store.engine import AsyncConnection
from bot.store.insertion import insert_for, insert_into
from bot.store.people import is_counted
from bot.store.prepared import Given, prepared

_span = tables.span.c
_gap = tables.known_gap.c
_imported = (tables.imported_channel.c.guild_id, tables.imported_channel.c.channel_id)

GAPS = (tables.known_gap,)
"""The tables that known gaps are read from."""


@dataclass(frozen=True, slots=True)
class StoredSpan:
    """A span as it is stored; `parent_id` is a thread's channel, if it is known."""

    first_id: int
    last_id: int
    parent_id: int | None

    @property
    def span(self) -> Span:
        """Its bounds."""
        return Span(self.first_id, self.last_id)


def _bounds(*of: Table) -> ReadOnlyColumnCollection[str, Any]:
    """The bounds of all rows of some tables, which Discord told, and of each channel's imported messages."""
    message = tables.imported_message.c

    def imported(end: Callable[[ColumnElement[int]], ColumnElement[int]]) -> ColumnElement[int]:
        return select(end(message.message_id)).where(message.channel_id == _imported[1]).scalar_subquery()

    told = [
        select(table.c.guild_id, table.c.channel_id, table.c.first_id, table.c.last_id, literal(1).label("told"))
        for table in of
    ]
    first_id, last_id = imported(func.min), imported(func.max)
    messages = select(*_imported, first_id.label("first_id"), last_id.label("last_id"), literal(0).label("told"))
    return union_all(*told, messages.where(first_id.is_not(None))).subquery().c


_FROM = (
    select(tables.span)
    .where(_span.channel_id.in_(bindparam("channel_ids", expanding=True)), _span.last_id >= bindparam("from_id"))
    .order_by(_span.channel_id, _span.first_id)
)
"""The spans of some channels that end at a position or later."""
_extent = _bounds(tables.span)
_reach = _bounds(tables.span, tables.known_gap)


async def of_channel(connection: AsyncConnection, channel_id: int) -> tuple[Span, ...]:
    """A channel's spans, in order."""
    query = select(_span.first_id, _span.last_id).where(_span.channel_id == channel_id).order_by(_span.first_id)
    return tuple(Span(row.first_id, row.last_id) for row in await connection.execute(query))


async def from_stretches(
    connection: AsyncConnection, stretches: Mapping[int, Span]
) -> dict[int, tuple[StoredSpan, ...]]:
    """The spans of some channels, in order, that end right before a stretch of the channel or later."""
    found: dict[int, list[StoredSpan]] = {channel_id: [] for channel_id in stretches}
    from_id = min(span.first_id for span in stretches.values()) - 1
    for row in await connection.execute(_FROM, {"channel_ids": list(stretches), "from_id": from_id}):
        if row.last_id >= stretches[row.channel_id].first_id - 1:
            found[row.channel_id].append(StoredSpan(row.first_id, row.last_id, row.parent_id))
    return {channel_id: tuple(rows) for channel_id, rows in found.items()}


async def of_guild(connection: AsyncConnection, guild_id: int) -> dict[int, tuple[Span, ...]]:
    """The spans of a guild's channels, in order."""
    query = select(_span.channel_id, _span.first_id, _span.last_id).where(_span.guild_id == guild_id)
    found: dict[int, list[Span]] = {}
    for row in await connection.execute(query.order_by(_span.channel_id, _span.first_id)):
        found.setdefault(row.channel_id, []).append(Span(row.first_id, row.last_id))
    return {channel_id: tuple(spans) for channel_id, spans in found.items()}


async def extents(connection: AsyncConnection, guild_id: int) -> dict[int, Span]:
    """For each channel on record, from the start of its first span or imported message to the end of its last span.

    Imported messages are its end only where it has no span: files do not tell what lies between.
    """
    return {row.channel_id: _whole(row) for row in await _rows(connection, _extent, _extent.guild_id == guild_id)}


async def reaches(connection: AsyncConnection, guild_id: int) -> dict[int, Span]:
    """The same with known gaps."""
    return {row.channel_id: _whole(row) for row in await _rows(connection, _reach, _reach.guild_id == guild_id)}


async def reach_of(connection: AsyncConnection, channel_id: int) -> Span | None:
    """The reach of one channel; None if there is none."""
    row = (await connection.execute(*_reaches_of([channel_id]))).first()
    return None if row is None else _whole(row)


@prepared
def _reaches_of(channel_ids: Given) -> Select[Any]:
    return _bounded(_reach, _reach.channel_id.in_(channel_ids))


async def ends(connection: AsyncConnection, guild_id: int) -> dict[int, int]:
    """The position up to which each channel is on record, so that what follows has still to be fetched.

    It is the end of its last span or known gap. A channel that has neither ends with its imported messages, but not
    behind the position where its record would open without them: a file may lack any message.
    """
    rows = {row.channel_id: row for row in await _rows(connection, _reach, _reach.guild_id == guild_id)}
    imported = select(_imported[1], tables.imported_channel.c.parent_id).where(_imported[0] == guild_id)
    known = {row.channel_id: row.parent_id for row in await connection.execute(imported)}
    watched_since = await guilds.watched_since(connection, guild_id)
    return {
        channel_id: _end(row, rows.get(known.get(channel_id) or 0), watched_since) for channel_id, row in rows.items()
    }


@dataclass(frozen=True, slots=True)
class RecordEnd:
    """The position up to which a channel is on record, and whether Discord told any of it, or files alone did."""

    position: int
    told: bool


async def end_of(connection: AsyncConnection, place: Place) -> RecordEnd | None:
    """Where the record of one channel ends (`ends`); None if nothing of it is on record."""
    ids = [place.channel_id] if place.parent_id is None else [place.channel_id, place.parent_id]
    rows = {row.channel_id: row for row in await connection.execute(*_reaches_of(ids))}
    row = rows.get(place.channel_id)
    if row is None:
        return None
    told = row.told_to_id is not None
    watched_since = None if told else await guilds.watched_since(connection, place.guild_id)
    return RecordEnd(_end(row, rows.get(place.parent_id or 0), watched_since), told)


async def parents(connection: AsyncConnection, guild_id: int) -> dict[int, int]:
    """The channels of those threads of a guild that Discord told of."""
    told = union_all(
        *(
            select(table.c.channel_id, table.c.parent_id).where(
                table.c.guild_id == guild_id, table.c.parent_id.is_not(None)
            )
            for table in (tables.span, tables.known_gap)
        )
    )
    return {row.channel_id: row.parent_id for row in await connection.execute(told)}


async def counted_channels(connection: AsyncConnection, guild_id: int) -> frozenset[int]:
    """The channels and threads on record that are not excluded."""
    query = select(_extent.channel_id).where(_extent.guild_id == guild_id, is_counted(_extent.channel_id, guild_id))
    return frozenset(await connection.scalars(query.distinct()))


async def _rows(
    connection: AsyncConnection, bounds: ReadOnlyColumnCollection[str, Any], which: ColumnElement[bool]
) -> Sequence[Any]:
    """From where to where each channel is on record, and from where to where Discord told it; null if it did not."""
    found: Sequence[Any] = (await connection.execute(_bounded(bounds, which))).all()
    return found


def _bounded(bounds: ReadOnlyColumnCollection[str, Any], which: ColumnElement[bool]) -> Select[Any]:
    told = bounds.told == 1
    query = select(
        bounds.channel_id,
        func.min(bounds.first_id).label("first_id"),
        func.max(bounds.last_id).label("last_id"),
        func.min(case((told, bounds.first_id))).label("told_from_id"),
        func.max(case((told, bounds.last_id))).label("told_to_id"),
    )
    return query.where(which).group_by(bounds.channel_id)


def _whole(row: Any) -> Span:  # noqa: ANN401 - a row of `_rows`
    return Span(row.first_id, row.last_id if row.told_to_id is None else row.told_to_id)


def _end(row: Any, parent: Any, watched_since: datetime | None) -> int:  # noqa: ANN401 - rows of `_rows`
    if row.told_to_id is not None:
        return int(row.told_to_id)
    if parent is not None and parent.told_from_id is not None:
        return int(min(row.last_id, max(row.channel_id - 1, parent.told_from_id)))
    if watched_since is not None and row.channel_id >= first_id_at(watched_since):
        return int(min(row.last_id, row.channel_id - 1))
    return int(row.last_id)


async def add(connection: AsyncConnection, place: Place, span: Span) -> None:
    """Store a span, merged with those that it overlaps or adjoins."""
    await add_all(connection, [(place, span)])


async def add_all(
    connection: AsyncConnection,
    added: Iterable[tuple[Place, Span]],
    known: Mapping[int, tuple[StoredSpan, ...]] | None = None,
) -> dict[int, tuple[StoredSpan, ...]]:
    """Store spans of some channels, merged with those that they overlap or adjoin.

    Returns all spans of these channels from the one on that has the newest of the added. `known` is what
    `from_stretches` told of stretches that hold them; it is looked up if it is not given.
    """
    places: dict[int, Place] = {}
    told: dict[int, list[Span]] = {}
    for place, span in added:
        places[place.channel_id] = place
        told.setdefault(place.channel_id, []).append(span)
    if not places:
        return {}
    if known is None:
        known = await from_stretches(connection, {channel_id: min(spans) for channel_id, spans in told.items()})
    outdated: list[dict[str, int]] = []
    rows: list[dict[str, int | None]] = []
    newest: dict[int, tuple[StoredSpan, ...]] = {}
    for channel_id, spans in told.items():
        place, stored = places[channel_id], {one.span: one for one in known[channel_id]}
        whole = merged([*stored, *spans])
        starts = {span.first_id for span in whole}
        outdated += [
            {"of_channel_id": channel_id, "from_id": span.first_id} for span in stored if span.first_id not in starts
        ]
        parents = [one.parent_id for one in known[channel_id] if one.parent_id is not None]
        parent_id = place.parent_id if place.parent_id is not None or not parents else parents[0]
        rows += [
            {
                "channel_id": channel_id,
                "guild_id": place.guild_id,
                "parent_id": parent_id,
                "first_id": span.first_id,
                "last_id": span.last_id,
            }
            for span in whole
            if span not in stored or stored[span].parent_id != parent_id
        ]
        last_id = max(span.last_id for span in spans)
        newest[channel_id] = tuple(
            StoredSpan(span.first_id, span.last_id, parent_id) for span in whole if span.last_id >= last_id
        )
    if outdated:
        is_outdated = (_span.channel_id == bindparam("of_channel_id"), _span.first_id == bindparam("from_id"))
        await connection.execute(delete(tables.span).where(*is_outdated), outdated)
    if rows:
        await connection.execute(_adding(connection.dialect.name), rows)
    return newest


@cache
def _adding(dialect: str) -> sqlite.Insert:
    statement = insert_for(dialect, tables.span)
    values = {name: statement.excluded[name] for name in ("last_id", "guild_id", "parent_id")}
    return statement.on_conflict_do_update(index_elements=["channel_id", "first_id"], set_=values)


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


async def guilds_with_gaps(connection: AsyncConnection) -> frozenset[int]:
    """The guilds that have known gaps, in excluded channels or others."""
    return frozenset(await connection.scalars(select(_gap.guild_id).distinct()))


async def channels_with_gaps(connection: AsyncConnection, guild_id: int) -> frozenset[int]:
    """The channels of a guild that have known gaps."""
    return frozenset(await connection.scalars(select(_gap.channel_id).distinct().where(_gap.guild_id == guild_id)))


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
    await connection.execute(*_without_gaps(channel_id, filled.first_id, filled.last_id))


@prepared
def _without_gaps(channel_id: Given, first_id: Given, last_id: Given) -> Delete:
    return delete(tables.known_gap).where(
        _gap.channel_id == channel_id, _gap.first_id >= first_id, _gap.last_id <= last_id
    )
