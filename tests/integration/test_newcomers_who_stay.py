"""Newcomers who stay (docs/rules.md#newcomers-who-stay), from what is on record, on SQLite and PostgreSQL."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import insert

from bot.domain.guild import GuildSettings
from bot.domain.rules import Rules
from bot.domain.snowflake import first_id_at
from bot.domain.touch import Touch, TouchKind
from bot.services.digest.report import Reporter
from bot.store import guilds, managers, record, tables
from bot.store.database import Database
from tests.support.days import a_day
from tests.support.messages import ANNA, CHANNEL, GUILD

WEEK_ON = date(2026, 3, 2)
LAST_ON = WEEK_ON + timedelta(days=6)


async def test_newcomers_of_sixty_to_a_hundred_and_eighty_days_are_asked_about(database: Database) -> None:
    """In whole days before the week's last; those whom a manager met within seven days are a group of their own."""
    async with database.writing() as connection:
        await guilds.save(connection, GuildSettings(GUILD, ZoneInfo("UTC")))
        await managers.add(connection, GUILD, [ANNA])
        for member_id, age in enumerate((59, 60, 61, 180, 181), 1000):
            first_on = LAST_ON - timedelta(days=age)
            first_at = datetime.combine(first_on, time(12), UTC)
            row = {"guild_id": GUILD, "member_id": member_id}
            for name, at in (("first", first_at), ("last", first_at + timedelta(days=7))):
                row |= {f"{name}_message_id": first_id_at(at), f"{name}_channel_id": CHANNEL}
            await connection.execute(insert(tables.member).values(row))
            for day in (first_on, first_on + timedelta(days=7)):
                await connection.execute(insert(tables.activity).values(a_day(GUILD, member_id, day)))
            met_at = first_at + timedelta(days=7, milliseconds=age - 60)  # in time, just in time, too late
            touch = Touch(TouchKind.MENTION, ANNA, member_id, first_id_at(met_at), CHANNEL, met_at)
            await record.add_touches(connection, {GUILD: [touch]})
        settings = await guilds.settings_of(connection, GUILD)
    assert settings is not None
    now = datetime.combine(LAST_ON, time(23), UTC)
    draft = await Reporter(database, Rules()).draft(settings, WEEK_ON, "Mesh", now)
    assert draft.stayers is not None
    assert (draft.stayers.touched.members, draft.stayers.others.members) == (1, 2)
