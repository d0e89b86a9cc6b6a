"""The one door: any stretch, any number of times, in any order, on SQLite and PostgreSQL."""

import asyncio
import gc
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import Any
from unittest.mock import AsyncMock
from zoneinfo import ZoneInfo

import pytest

from bot.domain.guild import GuildSettings
from bot.domain.message import Message, MessageKind
from bot.domain.rules import Rules
from bot.domain.span import Span
from bot.domain.stretch import Place, Stretch
from bot.domain.touch import TouchKind
from bot.services.record.history import UnreadableHistoryError, UnreadableMessageError
from bot.services.record.history_context import HistoryContext
from bot.services.record.pages import pages
from bot.services.record.recorder import Recorded, Recorder
from bot.store import forgetting, guilds, managers, spans, tables
from bot.store.database import Database
from tests.support.channel_log import ChannelLog
from tests.support.messages import ANNA, BEN, CHANNEL, GUILD, MIA, NOAH, OLE, START, at, channel, said, thread, whole
from tests.support.no_context import NoContext
from tests.support.rows import RECORD, rows


@pytest.fixture
async def recorder(database: Database) -> Recorder:
    """A recorder of a guild with two managers, a member who opted out, and days in Nepal."""
    async with database.writing() as connection:
        await guilds.save(connection, GuildSettings(GUILD, ZoneInfo("Asia/Kathmandu")))
        await managers.add(connection, GUILD, [ANNA, BEN])
        await forgetting.set_opted_out(connection, GUILD, OLE, START)
    return Recorder(database, Rules())


def talk(random: Random, length: int) -> tuple[Message, ...]:
    """A lively channel: replies, mentions, threads' small talk, at random."""
    minutes = 0.0
    messages: list[Message] = []
    for _ in range(length):
        minutes += random.choice([0.2, 0.5, 1, 2, 3, 11, 90])
        kind = random.choice([MessageKind.DEFAULT] * 5 + [MessageKind.REPLY] * 3 + [MessageKind.FORWARD])
        target = random.choice(messages) if messages and kind is MessageKind.REPLY else None
        mentions = frozenset(random.choice([(), (), (), (MIA,), (ANNA,), (ANNA, NOAH), (MIA, NOAH, BEN)]))
        messages.append(
            Message(
                at(minutes),
                random.choice([ANNA, ANNA, BEN, MIA, MIA, NOAH, OLE, None]),
                kind,
                mentions,
                reply_to_id=target.message_id if target else None,
                reply_to_author_id=target.author_id if target else None,
            )
        )
    return tuple(messages)


PLACES = (channel(), thread(MIA, CHANNEL + 1), thread(None, CHANNEL + 2), channel(CHANNEL + 3))


@pytest.mark.parametrize("seed", range(3))
async def test_any_pieces_in_any_order_leave_the_same_record(database: Database, recorder: Recorder, seed: int) -> None:
    """Each channel once as a whole; then, for each of several rounds, in overlapping and repeated pieces.

    Context comes from the log when it is asked for. Every table must end up the same.
    """
    random = Random(seed)
    log = ChannelLog()
    for place in PLACES:
        log.post(place, *(replace(one, message_id=one.message_id + place.channel_id % 7) for one in talk(random, 30)))

    async def record(pieces: Sequence[Stretch]) -> dict[str, Any]:
        async with database.writing() as connection:
            await guilds.forget(connection, GUILD)
        for piece in pieces:
            await recorder.record(piece, HistoryContext(log))
        return await rows(database, *RECORD)

    def bounds(place: Place) -> tuple[int, int]:
        return place.channel_id, log.all_of(place)[-1].message_id

    def piece(place: Place, first_id: int, last_id: int) -> Stretch:
        messages = tuple(one for one in log.all_of(place) if first_id <= one.message_id <= last_id)
        return Stretch(place, first_id, last_id, messages, (), first_id)

    expected = await record([piece(place, *bounds(place)) for place in PLACES])
    assert len(expected["touch"]) > 15
    assert len(expected["waiting"]) > 10
    assert [len({row[0] for row in expected["span"]}), len(expected["span"])] == [4, 4]
    for _ in range(3):
        pieces = []
        for place in PLACES:
            first, last = bounds(place)
            cuts = sorted({first, *(random.choice(log.all_of(place)).message_id for _ in range(6)), last + 1})
            pieces += [piece(place, one, other - 1) for one, other in pairwise(cuts)]
            extra = sorted(random.sample(range(len(cuts)), 2))
            pieces.append(piece(place, cuts[extra[0]], cuts[extra[1]] - 1))  # repeats what others bring
        random.shuffle(pieces)
        assert await record(pieces) == expected


async def test_what_is_on_record_already_is_counted_as_known(recorder: Recorder) -> None:
    messages = (said(0, MIA, mentions=[ANNA]), said(1, ANNA, to=(0, MIA)), said(2, BEN, to=(1, ANNA)))
    first = whole(channel(), *messages[:2])
    assert await recorder.record(first, NoContext()) == Recorded(2, 0, {TouchKind.REPLY: 1})
    assert await recorder.record(first, NoContext()) == Recorded(0, 2)
    both = await recorder.record(whole(channel(), *messages), NoContext())
    assert both == Recorded(1, 2)  # Ben's reply to Anna is no touch on a member
    assert Recorded(1, 2) + Recorded(3, 4) == Recorded(4, 6)


async def test_days_are_the_guilds_and_utc_before_it_is_known(database: Database, recorder: Recorder) -> None:
    late = said(7 * 60, MIA)  # 19:00 UTC is 00:45 in Nepal
    await recorder.record(whole(channel(), late), NoContext())
    await recorder.record(Stretch(Place(99, 5), 5, late.message_id, (late,), (), 0), NoContext())
    found = [(row[0], str(row[2])) for row in (await rows(database, tables.activity))["activity"]]
    assert found == [(GUILD, "2026-03-03"), (99, "2026-03-02")]


async def test_nothing_is_recorded_of_whoever_opted_out_or_asked_to_be_forgotten(
    database: Database, recorder: Recorder
) -> None:
    async with database.writing() as connection:
        await forgetting.remember(connection, GUILD, NOAH)
    before = await rows(database)
    messages = [said(0, OLE, mentions=[ANNA]), said(1, NOAH, mentions=[ANNA]), said(2, None)]
    await recorder.record(whole(channel(), *messages), NoContext())
    after = await rows(database)
    assert after.pop("span") == [(CHANNEL, CHANNEL, at(2), GUILD, None)]
    before.pop("span")
    assert after == before
    await recorder.record(whole(channel(9), said(5, ANNA, to=(0, OLE)), said(6, ANNA, to=(1, NOAH))), NoContext())
    assert (await rows(database, tables.touch))["touch"] == []


@pytest.mark.parametrize("excluded", [CHANNEL, 11])
async def test_excluded_channels_and_their_threads_leave_nothing(
    database: Database, recorder: Recorder, excluded: int
) -> None:
    async with database.writing() as connection:
        await guilds.set_excluded_channels(connection, GUILD, [excluded])
    before = await rows(database)
    place = thread(MIA, CHANNEL, parent_id=11)
    assert await recorder.record(whole(place, said(0, MIA), said(1, ANNA)), NoContext()) == Recorded(excluded=True)
    assert await rows(database) == before


# Deletes.


async def test_a_deleted_message_takes_its_touch_and_entry_back_and_no_activity(
    database: Database, recorder: Recorder
) -> None:
    stretch = whole(
        channel(), said(0, MIA, mentions=[ANNA]), said(1, ANNA, to=(0, MIA)), said(2, ANNA, mentions=[NOAH])
    )
    await recorder.record(stretch, NoContext())
    before = await rows(database)
    await recorder.take_back([at(0), at(1)])
    after = await rows(database)
    assert [row[0] for row in after["touch"]] == [at(2)]
    assert after["waiting"] == after["waiting_for"] == []
    assert (after["activity"], after["member"], after["span"]) == (before["activity"], before["member"], before["span"])


async def test_a_delete_wins_over_a_page_that_is_still_on_its_way(database: Database, recorder: Recorder) -> None:
    """Whether the delete comes before the page, or while the page waits for its context."""
    await recorder.take_back([at(1)])
    log = ChannelLog()
    log.post(
        channel(), said(-1, MIA), said(0, MIA), said(1, ANNA, to=(0, MIA)), said(2, BEN), said(3, ANNA, to=(0, MIA))
    )

    async def delete(_place: Place, _page: object) -> None:
        await recorder.take_back([at(3)])

    log.during_page = delete
    messages = log.all_of(channel())[2:]
    page = Stretch(channel(), at(1), at(3), messages, (), at(1))
    await recorder.record(page, HistoryContext(log))  # Ben's message makes it ask for context
    assert log.requests == 1
    found = await rows(database)
    assert [row[:2] for row in found["touch"]] == []
    assert sum(row[3] for row in found["activity"]) == 3


async def test_a_deleted_channel_wins_over_a_page_that_is_still_on_its_way(
    database: Database, recorder: Recorder
) -> None:
    """Recording and reading again alike: once the channel is gone, nothing of it comes back."""
    place = channel()
    log = ChannelLog()
    log.post(place, said(0, MIA, mentions=[ANNA]), said(1, ANNA, to=(0, MIA)), said(5, BEN))

    async def gone(_place: Place, _page: object) -> None:
        await recorder.take_back_channel(CHANNEL)

    await recorder.record(whole(place, *log.all_of(place)), NoContext())
    assert len((await rows(database))["touch"]) == 1
    log.during_page = gone
    page = Stretch(place, at(1), at(5), log.all_of(place)[1:], (), at(1))
    await recorder.read_again(
        replace(page, first_id=at(5), messages=page.messages[1:], context_first_id=at(5)), HistoryContext(log), {BEN}
    )
    log.post(place, said(9, MIA, mentions=[BEN]))
    await recorder.record(Stretch(place, at(6), at(9), log.all_of(place)[3:], (), at(6)), HistoryContext(log))
    found = await rows(database)
    assert found["touch"] == found["waiting"] == found["waiting_for"] == []


async def test_deletes_are_remembered_up_to_a_limit(
    database: Database, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.services.record.recent_ids.MOST_KEPT", 2)
    recorder.ignore([at(1), at(2), at(3)])
    await recorder.record(whole(channel(), *(said(minute, ANNA, mentions=[MIA]) for minute in (1, 2, 3))), NoContext())
    assert [row[0] for row in (await rows(database))["touch"]] == [at(1)]


# A manager who came later.


async def test_reading_again_for_a_new_manager_equals_having_known_them_from_the_start(
    database: Database, recorder: Recorder
) -> None:
    """And without recounting activity, however often it is read."""
    random = Random(7)
    log = ChannelLog()
    for place in PLACES:
        log.post(place, *(replace(one, message_id=one.message_id + place.channel_id % 7) for one in talk(random, 60)))
    stretches = [
        Stretch(place, place.channel_id, log.all_of(place)[-1].message_id, log.all_of(place), (), 0) for place in PLACES
    ]
    for stretch in stretches:
        await recorder.record(stretch, NoContext())
    together = await rows(database)
    async with database.writing() as connection:
        await guilds.forget(connection, GUILD)
        await managers.remove(connection, GUILD, [BEN])
    for stretch in stretches:
        await recorder.record(stretch, NoContext())
    apart = await rows(database)
    assert apart != together
    async with database.writing() as connection:
        await managers.add(connection, GUILD, [BEN])
    for _ in range(2):
        for stretch in stretches:
            async for page in pages(log, stretch.place, Span(stretch.first_id, stretch.last_id)):
                await recorder.read_again(page, HistoryContext(log), {BEN})
        assert await rows(database) == together


async def test_reading_again_asks_for_context_and_leaves_out_the_deleted_and_the_forgotten(
    database: Database, recorder: Recorder
) -> None:
    log = ChannelLog()
    place = thread(MIA)
    log.post(place, said(0, MIA), said(60, BEN), said(61, BEN, mentions=[NOAH]))
    recorder.ignore([at(61)])
    again = Stretch(place, at(60), at(61), log.all_of(place)[1:], (), at(60))
    await recorder.read_again(again, HistoryContext(log), {BEN})
    assert [(row[0], row[1]) for row in (await rows(database))["touch"]] == [(at(60), MIA)]
    assert (await rows(database))["activity"] == (await rows(database))["span"] == []
    async with database.writing() as connection:
        await guilds.forget(connection, GUILD)
        await forgetting.remember(connection, GUILD, BEN)
    await recorder.read_again(again, HistoryContext(log), {BEN})
    assert (await rows(database))["touch"] == []


# Context and openers.


async def test_a_threads_opener_is_asked_for_once_and_taken_from_its_first_message_where_that_is_at_hand(
    database: Database, recorder: Recorder
) -> None:
    log = ChannelLog()
    unknown = replace(thread(None, at(-10)), opener_known=False)
    log.openers[unknown.channel_id] = MIA
    context = HistoryContext(log)
    for minute in (0, 500):
        log.post(unknown, said(minute, MIA), said(minute + 1, ANNA))
        found = tuple(one for one in log.all_of(unknown) if at(minute) <= one.message_id)
        await recorder.record(
            Stretch(unknown, at(minute), at(minute + 1), found, (), 0 if minute == 0 else at(minute)), context
        )
    assert log.opener_requests == 1
    assert [row[1] for row in (await rows(database))["touch"]] == [MIA, MIA]
    started = replace(unknown, channel_id=at(900))  # started on Noah's message, which has the thread's own id
    messages = (Message(at(900), NOAH), said(901, ANNA))
    await recorder.record(Stretch(started, at(900), at(901), messages, (), 0), context)
    assert log.opener_requests == 1
    assert [row[1] for row in (await rows(database))["touch"]] == [MIA, MIA, NOAH]


async def test_nothing_is_judged_without_an_opener_who_may_not_be_asked_for(
    database: Database, recorder: Recorder
) -> None:
    log = ChannelLog()
    place = replace(thread(None), opener_known=False)
    log.unreadable.add(CHANNEL)
    stretch = Stretch(place, at(0), at(1), (said(0, MIA), said(1, ANNA)), (), 0)
    context, before = HistoryContext(log), await rows(database)
    with pytest.raises(UnreadableHistoryError):
        await recorder.record(stretch, context)
    assert await rows(database) == before
    log.unreadable.clear()
    log.openers[CHANNEL] = MIA
    await recorder.record(stretch, context)
    found = await rows(database)
    assert [len(found[name]) for name in ("touch", "waiting", "span")] == [1, 1, 1]


async def test_what_depends_on_an_opener_who_cannot_be_read_becomes_a_gap_until_it_can(
    database: Database, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = ChannelLog()
    place = replace(thread(None, at(-10)), opener_known=False)
    log.openers[place.channel_id] = MIA
    stretch = Stretch(place, at(0), at(2), (said(0, MIA), said(1, ANNA), said(2, NOAH)), (), 0)
    context = HistoryContext(log)
    with monkeypatch.context() as patched:
        patched.setattr(log, "opener", AsyncMock(side_effect=UnreadableMessageError("author")))
        recorded = await recorder.record(stretch, context)
    assert (recorded.messages, recorded.unreadable) == (1, (Span(at(0), at(1)),))
    found = await rows(database)
    assert [len(found[name]) for name in ("touch", "waiting", "known_gap")] == [0, 0, 1]
    recorded = await recorder.record(stretch, context)
    assert (recorded.messages, recorded.known) == (2, 1)
    found = await rows(database)
    assert [len(found[name]) for name in ("touch", "waiting", "span")] == [1, 1, 1]


async def test_context_comes_fifty_messages_at_a_time_until_it_is_enough(
    database: Database, recorder: Recorder
) -> None:
    """A thread in which Anna has spoken 120 times in a row since Mia's first words."""
    log = ChannelLog()
    place = thread(MIA)
    log.post(place, said(0, MIA), *(said(60 + minute, ANNA) for minute in range(120)))
    last = log.all_of(place)[-1]
    await recorder.record(
        Stretch(place, last.message_id, last.message_id, (last,), (), last.message_id), HistoryContext(log)
    )
    assert log.requests == 3  # 50 and 50 of Anna's, then the last 19 and Mia's
    assert [row[1] for row in (await rows(database))["touch"]] == [MIA]


async def test_context_reaches_back_to_the_first_message_fetched_or_where_there_are_no_more_to_the_beginning() -> None:
    log = ChannelLog()
    log.post(channel(), *(said(minute, MIA) for minute in range(60)))
    context = HistoryContext(log)
    page = await context.earlier(Stretch(channel(), at(60), at(61), (), (), at(60)))
    assert (page.context, page.context_first_id) == (log.all_of(channel())[10:], at(10))
    page = await context.earlier(page)
    assert (page.context, page.context_first_id) == (log.all_of(channel()), 0)


async def test_nothing_is_judged_without_what_was_said_before_it(database: Database, recorder: Recorder) -> None:
    """Where that cannot be read, nothing goes on record, as a later reading could not make it right."""
    log = ChannelLog()
    log.unreadable.add(CHANNEL)
    stretch = Stretch(thread(MIA), at(5), at(5), (said(5, MIA),), (), at(5))
    before = await rows(database)
    with pytest.raises(UnreadableHistoryError):
        await recorder.record(stretch, HistoryContext(log))
    assert await rows(database) == before
    log.unreadable.clear()
    assert (await recorder.record(stretch, HistoryContext(log))).messages == 1
    assert [row[0] for row in (await rows(database))["waiting"]] == [at(5)]


# One transaction.


@pytest.fixture
def nothing_is_collected() -> Iterator[None]:
    """Python's collector would sometimes tidy up behind a cancelled statement; nothing may depend on that."""
    gc.disable()
    yield
    gc.enable()
    gc.collect()


@pytest.mark.usefixtures("nothing_is_collected")
async def test_a_recording_that_is_cancelled_leaves_nothing_and_can_be_done_again(
    database: Database, recorder: Recorder
) -> None:
    stretch = whole(channel(), *talk(Random(1), 60))
    await recorder.record(stretch, NoContext())
    expected = await rows(database)
    outcomes = set()
    for turns in range(0, 60, 3):
        async with database.writing() as connection:
            await guilds.forget(connection, GUILD)
        empty = await rows(database)
        task = asyncio.create_task(recorder.record(stretch, NoContext()))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        found = await rows(database)
        assert found in (empty, expected)
        outcomes.add(found == expected)
        await recorder.record(stretch, NoContext())
        assert await rows(database) == expected
    assert False in outcomes


async def test_many_at_once_record_each_message_once(database: Database, recorder: Recorder) -> None:
    stretch = whole(channel(), *talk(Random(3), 30))
    found = await asyncio.gather(*(recorder.record(stretch, NoContext()) for _ in range(5)))
    assert sorted(one.messages for one in found) == [0, 0, 0, 0, 30]
    async with database.reading() as connection:
        assert await spans.of_channel(connection, CHANNEL) == (Span(CHANNEL, stretch.last_id),)
