"""Stretches that are given at the same time share a transaction, and none suffers for another."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from random import Random
from typing import Any
from unittest import mock
from zoneinfo import ZoneInfo

import pytest

from bot.domain.derivation import derive
from bot.domain.guild import GuildSettings
from bot.domain.rules import Rules
from bot.domain.span import Span
from bot.domain.stretch import Place, Stretch
from bot.services.record.guild_facts import HeldGuildFacts
from bot.services.record.recorder import TOGETHER, Recorded, Recorder
from bot.store import forgetting, guilds, managers, nudges, record, spans, tables
from bot.store.database import Connection, Database
from bot.store.error import OutageError
from tests.support.messages import ANNA, BEN, GUILD, MIA, NOAH, START, at, said, thread, whole
from tests.support.no_context import NoContext
from tests.support.rows import RECORD, rows
from tests.support.statements import statements

GUILDS = range(GUILD, GUILD + 5)


@pytest.fixture
async def recorder(database: Database) -> Recorder:
    """A recorder of five guilds, each with two managers."""
    async with database.writing() as connection:
        for guild_id in GUILDS:
            await guilds.save(connection, GuildSettings(guild_id, ZoneInfo("UTC")))
            await managers.add(connection, guild_id, [ANNA, BEN])
    return Recorder(database, Rules())


def room(number: int) -> Place:
    return Place(GUILD + number % 5, 100 + number)


def talk(number: int) -> Stretch:
    """What is said in a room, each time at other moments: somebody asks, is answered, and somebody else is named."""
    begin = number * 10.0
    asked = said(begin, MIA + number % 3, mentions=[ANNA])
    answered = said(begin + 1, ANNA, to=(begin, MIA + number % 3))
    return whole(room(number), asked, answered, said(begin + 2, BEN, mentions=[NOAH]), said(begin + 3, NOAH))


async def all_at_once(recorder: Recorder, stretches: Iterable[Stretch]) -> list[Any]:
    work = (recorder.record(stretch, NoContext()) for stretch in stretches)
    return await asyncio.gather(*work, return_exceptions=True)


async def test_many_channels_take_as_many_statements_as_one(database: Database, recorder: Recorder) -> None:
    await recorder.record(talk(0), NoContext())
    await all_at_once(recorder, map(talk, range(1, 6)))
    with statements() as for_one:
        await recorder.record(talk(6), NoContext())
    with statements() as for_many:
        # The first goes ahead alone: the others come while it waits for its transaction.
        recorded = await all_at_once(recorder, map(talk, range(7, 107)))
    assert len(for_many) == len(for_one) < 16
    assert [one.messages for one in recorded] == [4] * 100
    assert len((await rows(database, tables.span))["span"]) == 107


async def test_together_or_one_by_one_the_record_is_the_same(database: Database, recorder: Recorder) -> None:
    random = Random(1)
    pieces = [talk(number) for number in range(40)]
    # In each channel the same twice, what follows, and what lies before.
    pieces += [replace(one, last_id=one.last_id + 7) for one in random.sample(pieces, 10)]
    pieces += [replace(one, first_id=one.first_id - 7, context_first_id=0) for one in random.sample(pieces, 10)]
    random.shuffle(pieces)
    for piece in pieces:
        await recorder.record(piece, NoContext())
    one_by_one = await rows(database, *RECORD)
    async with database.writing() as connection:
        for guild_id in GUILDS:
            await guilds.forget(connection, guild_id)
            await guilds.save(connection, GuildSettings(guild_id, ZoneInfo("UTC")))
            await managers.add(connection, guild_id, [ANNA, BEN])
    outcomes = await all_at_once(recorder, pieces)
    assert all(isinstance(one, Recorded) for one in outcomes)
    assert await rows(database, *RECORD) == one_by_one


async def test_a_transaction_holds_only_so_many_messages(recorder: Recorder) -> None:
    def long(number: int) -> Stretch:
        return whole(room(number), *(said(number + minute / 100, MIA) for minute in range(TOGETHER // 2)))

    together: list[int] = []
    write = Recorder._write

    async def counted(self: Recorder, connection: Connection, judged: Any, known: Any) -> None:
        together.append(sum(len(one.stretch.messages) for one in judged))
        await write(self, connection, judged, known)

    with mock.patch.object(Recorder, "_write", counted):
        await all_at_once(recorder, map(long, range(7)))
    assert sum(together) == 7 * TOGETHER // 2
    assert max(together) <= TOGETHER
    assert len(together) <= 5


async def test_one_that_cannot_be_judged_holds_up_no_other(recorder: Recorder) -> None:
    def failing(part: Stretch, **given: Any) -> Any:
        if part.place == room(3):
            raise ZeroDivisionError
        return derive(part, **given)

    with mock.patch("bot.services.record.recorder.derive", failing):
        outcomes = await all_at_once(recorder, map(talk, range(6)))
    assert isinstance(outcomes.pop(3), ZeroDivisionError)
    assert [one.messages for one in outcomes] == [4] * 5


async def test_what_the_database_does_not_take_fails_for_all_of_it_and_is_taken_later(
    database: Database, recorder: Recorder
) -> None:
    tried = 0

    async def full(*_: object) -> None:
        nonlocal tried
        tried += 1
        raise OutageError("full")

    with mock.patch.object(record, "add_activity", full):
        outcomes = await all_at_once(recorder, map(talk, range(20)))
    assert [type(one) for one in outcomes] == [OutageError] * 20
    assert tried == 1
    assert (await rows(database, tables.span))["span"] == []
    assert [one.messages for one in await all_at_once(recorder, map(talk, range(20)))] == [4] * 20


async def test_whoever_is_cancelled_leaves_the_others_to_the_next(database: Database, recorder: Recorder) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    add = record.add_activity

    async def slow(*given: Any) -> None:
        begun.set()
        await go_on.wait()
        await add(*given)

    with mock.patch.object(record, "add_activity", slow):
        tasks = [asyncio.create_task(recorder.record(talk(number), NoContext())) for number in range(4)]
        await begun.wait()
        tasks[0].cancel()  # it was the one that recorded
        tasks[2].cancel()
        go_on.set()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(one) for one in outcomes] == [asyncio.CancelledError, Recorded, asyncio.CancelledError, Recorded]
    assert {row[0] for row in (await rows(database, tables.span))["span"]} == {101, 103}
    assert (await recorder.record(talk(0), NoContext())).messages == 4


async def test_one_that_needs_more_context_is_recorded_once_it_has_it(recorder: Recorder) -> None:
    class Slow:
        async def earlier(self, stretch: Stretch) -> Stretch:
            await others
            return replace(stretch, context_first_id=0)

        async def opened(self, stretch: Stretch) -> Stretch:
            raise AssertionError

    unclear = Stretch(room(50), at(5), at(5), (said(5, ANNA),), (), at(5))
    waiting = asyncio.create_task(recorder.record(unclear, Slow()))
    others = asyncio.ensure_future(all_at_once(recorder, map(talk, range(3))))
    assert (await waiting).messages == 1
    assert [one.messages for one in others.result()] == [4] * 3


# What is held in memory.


async def test_what_changes_elsewhere_counts_from_the_next_stretch_on(database: Database, recorder: Recorder) -> None:
    await recorder.record(talk(0), NoContext())

    async def touches() -> int:
        return len((await rows(database, tables.touch))["touch"])

    assert await touches() == 2
    async with database.writing() as connection:
        await managers.remove(connection, GUILD, [BEN])
    await recorder.record(talk(5), NoContext())
    assert await touches() == 3
    async with database.writing() as connection:
        await forgetting.set_opted_out(connection, GUILD, NOAH, START)
        await managers.add(connection, GUILD, [BEN])
    await recorder.record(talk(15), NoContext())
    assert await touches() == 4
    async with database.writing() as connection:
        await guilds.set_excluded_channels(connection, GUILD, [room(30).channel_id])
    assert (await recorder.record(talk(30), NoContext())).excluded
    assert (await recorder.record(talk(1), NoContext())).messages == 4


async def test_what_is_held_is_read_again_only_after_others_wrote(database: Database, recorder: Recorder) -> None:
    facts = HeldGuildFacts(database)

    async def asked(*guild_ids: int) -> int:
        with statements() as made:
            async with database.writing() as connection:
                assert set(await facts.of(connection, guild_ids)) == set(guild_ids)
                facts.keep()
        return len([one for one in made if one.startswith("SELECT")])

    held = database.dialect == "sqlite"  # elsewhere other processes may write, too
    first = await asked(*GUILDS)
    assert first == 6
    assert await asked(*GUILDS) == (0 if held else 6)
    assert await asked(GUILD, GUILD + 77) == 6
    assert await asked(GUILD + 77, GUILD) == (0 if held else 6)
    async with database.writing() as connection:
        await nudges.snooze(connection, GUILD, 1, 2, None)  # nothing that messages are judged by
    assert await asked(GUILD) == (0 if held else 6)
    async with database.writing() as connection:
        await guilds.set_excluded_channels(connection, GUILD, [room(9).channel_id])
    assert await asked(GUILD) == 6

    async def fails() -> None:
        async with database.writing() as connection:
            await guilds.set_excluded_channels(connection, GUILD, [])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fails()
    assert await asked(GUILD) == 6


# Spans.


async def test_spans_of_many_channels_are_merged_at_once(database: Database) -> None:
    """As with one at a time, whatever the order."""
    random = Random(2)

    def some() -> list[tuple[Place, Span]]:
        drawn = []
        for number in random.sample(range(8), 5):
            first_id = random.randrange(60)
            parent_id = random.choice([None, 900])
            place = thread(MIA, 100 + number, parent_id=parent_id)
            drawn.append((place, Span(first_id, first_id + random.randrange(8))))
        return drawn

    batches = [some() for _ in range(30)]
    async with database.writing() as connection:
        for batch in batches:
            for place, span in batch:
                await spans.add(connection, place, span)
    expected = await rows(database, tables.span)
    assert len(expected["span"]) > 8
    async with database.writing() as connection:
        await guilds.forget(connection, GUILD)
        for batch in batches:
            await spans.add_all(connection, batch)
        await spans.add_all(connection, [])
    assert await rows(database, tables.span) == expected


def after(number: int, minutes: float) -> Stretch:
    """What follows in a room, so many minutes after `talk`."""
    begin = number * 10.0 + 3
    return replace(whole(room(number), said(begin + minutes, MIA)), first_id=at(begin + minutes - 1) + 1)


async def test_what_follows_is_recorded_without_looking_for_its_span(database: Database, recorder: Recorder) -> None:
    await recorder.record(talk(0), NoContext())
    with statements() as asked:
        await recorder.record(after(0, 1), NoContext())
    looked = [one for one in asked if one.startswith("SELECT") and "span" in one]
    assert len(looked) == (0 if database.dialect == "sqlite" else 1)
    assert len((await rows(database, tables.span))["span"]) == 1


async def test_what_others_write_of_spans_is_seen(database: Database, recorder: Recorder) -> None:
    await recorder.record(talk(0), NoContext())
    follows = after(0, 1)
    async with database.writing() as connection:
        await spans.add(connection, follows.place, follows.whole)
    assert await recorder.record(follows, NoContext()) == Recorded(0, 1)


async def test_a_span_that_was_not_committed_is_not_taken_for_recorded(database: Database, recorder: Recorder) -> None:
    await recorder.record(talk(0), NoContext())
    whole_look = database._require_whole

    def fails_at_the_end() -> None:
        if fails_at_the_end.looks:  # type: ignore[attr-defined]
            raise OutageError("the disk is full")
        fails_at_the_end.looks = True  # type: ignore[attr-defined]
        whole_look()

    fails_at_the_end.looks = False  # type: ignore[attr-defined]
    with mock.patch.object(database, "_require_whole", fails_at_the_end), pytest.raises(OutageError):
        await recorder.record(after(0, 1), NoContext())
    assert await recorder.record(after(0, 1), NoContext()) == Recorded(1, 0)
