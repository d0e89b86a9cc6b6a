"""The list of active members whom nobody on the team has met."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.domain.calendar import just_after, local_day
from bot.domain.rules import Rules
from bot.domain.touch import personal_kinds
from bot.services.delivery.messenger import Directory
from bot.store import activity, guilds, people
from bot.store.activity import Trace
from bot.store.database import Database


@dataclass(frozen=True, slots=True)
class UnmetPage:
    """A page of the list, whoever has been there longest first. `pages` is at least 1, `number` counts from 1."""

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
    """Who wrote in the last days and was never personally touched by anyone. How much they write plays no part."""

    def __init__(
        self,
        database: Database,
        directory: Directory,
        clock: Clock,
        rules: Rules,
        settle: Callable[[], Awaitable[None]],
    ) -> None:
        self._database = database
        self._directory = directory
        self._clock = clock
        self._rules = rules
        self._settle = settle

    async def page(self, guild_id: int, number: int, size: int) -> UnmetPage | None:
        """A page of the list, the nearest there is; None before Spade was set up."""
        await self._settle()
        days = self._rules.nudge.unmet_window_days
        number = max(number, 1)
        while True:
            now = self._clock.now()
            async with self._database.reading() as connection:
                settings = await guilds.settings_of(connection, guild_id)
                if settings is None:
                    return None
                today = local_day(now, settings.zone)
                found = await activity.unmet(
                    connection,
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
