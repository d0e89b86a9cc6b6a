"""Has sums of periods kept while facts change, and says where they are not what the facts come to."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

from bot.domain.calendar import local_day, monday_of, period_of_days, weeks_ending
from bot.domain.rules import Rules
from bot.services.digest.sums import Sums, differences
from bot.store import guilds, summaries
from bot.store.database import Connection, Database, open_database
from bot.store.summaries import Editions, Question


class _EverythingIsOver(Editions):
    """Has even what still goes on kept, so that facts change under it."""

    __slots__ = ()

    def go_beyond(self, question: Question) -> bool:
        return True


async def sums_kept_anyway(connection: Connection, guild_id: int, rules: Rules) -> Sums:
    """Sums that keep what they are asked, whether it is over or not."""
    editions = await summaries.editions(connection, guild_id)
    return Sums(connection, guild_id, rules, _EverythingIsOver(editions.by_kind))


async def sum_up(database: Database, guild_id: int, now: datetime, rules: Rules | None = None) -> int:
    """Keep what days and weeks up to now come to, and who stays; returns how many answers were new."""
    async with database.reading() as connection:
        settings = await guilds.settings_of(connection, guild_id)
        if settings is None:
            return 0
        sums = await sums_kept_anyway(connection, guild_id, rules or Rules())
        today = local_day(now, settings.zone)
        monday = monday_of(today)
        for period in (
            period_of_days(today, today, settings.zone),
            period_of_days(today - timedelta(days=12), today - timedelta(days=1), settings.zone),
            weeks_ending(monday, 1, settings.zone),
            weeks_ending(monday, 30, settings.zone),
            *(weeks_ending(monday - timedelta(weeks=back), 1, settings.zone) for back in (3, 15)),
        ):
            (facts,) = await sums.of_periods([period])
            await sums.longer(weeks_ending(monday_of(period.last_on), 4, settings.zone), facts)
        await sums.stayers(settings.zone, today)
    async with database.writing() as connection:
        await summaries.keep(connection, guild_id, sums.new)
    return len(sums.new)


def differences_in(path: Path) -> tuple[str, ...]:
    """What `spade check --deep` finds in a file that nobody writes, or that its bot writes."""

    async def look() -> tuple[str, ...]:
        database = await open_database(f"sqlite:///{path}", write=False)
        try:
            async with database.reading() as connection:
                return await differences(connection, Rules())
        finally:
            await database.close()

    with ThreadPoolExecutor(1) as pool:  # the caller may be in a loop of its own
        return pool.submit(asyncio.run, look()).result()
