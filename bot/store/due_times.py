"""When each guild's and each manager's due work is next to be looked at: indexed columns, one for each kind of it.

Before that moment nothing of the kind is due; NULL: nothing ever will be, as things are. What a moment depends on is
written by `bot.store.guilds`, `bot.store.managers` and `bot.store.deliveries` alone; they make the row due for a look,
in the same transaction. A new row is due for one by the default of its columns.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, bindparam, literal, select, tuple_, update

from bot.domain.delivery import DeliveryKind
from bot.store import tables
from bot.store.engine import AsyncConnection

Key = tuple[int, int]
"""A guild and a manager; 0 stands for the guild itself."""

AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)
OF_GUILD = {column.name: AT_ONCE for column in (tables.guild.c.digest_due_at, tables.guild.c.purge_due_at)}
OF_MANAGER = {column.name: AT_ONCE for column in (tables.manager.c.nudge_due_at, tables.manager.c.digest_due_at)}
"""What the columns hold after a change that they may depend on: everything is to be looked at with the next tick."""


@dataclass(frozen=True, slots=True)
class DueColumn:
    """The column of one kind of due work. A row is that of a manager or, in the table `guild`, of a guild."""

    column: Column[datetime]

    @property
    def table(self) -> Table:
        """The table that it is in."""
        return self.column.table

    @property
    def key(self) -> tuple[Column[int], ...]:
        """The columns that say whose row it is."""
        return tuple(self.table.primary_key.columns)


DIGEST = DueColumn(tables.guild.c.digest_due_at)
PURGE = DueColumn(tables.guild.c.purge_due_at)
NUDGE = DueColumn(tables.manager.c.nudge_due_at)
PERSONAL_DIGEST = DueColumn(tables.manager.c.digest_due_at)
_SENT_BY = {
    DeliveryKind.DIGEST: DIGEST,
    DeliveryKind.NUDGE: NUDGE,
    DeliveryKind.PERSONAL_DIGEST: PERSONAL_DIGEST,
}


@dataclass(frozen=True, slots=True)
class DueRow:
    """A row that is due for a look."""

    due_at: datetime
    key: Key


async def due(
    connection: AsyncConnection, kind: DueColumn, now: datetime, *, after: DueRow | None, limit: int
) -> tuple[DueRow, ...]:
    """The first rows that are due for a look, of those that come `after` one that was read before."""
    place: list[ColumnElement[Any]] = [kind.column, *kind.key]
    query = select(*place).where(kind.column <= now).order_by(*place).limit(limit)
    if after is not None:
        query = query.where(
            tuple_(*place) > tuple_(literal(after.due_at, kind.column.type), *after.key[: len(kind.key)])
        )
    return tuple(DueRow(at, (key[0], key[1] if key[1:] else 0)) for at, *key in await connection.execute(query))


async def move_on(connection: AsyncConnection, kind: DueColumn, ahead: Mapping[Key, datetime | None]) -> None:
    """Store when rows are next due for a look: for each a moment, or None for never."""
    if not ahead:
        return
    names = [f"its_{column.name}" for column in kind.key]
    which = [column == bindparam(name) for column, name in zip(kind.key, names, strict=True)]
    statement = update(kind.table).where(*which).values({kind.column: bindparam("next_at")})
    rows = [
        {**dict(zip(names, key[: len(names)], strict=True)), "next_at": next_at}
        for key, next_at in sorted(ahead.items(), key=itemgetter(0))
    ]
    await connection.execute(statement, rows)


async def look_at_all(connection: AsyncConnection, kind: DueColumn) -> None:
    """Make every row due for a look: what is stored may be wrong."""
    await connection.execute(update(kind.table).values({kind.column: AT_ONCE}))


async def guilds_changed(connection: AsyncConnection, *guild_ids: int) -> None:
    """Make these guilds' managers due for a look: the time zone or the digest of their guild may be another."""
    await connection.execute(
        update(tables.manager).where(tables.manager.c.guild_id.in_(sorted(guild_ids))).values(OF_MANAGER)
    )


async def delivery_unsent(connection: AsyncConnection, kind: DeliveryKind, recipient: Key) -> None:
    """Make the recipient of a delivery that was not sent due for a look: it may have to be tried again."""
    column = _SENT_BY.get(kind)
    if column is not None:
        await move_on(connection, column, {recipient: AT_ONCE})
