"""Deletes what is older than the retention period of a guild."""

from datetime import date, datetime

from sqlalchemy import delete, select

from bot.domain.snowflake import first_id_at
from bot.store import evidence, tables, written_days
from bot.store.engine import AsyncConnection


async def forget_before(connection: AsyncConnection, guild_id: int, day: date, moment: datetime) -> int:
    """Delete a guild's record from before a local day, which begins at `moment`; returns the number of rows deleted.

    Spans stay, so that deleted history is not fetched again. The figures of posted digests stay, and so does "not this
    person" until the manager takes it back.
    """
    first_id = first_id_at(moment)
    old_waiting = select(tables.waiting.c.message_id).where(
        tables.waiting.c.guild_id == guild_id, tables.waiting.c.message_id < first_id
    )
    await connection.execute(delete(tables.waiting_for).where(tables.waiting_for.c.message_id.in_(old_waiting)))
    rows = await written_days.forget_before(connection, guild_id, day)
    member = tables.member.c
    for table, old in (
        (tables.touch, tables.touch.c.touched_at < moment),
        (tables.waiting, tables.waiting.c.message_id < first_id),
        (tables.nudge_member, tables.nudge_member.c.offered_at < moment),
        (tables.delivery, tables.delivery.c.claimed_at < moment),
        (tables.hand_over, tables.hand_over.c.handed_at < moment),
        (tables.snooze, tables.snooze.c.until_at < moment),
        (tables.summary, tables.summary.c.last_on < day),
        (tables.member, (member.last_message_id < first_id) & member.opted_out_at.is_(None)),
    ):
        deleted = await connection.execute(delete(table).where(table.c.guild_id == guild_id, old))
        rows += deleted.rowcount
    return rows + await evidence.forget_before(connection, guild_id, first_id)
