"""What goes into the tables for a spreadsheet: the team's relationships, and its weeks."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.domain.calendar import just_after, local_day, monday_of
from bot.domain.guild import GuildSettings
from bot.domain.relationship import Relationship, relationship
from bot.domain.report import WeekReport
from bot.domain.rules import Rules
from bot.domain.snowflake import EPOCH
from bot.domain.touch import Touch, personal_kinds
from bot.services.delivery.messenger import Names
from bot.services.digest.report import Reporter
from bot.services.guild_reader import GuildReader
from bot.store import activity, people, touches, waits

WEEKS = 104
NAMES = 500
"""How many names are looked up at most: each is a request to Discord."""


@dataclass(frozen=True, slots=True)
class ExportFacts:
    """Relationships by member, the latest contact first, and the weeks, oldest first.

    `waiting` counts the messages of a member that wait. `names` may lack some.
    """

    settings: GuildSettings
    relationships: tuple[tuple[int, Relationship], ...]
    waiting: Mapping[int, int]
    weeks: tuple[WeekReport, ...]
    names: Mapping[int, str]


class CsvExport:
    """Gathers the tables' facts. Writes nothing."""

    def __init__(self, reader: GuildReader, names: Names, reporter: Reporter, rules: Rules) -> None:
        self._reader = reader
        self._names = names
        self._reporter = reporter
        self._rules = rules

    async def of(self, guild_id: int) -> ExportFacts | None:
        """Everything for the two tables; None before Spade was set up."""
        kinds = personal_kinds(count_inferred=self._rules.count_inferred)
        async with self._reader.settled(guild_id) as guild:
            if guild is None:
                return None
            connection, settings, now = guild.connection, guild.settings, guild.now
            until = just_after(now)
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
