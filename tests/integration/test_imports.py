"""Exports as evidence: any parts in any order are one import of all, and what the files do not tell makes no fact."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from bot.clock import SystemClock
from bot.domain.guild import GuildSettings
from bot.domain.history_job import JobKind, Unread
from bot.domain.message import DELETED_USER_ID, Message
from bot.domain.rules import Rules
from bot.domain.span import Span
from bot.domain.stretch import Place, Stretch
from bot.exports.archive import Archive
from bot.services.members.roster import appoint
from bot.services.record.imports import Importer
from bot.services.record.positions import Positions
from bot.services.record.recorder import Recorder
from bot.store import (
    activity,
    evidence,
    forgetting,
    guilds,
    history_jobs,
    managers,
    people,
    retention,
    spans,
    tables,
    unread,
    waits,
)
from bot.store.database import Database, open_database
from tests.imports.__main__ import stories_differ, ways_that_differ
from tests.imports.history import GUILD, MANAGERS, Story
from tests.imports.record import import_paths, on_record, record_of
from tests.imports.samples import SAMPLES, Sample, mondays
from tests.support.exported import (
    ANNA,
    BEN,
    CHANNEL,
    LATER,
    MIA,
    NOAH,
    OLE,
    PIA,
    START,
    Exports,
    at,
    entry,
    messages_of,
    reply,
    touches,
    waiting,
)
from tests.support.statements import statements

# Who opened a thread


async def test_the_author_of_the_message_opens_its_thread_whoever_started_it(
    database: Database, exports: Exports
) -> None:
    """In whichever order the files come; the message of type 21 is by whoever started the thread."""
    question, answer = entry(0, MIA), entry(2, ANNA)
    starter = entry(1, ANNA, type="21", reference={"messageId": str(at(0))})
    parent = exports.file(question)
    thread = exports.thread(starter, answer, entry(5, MIA), entry(6, ANNA), opened=0)
    for commands in ([[parent, thread]], [[thread], [parent]], [[parent], [thread]]):
        record = await record_of(database, GUILD, commands, MANAGERS)
        assert [row[5:6] for row in record["touch"]] == [("thread",)]
        assert [row[1:3] for row in record["touch"]] == [(MIA, ANNA)]
        assert record["waiting"] == []
    await import_paths(database, [thread], MANAGERS)
    assert await touches(database) == []  # nothing is known of the question
    assert await waiting(database) == []


async def test_a_thread_on_a_managers_message_has_no_member_as_its_opener(database: Database, exports: Exports) -> None:
    starter = entry(1, MIA, type="21", reference={"messageId": str(at(0))})
    parent = exports.file(entry(0, ANNA))
    thread = exports.thread(starter, entry(2, MIA), entry(9, ANNA), opened=0)
    for commands in ([[parent, thread]], [[thread], [parent]]):
        record = await record_of(database, GUILD, commands, MANAGERS)
        assert (record["touch"], record["waiting"]) == ([], [])


async def test_whoever_writes_first_after_a_date_opened_nothing(database: Database, exports: Exports) -> None:
    later = exports.thread(entry(60, NOAH), entry(70, ANNA), opened=0, after=30)
    await import_paths(database, [later], MANAGERS)
    assert (await touches(database), await waiting(database)) == ([], [])
    beginning = exports.thread(entry(0, MIA), entry(20, MIA), opened=0)
    await import_paths(database, [beginning], MANAGERS)
    assert (await touches(database), await waiting(database)) == ([], [(0, MIA)])
    # Now it is known whose post it is.
    await import_paths(database, [exports.thread(entry(80, MIA), entry(90, BEN), opened=0, after=75)], MANAGERS)
    assert await touches(database) == [(90, "thread", BEN, MIA)]


async def test_a_thread_without_a_message_is_its_first_authors_if_the_file_begins_there(
    database: Database, exports: Exports
) -> None:
    """Or, where its channel has the notice that it was made, which has its id, of whoever made it."""
    entries = (entry(1, MIA), entry(5, ANNA))
    cut = exports.thread(*entries, opened=0, after=0.5)
    await import_paths(database, [cut], MANAGERS)
    assert (await touches(database), await waiting(database)) == ([], [])
    await import_paths(database, [exports.file(entry(0, MIA, type="ThreadCreated"))], MANAGERS)
    assert await touches(database) == [(5, "thread", ANNA, MIA)]
    assert await waiting(database) == []  # whether anything was written before is not known
    await import_paths(database, [exports.thread(*entries, opened=0)], MANAGERS)
    assert (await touches(database), await waiting(database)) == ([(5, "thread", ANNA, MIA)], [(1, MIA)])
    by_notice = await on_record(database)
    assert await record_of(database, GUILD, [[exports.thread(*entries, opened=0)]], MANAGERS) == {
        **by_notice,
        "imported_channel": [row for row in by_notice["imported_channel"] if row[0] != CHANNEL],
        "imported_message": [row for row in by_notice["imported_message"] if row[0] != CHANNEL],
    }


# Parts


async def test_a_reply_finds_its_target_in_a_file_of_another_command(database: Database, exports: Exports) -> None:
    first = exports.file(entry(0, MIA))
    second = exports.file(reply(10_000, ANNA, 0), after=9_000)
    await import_paths(database, [second], MANAGERS)
    assert await touches(database) == []
    outcome = await import_paths(database, [first], MANAGERS)
    assert outcome is not None
    assert (outcome.new, outcome.known, outcome.touches) == (1, 0, {"reply": 1})
    assert await touches(database) == [(10_000, "reply", ANNA, MIA)]
    again = await import_paths(database, [second, first], MANAGERS)
    assert again is not None
    assert (again.new, again.known, again.touches) == (0, 2, {})


async def test_a_file_with_a_filter_closes_nothing(database: Database, exports: Exports) -> None:
    await import_paths(database, [exports.file(entry(0, ANNA), entry(40, ANNA))], MANAGERS)
    whole = exports.file(*(entry(minute, ANNA if minute in (0, 40) else MIA) for minute in range(0, 41, 2)))
    outcome = await import_paths(database, [whole], MANAGERS)
    assert outcome is not None
    assert (outcome.new, outcome.known) == (19, 2)
    assert await messages_of(database) == {ANNA: 2, MIA: 19}
    async with database.reading() as connection:
        assert await spans.of_channel(connection, CHANNEL) == ()  # so a backfill reads there


async def test_what_a_newer_export_says_takes_the_place_of_what_was_said(database: Database, exports: Exports) -> None:
    old = exports.file(entry(0, MIA), entry(1, ANNA, mentions=[MIA]), entry(2, NOAH, mentions=[BEN]))
    gone = {"author": {"id": str(DELETED_USER_ID)}}
    new = exports.file(
        entry(0, MIA), entry(1, ANNA, mentions=[OLE]), entry(2, NOAH, mentions=[BEN]) | gone, exported=LATER
    )
    for commands in ([[old], [new]], [[new], [old]], [[old, new]]):
        record = await record_of(database, GUILD, commands, MANAGERS)
        assert [row[1] for row in record["touch"]] == [OLE]
        assert record["waiting"] == []
        assert {row[1] for row in record["activity"]} == {row[1] for row in record["member"]} == {ANNA, MIA}


async def test_copies_of_files_that_tell_no_time_are_one_whatever_the_commands(
    database: Database, exports: Exports
) -> None:
    """Mentions of an edited message, and an author who deleted their account."""
    gone = {"author": {"id": str(DELETED_USER_ID)}}
    files = [
        exports.file(entry(0, MIA), entry(1, ANNA, mentions=[MIA]), entry(2, NOAH, mentions=[BEN]), exported=None),
        exports.file(entry(0, MIA) | gone, entry(1, ANNA, mentions=[OLE]), reply(2, NOAH, 1), exported=None),
    ]
    one, other = [files[0]], [files[1]]
    records = [
        await record_of(database, GUILD, commands, MANAGERS)
        for commands in ([files], [files[::-1]], [one, other], [other, one], [files, one])
    ]
    assert all(record == records[0] for record in records)
    assert {row[1] for row in records[0]["touch"]} >= {MIA, OLE}


async def test_an_older_copy_of_a_replys_target_does_not_tell_whose_it_is(database: Database, exports: Exports) -> None:
    gone = {"author": {"id": str(DELETED_USER_ID)}}
    new = exports.file(entry(0, ANNA) | gone, exported=LATER)
    old = exports.file(entry(0, ANNA), reply(1, NOAH, 0))
    records = [
        await record_of(database, GUILD, one, MANAGERS) for one in ([[new, old]], [[new], [old]], [[old], [new]])
    ]
    assert records[0] == records[1] == records[2]
    assert [row[7] for row in records[0]["imported_message"]] == [None, None]


async def test_a_message_that_a_thread_repeats_is_one_message_of_its_channel(
    database: Database, exports: Exports
) -> None:
    parent = exports.file(entry(0, MIA, mentions=[ANNA]), entry(1, BEN, mentions=[MIA]))
    thread = exports.thread(entry(0, MIA, mentions=[ANNA]), entry(5, ANNA), opened=0)
    commands = ([[parent, thread]], [[parent], [thread]], [[thread], [parent]])
    records = [await record_of(database, GUILD, one, MANAGERS) for one in commands]
    assert records[0] == records[1] == records[2]
    assert [row[2] for row in records[0]["waiting"]] == [CHANNEL]
    assert {row[1]: row[3] for row in records[0]["activity"]}[MIA] == 1
    assert [row[5] for row in records[0]["touch"]] == ["mention", "thread"]


async def test_an_entry_that_was_set_aside_stays_so(database: Database, exports: Exports) -> None:
    question = entry(10, MIA, mentions=[ANNA])
    await import_paths(database, [exports.file(question)], MANAGERS)
    async with database.writing() as connection:
        await waits.close(connection, GUILD, [at(10)], START)
    await import_paths(database, [exports.file(entry(0, NOAH), question, exported=LATER)], MANAGERS)
    async with database.reading() as connection:
        found = await waits.of_message(connection, GUILD, at(10))
    assert found is not None
    assert found.closed_at == START


async def test_a_command_that_fails_leaves_nothing(database: Database, exports: Exports) -> None:
    path = exports.file(entry(0, MIA), entry(1, ANNA, mentions=[MIA]))

    def stop(_: int) -> None:
        raise RuntimeError("stopped")

    before = await on_record(database)
    with Archive([path]) as archive, pytest.raises(RuntimeError, match="stopped"):
        await Importer(database, Rules(), SystemClock()).run(archive, GUILD, [ANNA], progress=stop)
    assert await on_record(database) == before
    async with database.reading() as connection:
        assert await managers.people(connection, GUILD) == frozenset()


async def test_a_backfill_that_has_still_to_read_does_so_after_a_replace(database: Database, exports: Exports) -> None:
    path = exports.file(entry(0, MIA))
    await import_paths(database, [path], MANAGERS)
    async with database.writing() as connection:
        job = await history_jobs.add(connection, GUILD, JobKind.BACKFILL, START, START)
        hidden = Unread(CHANNEL, None, (Span(at(0), at(9)),))
        await history_jobs.add_list(connection, GUILD, job.job_id, [hidden], 1)
    with Archive([path]) as archive:
        await Importer(database, Rules(), SystemClock()).run(archive, GUILD, MANAGERS, replace=True)
    async with database.writing() as connection:
        await history_jobs.finish(connection, [job.job_id], START)
        assert await history_jobs.untried(connection, GUILD) == {job.job_id}
        assert await history_jobs.unfinished(connection, GUILD) == (job,)


# Discord, and what it told


class Told:
    """A stand-in for Discord's history: the whole channel is given at once."""

    async def earlier(self, stretch: Stretch) -> Stretch:
        raise AssertionError

    async def opened(self, stretch: Stretch) -> Stretch:
        raise AssertionError


def told(*messages: Message, until: float, since: float = -1000) -> Stretch:
    return Stretch(Place(GUILD, CHANNEL), at(since), at(until), messages, (), 0)


async def test_history_over_what_was_imported_counts_each_message_once_and_takes_its_place(
    database: Database, exports: Exports
) -> None:
    await import_paths(
        database, [exports.file(entry(0, MIA, mentions=[ANNA]), entry(5, ANNA, mentions=[MIA, NOAH]))], MANAGERS
    )
    async with database.writing() as connection:
        await waits.close(connection, GUILD, [at(0)], START)
    recorder = Recorder(database, Rules())
    stretch = told(
        Message(at(0), MIA, mentions=frozenset({ANNA})),
        Message(at(1), OLE),
        Message(at(5), ANNA, mentions=frozenset({MIA})),
        until=9,
    )
    assert (await recorder.record(stretch, Told())).messages == 3
    assert await messages_of(database) == {MIA: 1, OLE: 1, ANNA: 1}
    assert await touches(database) == [(5, "mention", ANNA, MIA)]
    async with database.reading() as connection:
        found = await waits.of_message(connection, GUILD, at(0))
    assert found is not None
    assert found.closed_at == START
    # What a file says of a stretch that Discord told changes nothing.
    changed = exports.file(entry(0, MIA, mentions=[BEN]), entry(1, PIA), entry(3, PIA), exported=LATER)
    outcome = await import_paths(database, [changed], MANAGERS)
    assert outcome is not None
    assert (outcome.new, outcome.known) == (0, 3)
    assert await messages_of(database) == {MIA: 1, OLE: 1, ANNA: 1}
    assert await touches(database) == [(5, "mention", ANNA, MIA)]


async def test_the_record_goes_on_behind_what_was_imported(database: Database, exports: Exports) -> None:
    await import_paths(database, [exports.file(entry(0, MIA), entry(7, MIA))], MANAGERS)
    place = Place(GUILD, CHANNEL)
    positions = Positions(database, SystemClock())
    assert await positions.recorded_until(place) == at(7)
    async with database.reading() as connection:
        assert await spans.reaches(connection, GUILD) == {CHANNEL: Span(at(0), at(7))}
        assert await spans.extents(connection, GUILD) == {CHANNEL: Span(at(0), at(7))}
    assert await positions.position_of(place, at(500)) == at(7) + 1
    async with database.reading() as connection:
        assert await spans.reach_of(connection, CHANNEL) == Span(at(0), at(7) + 1)


async def test_a_deletion_that_was_heard_outweighs_every_file(database: Database, exports: Exports) -> None:
    path = exports.file(entry(0, MIA), entry(1, ANNA, mentions=[MIA]), entry(2, NOAH, mentions=[BEN]))
    await import_paths(database, [path], MANAGERS)
    await Recorder(database, Rules()).take_back([at(1), at(2)])
    assert (await touches(database), await waiting(database)) == ([], [])
    later = exports.file(entry(1, ANNA, mentions=[MIA]), entry(2, NOAH, mentions=[BEN]), entry(-5, MIA), exported=LATER)
    await import_paths(database, [path, later], MANAGERS)
    assert (await touches(database), await waiting(database)) == ([], [])
    assert await messages_of(database) == {MIA: 2, ANNA: 1, NOAH: 1}  # they were sent


async def test_a_deleted_channel_takes_its_imported_threads_along(database: Database, exports: Exports) -> None:
    thread = exports.thread(entry(0, MIA), entry(5, ANNA), opened=0)
    more = exports.thread(entry(9, MIA, mentions=[BEN]), opened=0, exported=LATER)
    await import_paths(database, [thread], MANAGERS)
    assert len(await touches(database)) == len(await waiting(database)) == 1
    await Recorder(database, Rules()).take_back_channel(CHANNEL)
    assert (await touches(database), await waiting(database)) == ([], [])
    await import_paths(database, [thread, more], MANAGERS)
    assert (await touches(database), await waiting(database)) == ([], [])


@pytest.mark.parametrize("known_by", ["file", "span", "gap", "thread", "file without its channel"])
async def test_no_file_that_comes_later_brings_a_deleted_channel_back(
    database: Database, exports: Exports, known_by: str
) -> None:
    """Neither the first one of it, nor one of a thread that nobody knew."""
    thread = Place(GUILD, at(0), is_thread=True, parent_id=CHANNEL)
    if known_by == "file":
        await import_paths(database, [exports.file(entry(0, MIA))], MANAGERS)
    elif known_by == "file without its channel":
        await import_paths(database, [exports.thread(entry(1, NOAH), opened=0, category=None)], MANAGERS)
    async with database.writing() as connection:
        match known_by:
            case "span":
                await spans.add(connection, Place(GUILD, CHANNEL), Span(at(-9), at(-8)))
            case "gap":
                await spans.add_known_gap(connection, GUILD, CHANNEL, Span(at(-9), at(-8)), "not for Spade")
            case "thread" | "file without its channel":
                await spans.add(connection, thread, Span(at(70), at(80)))
    await Recorder(database, Rules()).take_back_channel(CHANNEL)
    late = exports.thread(entry(60, MIA, mentions=[ANNA]), entry(61, ANNA, mentions=[MIA]), opened=55)
    files = [exports.file(entry(50, MIA, mentions=[ANNA])), late]
    for path in [late, *files, exports.thread(entry(0, MIA), entry(5, ANNA), opened=0)]:
        await import_paths(database, [path], MANAGERS)
        assert (await touches(database), await waiting(database)) == ([], [])


async def test_threads_of_an_excluded_channel_are_not_imported(database: Database, exports: Exports) -> None:
    thread = exports.thread(entry(0, MIA), entry(5, ANNA), opened=0)
    async with database.writing() as connection:
        await guilds.set_excluded_channels(connection, GUILD, [CHANNEL])
    await import_paths(database, [thread, exports.file(entry(0, NOAH))], MANAGERS)
    assert not any(rows for rows in (await on_record(database)).values())
    async with database.writing() as connection:
        await guilds.set_excluded_channels(connection, GUILD, [])
    await import_paths(database, [thread], MANAGERS)
    assert len(await touches(database)) == 1
    async with database.writing() as connection:
        await guilds.set_excluded_channels(connection, GUILD, [CHANNEL])  # a thread follows its channel
    async with database.reading() as connection:
        query = select(tables.touch).where(people.is_counted(tables.touch.c.channel_id, GUILD))
        assert (await connection.execute(query)).all() == []


async def test_a_thread_counts_only_where_it_is_known_that_its_channel_is_not_excluded(
    database: Database, exports: Exports
) -> None:
    entries = (entry(0, MIA), entry(5, ANNA))
    nowhere, somewhere = exports.thread(*entries, opened=0, category=None), exports.thread(*entries, opened=0)

    async def shown() -> int:
        async with database.reading() as connection:
            query = select(tables.touch).where(people.is_counted(tables.touch.c.channel_id, GUILD))
            return len((await connection.execute(query)).all())

    async def exclude(*channel_ids: int) -> None:
        async with database.writing() as connection:
            await guilds.set_excluded_channels(connection, GUILD, channel_ids)

    await import_paths(database, [nowhere], MANAGERS)
    assert await shown() == 1
    await exclude(CHANNEL + 1)
    assert await shown() == 0
    async with database.writing() as connection:
        await guilds.forget(connection, GUILD)
    found = await import_paths(database, [nowhere], MANAGERS)
    assert found is not None
    assert (found.new, found.unplaced) == (0, (at(0),))
    assert not any(rows for rows in (await on_record(database)).values())
    await import_paths(database, [somewhere], MANAGERS)
    assert await shown() == 1
    again = await import_paths(database, [nowhere], MANAGERS)
    assert again is not None
    assert (again.known, again.unplaced) == (2, ())
    await exclude(CHANNEL)
    assert await shown() == 0


@pytest.mark.parametrize("excluded", [True, False])
async def test_the_record_tells_where_a_thread_is_if_its_file_does_not(
    database: Database, exports: Exports, excluded: bool
) -> None:
    async with database.writing() as connection:
        await guilds.save(connection, GuildSettings(GUILD, ZoneInfo("UTC")))
        await spans.add(connection, Place(GUILD, at(0), is_thread=True, parent_id=CHANNEL), Span(at(50), at(60)))
        await guilds.set_excluded_channels(connection, GUILD, [CHANNEL if excluded else CHANNEL + 1])
    found = await import_paths(
        database, [exports.thread(entry(0, MIA), entry(5, ANNA), opened=0, category=None)], MANAGERS
    )
    assert found is not None
    assert (found.new, found.unplaced) == (0 if excluded else 2, ())
    async with database.reading() as connection:
        known = await evidence.channels(connection, GUILD)
    assert [one.place.parent_id for one in known.values()] == ([] if excluded else [CHANNEL])


# What is kept of people


async def test_of_what_members_write_only_what_concerns_managers_is_kept(database: Database, exports: Exports) -> None:
    path = exports.file(
        entry(0, MIA, mentions=[ANNA, NOAH]),
        reply(1, NOAH, 0, mentions=[MIA]),
        reply(2, OLE, -50, mentions=[MIA]),
        entry(3, ANNA, mentions=[MIA, NOAH, OLE]),
        reply(4, PIA, 3),
        reply(5, BEN, 4),
    )
    await import_paths(database, [path], MANAGERS)
    kept = {row[1]: row for row in (await on_record(database))["imported_message"]}
    assert [kept[at(minute)][7:9] for minute in range(6)] == [
        (None, f" {ANNA} "),
        (None, ""),
        (at(-50), ""),  # it may be a manager's
        (None, f" {MIA} {NOAH} {OLE} "),
        (at(3), ""),
        (at(4), ""),
    ]
    await import_paths(database, [exports.file(entry(-50, MIA))], MANAGERS)
    kept = {row[1]: row for row in (await on_record(database))["imported_message"]}
    assert kept[at(2)][7] is None


async def test_a_member_who_becomes_a_manager_is_judged_by_what_their_file_says(
    database: Database, exports: Exports
) -> None:
    """What was left out of their messages makes no fact, and comes with the file."""
    path = exports.thread(entry(0, MIA), entry(5, NOAH, mentions=[OLE]), reply(6, PIA, 5), opened=0)
    await import_paths(database, [path], MANAGERS)
    other = exports.file(entry(50, BEN))
    await import_paths(database, [other], [*MANAGERS, NOAH])
    assert await touches(database) == []
    await import_paths(database, [path], [*MANAGERS, NOAH])
    assert await touches(database) == [(5, "mention", NOAH, OLE)]
    assert await waiting(database) == [(0, MIA), (6, PIA)]


async def test_an_older_copy_is_no_reading_again_for_a_new_manager(database: Database, exports: Exports) -> None:
    """Of the newer one only what concerned the managers of its time was kept."""
    entries = (entry(0, MIA, mentions=[NOAH]), entry(1, NOAH, mentions=[MIA]))
    new, old = exports.file(*entries, exported=LATER), exports.file(*entries)
    await import_paths(database, [new], MANAGERS)
    await import_paths(database, [old], [*MANAGERS, NOAH])
    async with database.reading() as connection:
        (job,) = await history_jobs.unfinished(connection, GUILD)
        assert [one.stretches for one in await unread.of_job(connection, GUILD, job.job_id)] == [(Span(at(0), at(1)),)]
    assert (await touches(database), await waiting(database)) == ([], [])
    await import_paths(database, [new, old], [*MANAGERS, NOAH])
    assert await touches(database) == [(1, "mention", NOAH, MIA)]
    async with database.reading() as connection:
        assert await history_jobs.unfinished(connection, GUILD) == ()


async def test_what_files_and_discord_both_tell_is_read_again_as_one_stretch(
    database: Database, exports: Exports
) -> None:
    """For a new manager, however the pages cut it; and files are read again where Discord did not tell it, too."""
    recorder = Recorder(database, Rules())
    await recorder.record(told(Message(at(15), MIA, mentions=frozenset({NOAH})), since=10, until=20), Told())
    path = exports.file(entry(0, MIA, mentions=[NOAH]), entry(15, MIA, mentions=[NOAH]))
    await import_paths(database, [path], MANAGERS)
    async with database.writing() as connection:
        await appoint(connection, GUILD, [OLE], START)
        (job,) = [one for one in await history_jobs.unfinished(connection, GUILD) if one.manager_id == OLE]
        await unread.read(connection, [job.job_id], CHANNEL, Span(at(0), at(12)))
        (left,) = await unread.of_job(connection, GUILD, job.job_id)
    assert left.stretches == (Span(at(12) + 1, at(20)),)
    await import_paths(database, [path], [*MANAGERS, NOAH])
    assert await waiting(database) == [(0, MIA)]
    async with database.reading() as connection:
        (job,) = [one for one in await history_jobs.unfinished(connection, GUILD) if one.manager_id == NOAH]
        (left,) = await unread.of_job(connection, GUILD, job.job_id)
    assert left.stretches == (Span(at(10), at(20)),)


async def test_erasing_whom_many_messages_mention_asks_no_more_often(database: Database, exports: Exports) -> None:
    """All that is recorded meanwhile waits for it."""
    asked: list[int] = []
    for minutes in (range(2), range(2, 40)):
        path = exports.file(*(entry(minute, MIA, mentions=[ANNA, BEN]) for minute in minutes))
        await import_paths(database, [path], MANAGERS)
        async with database.writing() as connection:
            with statements() as counted:
                await evidence.hide_person(connection, GUILD, ANNA)
        asked.append(len(counted))
        kept = {row[8] for row in (await on_record(database))["imported_message"]}
        assert kept == {f" -1 {BEN} "}
    assert asked[0] == asked[1]


@pytest.mark.parametrize("erased", [True, False])
async def test_who_is_erased_or_opts_out_stands_between_others_as_somebody(
    database: Database, exports: Exports, erased: bool
) -> None:
    path = exports.thread(
        entry(0, MIA),
        entry(5, NOAH),
        entry(6, ANNA),
        reply(7, ANNA, 5, mentions=[NOAH, OLE, PIA]),
        entry(8, BEN, mentions=[NOAH, OLE, PIA]),
        opened=0,
    )
    await import_paths(database, [path], MANAGERS)
    assert [touch for touch in await touches(database) if touch[3] != NOAH] == [
        (7, "mention", ANNA, OLE),
        (7, "mention", ANNA, PIA),
    ]
    async with database.writing() as connection:
        if erased:
            await forgetting.erase(connection, GUILD, NOAH)
            await forgetting.remember(connection, GUILD, NOAH)
        else:
            await forgetting.erase_as_member(connection, GUILD, NOAH)
            await forgetting.set_opted_out(connection, GUILD, NOAH, START)
    before = await on_record(database)
    assert erased is (str(NOAH) not in repr(before))
    assert str(NOAH) not in repr(before["imported_message"])
    new = exports.thread(entry(-10, PIA), opened=0)
    for paths in ([new], [path], [path, new]):
        await import_paths(database, paths, MANAGERS)
        found = await on_record(database)
        assert found["touch"] == before["touch"]
        assert str(NOAH) not in repr(found["imported_message"])
        assert NOAH not in await messages_of(database)


async def test_an_export_of_a_persons_data_has_what_files_said_and_nobody_else(
    database: Database, exports: Exports
) -> None:
    await import_paths(database, [exports.file(entry(0, MIA), entry(1, ANNA, mentions=[MIA, NOAH]))], MANAGERS)
    async with database.reading() as connection:
        found = (await forgetting.facts_about(connection, GUILD, MIA))["imported_message"]
        assert await evidence.people_mentioned(connection, GUILD) == {MIA, NOAH}
    assert [(row["message_id"], row["mentions"]) for row in found] == [(at(0), ""), (at(1), f" {MIA} ")]


async def test_what_is_older_than_kept_is_judged_by_no_more(database: Database, exports: Exports) -> None:
    path = exports.thread(entry(0, MIA), entry(2000, MIA), entry(2001, ANNA), opened=0)
    await import_paths(database, [path], MANAGERS)
    moment = START + timedelta(minutes=1000)
    async with database.writing() as connection:
        await retention.forget_before(connection, GUILD, moment.date(), moment)
        assert [one.begins for one in (await evidence.channels(connection, GUILD)).values()] == [False]
    await import_paths(database, [exports.thread(entry(3000, NOAH), entry(3001, BEN), opened=0, after=1500)], MANAGERS)
    assert [touch[1:] for touch in await touches(database)] == [("thread", ANNA, MIA)]
    async with database.reading() as connection:
        assert await activity.first_day(connection, GUILD) == (START + timedelta(minutes=2000)).date()


async def test_what_was_judged_by_what_is_older_than_kept_stays_as_it_was_judged(
    database: Database, exports: Exports
) -> None:
    room = exports.file(
        entry(0, MIA),
        entry(1, ANNA),
        reply(2000, ANNA, 0, mentions=[MIA]),
        reply(2001, NOAH, 1),
        reply(2002, BEN, 0, mentions=[MIA, NOAH, OLE]),
    )
    thread = exports.thread(entry(2010, MIA), entry(2011, ANNA), entry(2012, OLE), opened=0)
    await import_paths(database, [room, thread], MANAGERS)
    before = await touches(database)
    kinds = [(touch[0], touch[1]) for touch in before]
    assert sorted(kinds) == [(2000, "reply"), *2 * [(2002, "mention")], (2002, "reply"), (2011, "thread")]
    assert await waiting(database) == [(2001, NOAH), (2010, MIA)]
    moment = START + timedelta(minutes=1000)
    async with database.writing() as connection:
        await retention.forget_before(connection, GUILD, moment.date(), moment)
    between = exports.file(entry(1500, OLE), entry(2003, PIA, mentions=[NOAH]))
    for managers_named in (MANAGERS, [*MANAGERS, PIA]):
        await import_paths(database, [between], managers_named)
        assert [touch for touch in await touches(database) if touch[2] != PIA] == before
        assert await waiting(database) == [(2001, NOAH), (2010, MIA)]
    # Files that tell what it was judged by can still change it, and so can a newer copy by somebody else.
    newer = exports.file(entry(0, NOAH), entry(1, ANNA), reply(2001, OLE, 1), exported=LATER)
    await import_paths(database, [newer], MANAGERS)
    judged = [touch for touch in await touches(database) if touch[1] in {"reply", "thread"}]
    assert judged == [(2000, "reply", ANNA, NOAH), (2002, "reply", BEN, NOAH)]
    assert await waiting(database) == [(2001, OLE)]


# Everything, cut at random


@pytest.fixture(scope="module")
def loop_and_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[asyncio.Runner, Database]]:
    with asyncio.Runner() as runner:
        path = tmp_path_factory.mktemp("imports") / "spade.db"
        database = runner.run(open_database(f"sqlite:///{path}", write=True))
        yield runner, database
        runner.run(database.close())


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_parts_of_any_history_are_one_import_of_all(
    loop_and_database: tuple[asyncio.Runner, Database], tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    runner, database = loop_and_database
    assert not runner.run(stories_differ(database, tmp_path_factory.mktemp("story"), seed))


def test_a_random_history_has_something_to_compare(
    loop_and_database: tuple[asyncio.Runner, Database], tmp_path: Path
) -> None:
    runner, database = loop_and_database
    story = Story(Random(7), 80)
    files = [file.write(tmp_path, number) for number, file in enumerate(story.files())]
    record = runner.run(record_of(database, GUILD, [files], MANAGERS))
    assert {row[5] for row in record["touch"]} >= {"reply", "mention"}
    assert record["waiting"]
    assert len(story.commands(files)) > 2


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_sample_cut_in_every_way_gives_the_same_digests(
    loop_and_database: tuple[asyncio.Runner, Database], tmp_path: Path, sample: Sample
) -> None:
    """A part of the sample; `python -m tests.imports` takes all of it."""
    if not sample.folder.is_dir():
        pytest.skip(f"the sample {sample.name} is not beside the repository, in {sample.folder}")
    runner, database = loop_and_database
    some = {"forge": slice(20, 140, 20), "mesh": slice(23, 29, 3)}[sample.name]
    files = sorted(sample.files(), key=lambda path: path.stat().st_size)[some]
    weeks = mondays(files)[-3:]
    found = runner.run(ways_that_differ(database, sample, files, weeks, tmp_path / "cut"))
    assert len(found) > 5
    assert not any(found.values())
