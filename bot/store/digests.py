"""Posted digests: their figures are frozen, so that they can be shown later as people saw them."""

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.snowflake import first_id_at
from bot.store import tables
from bot.store.insertion import insert_into
from bot.store.people import is_member
from bot.store.streaming import rows
from bot.store.written_days import newest_within, of_guild


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


async def last_days_of_newcomers(
    connection: AsyncConnection, guild_id: int, since: datetime, until: datetime, last_on: date
) -> dict[int, tuple[int, date]]:
    """How long newcomers stayed: members whose first counted message lies from `since` up to, not including, `until`.

    For each, the id of that message and the last day on which they wrote, up to and including `last_on`.
    """
    member, activity = tables.member.c, tables.activity.c
    newest_on = newest_within(last_on)
    newest = (
        select(func.max(newest_on, type_=newest_on.type))
        .where(
            *of_guild(guild_id, since.astimezone(UTC).date() - timedelta(days=1), last_on),
            activity.member_id == member.member_id,
        )
        .correlate(tables.member)
        .scalar_subquery()
    )
    query = select(member.member_id, member.first_message_id, newest.label("last_on")).where(
        member.guild_id == guild_id,
        member.first_message_id >= first_id_at(since),
        member.first_message_id < first_id_at(until),
        is_member(member.member_id, guild_id),
    )
    return {
        row.member_id: (row.first_message_id, row.last_on)
        async for row in rows(connection, query)
        if row.last_on is not None
    }
