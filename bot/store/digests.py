"""Digests as they were posted: the figures are frozen, so that a later look shows what people saw."""

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import tables
from bot.store.insertion import insert_into


async def freeze(
    connection: AsyncConnection, guild_id: int, week_on: date, delivery_id: str, figures: str, at: datetime
) -> None:
    """Keep a week's figures (JSON text) as they are posted; the first ones stay."""
    statement = insert_into(connection, tables.digest).values(
        guild_id=guild_id, week_on=week_on, delivery_id=delivery_id, figures=figures, frozen_at=at
    )
    await connection.execute(statement.on_conflict_do_nothing(index_elements=["guild_id", "week_on"]))


async def frozen(connection: AsyncConnection, guild_id: int, week_on: date) -> str | None:
    """The figures that were posted for a week."""
    query = select(tables.digest.c.figures).where(
        tables.digest.c.guild_id == guild_id, tables.digest.c.week_on == week_on
    )
    return (await connection.execute(query)).scalar_one_or_none()
