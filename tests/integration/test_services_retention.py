"""Retention: once a local day, and again as soon as a guild keeps less."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from bot.clock import DrivenClock
from bot.domain.guild import GuildSettings
from bot.services.guild.retention import Retention
from bot.store import guilds, written_days
from bot.store.database import Database
from tests.support.messages import GUILD, MIA, moment
from tests.support.rows import days_written


async def test_a_guild_is_purged_once_a_day_and_again_when_it_keeps_less(database: Database) -> None:
    clock = DrivenClock(moment(0))
    today = clock.now().date()
    retention = Retention(database, clock)

    async def wrote(day: date) -> None:
        async with database.writing() as connection:
            await written_days.add(connection, [(GUILD, MIA, day, 1)])

    async def days() -> int:
        async with database.reading() as connection:
            return len(await days_written(connection))

    async def keep(months: int) -> None:
        async with database.writing() as connection:
            await guilds.save(connection, GuildSettings(GUILD, ZoneInfo("UTC"), keep_months=months))

    await keep(24)
    for back in (1, 400, 800):
        await wrote(today - timedelta(days=back))
    assert await retention.purge_due() == 1
    assert await days() == 2
    await wrote(today - timedelta(days=900))
    assert await retention.purge_due() == 0  # today it was done
    assert await days() == 3
    await keep(12)
    assert await retention.purge_due() == 2
    assert await days() == 1
    await wrote(today - timedelta(days=900))
    clock.set(moment(24 * 60))
    assert await retention.purge_due() == 1
