"""Writing what stretches say and reading it back, on SQLite and PostgreSQL."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import delete, exc, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.domain.derivation import Appearance, Derived
from bot.domain.snowflake import first_id_at
from bot.domain.span import Span, merged
from bot.domain.touch import PERSONAL_KINDS, Touch, TouchKind
from bot.domain.waiting import WaitingEntry
from bot.store import (
    activity,
    digests,
    forgetting,
    guilds,
    ignoring,
    managers,
    people,
    record,
    spans,
    stays,
    tables,
    touches,
    waits,
)
from bot.store.activity import Trace
from bot.store.columns import Day, Moment, Truth
from bot.store.database import Connection, Database
from tests.support.messages import ANNA, BEN, GUILD, MIA, NOAH, OLE, PIA, START, at, channel, moment, thread
from tests.support.rows import rows

pytestmark = pytest.mark.usefixtures("sqlite_without_threads")

OTHER_GUILD = 8
ALL_KINDS = frozenset(TouchKind)
ALWAYS = (moment(-10_000_000), moment(10_000_000))
DAY = date(2026, 3, 2)


def derived(
    counts: dict[tuple[int, date], int] | None = None, appearances: dict[int, tuple[float, float]] | None = None
) -> Derived:
    seen = {person: Appearance(at(first), at(last)) for person, (first, last) in (appearances or {}).items()}
    return Derived(counts or {}, seen, (), ())


def touch(
    minutes: float,
    manager_id: int = ANNA,
    member_id: int = MIA,
    *,
    kind: TouchKind = TouchKind.MENTION,
    channel_id: int = 1,
    replied_to: float | None = None,
) -> Touch:
    replied_to_id = None if replied_to is None else at(replied_to)
    return Touch(kind, manager_id, member_id, at(minutes), channel_id, moment(minutes), replied_to_id)


def entry(
    minutes: float,
    addressed: Iterable[int] = (ANNA,),
    *,
    member_id: int = MIA,
    channel_id: int = 1,
    reply_to: float | None = None,
) -> WaitingEntry:
    reply_to_id = None if reply_to is None else at(reply_to)
    return WaitingEntry(at(minutes), channel_id, member_id, frozenset(addressed), reply_to_id)


async def opt_out(connection: Connection, person: int) -> None:
    changed = await connection.execute(
        update(tables.member)
        .where(tables.member.c.guild_id == GUILD, tables.member.c.member_id == person)
        .values(opted_out_at=START)
    )
    if not changed.rowcount:
        await connection.execute(insert(tables.member).values(guild_id=GUILD, member_id=person, opted_out_at=START))


async def ignore(connection: Connection, target: int, *, is_role: bool = False) -> None:
    await connection.execute(insert(tables.ignored).values(guild_id=GUILD, target_id=target, is_role=is_role))


# Activity and appearances.


async def test_activity_adds_up_by_person_and_local_day(database: Database) -> None:
    async with database.writing() as connection:
        await record.add_activity(connection, [(channel(), derived({(MIA, DAY): 2, (NOAH, DAY): 1}))])
        await record.add_activity(connection, [(channel(99), derived({(MIA, DAY): 3, (MIA, date(2026, 3, 3)): 1}))])
        await record.add_activity(connection, [(channel(), derived())])
    assert (await rows(database, tables.activity))["activity"] == [
        (GUILD, MIA, DAY, 5),
        (GUILD, MIA, date(2026, 3, 3), 1),
        (GUILD, NOAH, DAY, 1),
    ]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 0, 2)])
async def test_first_and_last_message_are_by_id_whatever_arrives_first(
    database: Database, order: tuple[int, ...]
) -> None:
    seen = [(channel(11), (10.0, 20.0)), (channel(12), (5.0, 6.0)), (channel(13), (12.0, 30.0))]
    async with database.writing() as connection:
        for index in order:
            place, minutes = seen[index]
            await record.add_activity(connection, [(place, derived(appearances={MIA: minutes}))])
        assert await activity.traces(connection, GUILD, [MIA, NOAH]) == {MIA: Trace(at(5), 12, at(30), 13)}


async def test_whoever_writes_again_is_back_and_an_old_message_found_late_proves_nothing(database: Database) -> None:
    async with database.writing() as connection:
        await record.add_activity(connection, [(channel(), derived(appearances={MIA: (10, 20)}))])
        await people.mark_departed(connection, GUILD, MIA, moment(25))
        await people.mark_departed(connection, GUILD, MIA, moment(30))  # the first finding stays
        await people.mark_departed(connection, GUILD, NOAH, moment(28))  # never wrote
        assert await people.departed(connection, GUILD) == {MIA, NOAH}
        assert await people.departed(connection, GUILD, by=moment(25)) == {MIA}
        assert await people.departed(connection, GUILD, by=moment(24)) == frozenset()
        await record.add_activity(connection, [(channel(), derived(appearances={MIA: (1, 2), NOAH: (3, 4)}))])
        assert await people.departed(connection, GUILD) == {MIA}
        await record.add_activity(connection, [(channel(), derived(appearances={MIA: (40, 40)}))])
        assert await people.departed(connection, GUILD) == frozenset()
        assert await people.departed(connection, OTHER_GUILD) == frozenset()


async def members_of_a_week(connection: Connection) -> None:
    """Mia wrote on two days, Noah on one, Anna manages, Ole opted out, Pia is ignored."""
    days = [DAY + timedelta(days=number) for number in range(3)]
    counts = {(MIA, days[0]): 1, (MIA, days[2]): 4, (NOAH, days[1]): 9}
    counts |= {(person, day): 1 for person in (ANNA, OLE, PIA) for day in days}
    appearances = {MIA: (0.0, 2880.0), NOAH: (1440.0, 1441.0), ANNA: (0.0, 9.0), OLE: (0.0, 9.0), PIA: (0.0, 9.0)}
    await record.add_activity(connection, [(channel(11), derived(counts, appearances))])
    await managers.add(connection, GUILD, [ANNA])
    await opt_out(connection, OLE)
    await ignore(connection, PIA)
    await ignore(connection, MIA, is_role=True)  # a role that happens to have the same number


async def test_only_members_are_active(database: Database) -> None:
    async with database.writing() as connection:
        await members_of_a_week(connection)
    async with database.reading() as connection:
        assert await activity.active(connection, GUILD, DAY, DAY + timedelta(days=2)) == {MIA, NOAH}
        assert await activity.active(connection, GUILD, DAY, DAY) == {MIA}
        assert await activity.active(connection, GUILD, DAY + timedelta(days=3), DAY + timedelta(days=9)) == frozenset()
        assert await activity.active(connection, OTHER_GUILD, DAY, DAY + timedelta(days=2)) == frozenset()
        among = await activity.active_among(connection, GUILD, [NOAH, OLE, PIA], DAY, DAY + timedelta(days=2))
        assert among == {NOAH}
        assert await activity.active_among(connection, GUILD, [MIA, NOAH], DAY, DAY) == {MIA}
        assert await activity.active_days(connection, GUILD, MIA, DAY, DAY + timedelta(days=2)) == 2
        assert await activity.active_days(connection, GUILD, NOAH, DAY, DAY + timedelta(days=2)) == 1
        assert await activity.active_days(connection, GUILD, NOAH, DAY, DAY) == 0
        assert await activity.first_day(connection, GUILD) == DAY
        assert await activity.first_day(connection, OTHER_GUILD) is None
        assert await people.opted_out(connection, GUILD) == {OLE}
        assert await people.ignored(connection, GUILD) == ({PIA}, {MIA})


async def test_whoever_is_no_member_of_another_server_is_one_here(database: Database) -> None:
    """Mia is a manager there, Noah ignored, and Ole has opted out."""
    async with database.writing() as connection:
        await managers.add(connection, OTHER_GUILD, [MIA])
        await ignoring.add(connection, OTHER_GUILD, [NOAH])
        await forgetting.set_opted_out(connection, OTHER_GUILD, OLE, START)
        await record.add_activity(connection, [(channel(), derived({(person, DAY): 1 for person in (MIA, NOAH, OLE)}))])
        assert await activity.active(connection, GUILD, DAY, DAY) == {MIA, NOAH, OLE}
        assert await people.opted_out(connection, GUILD) == frozenset()
        assert await people.opted_out(connection, OTHER_GUILD) == {OLE}
        assert await people.ignored(connection, GUILD) == (frozenset(), frozenset())


async def test_newcomers_are_members_whose_first_message_lies_between_two_moments(database: Database) -> None:
    async def found(since: float, until: float, by: float = 10_000) -> dict[int, Trace]:
        async with database.reading() as connection:
            return await activity.unmet_newcomers(
                connection, GUILD, moment(since), moment(until), by=moment(by), kinds=PERSONAL_KINDS
            )

    async with database.writing() as connection:
        await members_of_a_week(connection)
    assert await found(0, 0) == {MIA: Trace(at(0), 11, at(2880), 11)}
    assert (await found(0, 1440)).keys() == {MIA, NOAH}
    assert await found(1 / 60_000, 1439) == {}
    async with database.writing() as connection:
        await record.add_touches(connection, {GUILD: [touch(5), touch(6, member_id=NOAH, kind=TouchKind.ANSWER)]})
    assert (await found(0, 1440)).keys() == {NOAH}
    assert (await found(0, 1440, by=5)).keys() == {MIA, NOAH}


async def test_regulars_wrote_on_several_days_and_were_met_by_nobody(database: Database) -> None:
    async def found(at_least: int, by: float = 10_000) -> dict[int, tuple[int, Trace]]:
        async with database.reading() as connection:
            return await activity.unmet_regulars(
                connection,
                GUILD,
                DAY,
                DAY + timedelta(days=2),
                at_least=at_least,
                by=moment(by),
                kinds=PERSONAL_KINDS,
            )

    async with database.writing() as connection:
        await members_of_a_week(connection)
    mia = (2, Trace(at(0), 11, at(2880), 11))
    assert await found(2) == {MIA: mia}
    assert await found(1) == {MIA: mia, NOAH: (1, Trace(at(1440), 11, at(1441), 11))}
    async with database.writing() as connection:
        await record.add_touches(connection, {GUILD: [touch(5)]})
    assert await found(2) == {}
    assert await found(2, by=5) == {MIA: mia}


async def test_the_unmet_are_counted_and_read_page_by_page(database: Database) -> None:
    async def page(offset: int, limit: int) -> tuple[int, int, list[int]]:
        async with database.reading() as connection:
            found = await activity.unmet(
                connection,
                GUILD,
                DAY,
                DAY + timedelta(days=2),
                by=moment(10_000),
                kinds=PERSONAL_KINDS,
                offset=offset,
                limit=limit,
            )
        return found.active, found.total, [member_id for member_id, _ in found.members]

    async with database.writing() as connection:
        await members_of_a_week(connection)
    assert await page(0, 10) == (2, 2, [MIA, NOAH])
    assert await page(1, 1) == (2, 2, [NOAH])
    assert await page(2, 1) == (2, 2, [])
    async with database.writing() as connection:
        await record.add_touches(connection, {GUILD: [touch(5)]})
    assert await page(0, 10) == (2, 1, [NOAH])
    async with database.writing() as connection:
        await people.mark_departed(connection, GUILD, NOAH, moment(10_000))
    assert await page(0, 10) == (1, 0, [])


async def test_traces_of_more_people_than_one_query_takes(database: Database) -> None:
    crowd = range(10_000, 11_200)
    async with database.writing() as connection:
        await record.add_activity(connection, [(channel(), derived(appearances=dict.fromkeys(crowd, (1.0, 2.0))))])
        assert (await activity.traces(connection, GUILD, crowd)).keys() == set(crowd)
        assert await activity.traces(connection, GUILD, []) == {}


# Touches.


async def test_a_touch_on_record_stays_as_it_is(database: Database) -> None:
    first = touch(1, kind=TouchKind.REPLY, replied_to=0)
    async with database.writing() as connection:
        await managers.add(connection, GUILD, [ANNA])
        await record.add_touches(connection, {GUILD: [first]})
        await record.add_touches(connection, {GUILD: [replace(first, kind=TouchKind.MENTION, replied_to_id=None)]})
        await record.add_touches(connection, {GUILD: []})
        assert await touches.between(connection, GUILD, *ALWAYS, ALL_KINDS) == (first,)


async def test_touches_are_read_by_time_kind_manager_and_member(database: Database) -> None:
    made = [
        touch(0, ANNA, MIA),
        touch(10, BEN, MIA, kind=TouchKind.LOGGED),
        touch(20, ANNA, NOAH, kind=TouchKind.ANSWER),
        touch(30, ANNA, BEN),  # among managers
        touch(40, PIA, MIA),  # by somebody who is no manager
        touch(50, ANNA, OLE),  # opted out afterwards
    ]
    async with database.writing() as connection:
        await managers.add(connection, GUILD, [ANNA, BEN])
        await opt_out(connection, OLE)
        await record.add_touches(connection, {GUILD: made})
        await record.add_touches(connection, {OTHER_GUILD: [touch(5, channel_id=77)]})
    async with database.reading() as connection:
        assert await touches.between(connection, GUILD, *ALWAYS, ALL_KINDS) == tuple(made[:3])
        assert await touches.between(connection, GUILD, *ALWAYS, PERSONAL_KINDS) == tuple(made[:2])
        assert await touches.between(connection, GUILD, moment(0), moment(10), ALL_KINDS) == (made[0],)
        assert await touches.between(connection, GUILD, moment(1 / 60_000), moment(20), ALL_KINDS) == (made[1],)
        assert await touches.of_manager(connection, GUILD, ANNA, moment(20), ALL_KINDS) == (made[0],)
        assert await touches.of_manager(connection, GUILD, ANNA, moment(21), ALL_KINDS) == (made[0], made[2])
        assert await touches.met_among(connection, GUILD, [MIA, NOAH, OLE], moment(20), ALL_KINDS) == {MIA}
        assert await touches.met_at(connection, GUILD, MIA, moment(30), ALL_KINDS) == moment(0)
        assert await touches.met_at(connection, GUILD, MIA, moment(0), ALL_KINDS) is None
        assert await touches.of_manager(connection, GUILD, ANNA, moment(21), ALL_KINDS, moment(1)) == (made[2],)
    async with database.writing() as connection:
        await managers.remove(connection, GUILD, [BEN])
        assert await touches.between(connection, GUILD, *ALWAYS, ALL_KINDS) == (made[0], made[2], made[3])
        await managers.add(connection, GUILD, [PIA])
        assert await touches.between(connection, GUILD, *ALWAYS, ALL_KINDS) == (made[0], *made[2:5])


async def test_one_members_touches_and_entries_are_told_apart_from_the_others(database: Database) -> None:
    made = [touch(0), touch(1, BEN), touch(2, member_id=NOAH), touch(3, kind=TouchKind.ANSWER)]
    async with database.writing() as connection:
        await managers.add(connection, GUILD, [ANNA, BEN])
        await record.add_touches(connection, {GUILD: made})
        await record.add_waiting(connection, {GUILD: [entry(4), entry(5, member_id=NOAH), entry(6)]})
        assert await touches.of_member(connection, GUILD, MIA, PERSONAL_KINDS) == (made[0], made[1])
        found = await waits.of_member(connection, GUILD, MIA, moment(4))
        assert [state.entry.message_id for state in found] == [at(4), at(6)]
        found = await waits.of_member(connection, GUILD, MIA, moment(5))
        assert [state.entry.message_id for state in found] == [at(6)]
        assert await waits.of_member(connection, OTHER_GUILD, MIA, moment(0)) == ()


async def test_only_what_a_manager_logged_can_be_taken_back_by_them(database: Database) -> None:
    made = [touch(0, kind=TouchKind.LOGGED), touch(1)]
    async with database.writing() as connection:
        await managers.add(connection, GUILD, [ANNA])
        await record.add_touches(connection, {GUILD: made})
        for manager_id, member_id, message_id in ((BEN, MIA, at(0)), (ANNA, NOAH, at(0)), (ANNA, MIA, at(1))):
            assert not await touches.take_back_logged(connection, GUILD, manager_id, member_id, message_id)
        assert await touches.take_back_logged(connection, GUILD, ANNA, MIA, at(0))
        assert not await touches.take_back_logged(connection, GUILD, ANNA, MIA, at(0))
        assert await touches.between(connection, GUILD, *ALWAYS, ALL_KINDS) == (made[1],)


# Waiting.


async def states(database: Database) -> dict[float, Any]:
    async with database.reading() as connection:
        found = await waits.written_between(connection, GUILD, *ALWAYS)
    return {(state.entry.written_at - START) / timedelta(minutes=1): state for state in found}


@pytest.mark.parametrize(
    ("answer", "ends"),
    [
        (touch(1), True),
        (touch(1, BEN), True),  # any manager
        (touch(1, kind=TouchKind.ANSWER), True),  # any kind
        (touch(1, channel_id=at(0)), True),  # in the thread started on the message
        (touch(1, kind=TouchKind.LOGGED, channel_id=999), True),  # contact elsewhere
        (touch(1, channel_id=999), False),  # another channel
        (touch(-1), False),  # an earlier message
        (touch(1, member_id=NOAH), False),  # somebody else
        (touch(1, PIA), False),  # by no manager
    ],
)
async def test_what_ends_waiting(database: Database, answer: Touch, ends: bool) -> None:
    for touch_first in (True, False):
        async with database.writing() as connection:
            await guilds.forget(connection, GUILD)
            await managers.add(connection, GUILD, [ANNA, BEN])
            if touch_first:
                await record.add_touches(connection, {GUILD: [answer]})
            await record.add_waiting(connection, {GUILD: [entry(0)]})
            if not touch_first:
                await record.add_touches(connection, {GUILD: [answer]})
        assert (await states(database))[0].answered_at == (answer.touched_at if ends else None)


async def test_the_earliest_answer_counts_and_a_deleted_one_leaves_the_member_waiting_again(database: Database) -> None:
    async with database.writing() as connection:
        await managers.add(connection, GUILD, [ANNA, BEN])
        await record.add_waiting(connection, {GUILD: [entry(0)]})
        await record.add_touches(connection, {GUILD: [touch(9, BEN), touch(4)]})
    assert (await states(database))[0].answered_at == moment(4)
    async with database.writing() as connection:
        await record.take_back(connection, [at(4)])
    assert (await states(database))[0].answered_at == moment(9)
    async with database.writing() as connection:
        await managers.remove(connection, GUILD, [BEN])
    assert (await states(database))[0].answered_at is None


async def test_an_entry_addressed_to_nobody_who_manages_waits_for_the_team(database: Database) -> None:
    async with database.writing() as connection:
        await managers.add(connection, GUILD, [ANNA, BEN])
        await record.add_waiting(connection, {GUILD: [entry(0, [ANNA, BEN]), entry(1, [BEN]), entry(2, [])]})
    assert [state.entry.addressed for state in (await states(database)).values()] == [{ANNA, BEN}, {BEN}, frozenset()]
    async with database.writing() as connection:
        await managers.remove(connection, GUILD, [BEN])
    found = await states(database)
    assert [state.entry.addressed for state in found.values()] == [{ANNA}, frozenset(), frozenset()]
    assert found[1].entry.waits_for(ANNA)
    async with database.writing() as connection:
        await managers.add(connection, GUILD, [BEN])
    assert (await states(database))[1].entry.addressed == {BEN}


async def test_only_members_wait(database: Database) -> None:
    async with database.writing() as connection:
        await managers.add(connection, GUILD, [ANNA])
        people_who_write = (MIA, NOAH, OLE, PIA)
        entries = [entry(number, member_id=person) for number, person in enumerate(people_who_write)]
        await record.add_waiting(connection, {GUILD: entries})
        await managers.add(connection, GUILD, [NOAH])
        await opt_out(connection, OLE)
        await ignore(connection, PIA)
        assert await waits.of_message(connection, GUILD, at(0)) is not None
        assert await waits.of_message(connection, GUILD, at(1)) is None
        assert await waits.of_message(connection, OTHER_GUILD, at(0)) is None
    assert list(await states(database)) == [0]


async def test_entries_are_read_by_when_they_were_written(database: Database) -> None:
    async with database.writing() as connection:
        await record.add_waiting(connection, {GUILD: [entry(number) for number in range(4)]})
        found = await waits.written_between(connection, GUILD, moment(1), moment(3))
    assert [state.entry.message_id for state in found] == [at(1), at(2)]


async def test_who_answers_the_message_that_touched_them_wrote_back(database: Database) -> None:
    """Mia replies to Anna's words to her; Noah replies to the same message, which did not address him."""
    async with database.writing() as connection:
        await managers.add(connection, GUILD, [ANNA])
        await record.add_touches(connection, {GUILD: [touch(0)]})
        await record.add_waiting(
            connection, {GUILD: [entry(1, reply_to=0), entry(2, member_id=NOAH, reply_to=0), entry(3)]}
        )
    assert [state.wrote_back_to for state in (await states(database)).values()] == [{ANNA}, frozenset(), frozenset()]


async def test_setting_aside_closes_once_and_leaves_the_answer_alone(database: Database) -> None:
    async with database.writing() as connection:
        await managers.add(connection, GUILD, [ANNA])
        await record.add_waiting(connection, {GUILD: [entry(0), entry(1)]})
        assert await waits.close(connection, GUILD, [at(0), at(99)], moment(5)) == 1
        assert await waits.close(connection, GUILD, [at(0)], moment(6)) == 0
        assert await waits.close(connection, OTHER_GUILD, [at(1)], moment(6)) == 0
    found = await states(database)
    assert (found[0].closed, found[0].closed_at, found[0].answered_at) == (True, moment(5), None)
    assert not found[1].closed


async def test_an_entry_on_record_takes_in_whom_else_it_addresses(database: Database) -> None:
    """Read again for Ben, the same message turns out to wait for him as well."""
    async with database.writing() as connection:
        await managers.add(connection, GUILD, [ANNA, BEN])
        await record.add_waiting(connection, {GUILD: [entry(0, [ANNA], reply_to=-1)]})
        await waits.close(connection, GUILD, [at(0)], moment(1))
        await record.add_waiting(connection, {GUILD: [entry(0, [BEN]), entry(0, [BEN], reply_to=-2)]})
        await record.add_waiting(connection, {GUILD: [entry(1, [ANNA])]})
        await record.add_waiting(connection, {GUILD: [entry(1, [BEN], reply_to=-2)]})
    assert (await states(database))[1].entry == entry(1, [ANNA, BEN], reply_to=-2)
    found = (await states(database))[0]
    assert found.entry.addressed == {ANNA, BEN}
    assert found.entry.reply_to_id == at(-1)
    assert found.closed


# Taking back.


async def test_deleted_messages_take_their_touches_and_entries_with_them_and_no_activity(database: Database) -> None:
    async with database.writing() as connection:
        await managers.add(connection, GUILD, [ANNA])
        await record.add_activity(connection, [(channel(), derived({(MIA, DAY): 2}, {MIA: (0, 1)}))])
        await record.add_touches(connection, {GUILD: [touch(2), touch(2, member_id=NOAH), touch(3)]})
        await record.add_waiting(connection, {GUILD: [entry(0, [ANNA, BEN]), entry(1)]})
    before = await rows(database, tables.activity, tables.member)
    async with database.writing() as connection:
        await record.take_back(connection, [at(0), at(2), *range(1, 1500)])
        await record.take_back(connection, [])
    after = await rows(database)
    assert [row[0] for row in after["touch"]] == [at(3)]
    assert [row[0] for row in after["waiting"]] == [at(1)]
    assert after["waiting_for"] == [(at(1), ANNA)]
    assert await rows(database, tables.activity, tables.member) == before


async def test_a_deleted_channel_takes_its_own_with_it(database: Database) -> None:
    async with database.writing() as connection:
        await record.add_touches(connection, {GUILD: [touch(1, channel_id=11), touch(2, channel_id=12)]})
        await record.add_waiting(connection, {GUILD: [entry(3, channel_id=11), entry(4, channel_id=12)]})
        await record.take_back_channel(connection, 11)
    after = await rows(database, tables.touch, tables.waiting, tables.waiting_for)
    assert [row[0] for row in after["touch"]] == [at(2)]
    assert [row[0] for row in after["waiting"]] == [at(4)]
    assert after["waiting_for"] == [(at(4), ANNA)]


# Excluded channels.


async def test_what_stands_in_an_excluded_channel_or_its_threads_is_hidden_and_comes_back(database: Database) -> None:
    places = {11: channel(11), 12: channel(12), 13: thread(MIA, 13, parent_id=11)}
    async with database.writing() as connection:
        await managers.add(connection, GUILD, [ANNA])
        for number, place in enumerate(places.values()):
            await spans.add(connection, place, Span(1, 2))
            await record.add_touches(connection, {GUILD: [touch(number, channel_id=place.channel_id)]})
            await record.add_waiting(connection, {GUILD: [entry(number + 10, channel_id=place.channel_id)]})

    async def shown() -> tuple[list[int], list[int]]:
        async with database.reading() as connection:
            found = await touches.between(connection, GUILD, *ALWAYS, ALL_KINDS)
            waiting = await waits.written_between(connection, GUILD, *ALWAYS)
        return [one.channel_id for one in found], [one.entry.channel_id for one in waiting]

    assert await shown() == ([11, 12, 13], [11, 12, 13])
    async with database.writing() as connection:
        await guilds.set_excluded_channels(connection, GUILD, [11])
    assert await shown() == ([12], [12])
    async with database.writing() as connection:
        await guilds.set_excluded_channels(connection, GUILD, [])
    assert await shown() == ([11, 12, 13], [11, 12, 13])


# Spans and gaps.


@pytest.mark.parametrize("seed", range(4))
async def test_spans_are_what_the_rule_of_merging_says(database: Database, seed: int) -> None:
    random = Random(seed)
    model: dict[int, list[Span]] = {11: [], 12: []}
    for _ in range(25):
        channel_id = random.choice([11, 12])
        first = random.randint(1, 60)
        span = Span(first, first + random.choice([0, 1, 3, 12]))
        model[channel_id].append(span)
        async with database.writing() as connection:
            await spans.add(connection, channel(channel_id), span)
            assert await spans.of_channel(connection, channel_id) == merged(model[channel_id])
    async with database.reading() as connection:
        assert await spans.extents(connection, GUILD) == {
            channel_id: Span(min(found).first_id, max(span.last_id for span in found))
            for channel_id, found in model.items()
            if found
        }
        assert await spans.extents(connection, OTHER_GUILD) == {}


async def test_a_thread_keeps_the_channel_it_hangs_on_when_an_export_of_it_does_not_know(database: Database) -> None:
    async with database.writing() as connection:
        for place, span in (
            (thread(MIA, 13), Span(1, 2)),
            (thread(MIA, 13, parent_id=11), Span(3, 4)),
            (thread(MIA, 13), Span(5, 6)),
        ):
            await spans.add(connection, place, span)
        assert await spans.of_channel(connection, 13) == (Span(1, 6),)
    assert [row[-1] for row in (await rows(database, tables.span))["span"]] == [11]


async def test_known_gaps_are_noted_once_and_forgotten_when_filled(database: Database) -> None:
    async with database.writing() as connection:
        await spans.add_known_gap(connection, GUILD, 11, Span(5, 9), "no permission")
        await spans.add_known_gap(connection, GUILD, 11, Span(5, 12), "still no permission")
        await spans.add_known_gap(connection, GUILD, 11, Span(5, 7), "no permission")
        await spans.add_known_gap(connection, GUILD, 11, Span(20, 30), "no permission")
        await spans.add_known_gap(connection, GUILD, 12, Span(1, 2), "no permission")
        await spans.add_known_gap(connection, OTHER_GUILD, 13, Span(1, 2), "no permission")
        assert await spans.known_gaps(connection, GUILD) == {11: (Span(5, 12), Span(20, 30)), 12: (Span(1, 2),)}
        await spans.forget_known_gaps(connection, 11, Span(5, 25))
        assert await spans.known_gaps(connection, GUILD) == {11: (Span(20, 30),), 12: (Span(1, 2),)}
        await spans.forget_known_gaps(connection, 11, Span(0, 30))
        assert await spans.known_gaps(connection, GUILD) == {12: (Span(1, 2),)}


async def test_how_long_a_newcomer_stayed_in_one_server_is_not_told_by_another(database: Database) -> None:
    """Mia writes in both. Of Noah, who is new in both, no day is kept in the first."""
    week = timedelta(days=7)
    async with database.writing() as connection:
        for guild_id, days in ((GUILD, (DAY, DAY + week)), (OTHER_GUILD, (DAY, DAY + 2 * week))):
            await record.add_activity(
                connection,
                [
                    (
                        replace(channel(), guild_id=guild_id),
                        derived({(MIA, day): 1 for day in days}, {MIA: (0, (days[-1] - DAY) / timedelta(minutes=1))}),
                    )
                ],
            )
        await record.add_activity(connection, [(channel(), derived(appearances={NOAH: (1, 1)}))])
        await record.add_activity(
            connection, [(replace(channel(), guild_id=OTHER_GUILD), derived({(NOAH, DAY): 1}, {NOAH: (2, 2)}))]
        )

        async def stayed(guild_id: int, last_on: date = DAY + 3 * week) -> list[date]:
            found = await stays.of_newcomers(
                connection,
                guild_id,
                [(DAY, moment(0))],
                moment(5),
                last_on,
                at_least=timedelta(0),
                kinds=PERSONAL_KINDS,
            )
            assert {(stay.first_on, stay.touched) for stay, _ in found} == {(DAY, False)}
            return sorted(stay.last_on for stay, members in found for _ in range(members))

        assert await stayed(GUILD) == [DAY + week]
        assert await stayed(OTHER_GUILD) == [DAY, DAY + 2 * week]
        assert await stayed(OTHER_GUILD, DAY + week) == [DAY, DAY]


# Frozen digests and columns.


async def test_the_figures_people_saw_first_stay(database: Database) -> None:
    async with database.writing() as connection:
        await digests.freeze(connection, GUILD, DAY, "a", '{"first": 1}', START)
        await digests.freeze(connection, GUILD, DAY, "b", '{"second": 2}', START)
        assert await digests.frozen(connection, GUILD, DAY) == '{"first": 1}'
        assert await digests.frozen(connection, GUILD, DAY + timedelta(days=7)) is None


async def test_moments_keep_their_milliseconds_and_no_more(database: Database) -> None:
    precise = datetime(2026, 3, 2, 12, 0, 0, 123_999, tzinfo=UTC)
    async with database.writing() as connection:
        await connection.execute(
            insert(tables.guild).values(
                guild_id=1,
                time_zone="UTC",
                digest_weekday=0,
                digest_hour=9,
                show_verdict=True,
                language="en",
                watched_since=precise,
                removed_at=datetime(1969, 12, 31, 23, 59, 59, 999_500, tzinfo=UTC),
            )
        )
        row = (await connection.execute(select(tables.guild))).one()
        assert row.watched_since == precise.replace(microsecond=123_000)
        assert row.removed_at == datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)
        assert row.digest_from_at is None
        await connection.execute(delete(tables.guild))


async def test_a_moment_without_a_time_zone_is_refused(database: Database) -> None:
    async def write() -> None:
        async with database.writing() as connection:
            await people.mark_departed(connection, GUILD, MIA, datetime(2026, 3, 2))  # noqa: DTZ001 - that is the point

    with pytest.raises((TypeError, exc.StatementError), match="offset-naive"):
        await write()


@pytest.mark.parametrize("dialect", [sqlite.dialect(), postgresql.dialect()])
def test_columns_leave_null_alone(dialect: Any) -> None:
    for kind in (Moment(), Day(), Truth()):
        assert kind.process_bind_param(None, dialect) is None
        assert kind.process_result_value(None, dialect) is None
    assert Truth().process_bind_param(True, dialect) == 1
    assert Truth().process_result_value(0, dialect) is False
    assert Day().process_result_value("2026-03-02", dialect) == DAY
    assert first_id_at(START) == at(0)
