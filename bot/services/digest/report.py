"""Gathers the facts of weeks and makes figures and digests of them."""

import asyncio
import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.calendar import Period, just_after, local_day, monday_of, period_of_days, weeks_ending
from bot.domain.digest_draft import DigestDraft, DigestWeek, PersonalDraft
from bot.domain.effect import Effect
from bot.domain.figures import Figures, LongerFacts, PeriodFacts, week_figures
from bot.domain.guild import GuildSettings
from bot.domain.load import load_of
from bot.domain.nudge import OfferContext
from bot.domain.nudge_decision import ranked
from bot.domain.nudge_time import NudgeSchedule
from bot.domain.report import FrozenWeek, PastWeek, WeekReport
from bot.domain.rules import Rules
from bot.domain.snowflake import first_id_at
from bot.domain.span import Span
from bot.domain.suggestion import suggestions
from bot.domain.touch import personal_kinds
from bot.domain.zones import zone_named
from bot.services.digest.sums import Sums
from bot.services.members.waiting import waiting_members
from bot.services.nudge.effects import effects_between
from bot.services.nudge.facts import gather
from bot.store import activity, attention, digests, guilds, people, spans, summaries, unread, waits
from bot.store.database import Connection, Database
from bot.store.error import StoreError

WEEKS_SHOWN = 12
EFFECT_WEEKS = 4
WAITING_LOOKED_AT = 10


@dataclass(frozen=True, slots=True)
class _Course:
    """Consecutive weeks as they are on record, oldest first; None before the record begins."""

    period: Period
    facts: PeriodFacts
    """The newest week, and its facts."""
    weeks: tuple[tuple[date, WeekReport | None], ...]
    begins_on: date | None

    @property
    def newest(self) -> WeekReport:
        report = self.weeks[-1][1]
        assert report is not None  # the newest week is always looked at
        return report

    def history(self, manager_id: int | None) -> tuple[PastWeek, ...]:
        """The team's figures week by week, or one manager's."""
        return tuple(
            PastWeek(
                monday, None if report is None else report.figures_of(manager_id), report is None or report.complete
            )
            for monday, report in self.weeks
        )


@dataclass(frozen=True, slots=True)
class PeriodReport:
    """The figures of any period. `record_from_on` is the first day on record."""

    period: Period
    team: Figures
    managers: Mapping[int, Figures]
    complete: bool
    record_from_on: date | None


class Reporter:
    """Makes figures and digests from the record. Writes nothing but what ended periods came to, to be quicker again."""

    def __init__(self, database: Database, rules: Rules) -> None:
        self._database = database
        self._rules = rules

    async def week(self, guild_id: int, monday: date) -> WeekReport | None:
        """The figures of the week of a Monday; None for a guild that has no settings on record."""
        async with self._database.reading() as connection:
            settings = await guilds.settings_of(connection, guild_id)
            if settings is None:
                return None
            sums = await Sums.of(connection, guild_id, self._rules)
            course = await self._course(sums, settings, monday, 1)
        await self._keep(sums)
        return course.newest

    async def weeks(self, settings: GuildSettings, last_on: date, count: int) -> tuple[WeekReport, ...]:
        """The figures of the `count` weeks up to the week of `last_on`, oldest first, as far as there is a record."""
        async with self._database.reading() as connection:
            sums = await Sums.of(connection, settings.guild_id, self._rules)
            course = await self._course(sums, settings, last_on, count)
        await self._keep(sums)
        return tuple(report for _, report in course.weeks if report is not None)

    async def figures(self, settings: GuildSettings, period: Period) -> PeriodReport:
        """The team's and each manager's figures of any period, judged on that period alone."""
        guild_id = settings.guild_id
        async with self._database.reading() as connection:
            sums = await Sums.of(connection, guild_id, self._rules)
            (facts,) = await sums.of_periods([period])
            gaps = await _missing(connection, guild_id)
            begins_on = await activity.first_day(connection, guild_id)
        await self._keep(sums)
        team, own = week_figures(facts, facts.longer(), self._rules)
        return PeriodReport(period, team, own, _complete(period, gaps), begins_on)

    async def picture(self, settings: GuildSettings, week_on: date, guild_name: str, now: datetime) -> DigestDraft:
        """What the picture of a week shows, as it is on record now: its figures, and those of the weeks before."""
        async with self._database.reading() as connection:
            sums = await Sums.of(connection, settings.guild_id, self._rules)
            course = await self._course(sums, settings, week_on, WEEKS_SHOWN)
        await self._keep(sums)
        return self._shown(settings, course, guild_name, now)

    async def draft(self, settings: GuildSettings, week_on: date, guild_name: str, now: datetime) -> DigestDraft:
        """The team's digest of a week, as it was posted, if it was."""
        async with self._database.reading() as connection:
            sums = await Sums.of(connection, settings.guild_id, self._rules)
            course = await self._course(sums, settings, week_on, WEEKS_SHOWN)
            draft = await self._team(sums, settings, course, guild_name, now)
        await self._keep(sums)
        return draft

    async def personal(self, schedule: NudgeSchedule, week_on: date, guild_name: str, now: datetime) -> PersonalDraft:
        """A manager's own digest of a week."""
        settings, manager_id, rules = schedule.guild, schedule.manager.manager_id, self._rules
        guild_id = settings.guild_id
        async with self._database.reading() as connection:
            sums = await Sums.of(connection, guild_id, rules)
            course = await self._course(sums, settings, week_on, WEEKS_SHOWN)
            team = await self._team(sums, settings, course, guild_name, now)
            departed = await people.departed(connection, guild_id)
            states = await waits.written_between(connection, guild_id, now - rules.waiting_expires, just_after(now))
            candidates = await asyncio.to_thread(
                ranked, await gather(connection, settings, manager_id, now, rules), rules
            )
            effect = await self._effect(connection, settings, course.period, now, manager_id)
            first = await self._first_contacts(connection, guild_id, course.period, manager_id)
        await self._keep(sums)
        waiting = waiting_members([state for state in states if state.entry.member_id not in departed], manager_id)
        figures = team.week.report.figures_of(manager_id) or course.newest.figures_of(manager_id)
        assert figures is not None  # the record of now has every manager's
        digest = DigestDraft(
            week=team.week,
            figures=figures,
            history=course.history(manager_id),
            conversations=course.facts.own[manager_id].per_member if manager_id in course.facts.own else (),
            manager_id=manager_id,
            first_contacts=first,
            effect=effect,
            rules=rules,
        )
        return PersonalDraft(
            digest=digest,
            team=team.frozen,
            context=OfferContext(now=now, zone=schedule.zone, rules=rules.nudge),
            waiting=tuple(member.oldest for member in waiting[:WAITING_LOOKED_AT]),
            waiting_in_all=len(waiting),
            suggestions=suggestions(candidates, figures, rules),
        )

    async def _keep(self, sums: Sums) -> None:
        """Keep what ended periods came to. No answer waits for the database to be usable again."""
        if sums.new and self._database.writable:
            with suppress(StoreError):
                async with self._database.writing() as connection:
                    await summaries.keep(connection, sums.guild_id, sums.new)

    async def _team(
        self, sums: Sums, settings: GuildSettings, course: _Course, guild_name: str, now: datetime
    ) -> DigestDraft:
        connection, week_on = sums.connection, course.newest.week_on
        today = local_day(now, settings.zone)
        frozen = await digests.frozen(connection, settings.guild_id, week_on)
        draft = replace(
            self._shown(settings, course, guild_name, now),
            first_contacts=await self._first_contacts(connection, settings.guild_id, course.period, None),
            effect=await self._effect(connection, settings, course.period, now, None),
            load=load_of([own.conversations for _, own in course.newest.managers]),
            stayers=await sums.stayers(settings.zone, min(course.period.last_on, today)),
        )
        return draft.as_posted(None if frozen is None else FrozenWeek.from_document(json.loads(frozen)))

    def _shown(self, settings: GuildSettings, course: _Course, guild_name: str, now: datetime) -> DigestDraft:
        """The figures of the newest week, and of those before it."""
        week = DigestWeek(
            guild=settings,
            guild_name=guild_name,
            report=course.newest,
            record_from_on=course.begins_on,
            running=monday_of(local_day(now, settings.zone)) <= course.newest.week_on,
        )
        return DigestDraft(
            week=week,
            figures=course.newest.team,
            history=course.history(None),
            conversations=course.facts.team.per_member,
            rules=self._rules,
        )

    async def _course(self, sums: Sums, settings: GuildSettings, last_on: date, count: int) -> _Course:
        """The figures of the `count` weeks up to the week of `last_on`."""
        connection = sums.connection
        guild_id, rules, zone = settings.guild_id, self._rules, settings.zone
        begins_on = await activity.first_day(connection, guild_id)
        before = timedelta(weeks=count + rules.verdict_weeks)
        posted = await self._posted(connection, guild_id, last_on - before, last_on)
        mondays = [last_on - timedelta(weeks=back) for back in range(count - 1, -1, -1)]
        weeks = {monday: weeks_ending(monday, 1, zone, posted) for monday in mondays}
        on_record = [
            period
            for monday, period in weeks.items()
            if monday == mondays[-1] or (begins_on is not None and begins_on <= period.last_on)
        ]
        gaps = await _missing(connection, guild_id)
        reports: dict[date, WeekReport] = {}
        for period, facts in zip(on_record, await sums.of_periods(on_record), strict=True):
            longer = weeks_ending(period.first_on, rules.verdict_weeks, zone, posted)
            told = await sums.longer(longer, facts)
            reports[period.first_on] = _report(settings, period, facts, told, gaps, rules)
        return _Course(
            period=weeks[mondays[-1]],
            facts=facts,
            weeks=tuple((monday, reports.get(monday)) for monday in mondays),
            begins_on=begins_on,
        )

    async def _posted(
        self, connection: Connection, guild_id: int, first_on: date, last_on: date
    ) -> dict[date, ZoneInfo]:
        """The zones in which the digests of some weeks were made, as far as they were."""
        found = await digests.frozen_between(connection, guild_id, first_on, last_on)
        zones = {week_on: zone_named(json.loads(figures).get("time_zone", "")) for week_on, figures in found.items()}
        return {week_on: zone for week_on, zone in zones.items() if zone is not None}

    async def _first_contacts(
        self, connection: Connection, guild_id: int, period: Period, manager_id: int | None
    ) -> tuple[int, ...]:
        kinds = personal_kinds(count_inferred=self._rules.count_inferred)
        return await attention.first_contacts(connection, guild_id, period, kinds, manager_id)

    async def _effect(
        self, connection: Connection, settings: GuildSettings, week: Period, now: datetime, manager_id: int | None
    ) -> Effect | None:
        """What followed the nudges of the weeks that end with this one; None if none were sent."""
        guild_id, rules = settings.guild_id, self._rules
        period = period_of_days(week.last_on - timedelta(weeks=EFFECT_WEEKS, days=-1), week.last_on, settings.zone)
        found = await effects_between(connection, guild_id, period.start_at, period.end_at, now, rules, manager_id)
        if not found:
            return None
        return Effect(*(sum(getattr(one, name) for one in found.values()) for name in ("offered", "worked", "pending")))


def _report(
    settings: GuildSettings,
    period: Period,
    facts: PeriodFacts,
    weeks: LongerFacts,
    gaps: Collection[Span],
    rules: Rules,
) -> WeekReport:
    team, own = week_figures(facts, weeks, rules)
    return WeekReport(
        guild_id=settings.guild_id,
        week_on=period.first_on,
        zone=settings.zone,
        complete=_complete(period, gaps),
        team=team,
        managers=tuple(own.items()),
    )


async def _missing(connection: Connection, guild_id: int) -> tuple[Span, ...]:
    """What is not on record, or has still to be read again for somebody who became a manager."""
    return await spans.gaps_of_counted(connection, guild_id) + await unread.of_new_managers(connection, guild_id)


def _complete(period: Period, gaps: Collection[Span]) -> bool:
    first_id, end_id = first_id_at(period.start_at), first_id_at(period.end_at)
    return not any(gap.first_id < end_id and gap.last_id >= first_id for gap in gaps)
