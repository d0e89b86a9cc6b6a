"""Posted digests: their figures are frozen, so that they can be shown later as people saw them."""

from datetime import date, datetime

from sqlalchemy import delete, select

from bot.store import tables
from bot.store.engine import AsyncConnection
from bot.store.insertion import insert_into


async def freeze(
    connection: AsyncConnection, guild_id: int, week_on: date, delivery_id: str, figures: str, at: datetime
) -> None:
    """Store a week's figures (JSON text) as posted; does nothing if the week has figures already."""
    statement = insert_into(connection, tables.digest).values(
        guild_id=guild_id, week_on=week_on, delivery_id=delivery_id, figures=figures, frozen_at=at
    )
    await connection.execute(statement.on_conflict_do_nothing(index_elements=["guild_id", "week_on"]))


async def thaw(connection: AsyncConnection, guild_id: int, week_on: date, *, after: datetime) -> None:
    """Delete a week's figures if they were frozen `after` a moment: one that is still to come, by a wrong clock."""
    digest = tables.digest.c
    await connection.execute(
        delete(tables.digest).where(digest.guild_id == guild_id, digest.week_on == week_on, digest.frozen_at > after)
    )


async def frozen_between(connection: AsyncConnection, guild_id: int, first_on: date, last_on: date) -> dict[date, str]:
    """The posted figures (JSON text) of some weeks by their Mondays, both bounds included."""
    table = tables.digest.c
    query = select(table.week_on, table.figures).where(
        table.guild_id == guild_id, table.week_on >= first_on, table.week_on <= last_on
    )
    return {row.week_on: row.figures for row in await connection.execute(query)}


async def frozen(connection: AsyncConnection, guild_id: int, week_on: date) -> str | None:
    """The posted figures of a week (JSON text); None if there are none."""
    query = select(tables.digest.c.figures).where(
        tables.digest.c.guild_id == guild_id, tables.digest.c.week_on == week_on
    )
    return (await connection.execute(query)).scalar_one_or_none()
