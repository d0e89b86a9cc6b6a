"""Gathers the facts of weeks and makes figures and digests of them."""

import asyncio
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.calendar import Period, day_start, just_after, local_day, monday_of, period_of_days, weeks_ending
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
from bot.domain.survival import Stayers, stayers
from bot.domain.touch import personal_kinds
from bot.domain.zones import zone_named
from bot.services.members.waiting import waiting_members
from bot.services.nudge.effects import effects_between
from bot.services.nudge.facts import gather
from bot.store import activity, attention, digests, guilds, people, spans, stays, unread, waits
from bot.store.database import Connection, Database

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
    """Makes figures and digests from the record. Writes nothing."""

    def __init__(self, database: Database, rules: Rules) -> None:
        self._database = database
        self._rules = rules

    async def week(self, guild_id: int, monday: date) -> WeekReport | None:
        """The figures of the week of a Monday; None for a guild that has no settings on record."""
        async with self._database.reading() as connection:
            settings = await guilds.settings_of(connection, guild_id)
            if settings is None:
                return None
            return (await self._course(connection, settings, monday, 1)).newest

    async def weeks(self, settings: GuildSettings, last_on: date, count: int) -> tuple[WeekReport, ...]:
        """The figures of the `count` weeks up to the week of `last_on`, oldest first, as far as there is a record."""
        async with self._database.reading() as connection:
            course = await self._course(connection, settings, last_on, count)
        return tuple(report for _, report in course.weeks if report is not None)

    async def figures(self, settings: GuildSettings, period: Period) -> PeriodReport:
        """The team's and each manager's figures of any period, judged on that period alone."""
        guild_id = settings.guild_id
        async with self._database.reading() as connection:
            (facts,) = await self._facts(connection, guild_id, [period])
            gaps = await _missing(connection, guild_id)
            begins_on = await activity.first_day(connection, guild_id)
        team, own = week_figures(facts, facts.longer(), self._rules)
        return PeriodReport(period, team, own, _complete(period, gaps), begins_on)

    async def draft(
        self, settings: GuildSettings, week_on: date, guild_name: str, now: datetime, *, as_posted: bool = True
    ) -> DigestDraft:
        """The team's digest of a week, as it was posted, if it was. With `as_posted` False, as it is on record now."""
        async with self._database.reading() as connection:
            course = await self._course(connection, settings, week_on, WEEKS_SHOWN)
            return await self._team(connection, settings, course, guild_name, now, as_posted=as_posted)

    async def personal(self, schedule: NudgeSchedule, week_on: date, guild_name: str, now: datetime) -> PersonalDraft:
        """A manager's own digest of a week."""
        settings, manager_id, rules = schedule.guild, schedule.manager.manager_id, self._rules
        guild_id = settings.guild_id
        async with self._database.reading() as connection:
            course = await self._course(connection, settings, week_on, WEEKS_SHOWN)
            team = await self._team(connection, settings, course, guild_name, now)
            departed = await people.departed(connection, guild_id)
            states = await waits.written_between(connection, guild_id, now - rules.waiting_expires, just_after(now))
            candidates = await asyncio.to_thread(
                ranked, await gather(connection, settings, manager_id, now, rules), rules
            )
            effect = await self._effect(connection, settings, course.period, now, manager_id)
            first = await self._first_contacts(connection, guild_id, course.period, manager_id)
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

    async def _team(
        self,
        connection: Connection,
        settings: GuildSettings,
        course: _Course,
        guild_name: str,
        now: datetime,
        *,
        as_posted: bool = True,
    ) -> DigestDraft:
        week_on, facts = course.newest.week_on, course.facts
        today = local_day(now, settings.zone)
        frozen = await digests.frozen(connection, settings.guild_id, week_on) if as_posted else None
        week = DigestWeek(
            guild=settings,
            guild_name=guild_name,
            report=course.newest,
            record_from_on=course.begins_on,
            running=monday_of(today) <= week_on,
        )
        draft = DigestDraft(
            week=week,
            figures=course.newest.team,
            history=course.history(None),
            conversations=facts.team.per_member,
            first_contacts=await self._first_contacts(connection, settings.guild_id, course.period, None),
            effect=await self._effect(connection, settings, course.period, now, None),
            load=load_of([own.conversations for _, own in course.newest.managers]),
            stayers=await self._stayers(connection, settings, min(course.period.last_on, today)),
            rules=self._rules,
        )
        return draft.as_posted(None if frozen is None else FrozenWeek.from_document(json.loads(frozen)))

    async def _course(self, connection: Connection, settings: GuildSettings, last_on: date, count: int) -> _Course:
        """The figures of the `count` weeks up to the week of `last_on`."""
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
        for period, facts in zip(on_record, await self._facts(connection, guild_id, on_record), strict=True):
            longer = weeks_ending(period.first_on, rules.verdict_weeks, zone, posted)
            told = await self._longer(connection, guild_id, longer, facts)
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

    async def _facts(self, connection: Connection, guild_id: int, periods: Sequence[Period]) -> tuple[PeriodFacts, ...]:
        rules = self._rules
        return await attention.of_periods(
            connection,
            guild_id,
            periods,
            personal_kinds(count_inferred=rules.count_inferred),
            gap=rules.conversation_gap,
            expires=rules.waiting_expires,
        )

    async def _longer(self, connection: Connection, guild_id: int, weeks: Period, facts: PeriodFacts) -> LongerFacts:
        """What the verdicts on a week fall back on, as far as they do."""
        rules = self._rules
        quiet = facts.quiet(rules)
        if not quiet:
            return LongerFacts()
        kinds = personal_kinds(count_inferred=rules.count_inferred)
        talks = await attention.talks_of(connection, guild_id, weeks, quiet, kinds, rules.conversation_gap)
        most = max(sum(each * members for each, members in own.items()) for own in talks.values())
        # With more active members than conversations it makes no difference how many more: a week's are enough.
        active = facts.active
        if active < most:
            active, _ = await attention.active_and_met(connection, guild_id, weeks)
        return LongerFacts(active, talks)

    async def _first_contacts(
        self, connection: Connection, guild_id: int, period: Period, manager_id: int | None
    ) -> tuple[int, ...]:
        kinds = personal_kinds(count_inferred=self._rules.count_inferred)
        return await attention.first_contacts(connection, guild_id, period, kinds, manager_id)

    async def _stayers(self, connection: Connection, settings: GuildSettings, now_on: date) -> Stayers:
        """Who stays (docs/rules.md#newcomers-who-stay), as it looks at the end of a day."""
        rules, zone = self._rules, settings.zone
        ages = range(rules.stay_until.days, rules.stay_from.days - 1, -1)
        days = [now_on - timedelta(days=age) for age in ages]
        found = await stays.of_newcomers(
            connection,
            settings.guild_id,
            [(day, day_start(day, zone)) for day in days],
            day_start(days[-1] + timedelta(days=1), zone),
            now_on,
            at_least=rules.stay_greeted,
            kinds=personal_kinds(count_inferred=rules.count_inferred),
        )
        return stayers(found, now_on, rules)

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
