"""Gathers the facts of a week and has the figures made of them."""

from datetime import date, datetime, timedelta

from bot.domain.calendar import Period, local_day, monday_of, weeks_ending
from bot.domain.figures import Figures, PeriodFacts, conversations_by_member, week_figures
from bot.domain.guild import GuildSettings
from bot.domain.report import DigestDraft, WeekReport
from bot.domain.rules import Rules
from bot.domain.snowflake import first_id_at
from bot.domain.touch import personal_kinds
from bot.store import activity, guilds, managers, spans, touches, waits
from bot.store.database import Connection, Database

WEEKS_SHOWN = 12


class Reporter:
    """Reads the record; writes nothing."""

    def __init__(self, database: Database, rules: Rules) -> None:
        self._database = database
        self._rules = rules

    async def week(self, guild_id: int, monday: date) -> WeekReport | None:
        """The figures of the week of a Monday; None for a guild that has no settings on record."""
        async with self._database.reading() as connection:
            settings = await guilds.settings_of(connection, guild_id)
            if settings is None:
                return None
            week = await self._facts(connection, guild_id, weeks_ending(monday, 1, settings.zone))
            weeks = await self._facts(
                connection, guild_id, weeks_ending(monday, self._rules.verdict_weeks, settings.zone)
            )
            gaps = await spans.known_gaps(connection, guild_id)
        first_id, end_id = first_id_at(week.period.start_at), first_id_at(week.period.end_at)
        return WeekReport(
            guild_id=guild_id,
            week_on=monday,
            zone=settings.zone,
            complete=not any(
                gap.first_id < end_id and gap.last_id >= first_id for found in gaps.values() for gap in found
            ),
            team=week_figures(week, weeks, self._rules),
            managers=tuple(
                (manager_id, week_figures(week, weeks, self._rules, manager_id=manager_id))
                for manager_id in sorted(week.managers)
            ),
        )

    async def team_weeks(self, guild_id: int, last_on: date, count: int) -> list[tuple[date, Figures | None]]:
        """The team's figures of the `count` weeks up to the week of `last_on`; None before the record begins."""
        async with self._database.reading() as connection:
            begins_on = await activity.first_day(connection, guild_id)
        result: list[tuple[date, Figures | None]] = []
        for back in range(count - 1, -1, -1):
            monday = last_on - timedelta(weeks=back)
            known = begins_on is not None and begins_on <= monday + timedelta(days=6)
            report = await self.week(guild_id, monday) if known else None
            result.append((monday, report.team if report else None))
        return result

    async def draft(self, settings: GuildSettings, week_on: date, guild_name: str, now: datetime) -> DigestDraft:
        """All that the digest of a week is made of."""
        guild_id = settings.guild_id
        report = await self.week(guild_id, week_on)
        assert report is not None  # the guild has settings
        async with self._database.reading() as connection:
            begins_on = await activity.first_day(connection, guild_id)
        return DigestDraft(
            delivery_id=None,
            guild_name=guild_name,
            report=report,
            history=tuple(await self.team_weeks(guild_id, week_on, WEEKS_SHOWN)),
            conversations=await self.conversations_per_member(guild_id, week_on),
            running=monday_of(local_day(now, settings.zone)) <= week_on,
            first_week=begins_on is None or monday_of(begins_on) >= week_on,
        )

    async def conversations_per_member(self, guild_id: int, monday: date) -> tuple[int, ...]:
        """How many conversations each member reached in a week had with the team, most first. No ids."""
        async with self._database.reading() as connection:
            settings = await guilds.settings_of(connection, guild_id)
            if settings is None:
                return ()
            facts = await self._facts(connection, guild_id, weeks_ending(monday, 1, settings.zone))
        return tuple(sorted(conversations_by_member(facts, self._rules).values(), reverse=True))

    async def _facts(self, connection: Connection, guild_id: int, period: Period) -> PeriodFacts:
        rules = self._rules
        kinds = personal_kinds(count_inferred=rules.count_inferred)
        return PeriodFacts(
            period=period,
            managers=await managers.people(connection, guild_id),
            active=await activity.active(connection, guild_id, period.first_on, period.last_on),
            touches=await touches.between(
                connection, guild_id, period.start_at - rules.conversation_gap, period.end_at, kinds
            ),
            first_touches=await touches.first_touches(connection, guild_id, period.end_at, kinds),
            waiting=await waits.written_between(
                connection, guild_id, period.end_at - rules.waiting_expires, period.end_at
            ),
        )
