"""From when on there is something to look for, over all guilds and all kinds of due work at once."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, ColumnElement, ScalarSelect, func, select

from bot.domain.delivery import UNSETTLED
from bot.store import tables
from bot.store.due_times import AT_ONCE, DIGEST, NUDGE, PERSONAL_DIGEST, PURGE, DueColumn
from bot.store.engine import AsyncConnection
from bot.store.scrubbing import REMAINS

TABLES = (tables.guild, tables.manager, tables.delivery, tables.installation)
"""What the answer depends on."""


class AgendaItem(StrEnum):
    """What every tick looks for."""

    REMOVED_GUILDS = "removed guilds"
    OPEN_DELIVERIES = "open deliveries"
    REMAINS = "remains"


Key = DueColumn | AgendaItem

_COLUMNS = (DIGEST, PERSONAL_DIGEST, NUDGE, PURGE)


def _least(column: Column[Any], *where: ColumnElement[bool]) -> ScalarSelect[Any]:
    return select(func.min(column, type_=column.type)).where(*where).scalar_subquery()


_EARLIEST = select(
    *(_least(kind.column, kind.column.is_not(None)) for kind in _COLUMNS),
    _least(tables.guild.c.removed_at, tables.guild.c.removed_at.is_not(None)),
    *(
        select(table).where(condition).exists()
        for table, condition in (
            (tables.delivery, tables.delivery.c.state.in_(sorted(state.value for state in UNSETTLED))),
            (tables.installation, tables.installation.c.name == REMAINS),
        )
    ),
)


async def earliest(connection: AsyncConnection) -> Mapping[Key, datetime | None]:
    """From when on there may be something of each kind; None for never, as things are. It is one question.

    Of removed guilds, since when there is one.
    """
    *moments, removed_at, is_open, remains = (await connection.execute(_EARLIEST)).one()
    found: dict[Key, datetime | None] = dict(zip(_COLUMNS, moments, strict=True))
    found[AgendaItem.REMOVED_GUILDS] = removed_at
    found[AgendaItem.OPEN_DELIVERIES] = AT_ONCE if is_open else None
    found[AgendaItem.REMAINS] = AT_ONCE if remains else None
    return found
