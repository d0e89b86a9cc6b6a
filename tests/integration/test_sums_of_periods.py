"""What the record sums up of weeks is what a calculation message by message finds, on SQLite and PostgreSQL."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from bot.domain.calendar import Period, day_start, local_day, period_of_days, weeks_ending
from bot.domain.evidence import Ends
from bot.domain.figures import Attention, PeriodFacts
from bot.domain.guild import GuildSettings
from bot.domain.rules import Rules
from bot.domain.snowflake import first_id_at, moment_of
from bot.domain.span import Span
from bot.domain.survival import NewcomerStay
from bot.domain.touch import Touch, TouchKind, personal_kinds
from bot.domain.waiting import WaitingEntry
from bot.services.digest.report import Reporter
from bot.store import (
    activity,
    attention,
    forgetting,
    guilds,
    ignoring,
    managers,
    record,
    spans,
    stays,
    touches,
    waits,
    written_days,
)
from bot.store.database import Connection, Database
from tests.support.messages import GUILD, thread
from tests.support.plain_figures import PlainFacts, figures_of, first_contacts, period_facts
from tests.support.rows import days_written

MONDAY = date(2026, 3, 30)
"""In Berlin, clocks changed the day before."""
ZONE = ZoneInfo("Europe/Berlin")
WEEKS = 4
PEOPLE = range(1, 41)
TEAM = (1, 2, 3)
EXCLUDED, THREAD = 90, 91
CHANNELS = (80, 81, 90, 91)
LONG_AGO = MONDAY - timedelta(weeks=30)


async def made(connection: Connection, random: Random) -> None:
    """A record of some months: days, touches and entries anywhere, of anybody, dense in the last weeks."""
    await guilds.save(connection, GuildSettings(GUILD, ZONE))
    await managers.add(connection, GUILD, TEAM)
    await guilds.set_excluded_channels(connection, GUILD, [EXCLUDED])
    await spans.add(connection, thread(5, THREAD, parent_id=EXCLUDED), Span(THREAD, THREAD + 1))
    end = int((day_start(MONDAY + timedelta(days=7), ZONE) - day_start(LONG_AGO, ZONE)) / timedelta(milliseconds=1))

    def moment() -> datetime:
        back = random.randrange(end // 6) if random.random() < 0.7 else random.randrange(end)
        edge = random.choice((0, 0, 0, 1))
        at = day_start(LONG_AGO, ZONE) + timedelta(milliseconds=end - back)
        return day_start(local_day(at, ZONE), ZONE) - timedelta(milliseconds=random.randrange(2)) if edge else at

    wrote = [(person, moment()) for person in PEOPLE for _ in range(random.randrange(12))]
    await written_days.add(connection, [(GUILD, person, local_day(at, ZONE), 1) for person, at in wrote])
    for person in PEOPLE:
        own = sorted(first_id_at(at) for one, at in wrote if one == person)
        if own:
            await record.add_ends(connection, GUILD, {person: Ends(own[0], 80, own[-1], 80)})
    found: list[Touch] = []
    at = moment()
    for number in range(150):
        # Often just within, at or after the hour that ends a conversation.
        at = at + timedelta(minutes=60, milliseconds=random.randrange(-2, 3)) if random.random() < 0.5 else moment()
        kind = random.choice(list(TouchKind))
        replied = first_id_at(at - timedelta(minutes=random.randrange(900))) if kind is TouchKind.REPLY else None
        who, whom = random.choice((*TEAM, 4)), random.choice(PEOPLE[:14])
        if number and random.random() < 0.5:
            who, whom = found[-1].manager_id, found[-1].member_id
        found.append(Touch(kind, who, whom, first_id_at(at) + number, random.choice(CHANNELS), at, replied))
    await record.add_touches(connection, {GUILD: found})
    asked = [
        WaitingEntry(
            first_id_at(moment()) + 1000 + number,
            random.choice(CHANNELS),
            random.choice(PEOPLE[:14]),
            frozenset(random.sample((*TEAM, 4), random.randrange(3))),
        )
        for number in range(60)
    ]
    await record.add_waiting(connection, {GUILD: asked})
    await ignoring.add(connection, GUILD, [10])
    await forgetting.set_opted_out(connection, GUILD, 11, day_start(MONDAY, ZONE))


async def plain(connection: Connection, period: Period, rules: Rules) -> PlainFacts:
    """A period read row by row."""
    kinds = personal_kinds(count_inferred=rules.count_inferred)
    ever = await touches.between(connection, GUILD, day_start(LONG_AGO, ZONE), period.end_at, kinds)
    first: dict[tuple[int, int], datetime] = {}
    for one in ever:
        first.setdefault((one.manager_id, one.member_id), one.touched_at)
    return PlainFacts(
        period=period,
        managers=await managers.people(connection, GUILD),
        active=await activity.active(connection, GUILD, period.first_on, period.last_on),
        touches=tuple(one for one in ever if one.touched_at >= period.start_at - rules.conversation_gap),
        first_touches=first,
        waiting=await waits.written_between(connection, GUILD, period.start_at - rules.waiting_expires, period.end_at),
    )


def same(told: PeriodFacts, expected: PeriodFacts) -> None:
    def comparable(facts: PeriodFacts) -> object:
        all_of_them: dict[int | None, Attention] = {None: facts.team}
        all_of_them |= facts.own
        ordered = {
            whose: replace(one, talks=dict(one.talks), reply_delays=tuple(sorted(one.reply_delays)))
            for whose, one in all_of_them.items()
        }
        return facts.active, facts.met, ordered

    assert comparable(told) == comparable(expected)


def periods() -> list[Sequence[Period]]:
    weeks = [weeks_ending(MONDAY - timedelta(weeks=back), 1, ZONE) for back in range(WEEKS - 1, -1, -1)]
    cut = period_of_days(MONDAY - timedelta(days=11), MONDAY + timedelta(days=2), ZONE)
    return [
        weeks,
        [cut],
        [weeks_ending(MONDAY, WEEKS, ZONE)],
        [period_of_days(MONDAY, MONDAY + timedelta(days=3), ZONE)],
    ]


@pytest.mark.parametrize("seed", range(4))
async def test_sums_are_what_a_plain_calculation_finds(database: Database, seed: int) -> None:
    rules = Rules(count_inferred=seed % 2 == 1)
    kinds = personal_kinds(count_inferred=rules.count_inferred)
    async with database.writing() as connection:
        await made(connection, Random(seed))
    async with database.reading() as connection:
        for some in periods():
            told = await attention.of_periods(
                connection, GUILD, some, kinds, gap=rules.conversation_gap, expires=rules.waiting_expires
            )
            for period, facts in zip(some, told, strict=True):
                expected = await plain(connection, period, rules)
                same(facts, period_facts(expected, rules))
                assert any(facts.team.talks)
                assert facts.active
                for whose in (None, *TEAM):
                    own = expected if whose is None else expected.of_manager(whose)
                    found = await attention.first_contacts(connection, GUILD, period, kinds, whose)
                    assert found == first_contacts(own)
                talks = await attention.talks_of(connection, GUILD, period, {1, 2}, kinds, rules.conversation_gap)
                assert talks == {one: facts.own[one].talks for one in (1, 2)}
                talks = await attention.talks_of(connection, GUILD, period, {None, 3}, kinds, rules.conversation_gap)
                assert talks == {None: facts.team.talks, 3: facts.own[3].talks}


@pytest.mark.parametrize("seed", range(4))
async def test_a_course_of_weeks_has_the_figures_of_a_plain_calculation(database: Database, seed: int) -> None:
    """With thresholds so low that a verdict falls back on four weeks, and on more of them than there are members."""
    rules = Rules(verdict_needs_conversations=(5, 8, 12, 30)[seed], spread_needs_conversations=2)
    async with database.writing() as connection:
        await made(connection, Random(seed))
    async with database.reading() as connection:
        settings = await guilds.settings_of(connection, GUILD)
        assert settings is not None
        for report in await Reporter(database, rules).weeks(settings, MONDAY, WEEKS):
            week = await plain(connection, weeks_ending(report.week_on, 1, ZONE), rules)
            longer = await plain(connection, weeks_ending(report.week_on, rules.verdict_weeks, ZONE), rules)
            team, own = figures_of(week, longer, rules)
            assert (report.team, dict(report.managers)) == (team, own)


@pytest.mark.parametrize("seed", range(4))
async def test_stays_are_counted_as_one_by_one(database: Database, seed: int) -> None:
    """Over both clock changes of a year, as it looked at the end of some days."""
    at_least, kinds = timedelta(days=7), personal_kinds(count_inferred=False)
    days = [LONG_AGO + timedelta(days=number) for number in range(215)]
    starts, end_at = [(day, day_start(day, ZONE)) for day in days], day_start(days[-1] + timedelta(days=1), ZONE)
    async with database.writing() as connection:
        await made(connection, Random(seed))
    async with database.reading() as connection:
        ends = await activity.traces(connection, GUILD, PEOPLE)
        ever = await touches.between(connection, GUILD, starts[0][1], end_at + at_least, kinds)
        members = await activity.active(connection, GUILD, LONG_AGO, MONDAY + timedelta(weeks=9))
        wrote = await days_written(connection)
        for last_on in (MONDAY + timedelta(weeks=9), MONDAY - timedelta(days=3), MONDAY - timedelta(weeks=4)):
            expected: Counter[NewcomerStay] = Counter()
            for member_id in members:
                first_at = moment_of(ends[member_id].first_message_id)
                seen = [day for _, person, day, _ in wrote if person == member_id and day <= last_on]
                if seen and starts[0][1] <= first_at < end_at:
                    met = any(
                        one.member_id == member_id and timedelta() <= one.touched_at - first_at <= at_least
                        for one in ever
                    )
                    expected[NewcomerStay(local_day(first_at, ZONE), max(seen), met)] += 1
            told = await stays.of_newcomers(connection, GUILD, starts, end_at, last_on, at_least=at_least, kinds=kinds)
            # Of shorter stays not all have to be told.
            long = [
                {one: count for one, count in found if one.last_on - one.first_on >= at_least}
                for found in (told, expected.items())
            ]
            assert long[0] == long[1] != {}
