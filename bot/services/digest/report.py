"""Gathers the facts of weeks and makes figures and digests of them."""

import asyncio
import json
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from bot.domain.calendar import Period, day_start, just_after, local_day, monday_of, period_of_days, weeks_ending
from bot.domain.digest_draft import DigestDraft, DigestWeek, PersonalDraft
from bot.domain.effect import Effect
from bot.domain.figures import Figures, PeriodFacts, conversations_by_member, first_contacts, week_figures
from bot.domain.guild import GuildSettings
from bot.domain.load import load_of
from bot.domain.nudge import OfferContext
from bot.domain.nudge_decision import ranked
from bot.domain.nudge_time import NudgeSchedule
from bot.domain.report import FrozenWeek, PastWeek, WeekReport
from bot.domain.rules import Rules
from bot.domain.snowflake import first_id_at, moment_of
from bot.domain.span import Span
from bot.domain.suggestion import suggestions
from bot.domain.survival import NewcomerStay, Stayers, stayers
from bot.domain.touch import personal_kinds
from bot.domain.zones import zone_named
from bot.services.members.waiting import waiting_members
from bot.services.nudge.effects import effects_between
from bot.services.nudge.facts import gather
from bot.store import activity, digests, guilds, managers, people, spans, touches, unread, waits
from bot.store.database import Connection, Database

_Dated = TypeVar("_Dated")

WEEKS_SHOWN = 12
EFFECT_WEEKS = 4
WAITING_LOOKED_AT = 10


@dataclass(frozen=True, slots=True)
class _Course:
    """Consecutive weeks as they are on record, oldest first; None before the record begins."""

    facts: PeriodFacts
    """The newest week's."""
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
            facts = replace(
                await self._facts(connection, guild_id, period),
                active=await activity.active(connection, guild_id, period.first_on, period.last_on),
            )
            gaps = await _missing(connection, guild_id)
            begins_on = await activity.first_day(connection, guild_id)
        team, own = await asyncio.to_thread(week_figures, facts, facts, self._rules)
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
            effect = await self._effect(connection, settings, course.facts.period, now, manager_id)
        waiting = waiting_members([state for state in states if state.entry.member_id not in departed], manager_id)
        figures = team.week.report.figures_of(manager_id) or course.newest.figures_of(manager_id)
        assert figures is not None  # the record of now has every manager's
        digest = DigestDraft(
            week=team.week,
            figures=figures,
            history=course.history(manager_id),
            conversations=_counts(course.facts, rules, manager_id),
            manager_id=manager_id,
            first_contacts=first_contacts(course.facts, manager_id=manager_id),
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
            conversations=_counts(facts, self._rules, None),
            first_contacts=first_contacts(facts),
            effect=await self._effect(connection, settings, facts.period, now, None),
            load=load_of([own.conversations for _, own in course.newest.managers]),
            stayers=await self._stayers(connection, settings, min(facts.period.last_on, today)),
            rules=self._rules,
        )
        return draft.as_posted(None if frozen is None else FrozenWeek.from_document(json.loads(frozen)))

    async def _course(self, connection: Connection, settings: GuildSettings, last_on: date, count: int) -> _Course:
        """The figures of the `count` weeks up to the week of `last_on`."""
        guild_id, rules, zone = settings.guild_id, self._rules, settings.zone
        begins_on = await activity.first_day(connection, guild_id)
        looked_at = count + rules.verdict_weeks - 1
        posted = await self._posted(connection, guild_id, last_on - timedelta(weeks=looked_at), last_on)
        source = await self._facts(connection, guild_id, weeks_ending(last_on, looked_at, zone, posted))
        gaps = await _missing(connection, guild_id)
        weeks: list[tuple[date, WeekReport | None]] = []
        # Active members are kept only for as many weeks as a verdict looks at: in a large guild they are many.
        active: deque[frozenset[int]] = deque(maxlen=rules.verdict_weeks)
        met = _Met(source)
        for back in range(looked_at - 1, -1, -1):
            period = weeks_ending(last_on - timedelta(weeks=back), 1, zone, posted)
            monday = period.first_on
            on_record = begins_on is not None and begins_on <= period.last_on
            active.append(
                await activity.active(connection, guild_id, monday, period.last_on) if on_record else frozenset()
            )
            if back >= count:
                continue
            if back and not on_record:
                weeks.append((monday, None))
                continue
            week = met.told(_part(source, period, active[-1], rules))
            four_weeks = weeks_ending(monday, rules.verdict_weeks, zone, posted)
            longer = _part(source, four_weeks, frozenset().union(*active), rules)
            weeks.append((monday, await asyncio.to_thread(_report, settings, week, longer, gaps, rules)))
        return _Course(week, tuple(weeks), begins_on)

    async def _posted(
        self, connection: Connection, guild_id: int, first_on: date, last_on: date
    ) -> dict[date, ZoneInfo]:
        """The zones in which the digests of some weeks were made, as far as they were."""
        found = await digests.frozen_between(connection, guild_id, first_on, last_on)
        zones = {week_on: zone_named(json.loads(figures).get("time_zone", "")) for week_on, figures in found.items()}
        return {week_on: zone for week_on, zone in zones.items() if zone is not None}

    async def _facts(self, connection: Connection, guild_id: int, period: Period) -> PeriodFacts:
        """The facts of a period, without who was active in it."""
        rules = self._rules
        kinds = personal_kinds(count_inferred=rules.count_inferred)
        since = period.start_at - rules.conversation_gap
        return PeriodFacts(
            period=period,
            managers=await managers.people(connection, guild_id),
            active=frozenset(),
            touches=await touches.between(connection, guild_id, since, period.end_at, kinds),
            first_touches=await touches.first_touches(connection, guild_id, since, period.end_at, kinds),
            waiting=await waits.written_between(
                connection, guild_id, period.start_at - rules.waiting_expires, period.end_at
            ),
            met_before=await touches.met(connection, guild_id, since, kinds),
        )

    async def _stayers(self, connection: Connection, settings: GuildSettings, now_on: date) -> Stayers:
        """Who stays (docs/rules.md#newcomers-who-stay), as it looks at the end of a day."""
        guild_id, rules, zone = settings.guild_id, self._rules, settings.zone
        ages = range(rules.stay_until.days, rules.stay_from.days - 1, -1)
        days = [now_on - timedelta(days=age) for age in ages]
        since, until = day_start(days[0], zone), day_start(days[-1] + timedelta(days=1), zone)
        found = await digests.last_days_of_newcomers(connection, guild_id, since, until, now_on)
        kinds = personal_kinds(count_inferred=rules.count_inferred)
        made = await touches.between(connection, guild_id, since, until + rules.stay_greeted, kinds)

        def looked_at() -> Stayers:
            greeted = {
                touch.member_id
                for touch in made
                if touch.member_id in found
                and timedelta() <= touch.touched_at - moment_of(found[touch.member_id][0]) <= rules.stay_greeted
            }
            # A search, since there may be a hundred thousand newcomers, but only a few months of days.
            begins = [first_id_at(day_start(day, zone)) for day in days]
            newcomers = (
                NewcomerStay(days[bisect_right(begins, first_id) - 1], last_on, member_id in greeted)
                for member_id, (first_id, last_on) in found.items()
            )
            return stayers(newcomers, now_on, rules)

        return await asyncio.to_thread(looked_at)

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


def _part(source: PeriodFacts, period: Period, active: frozenset[int], rules: Rules) -> PeriodFacts:
    """The facts of a period inside that of `source`, with its active members and without first touches."""
    return PeriodFacts(
        period=period,
        managers=source.managers,
        active=active,
        touches=_between(
            source.touches, lambda one: one.touched_at, period.start_at - rules.conversation_gap, period.end_at
        ),
        first_touches={},
        waiting=_between(
            source.waiting, lambda one: one.entry.written_at, period.end_at - rules.waiting_expires, period.end_at
        ),
    )


class _Met:
    """Splits the first touches over consecutive periods, oldest first. Looks at each touch once."""

    def __init__(self, source: PeriodFacts) -> None:
        self._before = set(source.met_before)
        self._first = sorted(source.first_touches.items(), key=lambda item: item[1])
        self._seen = 0

    def told(self, part: PeriodFacts) -> PeriodFacts:
        """The facts of a period with its first touches. A period must not begin before the previous one."""
        begin = bisect_left(self._first, part.period.start_at, key=lambda item: item[1])
        end = bisect_left(self._first, part.period.end_at, key=lambda item: item[1])
        self._before.update(member_id for (_, member_id), _ in self._first[self._seen : begin])
        self._seen = begin
        return replace(part, first_touches=dict(self._first[begin:end]), met_before=frozenset(self._before))


def _between(
    ordered: tuple[_Dated, ...], moment: Callable[[_Dated], datetime], since: datetime, until: datetime
) -> tuple[_Dated, ...]:
    return ordered[bisect_left(ordered, since, key=moment) : bisect_left(ordered, until, key=moment)]


def _report(
    settings: GuildSettings, week: PeriodFacts, longer: PeriodFacts, gaps: Collection[Span], rules: Rules
) -> WeekReport:
    team, own = week_figures(week, longer, rules)
    return WeekReport(
        guild_id=settings.guild_id,
        week_on=week.period.first_on,
        zone=settings.zone,
        complete=_complete(week.period, gaps),
        team=team,
        managers=tuple(own.items()),
    )


async def _missing(connection: Connection, guild_id: int) -> tuple[Span, ...]:
    """What is not on record, or has still to be read again for somebody who became a manager."""
    return await spans.gaps_of_counted(connection, guild_id) + await unread.of_new_managers(connection, guild_id)


def _complete(period: Period, gaps: Collection[Span]) -> bool:
    first_id, end_id = first_id_at(period.start_at), first_id_at(period.end_at)
    return not any(gap.first_id < end_id and gap.last_id >= first_id for gap in gaps)


def _counts(facts: PeriodFacts, rules: Rules, manager_id: int | None) -> tuple[int, ...]:
    """How many conversations each member reached had, most first. No ids."""
    return tuple(sorted(conversations_by_member(facts, rules, manager_id=manager_id).values(), reverse=True))
