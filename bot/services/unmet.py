"""The list of active members whom nobody on the team has met."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.domain.calendar import local_day
from bot.domain.rules import Rules
from bot.domain.touch import personal_kinds
from bot.services.messenger import Messenger
from bot.store import activity, guilds, people, touches
from bot.store.activity import Trace
from bot.store.database import Connection, Database


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
        messenger: Messenger,
        clock: Clock,
        rules: Rules,
        settle: Callable[[], Awaitable[None]],
    ) -> None:
        self._database = database
        self._messenger = messenger
        self._clock = clock
        self._rules = rules
        self._settle = settle

    async def page(self, guild_id: int, number: int, size: int) -> UnmetPage | None:
        """A page of the list, the nearest there is; None before Spade was set up."""
        await self._settle()
        while True:
            now = self._clock.now()
            async with self._database.reading() as connection:
                counted = await self._unmet(connection, guild_id, now)
            if counted is None:
                return None
            active, found = counted
            pages = max(1, -(-len(found) // size))
            number = min(max(number, 1), pages)
            shown = found[(number - 1) * size : number * size]
            names = await self._messenger.names(guild_id, [member_id for member_id, _ in shown])
            departed = [member_id for member_id, _ in shown if member_id not in names]
            if not departed:
                days = self._rules.nudge.unmet_window_days
                return UnmetPage(guild_id, number, pages, len(found), active, days, tuple(shown), names, now)
            async with self._database.writing() as connection:
                for member_id in departed:
                    await people.mark_departed(connection, guild_id, member_id, now)

    async def _unmet(
        self, connection: Connection, guild_id: int, now: datetime
    ) -> tuple[int, list[tuple[int, Trace]]] | None:
        settings = await guilds.settings_of(connection, guild_id)
        if settings is None:
            return None
        today = local_day(now, settings.zone)
        since = today - timedelta(days=self._rules.nudge.unmet_window_days)
        active = await activity.active(connection, guild_id, since, today)
        kinds = personal_kinds(count_inferred=self._rules.count_inferred)
        soon = now + timedelta(milliseconds=1)
        met = {member_id for _, member_id in await touches.first_touches(connection, guild_id, soon, kinds)}
        there = active - await people.departed(connection, guild_id)
        traces = await activity.traces(connection, guild_id, there - met)
        return len(there), sorted(traces.items(), key=lambda item: (item[1].first_message_id, item[0]))
