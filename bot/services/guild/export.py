"""What managers can take into a spreadsheet: the team's relationships, and its weeks."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.clock import Clock
from bot.domain.calendar import just_after, local_day, monday_of
from bot.domain.guild import GuildSettings
from bot.domain.relationship import Relationship, relationship
from bot.domain.report import WeekReport
from bot.domain.rules import Rules
from bot.domain.snowflake import EPOCH
from bot.domain.touch import Touch, personal_kinds
from bot.services.delivery.messenger import Names
from bot.services.digest.report import Reporter
from bot.store import activity, guilds, people, touches, waits
from bot.store.database import Database

WEEKS = 104
NAMES = 500
"""More names than this are not asked for: each is a request to Discord."""


@dataclass(frozen=True, slots=True)
class ExportFacts:
    """Relationships by member, whoever was talked to last first, and the weeks, oldest first."""

    settings: GuildSettings
    relationships: tuple[tuple[int, Relationship], ...]
    waiting: Mapping[int, int]
    weeks: tuple[WeekReport, ...]
    names: Mapping[int, str]


class CsvExport:
    """Reads; writes nothing."""

    def __init__(
        self,
        database: Database,
        names: Names,
        clock: Clock,
        rules: Rules,
        settle: Callable[[], Awaitable[None]],
    ) -> None:
        self._database = database
        self._names = names
        self._clock = clock
        self._rules = rules
        self._settle = settle
        self._reporter = Reporter(database, rules)

    async def of(self, guild_id: int) -> ExportFacts | None:
        """Everything for the two tables; None before Spade was set up."""
        await self._settle()
        now = self._clock.now()
        until = just_after(now)
        kinds = personal_kinds(count_inferred=self._rules.count_inferred)
        async with self._database.reading() as connection:
            settings = await guilds.settings_of(connection, guild_id)
            if settings is None:
                return None
            found = await touches.between(connection, guild_id, EPOCH, until, kinds)
            states = await waits.written_between(connection, guild_id, now - self._rules.waiting_expires, until)
            begins_on = await activity.first_day(connection, guild_id)
            departed = await people.departed(connection, guild_id)
        relationships = await asyncio.to_thread(_relationships, found, settings.zone, now, self._rules)
        del found
        waiting: dict[int, int] = {}
        for state in states:
            if state.answered_at is None and not state.closed:
                waiting[state.entry.member_id] = waiting.get(state.entry.member_id, 0) + 1
        this_week = monday_of(local_day(now, settings.zone))
        weeks: tuple[WeekReport, ...] = ()
        if begins_on is not None:
            count = min(WEEKS, max(1, (this_week - monday_of(begins_on)).days // 7 + 1))
            weeks = await self._reporter.weeks(settings, this_week, count)
        asked = [member_id for member_id, _ in relationships if member_id not in departed]
        return ExportFacts(
            settings=settings,
            relationships=relationships,
            waiting=waiting,
            weeks=weeks,
            names=await self._names.names(guild_id, asked[:NAMES]),
        )


def _relationships(
    found: tuple[Touch, ...], zone: ZoneInfo, now: datetime, rules: Rules
) -> tuple[tuple[int, Relationship], ...]:
    by_member: dict[int, list[Touch]] = {}
    for touch in found:
        by_member.setdefault(touch.member_id, []).append(touch)
    # Without the months, which no column shows: there may be hundreds of thousands.
    known = (
        (member_id, replace(relationship(own, zone, now, rules), months=())) for member_id, own in by_member.items()
    )
    return tuple(sorted(known, key=lambda item: (-_last(item[1]).timestamp(), item[0])))


def _last(known: Relationship) -> datetime:
    assert known.last is not None  # there is no relationship without a touch
    return known.last.touched_at
