"""What stands in a database, table by table."""

import json
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Column, insert, select

from bot.store import tables, written_days
from bot.store.columns import Day, DayNumber, Moment, Truth
from bot.store.database import Connection, Database
from bot.store.forgetting import PERSON_COLUMNS

LONG_AGO = datetime(2026, 3, 2, tzinfo=UTC)

RECORD = (
    tables.activity,
    tables.member,
    tables.touch,
    tables.waiting,
    tables.waiting_for,
    tables.span,
    tables.known_gap,
)


async def rows(database: Database, *chosen: Any) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of some tables (all of the record's without a choice), in order.

    Activity is told by days: guild, member, day, messages.
    """
    found = {}
    async with database.reading() as connection:
        for table in chosen or RECORD:
            if table is tables.activity:
                found[table.name] = await days_written(connection)
                continue
            keys = list(table.primary_key.columns)
            found[table.name] = [tuple(row) for row in await connection.execute(select(table).order_by(*keys))]
    return found


async def days_written(connection: Connection) -> list[tuple[Any, ...]]:
    """What people wrote day by day: guild, member, day, messages."""
    weeks = (await connection.execute(select(tables.activity))).mappings().all()
    found = [(week["guild_id"], week["member_id"], *day) for week in weeks for day in written_days.days(week)]
    return sorted(found)


async def one_of_each(database: Database, guild_id: int, person_id: int, **exceptions: object) -> None:
    """One old row about a guild and a person in every table there is, those too that somebody adds one day.

    `exceptions` are columns that hold something else. The installation's own table is about nobody.
    """
    async with database.writing() as connection:
        for table in tables.metadata.sorted_tables:
            if table is not tables.installation:
                values = {column.name: _value(column, guild_id, person_id) for column in table.c}
                values |= {name: value for name, value in exceptions.items() if name in table.c}
                await connection.execute(insert(table).values(values))


def _value(column: Column[Any], guild_id: int, person_id: int) -> object:
    if column.name in PERSON_COLUMNS:
        return person_id
    if column.name == "guild_id":
        return guild_id
    if column.name in tables.WEEKDAYS:
        return int(column.name == tables.WEEKDAYS[0])
    if column.name == "figures":
        return json.dumps({"managers": [{"manager_id": str(person_id)}, {"manager_id": "1"}]})
    by_type = {Truth: False, Moment: LONG_AGO, Day: date(2026, 3, 2), DayNumber: date(2026, 3, 2)}
    kind = type(column.type)
    return by_type[kind] if kind in by_type else f"of {guild_id}" if column.type.python_type is str else guild_id * 1000
