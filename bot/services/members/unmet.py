"""Lists active members whom nobody on the team has met."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.calendar import just_after, local_day
from bot.domain.rules import Rules
from bot.domain.touch import personal_kinds
from bot.services.delivery.messenger import Directory
from bot.services.guild_reader import GuildReader
from bot.store import activity, people
from bot.store.activity import Trace
from bot.store.database import Database


@dataclass(frozen=True, slots=True)
class UnmetPage:
    """A page of the list, those who have been there longest first. `pages` is at least 1, `number` counts from 1."""

    guild_id: int
    number: int
    pages: int
    total: int
    active: int
    days: int
    members: tuple[tuple[int, Trace], ...]
    names: Mapping[int, str]
    now: datetime


class UnmetList:
    """Members who wrote in the last days and were never personally touched. How much they write plays no part."""

    def __init__(self, reader: GuildReader, database: Database, directory: Directory, rules: Rules) -> None:
        self._reader = reader
        self._database = database
        self._directory = directory
        self._rules = rules

    async def page(self, guild_id: int, number: int, size: int) -> UnmetPage | None:
        """A page of the list; the last one if `number` is beyond it. None before Spade was set up.

        Members who turn out to have left are recorded as departed, and the page is made again without them.
        """
        await self._reader.settle_for_answer(guild_id)
        days = self._rules.nudge.unmet_window_days
        number = max(number, 1)
        while True:
            async with self._reader.snapshot(guild_id) as guild:
                if guild is None:
                    return None
                now, today = guild.now, local_day(guild.now, guild.settings.zone)
                found = await activity.unmet(
                    guild.connection,
                    guild_id,
                    today - timedelta(days=days),
                    today,
                    by=just_after(now),
                    kinds=personal_kinds(count_inferred=self._rules.count_inferred),
                    offset=(number - 1) * size,
                    limit=size,
                )
            pages = max(1, -(-found.total // size))
            if number > pages:
                number = pages
                continue
            names = await self._directory.names(guild_id, [member_id for member_id, _ in found.members])
            departed = [member_id for member_id, _ in found.members if member_id not in names]
            if not departed:
                return UnmetPage(guild_id, number, pages, found.total, found.active, days, found.members, names, now)
            async with self._database.writing() as connection:
                for member_id in departed:
                    await people.mark_departed(connection, guild_id, member_id, now)
