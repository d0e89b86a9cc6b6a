"""Following channels live and catching up, against a plain log of what Discord has, on SQLite and PostgreSQL."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from unittest import mock

import pytest

from bot.clock import DrivenClock
from bot.domain.message import Message, MessageKind
from bot.domain.rules import Rules
from bot.domain.snowflake import first_id_at, moment_of
from bot.domain.span import Span
from bot.domain.stretch import Place, Stretch
from bot.services.record.channel_snapshot import ChannelSnapshot
from bot.services.record.follower import Follower
from bot.services.record.gaps import Gaps
from bot.services.record.history import UnreadableHistoryError
from bot.services.record.recorder import ContextSource, Recorded, Recorder
from bot.services.record.thread_archives import ThreadArchives
from bot.store import guilds, managers, spans, tables
from bot.store.database import Database, StoreError
from tests.support.channel_log import ChannelLog
from tests.support.loop_time import pass_seconds
from tests.support.messages import ANNA, BEN, CHANNEL, GUILD, MIA, NOAH, OLE, at, channel, moment, said, thread, whole
from tests.support.no_context import NoContext
from tests.support.patience import PATIENCE
from tests.support.rows import rows

OTHER = channel(CHANNEL + 5)
HOLD = 0.02


@dataclass
class Scene:
    """A follower with its surroundings. What is `said` happens in the log and is heard live."""

    database: Database
    log: ChannelLog
    recorder: Recorder
    follower: Follower
    clock: DrivenClock
    deaf: bool = False
    missed: list[Message] = field(default_factory=list)

    async def heard(self, place: Place, *messages: Message) -> None:
        for message in messages:
            with self.follower.receiving(place, message.message_id) as heard:
                heard(message)

    async def says(self, place: Place, *messages: Message) -> None:
        """Discord has it, and tells Spade unless it is deaf just then."""
        self.log.post(place, *messages)
        if not self.deaf:
            await self.heard(place, *messages)

    async def catch_up(self, *places: Place) -> None:
        found = [self.log.snapshot(place) for place in places]
        guild_ids = {place.guild_id for place in places}
        self.follower.expect_guilds(guild_ids)
        session = self.follower.session
        await self.follower.catch_up(found, session)
        for guild_id in guild_ids:
            self.follower.guild_complete(guild_id, session)

    @property
    def archives(self) -> ThreadArchives:
        return ThreadArchives(self.database, self.clock)

    async def watched(self) -> None:
        """Spade is in the guild from here on."""
        async with self.database.writing() as connection:
            await guilds.watch(connection, GUILD, self.clock.now())

    async def exclude(self, *channel_ids: int) -> None:
        """Nothing else is excluded from here on."""
        await self.follower.settle()
        async with self.database.writing() as connection:
            await guilds.set_excluded_channels(connection, GUILD, channel_ids)

    async def recorded(self) -> dict[str, list[tuple[Any, ...]]]:
        await self.follower.settle()
        return await rows(self.database)

    async def messages(self) -> int:
        """How many messages are counted in all."""
        return sum(row[3] for row in (await self.recorded())["activity"])

    async def spans(self, place: Place) -> tuple[Span, ...]:
        await self.follower.settle()
        async with self.database.reading() as connection:
            return await spans.of_channel(connection, place.channel_id)

    async def gaps(self) -> dict[int, tuple[Span, ...]]:
        async with self.database.reading() as connection:
            return await spans.known_gaps(connection, GUILD)


def scene_of(database: Database, log: ChannelLog, *, hold_seconds: float = HOLD) -> Scene:
    """A Spade that has just been started, at minute 0, with what is on record already."""
    recorder, clock = Recorder(database, Rules()), DrivenClock(moment(0))
    return Scene(database, log, recorder, Follower(database, recorder, log, clock, hold_seconds=hold_seconds), clock)


@pytest.fixture
async def scene(database: Database) -> Scene:
    async with database.writing() as connection:
        await managers.add(connection, GUILD, [ANNA, BEN])
    return scene_of(database, ChannelLog())


@pytest.fixture
async def running(scene: Scene) -> AsyncIterator[Scene]:
    """The same with its writer at work."""
    task = asyncio.create_task(scene.follower.run())
    yield scene
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def oracle(scene: Scene, *places: Place, since: float = 0) -> dict[str, list[tuple[Any, ...]]]:
    """What a Spade that was there all the time would have on record but for its spans."""
    found = await scene.recorded()
    async with scene.database.writing() as connection:
        for table in reversed(tables.metadata.sorted_tables):
            if table.name in found:
                await connection.execute(table.delete())
    for place in places:
        counted = [message for message in scene.log.all_of(place) if message.message_id >= at(since)]
        if counted:
            await Recorder(scene.database, Rules()).record(whole(place, *counted), NoContext())
    expected = await rows(scene.database)
    for name in ("span", "known_gap"):
        found.pop(name)
        expected.pop(name)
    assert found == expected
    return expected


def chatter(random: Random, count: int, begin: float = 1, step: float = 0.4) -> list[Message]:
    """Managers and members in one channel, with replies and mentions."""
    found: list[Message] = []
    for number in range(count):
        author = random.choice([ANNA, BEN, MIA, NOAH, OLE])
        to = random.choice(found[-5:]) if found and random.random() < 0.3 else None
        message = said(begin + number * step, author, mentions=random.choice([(), (), (MIA,), (ANNA,)]))
        if to is not None:
            message = Message(
                message.message_id, author, said(0, 1, to=(0, 1)).kind, message.mentions, False, False,
                to.message_id, to.author_id,
            )  # fmt: skip
        found.append(message)
    return found


# The first span, and live events.


async def test_a_channel_is_recorded_from_the_moment_it_becomes_visible(scene: Scene) -> None:
    """What was said before Spade came is not on record; what is said afterwards is, and the span says from where."""
    scene.log.post(channel(), said(-60, MIA), said(-1, MIA))
    await scene.watched()
    await scene.catch_up(channel())
    assert scene.follower.caught_up
    await scene.says(channel(), said(5, MIA, mentions=[ANNA]), said(6, ANNA))
    assert await scene.messages() == 2
    assert await scene.spans(channel()) == (Span(at(-1) + 1, at(6)),)
    look = await scene.archives.unsearched(GUILD)
    assert (look.recorded, look.from_at) == ({CHANNEL: Span(at(-1) + 1, at(6))}, moment_of(at(6)))
    assert scene.log.requests == 0


async def test_a_channel_without_messages_is_followed_too(scene: Scene) -> None:
    await scene.catch_up(channel())
    await scene.says(channel(), said(5, MIA))
    assert await scene.messages() == 1
    assert await scene.spans(channel()) == (Span(at(0), at(5)),)


async def test_events_that_arrive_out_of_order_within_the_hold_are_written_in_order(scene: Scene) -> None:
    patient = scene_of(scene.database, scene.log, hold_seconds=600)
    await patient.catch_up(channel())
    messages = chatter(Random(4), 12)
    shuffled = list(messages)
    Random(5).shuffle(shuffled)
    await patient.says(channel(), *shuffled)
    await patient.follower.flush()  # too early for any of them
    assert (await rows(scene.database))["activity"] == []
    pass_seconds(601)
    await patient.follower.flush()
    await oracle(scene, channel())


async def test_the_newest_second_is_held_back_and_what_is_older_written(database: Database) -> None:
    log = ChannelLog()
    follower = Follower(database, Recorder(database, Rules()), log, DrivenClock(moment(0)), hold_seconds=600)
    await follower.catch_up([log.snapshot(channel())], follower.session)
    with follower.receiving(channel(), at(1)) as heard:
        heard(said(1, MIA))
    pass_seconds(601)
    with follower.receiving(channel(), at(2)) as heard:
        heard(said(2, MIA))
    await follower.flush()
    assert sum(row[3] for row in (await rows(database))["activity"]) == 1
    settling = asyncio.create_task(follower.settle())
    await asyncio.sleep(0)
    pass_seconds(601)
    await settling
    assert sum(row[3] for row in (await rows(database))["activity"]) == 2


async def test_what_is_heard_twice_counts_once(scene: Scene) -> None:
    await scene.catch_up(channel())
    await scene.heard(channel(), said(1, MIA), said(1, MIA), said(2, ANNA, to=(1, MIA)))
    await scene.follower.settle()
    await scene.heard(channel(), said(1, MIA), said(2, ANNA, to=(1, MIA)))  # replayed
    assert await scene.messages() == 2
    assert len((await scene.recorded())["touch"]) == 1


async def test_nothing_is_written_past_a_message_that_is_still_being_read(scene: Scene) -> None:
    """Looking up what the first replies to takes a while; the second must not go on record before it."""
    await scene.catch_up(channel())
    with scene.follower.receiving(channel(), at(1)) as heard:
        await scene.says(channel(), said(2, MIA))
        await scene.follower.settle()
        assert (await rows(scene.database))["activity"] == []
        heard(said(1, ANNA, mentions=[MIA]))
    scene.log.post(channel(), said(1, ANNA, mentions=[MIA]))
    await oracle(scene, channel())


async def test_nothing_goes_on_record_before_the_first_of_several_that_are_being_read(scene: Scene) -> None:
    await scene.catch_up(channel())
    with scene.follower.receiving(channel(), at(1)) as first, scene.follower.receiving(channel(), at(4)) as last:
        await scene.says(channel(), said(2, MIA))
        await scene.follower.settle()
        assert (await rows(scene.database))["activity"] == []
        first(said(1, NOAH))
        last(said(4, OLE))
    scene.log.post(channel(), said(1, NOAH), said(4, OLE))
    await oracle(scene, channel())


async def test_what_is_heard_is_written_now_and_then_and_not_all_the_time(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice in the time that an event is held back; each time costs a look at every channel."""
    flushes = 0

    async def flush(_self: Follower, _guild_id: int | None = None) -> None:
        nonlocal flushes
        flushes += 1

    monkeypatch.setattr(Follower, "flush", flush)
    clock, recorder = DrivenClock(moment(0)), Recorder(database, Rules())
    running = asyncio.create_task(Follower(database, recorder, ChannelLog(), clock, hold_seconds=0.4).run())
    await asyncio.sleep(0.9)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert 1 <= flushes <= 4


async def test_a_message_that_could_not_be_read_leaves_the_channel_to_history(scene: Scene) -> None:
    await scene.catch_up(channel(), OTHER)
    scene.log.post(channel(), said(1, MIA), said(2, ANNA, to=(1, MIA)))
    with pytest.raises(LookupError), scene.follower.receiving(channel(), at(1)):
        raise LookupError("Discord does not answer")
    await scene.says(OTHER, said(1, NOAH))
    assert not scene.follower.caught_up
    assert (await scene.recorded())["activity"][0][1] == NOAH  # the other channel goes on
    await scene.follower.catch_up([scene.log.snapshot(channel())], scene.follower.session)
    assert scene.follower.caught_up
    await oracle(scene, channel(), OTHER)


async def test_more_than_a_batch_is_written_in_pieces_that_meet(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.services.record.live_writer.BATCH", 7)
    await scene.catch_up(channel())
    await scene.says(channel(), *chatter(Random(1), 40))
    assert len(await scene.spans(channel())) == 1
    await oracle(scene, channel())


async def test_the_newest_message_heard_is_told(scene: Scene) -> None:
    assert scene.follower.newest_received_id == 0
    assert not scene.follower.knows(CHANNEL)
    await scene.heard(channel(), said(5, MIA), said(3, MIA))
    assert scene.follower.newest_received_id == at(5)
    assert scene.follower.knows(CHANNEL)


# Missing and catching up.


@pytest.mark.parametrize("missed", [0, 1, 99, 100, 101, 250])
async def test_what_was_missed_while_interrupted_is_fetched(scene: Scene, missed: int) -> None:
    """Heard, missed, heard: the record is whole, in one span, with no more pages than it takes."""
    messages = chatter(Random(missed), missed + 20)
    await scene.catch_up(channel())
    await scene.says(channel(), *messages[:10])
    await scene.follower.settle()
    scene.follower.interrupted()
    assert not scene.follower.caught_up
    scene.deaf = True
    await scene.says(channel(), *messages[10 : 10 + missed])
    scene.deaf = False
    requests = scene.log.requests
    await scene.catch_up(channel())
    assert scene.log.requests - requests <= missed // 100 + 1 + 1  # and one look at the context
    await scene.says(channel(), *messages[10 + missed :])
    assert len(await scene.spans(channel())) == 1
    await oracle(scene, channel())


async def test_an_interruption_of_one_guild_leaves_the_others_alone(scene: Scene) -> None:
    elsewhere = Place(99, CHANNEL + 9)
    await scene.catch_up(channel(), elsewhere)
    session = scene.follower.session
    scene.follower.interrupted(GUILD)
    assert (scene.follower.behind(GUILD), scene.follower.behind(99)) == (1, 0)
    assert scene.follower.session > session
    assert scene.follower.uninterrupted(session)  # the connection itself
    assert not scene.follower.uninterrupted(session, GUILD)
    assert scene.follower.uninterrupted(session, 99)
    await scene.heard(elsewhere, said(1, NOAH))
    await scene.heard(channel(), said(1, MIA))
    assert [row[0] for row in (await scene.recorded())["activity"]] == [99]
    scene.follower.interrupted()
    assert not scene.follower.uninterrupted(session)


async def test_events_during_a_catch_up_are_neither_lost_nor_doubled(scene: Scene) -> None:
    """While the pages come, people go on writing: into the log, and to Spade's ears."""
    messages = chatter(Random(11), 420)
    await scene.catch_up(channel())
    await scene.says(channel(), messages[0])
    await scene.follower.settle()
    scene.follower.interrupted()
    scene.log.post(channel(), *messages[1:260])
    rest = iter(messages[260:])

    async def meanwhile(_place: Place, _page: object) -> None:
        await scene.says(channel(), *(message for _, message in zip(range(30), rest, strict=False)))

    scene.log.during_page = meanwhile
    await scene.catch_up(channel())
    scene.log.during_page = None
    await scene.says(channel(), *rest)
    assert len(await scene.spans(channel())) == 1
    await oracle(scene, channel())


async def test_an_interruption_during_a_catch_up_is_caught_up_with_in_the_next_session(scene: Scene) -> None:
    """The connection breaks after the page was read; what is said then is heard by nobody."""
    messages = chatter(Random(12), 30)
    await scene.catch_up(channel())
    await scene.says(channel(), messages[0])
    await scene.follower.settle()
    scene.follower.interrupted()
    scene.log.post(channel(), *messages[1:10])
    session = scene.follower.session

    async def breaks(_place: Place, _page: object) -> None:
        scene.log.during_page = None
        scene.follower.interrupted()
        scene.log.post(channel(), *messages[10:20])

    scene.log.during_page = breaks
    await scene.follower.catch_up([scene.log.snapshot(channel())], session)
    scene.follower.guild_complete(GUILD, session)
    assert not scene.follower.caught_up
    await scene.says(channel(), messages[20])  # heard, but nobody knows yet what was before it
    assert len(await scene.spans(channel())) == 1
    await scene.catch_up(channel())
    assert scene.follower.caught_up
    await scene.says(channel(), *messages[21:])
    assert len(await scene.spans(channel())) == 1
    await oracle(scene, channel())


async def test_a_restart_fetches_what_was_not_yet_written(scene: Scene) -> None:
    """What a crash loses from the buffer lies in no span."""
    messages = chatter(Random(13), 40)
    await scene.catch_up(channel())
    await scene.says(channel(), *messages[:20])
    await scene.follower.settle()
    await scene.says(channel(), *messages[20:30])  # buffered, and lost
    again = scene_of(scene.database, scene.log)
    await again.catch_up(channel())
    await again.says(channel(), *messages[30:])
    assert len(await again.spans(channel())) == 1
    await oracle(again, channel())


async def test_several_channels_catch_up_at_once_and_no_more_than_a_few(scene: Scene) -> None:
    places = [channel(CHANNEL + number) for number in range(10)]
    await scene.catch_up(*places)
    scene.follower.interrupted()
    for number, place in enumerate(places):
        scene.log.post(place, *chatter(Random(number), 5, begin=1 + 10 * number))
    at_once, most = 0, 0

    async def counted(_place: Place, _page: object) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.005)
        at_once -= 1

    scene.log.during_page = counted
    await scene.catch_up(*places)
    assert 2 <= most <= 4
    await oracle(scene, *places)


# What fails.


async def test_an_unreadable_channel_is_a_known_gap_until_it_can_be_read(scene: Scene) -> None:
    messages = chatter(Random(14), 230)
    await scene.catch_up(channel())
    await scene.says(channel(), *messages[:10])
    await scene.follower.settle()
    scene.follower.interrupted()
    scene.log.post(channel(), *messages[10:200])
    scene.log.unreadable.add(CHANNEL)
    await scene.catch_up(channel())
    assert await scene.gaps() == {CHANNEL: (Span(messages[9].message_id + 1, messages[199].message_id),)}
    assert scene.follower.caught_up  # it goes on live behind the gap
    await scene.says(channel(), *messages[200:210])
    assert await scene.messages() == 20
    assert len(await scene.spans(channel())) == 2
    await scene.catch_up(channel())  # looked at again, and still closed
    assert len((await scene.gaps())[CHANNEL]) == 1
    scene.log.unreadable.clear()
    await scene.catch_up(channel())
    assert await scene.gaps() == {}
    await scene.says(channel(), *messages[210:])
    assert len(await scene.spans(channel())) == 1
    assert await scene.messages() == 230
    waiting = {row[0] for row in (await scene.recorded())["waiting"]}
    assert waiting == {row[0] for row in (await oracle_entries(scene))}


def unreadable(message: Message) -> Message:
    return Message(message.message_id, None, MessageKind.UNREADABLE)


async def test_messages_that_cannot_be_read_are_gaps_and_tried_later_and_later(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = asyncio.get_running_loop().time
    passed = 0.0
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: clock() + passed)
    messages = [replace(one, mentions_crowd=True) for one in chatter(Random(16), 230)]  # judged each by itself
    await scene.catch_up(channel())
    await scene.says(channel(), *messages[:10])
    await scene.follower.settle()
    scene.follower.interrupted()
    odd = (messages[20], messages[21], messages[99], messages[199])
    scene.log.post(channel(), *messages[10:200], *map(unreadable, odd))
    await scene.catch_up(channel())
    missing = (Span(odd[0].message_id, odd[1].message_id), *(Span(one.message_id, one.message_id) for one in odd[2:]))
    assert await scene.gaps() == {CHANNEL: missing}
    assert await scene.messages() == 196
    assert scene.follower.caught_up
    await scene.says(channel(), *messages[200:])  # it goes on behind the last one
    assert await scene.messages() == 226
    tried = []
    for _ in range(60):
        passed += 900.0
        tried.append(await scene.follower.retry_gaps())
    assert [number for number, one in enumerate(tried) if one] == [0, 2, 6, 14, 30]
    assert await scene.gaps() == {CHANNEL: missing}
    scene.log.post(channel(), *odd[1:])
    passed += 86_400.0
    assert await scene.follower.retry_gaps() == 1
    assert await scene.gaps() == {CHANNEL: (Span(odd[0].message_id, odd[0].message_id),)}
    scene.log.post(channel(), odd[0])
    await scene.catch_up(channel())
    assert await scene.gaps() == {}
    assert len(await scene.spans(channel())) == 1
    assert await scene.messages() == 230


async def test_what_cannot_be_judged_without_an_unreadable_message_waits_for_it(scene: Scene) -> None:
    """Somebody wrote between a member and a manager: as long as it is unknown who, nobody was answered, or not."""
    odd = said(3, NOAH)
    talk = [said(1, MIA, mentions={ANNA}), said(2, MIA), odd, said(4, ANNA), said(5, ANNA)]
    scene.log.post(channel(), said(0, MIA))
    await scene.catch_up(channel())
    scene.follower.interrupted()
    scene.log.post(channel(), *talk, unreadable(odd))
    await scene.catch_up(channel())
    assert await scene.gaps() == {CHANNEL: (Span(at(3), at(4)),)}
    assert await scene.messages() == 3
    assert not (await scene.recorded())["touch"]
    scene.log.post(channel(), odd)
    await scene.catch_up(channel())
    assert await scene.gaps() == {}
    assert await scene.messages() == 5
    assert not (await scene.recorded())["touch"]  # it was somebody else who wrote last


async def test_what_was_heard_counts_where_the_history_cannot_be_read(scene: Scene) -> None:
    scene.log.post(channel(), said(1, MIA))
    await scene.catch_up(channel())
    scene.follower.interrupted()
    scene.log.post(channel(), said(2, MIA), unreadable(said(3, MIA)), said(4, NOAH), unreadable(said(5, MIA)))
    await scene.heard(channel(), said(5, MIA))
    await scene.catch_up(channel())
    assert await scene.gaps() == {CHANNEL: (Span(at(3), at(3)),)}
    assert await scene.messages() == 3


async def oracle_entries(scene: Scene) -> list[tuple[Any, ...]]:
    async with scene.database.writing() as connection:
        for table in (tables.waiting_for, tables.waiting, tables.touch, tables.activity, tables.span):
            await connection.execute(table.delete())
    await Recorder(scene.database, Rules()).record(whole(channel(), *scene.log.all_of(channel())), NoContext())
    return (await rows(scene.database, tables.waiting))["waiting"]


async def test_what_was_heard_before_an_interruption_belongs_to_the_gap_behind_a_late_message(scene: Scene) -> None:
    """The gap of a channel that cannot be read ends where its history must, not before what is heard out of order."""
    await scene.catch_up(channel())
    await scene.says(channel(), said(1, MIA))
    await scene.follower.settle()
    scene.log.unreadable.add(CHANNEL)
    scene.log.post(channel(), said(2, MIA), said(4, NOAH), said(6, MIA))
    scene.follower.interrupted()
    await scene.heard(channel(), said(6, MIA))
    scene.follower.interrupted()
    await scene.heard(channel(), said(4, NOAH))
    await scene.catch_up(channel())
    assert await scene.gaps() == {CHANNEL: (Span(at(1) + 1, at(6)),)}
    await scene.says(channel(), said(8, MIA))
    assert await scene.messages() == 2
    scene.log.unreadable.clear()
    scene.follower.retry_gaps_soon()
    await scene.follower.retry_gaps()
    assert await scene.messages() == 5


async def test_a_failing_request_is_tried_again_until_the_channel_is_in_step(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.services.record.retry.RETRY_SECONDS", 0.01)
    await scene.catch_up(channel())
    scene.follower.interrupted()
    messages = chatter(Random(15), 20)
    scene.log.post(channel(), *messages)
    failures = iter([OSError("reset"), TimeoutError()])

    async def fails(_place: Place, _page: object) -> None:
        for failure in failures:
            raise failure

    scene.log.during_page = fails
    await scene.catch_up(channel())
    assert scene.follower.caught_up
    await oracle(scene, channel())


async def test_trying_again_ends_with_the_session(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.services.record.retry.RETRY_SECONDS", 0.01)
    await scene.catch_up(channel())
    scene.follower.interrupted()
    scene.log.post(channel(), said(1, MIA))

    async def fails(_place: Place, _page: object) -> None:
        scene.follower.interrupted()
        raise OSError("reset")

    scene.log.during_page = fails
    await asyncio.wait_for(scene.catch_up(channel()), PATIENCE)
    assert not scene.follower.caught_up


async def test_when_the_store_refuses_nothing_is_lost(
    running: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A full disk: what was heard waits, the log says so in one sentence, and recording resumes."""
    monkeypatch.setattr("bot.services.record.follower.RETRY_SECONDS", 0.02)
    await running.catch_up(channel())
    messages = chatter(Random(16), 20)
    full = StoreError("The disk is full: nothing is recorded until there is room again.")
    with mock.patch.object(Recorder, "record", side_effect=full):
        await running.says(channel(), *messages)
        async with asyncio.timeout(PATIENCE):
            while "Recording waits: The disk is full" not in caplog.text:
                await asyncio.sleep(0.01)
        assert (await rows(running.database))["activity"] == []
        with pytest.raises(StoreError):
            await running.follower.settle()
    await oracle(running, channel())


@pytest.mark.parametrize("failure", [StoreError("full"), OSError("no network")], ids=["store", "other"])
async def test_recording_that_failed_is_not_tried_again_before_its_time(
    running: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, failure: Exception
) -> None:
    """Otherwise a full disk would also fill the log."""
    monkeypatch.setattr("bot.services.record.follower.RETRY_SECONDS", 3600.0)
    await running.catch_up(channel())
    with mock.patch.object(Recorder, "record", side_effect=failure) as record:
        await running.says(channel(), said(1, MIA))
        async with asyncio.timeout(PATIENCE):
            while not record.call_count:
                await asyncio.sleep(0.01)
        await asyncio.sleep(10 * HOLD)
        assert record.call_count == 1
    assert [line.levelname for line in caplog.records if line.name == "bot.services.record.follower"] == ["ERROR"]


async def test_a_channel_that_cannot_be_judged_now_does_not_hold_up_the_others(
    running: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its context cannot be fetched (no network): the others are written, and it is retried."""
    monkeypatch.setattr("bot.services.record.follower.RETRY_SECONDS", 0.02)
    caplog.set_level(logging.CRITICAL, logger="bot.services.record.follower")
    for place in (channel(), OTHER):
        running.log.post(place, said(-1, NOAH))
    await running.catch_up(channel(), OTHER)

    async def fails(_place: Place, _page: object) -> None:
        raise OSError("no network")

    running.log.during_page = fails
    await running.says(channel(), said(1, ANNA))  # who spoke before? that takes context
    await running.says(OTHER, said(2, MIA))
    with pytest.raises(OSError, match="no network"):
        await running.follower.settle()
    with pytest.raises(OSError, match="no network"):
        await running.follower.settle(GUILD)
    await running.follower.settle(GUILD + 1)  # another guild has nothing to do with it
    assert [row[1] for row in (await rows(running.database))["activity"]] == [MIA]
    running.log.during_page = None
    assert await running.messages() == 2


async def test_a_channel_that_always_fails_is_left_behind_with_a_gap_and_asked_for_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It holds up nothing else; what is said in it now is on record, and the rest once Discord answers."""
    monkeypatch.setattr("bot.services.record.retry.RETRY_SECONDS", 0.0)
    caplog.set_level(logging.CRITICAL)
    messages = chatter(Random(20), 30)
    await scene.catch_up(channel(), OTHER)
    scene.follower.interrupted()
    scene.log.post(channel(), *messages[:20])

    async def fails(_place: Place, _page: object) -> None:
        raise OSError("no answer")

    scene.log.during_page = fails
    catching_up = asyncio.create_task(scene.catch_up(channel(), OTHER))
    while not scene.log.requests:
        await asyncio.sleep(0)
    await scene.says(channel(), *messages[20:25])
    await asyncio.wait_for(catching_up, PATIENCE)
    assert scene.follower.caught_up
    await scene.says(channel(), *messages[25:])
    assert await scene.gaps() == {CHANNEL: (Span(at(0) + 1, messages[20].message_id - 1),)}
    assert await scene.messages() == 10
    assert await scene.follower.retry_gaps() == 1
    assert await scene.follower.retry_gaps() == 0  # not before its time
    scene.log.during_page = None
    scene.follower.retry_gaps_soon()
    assert await scene.follower.retry_gaps() == 1
    assert await scene.gaps() == {}
    assert len(await scene.spans(channel())) == 1
    assert await scene.messages() == 30


async def test_an_event_that_comes_again_hides_no_gap_of_an_unreadable_channel(scene: Scene) -> None:
    """It is on record already, so what was said after it is missing all the same."""
    await scene.catch_up(channel())
    await scene.says(channel(), said(1, MIA))
    await scene.follower.settle()
    scene.follower.interrupted()
    await scene.heard(channel(), said(1, MIA))
    scene.log.post(channel(), said(2, NOAH), said(3, OLE))
    scene.log.unreadable.add(CHANNEL)
    await scene.catch_up(channel())
    assert await scene.gaps() == {CHANNEL: (Span(at(1) + 1, at(3)),)}
    await scene.says(channel(), said(20, MIA))
    assert await scene.messages() == 2
    assert len(await scene.spans(channel())) == 2


async def test_a_channel_that_fails_with_nothing_to_fetch_is_followed_without_a_gap(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The store refuses at every try, but no message was missed."""
    monkeypatch.setattr("bot.services.record.retry.RETRY_SECONDS", 0.0)
    caplog.set_level(logging.CRITICAL)
    scene.log.post(channel(), said(-1, MIA))
    with mock.patch.object(Recorder, "excludes", side_effect=StoreError("locked")):
        await asyncio.wait_for(scene.catch_up(channel()), PATIENCE)
    assert scene.follower.caught_up
    assert await scene.gaps() == {}
    await scene.says(channel(), said(1, MIA))
    assert await scene.spans(channel()) == (Span(at(-1) + 1, at(1)),)


async def test_what_is_excluded_is_not_fetched_and_once_included_all_of_it_is(scene: Scene) -> None:
    """As if it had never been excluded; a known gap until then."""
    messages = chatter(Random(21), 260)
    await scene.catch_up(channel())
    await scene.says(channel(), *messages[:10])
    await scene.exclude(CHANNEL)
    scene.follower.interrupted()
    scene.log.post(channel(), *messages[10:240])
    requests = scene.log.requests
    await scene.catch_up(channel())
    await scene.says(channel(), *messages[240:250])
    assert await scene.messages() == 10
    assert scene.log.requests == requests
    await scene.exclude()
    await scene.says(channel(), *messages[250:])
    assert await scene.messages() == 20
    assert await scene.gaps() == {CHANNEL: (Span(messages[9].message_id + 1, messages[249].message_id),)}
    scene.follower.retry_gaps_soon()
    await scene.follower.retry_gaps()
    assert await scene.gaps() == {}
    assert await scene.messages() == 260
    assert len(await scene.spans(channel())) == 1


async def test_what_is_heard_and_cannot_be_judged_is_a_gap_until_the_history_can_be_read(scene: Scene) -> None:
    """Whom the manager answers stands in a message that Spade missed; what comes after is judged by what was heard."""
    await scene.catch_up(channel())
    scene.follower.interrupted()
    scene.log.post(channel(), said(1, MIA, mentions=[ANNA]))
    scene.log.unreadable.add(CHANNEL)
    await scene.catch_up(channel())
    await scene.says(channel(), said(1.5, ANNA))
    assert await scene.messages() == 0
    await scene.says(channel(), said(20, MIA, mentions=[ANNA]), said(20.5, ANNA))
    assert await scene.messages() == 2
    assert [row[0] for row in (await scene.recorded())["touch"]] == [at(20.5)]
    scene.log.unreadable.clear()
    await scene.follower.retry_gaps()
    assert await scene.gaps() == {}
    assert await scene.messages() == 4
    assert sorted(row[0] for row in (await scene.recorded())["touch"]) == [at(1.5), at(20.5)]
    await oracle(scene, channel())


async def test_the_gap_of_a_thread_that_went_into_the_archive_is_filled(scene: Scene) -> None:
    """Nothing newer than what is on record stands there, so no look into the archive would find it."""
    await scene.catch_up(channel(), thread(MIA))
    await scene.says(thread(MIA), said(1, MIA))
    await scene.follower.settle()
    scene.follower.interrupted()
    scene.log.post(thread(MIA), said(2, MIA))
    scene.log.unreadable.add(thread(MIA).channel_id)
    await scene.catch_up(channel(), thread(MIA))
    await scene.says(thread(MIA), said(30, NOAH))
    assert await scene.messages() == 2
    scene.follower.interrupted()
    await scene.catch_up(channel())
    scene.log.unreadable.clear()
    scene.follower.retry_gaps_soon()
    assert await scene.follower.retry_gaps() == 1
    assert await scene.gaps() == {}
    assert await scene.messages() == 3


async def test_a_gap_of_an_excluded_channel_is_kept(scene: Scene) -> None:
    """It is not fetched, and not forgotten either."""
    await scene.catch_up(channel())
    scene.follower.interrupted()
    scene.log.post(channel(), said(1, MIA))
    scene.log.unreadable.add(CHANNEL)
    await scene.catch_up(channel())
    scene.log.unreadable.clear()
    await scene.exclude(CHANNEL)
    await scene.follower.retry_gaps()
    assert list(await scene.gaps()) == [CHANNEL]
    await scene.exclude()
    scene.follower.retry_gaps_soon()
    await scene.follower.retry_gaps()
    assert await scene.gaps() == {}
    assert await scene.messages() == 1


async def test_a_guild_out_of_sight_holds_up_nothing_and_is_as_if_never_seen(scene: Scene) -> None:
    """An outage, or Spade was removed: what is on record then says where to go on, and if nothing is, nothing does."""
    elsewhere = Place(99, CHANNEL + 9)
    await scene.catch_up(channel(), elsewhere)
    await scene.says(channel(), said(1, MIA))
    await scene.follower.settle()
    scene.follower.guild_hidden(GUILD)
    assert scene.follower.caught_up
    assert scene.follower.guild_caught_up(99)
    assert not scene.follower.guild_caught_up(GUILD)
    assert not scene.follower.knows(CHANNEL)
    async with scene.database.writing() as connection:
        await guilds.purge(connection, GUILD)
    scene.clock.set(moment(60 * 24 * 40))
    scene.log.post(channel(), said(2, MIA), said(60 * 24 * 39, MIA))
    await scene.catch_up(channel())
    assert await scene.messages() == 0
    assert scene.follower.guild_caught_up(GUILD)


async def test_a_new_session_forgets_the_threads_that_are_not_in_sight_any_more(scene: Scene) -> None:
    """Archived while nobody listened, and nothing of them to fetch."""
    place = thread(MIA, at(-5), parent_id=CHANNEL)
    await scene.catch_up(channel(), place)
    await scene.says(place, said(1, MIA))
    await scene.follower.settle()
    scene.follower.interrupted()
    await scene.catch_up(channel())
    assert scene.follower.caught_up
    await scene.says(place, said(2, MIA))  # it is awake again
    assert not scene.follower.caught_up
    await scene.follower.catch_up([scene.log.snapshot(place)], scene.follower.session)
    assert scene.follower.caught_up
    await oracle(scene, channel(), place)


async def test_what_is_known_of_an_earlier_session_alone_is_not_known(scene: Scene) -> None:
    """It may be archived by now, so that nobody catches up with it; a message makes its channel known again."""
    place = thread(MIA, at(-5), parent_id=CHANNEL)
    await scene.catch_up(channel(), place)
    scene.follower.interrupted(GUILD + 1)
    assert scene.follower.knows(place.channel_id)
    for guild_id in (None, GUILD):
        scene.follower.interrupted(guild_id)
        assert not scene.follower.knows(place.channel_id)
        await scene.says(place, said(1, MIA))
        assert scene.follower.knows(place.channel_id)


@pytest.mark.parametrize("guild_id", [None, GUILD])
async def test_an_archived_thread_that_is_active_in_the_next_session_is_kept(
    scene: Scene, guild_id: int | None
) -> None:
    place = thread(MIA, at(-5), parent_id=CHANNEL)
    await scene.catch_up(channel(), place)
    scene.follower.thread_archived(place.channel_id)
    scene.follower.interrupted(guild_id)
    await scene.catch_up(channel(), place)
    await scene.follower.settle()
    assert scene.follower.knows(place.channel_id)


async def test_a_stale_channel_is_read_to_its_end(scene: Scene) -> None:
    """Nobody knows its newest message, and there is more than one page of what was missed."""
    await scene.catch_up(channel())
    scene.follower.interrupted()
    scene.log.post(channel(), *(said(minute, MIA) for minute in range(1, 251)))
    stale = ChannelSnapshot(channel(), 0, stale=True)
    await scene.follower.catch_up([stale], scene.follower.session)
    assert await scene.messages() == 250
    await oracle(scene, channel())


async def test_a_thread_that_is_made_again_after_an_interruption_is_fetched(scene: Scene) -> None:
    """It was made before, so messages of it may have been missed."""
    await scene.catch_up(channel())
    place = thread(MIA, at(3), parent_id=CHANNEL)
    await scene.follower.follow_new(place, scene.follower.session)
    scene.follower.interrupted()
    scene.log.post(place, said(4, MIA))
    await scene.follower.follow_new(place, scene.follower.session)
    await oracle(scene, channel(), place)


async def test_a_channel_out_of_sight_is_asked_for_what_was_said_meanwhile(scene: Scene) -> None:
    """Nobody knows how far it has come: not even Discord's own client."""
    await scene.catch_up(channel())
    await scene.says(channel(), said(1, MIA))  # still held back
    await scene.follower.channels_hidden([CHANNEL, 777])  # the other one was never seen
    assert not scene.follower.knows(CHANNEL)
    assert scene.follower.caught_up
    scene.log.post(channel(), said(2, MIA), said(3, ANNA, to=(2, MIA)))
    stale = ChannelSnapshot(channel(), at(1), stale=True)
    await scene.follower.catch_up([stale], scene.follower.session)
    await scene.says(channel(), said(4, MIA))
    await oracle(scene, channel())


async def test_what_is_heard_behind_what_was_out_of_sight_is_not_taken_for_what_comes_next(scene: Scene) -> None:
    """Several channels are back at once, and in the last of them somebody writes while the first are written."""
    await scene.catch_up(channel(), OTHER)
    opened = await scene.spans(channel())
    await scene.says(OTHER, said(1, MIA))
    scene.log.post(channel(), said(2, MIA))  # out of sight for a moment
    losing = asyncio.create_task(scene.follower.channels_hidden([OTHER.channel_id, CHANNEL]))
    await asyncio.sleep(0)
    await scene.says(channel(), said(3, MIA))
    await losing
    await scene.follower.settle()
    assert await scene.spans(channel()) == opened
    back = [ChannelSnapshot(place, at(1), stale=True) for place in (channel(), OTHER)]
    await scene.follower.catch_up(back, scene.follower.session)
    await oracle(scene, channel(), OTHER)


async def test_what_is_being_written_when_its_channel_gets_out_of_sight_is_context_of_what_is_left(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anna's message follows Noah's, which is not on record yet, and is no answer to Mia's before it."""
    await scene.catch_up(channel())
    await scene.says(channel(), said(1, MIA, mentions=[ANNA]))
    await scene.follower.settle()
    record, begun, written = scene.recorder.record, asyncio.Event(), asyncio.Event()

    async def slowly(stretch: Stretch, context: ContextSource) -> Recorded:
        begun.set()
        await written.wait()
        return await record(stretch, context)

    monkeypatch.setattr(scene.recorder, "record", slowly)
    await scene.says(channel(), said(2, NOAH))
    writing = asyncio.create_task(scene.follower.settle())
    await asyncio.wait_for(begun.wait(), PATIENCE)
    await scene.says(channel(), said(2.5, ANNA))
    losing = asyncio.create_task(scene.follower.channels_hidden([CHANNEL]))
    await asyncio.sleep(0)
    written.set()
    await asyncio.gather(writing, losing)
    await scene.catch_up(channel())
    await oracle(scene, channel())


async def test_what_is_heard_again_while_it_is_written_hides_no_gap(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is on record then; a pending message would mean that the history has to bring nothing after it."""
    await scene.catch_up(channel())
    record, begun, written = scene.recorder.record, asyncio.Event(), asyncio.Event()

    async def slowly(stretch: Stretch, context: ContextSource) -> Recorded:
        begun.set()
        await written.wait()
        return await record(stretch, context)

    monkeypatch.setattr(scene.recorder, "record", slowly)
    await scene.says(channel(), said(1, MIA))
    writing = asyncio.create_task(scene.follower.settle())
    await asyncio.wait_for(begun.wait(), PATIENCE)
    scene.follower.interrupted()
    await scene.heard(channel(), said(1, MIA))
    written.set()
    await writing
    scene.log.post(channel(), said(2, NOAH), said(3, MIA))
    scene.log.unreadable.add(CHANNEL)
    await scene.catch_up(channel())
    assert await scene.gaps() == {CHANNEL: (Span(at(1) + 1, at(3)),)}


async def test_what_is_said_before_a_thread_is_in_sight_is_fetched_when_it_is(scene: Scene) -> None:
    """It came out of the archive, and the message was quicker than the news of it."""
    await scene.catch_up(channel())
    place = thread(MIA, at(3), parent_id=CHANNEL)
    scene.log.post(place, said(4, MIA))
    scene.follower.note_out_of_sight(at(3), at(4))
    await scene.follower.catch_up([ChannelSnapshot(place, 0)], scene.follower.session)
    await oracle(scene, channel(), place)


async def test_a_thread_in_the_archive_is_kept_in_memory_no_longer_than_something_is_to_be_written(
    running: Scene,
) -> None:
    await running.catch_up(channel())
    place = thread(MIA, at(3), parent_id=CHANNEL)
    await running.follower.follow_new(place, running.follower.session)
    async with running.database.writing():
        await running.says(place, said(4, MIA))
        running.follower.thread_archived(at(3))
        await asyncio.sleep(3 * HOLD)
        assert running.follower.knows(at(3))
    async with asyncio.timeout(PATIENCE):
        while running.follower.knows(at(3)):
            await asyncio.sleep(0.01)
    running.log.post(place, said(9, MIA))
    await running.follower.catch_up([running.log.snapshot(place)], running.follower.session)
    await running.says(place, said(10, MIA))
    await oracle(running, channel(), place)


async def test_what_was_heard_out_of_sight_is_fetched_whoever_sees_the_channel_first(scene: Scene) -> None:
    """The client's newest message may be an older one, and whoever follows the channel first decides what is read."""
    await scene.catch_up(channel())
    seen = scene.log.snapshot(channel())
    scene.follower.guild_hidden(GUILD)
    scene.log.post(channel(), said(1, MIA))
    scene.follower.note_out_of_sight(CHANNEL, at(1))
    scene.follower.interrupted(GUILD)
    await scene.follower.catch_up([seen], scene.follower.session)
    await scene.says(channel(), said(2, MIA))
    await oracle(scene, channel())


async def test_a_new_channel_that_cannot_be_read_is_followed_after_a_known_gap(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its guild must not wait for it for ever."""
    monkeypatch.setattr("bot.services.record.retry.RETRY_SECONDS", 0.0)
    await scene.catch_up(channel())
    place = thread(MIA, at(3), parent_id=CHANNEL)
    await scene.follower.follow_new(place, scene.follower.session)
    await scene.says(place, said(4, MIA))
    await scene.follower.settle()
    scene.follower.interrupted()
    await scene.catch_up(channel())
    scene.log.post(place, said(5, MIA))

    async def fails(_place: Place, _page: object) -> None:
        raise OSError("away")

    scene.log.during_page = fails
    async with asyncio.timeout(PATIENCE):
        await scene.follower.follow_new(place, scene.follower.session)
    assert scene.follower.behind(GUILD) == 0
    assert place.channel_id in await scene.gaps()


async def test_a_thread_that_came_out_of_the_archive_in_time_is_kept(scene: Scene) -> None:
    await scene.catch_up(channel())
    place = thread(MIA, at(3), parent_id=CHANNEL)
    await scene.follower.follow_new(place, scene.follower.session)
    scene.follower.thread_archived(at(3))
    scene.follower.thread_active(at(3))
    await scene.follower.settle()
    assert scene.follower.knows(at(3))


async def test_a_message_quicker_than_the_news_that_its_known_thread_is_active_is_fetched(running: Scene) -> None:
    """The client knows the thread no longer, the follower still does: what comes next must not hide it."""
    await running.catch_up(channel())
    place = thread(MIA, at(3), parent_id=CHANNEL)
    await running.follower.follow_new(place, running.follower.session)
    running.log.post(place, said(4, MIA))
    running.follower.note_out_of_sight(at(3), at(4))
    await running.says(place, said(5, NOAH))
    await all_caught_up(running)
    await oracle(running, channel(), place)


async def test_a_channel_that_waits_for_discord_does_not_keep_the_others_waiting(running: Scene) -> None:
    """Neither those that were heard nor what was deleted."""
    answer = asyncio.Event()
    running.log.post(channel(), said(-1, NOAH))
    await running.catch_up(channel(), OTHER)
    await running.says(OTHER, said(0.5, ANNA, mentions=[MIA]))
    await running.follower.settle()

    async def hangs(_place: Place, _page: object) -> None:
        await answer.wait()

    running.log.during_page = hangs
    await running.says(channel(), said(1, ANNA))  # who spoke before? that takes context
    await running.says(OTHER, said(2, MIA))
    async with asyncio.timeout(PATIENCE):
        while sum(row[3] for row in (await rows(running.database))["activity"]) < 2:
            await asyncio.sleep(0.01)
        running.follower.messages_deleted(OTHER.channel_id, [at(0.5)])
        while (await rows(running.database))["touch"]:
            await asyncio.sleep(0.01)
    answer.set()
    assert await running.messages() == 3


# The buffer.


async def test_one_that_comes_late_does_not_wait_for_room(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those after it are written only when it is: it must not be passed over."""
    monkeypatch.setattr("bot.services.record.buffer.BUFFER_LIMIT", 5)
    await scene.catch_up(channel())
    messages = chatter(Random(22), 6)
    scene.log.post(channel(), *messages)
    await scene.heard(channel(), *messages[1:])
    await asyncio.wait_for(scene.heard(channel(), messages[0]), PATIENCE)
    assert await scene.messages() == 0
    await scene.catch_up(channel())
    await oracle(scene, channel())


async def test_who_waits_for_room_loses_nothing_to_the_history(running: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.services.record.buffer.BUFFER_LIMIT", 5)
    await running.catch_up(channel())
    asked = running.log.requests
    for message in [said(1 + number / 100, MIA) for number in range(60)]:
        if (room := running.follower.room()) is not None:
            await room
        await running.says(channel(), message)
        assert running.follower.caught_up
    assert running.log.requests == asked
    await oracle(running, channel())


async def test_nobody_waits_for_room_again_while_nothing_can_be_written(
    running: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.services.record.buffer.BUFFER_LIMIT", 5)
    monkeypatch.setattr("bot.services.record.buffer.ROOM_SECONDS", 0.05)
    await running.catch_up(channel())
    async with running.database.writing():
        await running.says(channel(), *(said(1 + number / 100, MIA) for number in range(5)))
        waiting = running.follower.room()
        assert waiting is not None
        await waiting
        assert running.follower.room() is None
    await running.follower.settle()
    await running.says(channel(), *(said(2 + number / 100, MIA) for number in range(5)))
    waiting = running.follower.room()  # there was room meanwhile
    assert waiting is not None
    await waiting


async def test_context_is_fetched_once_for_all_that_follows(scene: Scene) -> None:
    scene.log.post(channel(), *(said(-8 + number / 100, NOAH) for number in range(120)))
    await scene.catch_up(channel())
    for number in range(5):
        await scene.says(channel(), said(1 + number, MIA), said(1.5 + number, ANNA))
        await scene.follower.settle()
        if number == 0:
            asked = scene.log.requests
    assert asked
    assert scene.log.requests == asked
    await oracle(scene, channel())


async def test_context_is_fetched_again_for_somebody_who_became_a_manager(scene: Scene) -> None:
    """What they were told before was not kept: it concerned no manager."""
    await scene.catch_up(channel())
    await scene.says(channel(), said(1, OLE), said(1.1, NOAH, to=(1, OLE)))
    await scene.says(channel(), *(said(1.2 + number / 100, NOAH if number % 2 else MIA) for number in range(80)))
    await scene.follower.settle()
    async with scene.database.writing() as connection:
        await managers.add(connection, GUILD, [OLE])
    await scene.says(channel(), said(3, NOAH), said(3.1, OLE))
    touch = (await scene.recorded())["touch"]
    assert len(touch) == 1
    assert "answer" in touch[0]
    assert scene.log.requests


async def told_at_once(scene: Scene, talks: dict[Place, list[Message]]) -> int:
    """The gateway's way: a task for each event, whatever became of the earlier ones; returns how many tasks stay."""
    others = len(asyncio.all_tasks())
    for turn in zip(*talks.values(), strict=True):
        for place, message in zip(talks, turn, strict=True):
            asyncio.create_task(scene.says(place, message))  # noqa: RUF006 - as discord.py does
        await asyncio.sleep(0)
    await asyncio.sleep(10 * HOLD)
    return len(asyncio.all_tasks()) - others


async def all_caught_up(scene: Scene) -> None:
    async with asyncio.timeout(PATIENCE):
        while not scene.follower.caught_up:
            await asyncio.sleep(0.01)


TALKING = [channel(CHANNEL + number) for number in range(6)]


async def test_a_flood_while_nothing_can_be_written_is_not_held_and_fetched_once_it_can(
    running: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else holds the database. Nothing waits for it but what writes."""
    monkeypatch.setattr("bot.services.record.buffer.BUFFER_LIMIT", 100)
    await running.catch_up(*TALKING)
    talks = {place: chatter(Random(number), 250, begin=1 + number / 100) for number, place in enumerate(TALKING)}
    async with running.database.writing():
        assert await told_at_once(running, talks) <= 3 * len(TALKING)
        assert running.follower.behind(GUILD) == len(TALKING)
        assert running.log.requests <= 1  # one channel begins; it cannot be written, so no other does
    await all_caught_up(running)
    assert running.log.requests <= 5 * len(TALKING)  # three pages each, and one with context now and then
    await running.says(channel(), said(400, MIA))
    await oracle(running, *TALKING)


async def test_a_flood_while_the_store_refuses_asks_for_one_channel_now_and_then(
    running: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("bot.services.record.buffer.BUFFER_LIMIT", 100)
    monkeypatch.setattr("bot.services.record.retry.RETRY_SECONDS", 600.0)
    monkeypatch.setattr("bot.services.record.retry.LONGEST_DELAY_SECONDS", 600.0)
    monkeypatch.setattr("bot.services.record.follower.RETRY_SECONDS", 0.05)
    await running.catch_up(*TALKING)
    talks = {place: chatter(Random(number), 150, begin=1 + number / 100) for number, place in enumerate(TALKING)}
    with mock.patch.object(Recorder, "record", side_effect=StoreError("The disk is full.")):
        assert await told_at_once(running, talks) <= 3 * len(TALKING)
        for tries in (1, 2):
            async with asyncio.timeout(PATIENCE):
                while caplog.text.count("trying again in 600 s") < tries:
                    await asyncio.sleep(0.01)
            assert running.log.requests == tries
            pass_seconds(601)
    await all_caught_up(running)
    left = [line for line in caplog.messages if "left to its history" in line]
    assert len(left) == len(TALKING)  # not a line for each message
    await oracle(running, *TALKING)


async def test_a_channel_whose_catch_up_hangs_keeps_no_other_waiting(running: Scene) -> None:
    """The one that begins gets no answer, but something else is recorded."""
    await running.catch_up(channel(), OTHER)
    answer = asyncio.Event()

    async def hangs(place: Place, _page: object) -> None:
        if place == channel():
            await answer.wait()

    running.log.during_page = hangs
    for place, minute in ((channel(), 1), (OTHER, 1.5)):
        running.log.post(place, said(minute, MIA))
        with pytest.raises(LookupError), running.follower.receiving(place, at(minute)):
            raise LookupError("Discord does not answer")
    third = channel(CHANNEL + 9)
    await running.follower.follow_new(third, running.follower.session)
    await running.says(third, said(2, NOAH))
    async with asyncio.timeout(PATIENCE):
        while running.follower.behind(GUILD) > 1:
            await asyncio.sleep(0.01)
    assert await running.messages() == 2
    answer.set()
    await all_caught_up(running)
    await oracle(running, channel(), OTHER, third)


async def test_what_was_left_before_an_interruption_is_caught_up_with_by_the_next_session_alone(
    running: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.services.record.buffer.BUFFER_LIMIT", 2)
    await running.catch_up(channel())
    async with running.database.writing():
        await running.says(channel(), *chatter(Random(24), 3))
        running.follower.interrupted()
    await asyncio.sleep(5 * HOLD)
    assert not running.follower.caught_up
    assert running.log.requests == 0
    await running.catch_up(channel())
    await oracle(running, channel())


async def test_a_channel_first_heard_of_when_there_is_no_room_is_recorded_from_that_message_on(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.watched()
    await scene.catch_up(channel())
    monkeypatch.setattr("bot.services.record.buffer.BUFFER_LIMIT", 1)
    await scene.says(channel(), said(1, MIA))
    old = channel(CHANNEL - 5)
    scene.log.post(old, said(-3, NOAH))
    await scene.says(old, said(2, MIA), said(3, NOAH))
    await scene.follower.settle()
    await scene.follower.catch_up([scene.log.snapshot(old)], scene.follower.session)
    assert await scene.messages() == 3


async def test_what_finds_no_room_while_a_gap_is_noted_is_not_passed_over(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was dropped is part of the gap, as it would be had it come before; what is held is recorded."""
    monkeypatch.setattr("bot.services.record.buffer.BUFFER_LIMIT", 1)
    await scene.catch_up(channel())
    scene.follower.interrupted(GUILD)
    scene.log.post(channel(), said(1, MIA))
    scene.log.unreadable.add(CHANNEL)
    note = Gaps.note

    async def slowly(gaps: Gaps, place: Place, gap: Span | None, reason: str) -> None:
        if gap is not None and gap.last_id == at(1):
            await scene.says(channel(), said(2, NOAH), said(3, NOAH))
        await note(gaps, place, gap, reason)

    monkeypatch.setattr(Gaps, "note", slowly)
    await scene.catch_up(channel())
    assert await scene.messages() == 1
    missing = await scene.gaps()
    assert sum(span.last_id - span.first_id + 1 for span in missing[CHANNEL]) == at(3) - 1 - at(0)


async def test_a_deletion_is_honoured_however_long_its_message_was_held(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its channel waits for Discord, and so many others are deleted meanwhile that this one is not remembered."""
    monkeypatch.setattr("bot.services.record.recent_ids.MOST_KEPT", 4)
    await scene.catch_up(channel())
    await scene.says(channel(), said(1, MIA, mentions=[ANNA]), said(2, ANNA, to=(1, MIA)))
    scene.follower.messages_deleted(CHANNEL, [at(2)])
    scene.follower.messages_deleted(CHANNEL + 5, range(10))
    await scene.follower._deletions.take_back()  # at once, long before what is held is written
    found = await scene.recorded()
    assert found["touch"] == []
    assert [row[0] for row in found["waiting"]] == [at(1)]


async def test_a_message_deleted_long_ago_is_no_context(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Noah's message was the last before Anna's, but it is gone, so hers follows Mia's and answers it."""
    monkeypatch.setattr("bot.services.record.recent_ids.MOST_KEPT", 4)
    await scene.catch_up(channel())
    await scene.says(channel(), said(1, MIA, mentions=[ANNA]), said(2, NOAH))
    await scene.follower.settle()
    scene.follower.messages_deleted(CHANNEL, [at(2)])
    scene.follower.messages_deleted(CHANNEL + 5, range(10))
    await scene.follower.settle()
    await scene.says(channel(), said(2.5, ANNA))
    assert [row[:2] for row in (await scene.recorded())["touch"]] == [(at(2.5), MIA)]


async def test_a_deleted_channel_makes_room_for_the_others(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing writes what was received of it any more."""
    monkeypatch.setattr("bot.services.record.buffer.BUFFER_LIMIT", 5)
    await scene.catch_up(channel(), OTHER)
    await scene.says(channel(), *chatter(Random(23), 5))
    scene.follower.channel_deleted(CHANNEL)
    await asyncio.wait_for(scene.says(OTHER, said(10, MIA)), PATIENCE)
    assert await scene.messages() == 1


async def test_a_buffer_full_of_what_the_pages_bring_anyway_is_left_to_them(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The channel has to catch up first, so writing cannot make room; dropping what it heard can."""
    monkeypatch.setattr("bot.services.record.buffer.BUFFER_LIMIT", 10)
    await scene.catch_up(channel())
    scene.follower.interrupted()
    messages = chatter(Random(18), 35)
    await asyncio.wait_for(scene.says(channel(), *messages), PATIENCE)
    await scene.catch_up(channel())
    await oracle(scene, channel())


# New channels and threads.


async def test_a_new_thread_is_heard_from_its_first_message_without_a_request(scene: Scene) -> None:
    await scene.catch_up(channel())
    place = thread(MIA, at(3), parent_id=CHANNEL)
    await scene.follower.follow_new(place, scene.follower.session)
    await scene.says(place, said(4, MIA), said(5, ANNA))
    await scene.follower.settle()
    assert scene.log.requests == 0
    assert await scene.spans(place) == (Span(at(3), at(5)),)
    found = await scene.recorded()
    assert [row[0] for row in found["waiting"]] == [at(4)]
    assert [(row[0], row[1]) for row in found["touch"]] == [(at(5), MIA)]


async def test_a_thread_made_twice_over_is_followed_once(scene: Scene) -> None:
    """`THREAD_CREATE` also comes when somebody is added to a thread that is known."""
    await scene.catch_up(channel())
    place = thread(MIA, at(3), parent_id=CHANNEL)
    for _ in range(2):
        await scene.follower.follow_new(place, scene.follower.session)
        await scene.says(place, said(4, MIA))
        await scene.follower.settle()
    assert await scene.messages() == 1


async def test_an_interruption_while_the_disk_writes_leaves_no_context_behind(scene: Scene) -> None:
    """What was heard before may have been deleted unheard: it is asked for anew."""
    await scene.catch_up(channel())
    await scene.says(channel(), said(1, NOAH))
    recording = asyncio.create_task(scene.follower.settle())
    await asyncio.sleep(HOLD + 0.001)
    scene.follower.interrupted()
    await recording
    scene.log.delete(channel(), at(1))
    await scene.catch_up(channel())
    await scene.says(channel(), said(2, ANNA))
    await scene.follower.settle()
    assert scene.log.requests > 0


async def test_a_new_thread_of_an_interrupted_session_has_to_catch_up(scene: Scene) -> None:
    await scene.catch_up(channel())
    session = scene.follower.session
    scene.follower.interrupted()
    place = thread(MIA, at(3), parent_id=CHANNEL)
    scene.log.post(place, said(4, MIA))
    await scene.follower.follow_new(place, session)
    assert not scene.follower.caught_up
    await scene.catch_up(channel(), place)
    assert scene.follower.caught_up
    await oracle(scene, channel(), place)


async def test_a_channel_heard_before_anything_else_is_known_of_it(scene: Scene) -> None:
    """A thread that was there before Spade came: its first span opens with its channel's."""
    await scene.watched()
    scene.log.post(channel(), said(-1, NOAH))
    await scene.catch_up(channel())
    old = thread(MIA, at(-500), parent_id=CHANNEL)
    scene.log.post(old, said(-400, MIA), said(-300, NOAH))
    await scene.says(old, said(5, MIA))
    await scene.catch_up(channel(), old)
    assert await scene.messages() == 1
    assert (await scene.spans(old))[-1].last_id == at(5)
    assert (await scene.spans(old))[0].first_id > at(-300)


async def test_a_channel_made_while_spade_was_there_is_recorded_from_its_beginning(scene: Scene) -> None:
    await scene.watched()
    new = channel(at(10))
    scene.log.post(new, *chatter(Random(19), 30, begin=11))
    await scene.catch_up(new)
    assert await scene.spans(new) == (Span(at(10), scene.log.all_of(new)[-1].message_id),)
    await oracle(scene, new)


async def test_a_threads_record_opens_where_its_channels_does_whichever_is_looked_at_first(scene: Scene) -> None:
    """That of a forum, where nothing was ever said, opens in the moment in which Spade came."""
    forum = channel()
    posts = [thread(MIA, at(-2000 + number), parent_id=CHANNEL) for number in range(8)]
    for number, post in enumerate(posts):
        scene.log.post(post, said(-1500, MIA), said(-1400, ANNA), said(1 + number, MIA), said(20, ANNA))
    await scene.watched()
    await scene.catch_up(*posts, forum)
    assert {await scene.spans(post) for post in posts} == {(Span(at(0) + 1, at(20)),)}
    assert await scene.messages() == 16


async def test_a_forum_goes_on_where_an_import_ended(scene: Scene) -> None:
    """A post of the time between the export and Spade's coming belongs on record, awake or in the archive."""
    before = thread(MIA, at(-9000), parent_id=None)
    await scene.recorder.record(whole(before, said(-9000, MIA), said(-8000, NOAH)), NoContext())
    between = thread(MIA, at(-3000), parent_id=CHANNEL)
    scene.log.post(between, said(-3000, MIA), said(-2900, ANNA))
    scene.log.post(before, said(-2000, MIA))
    await scene.watched()
    assert at(-9000 - 1440) < ((await scene.archives.unsearched(GUILD)).begins(CHANNEL) or 0) <= at(-9000)
    await scene.catch_up(channel(), before, between)
    assert await scene.messages() == 5
    assert await scene.spans(between) == (Span(between.channel_id, at(-2900)),)


async def test_a_threads_record_opens_with_what_is_missing_of_its_channels(scene: Scene) -> None:
    """Nobody may read the channel's history for a while, and what is said live goes on record before the gap does."""
    await scene.watched()
    room, inside = channel(at(1)), thread(MIA, at(2), parent_id=at(1))
    scene.log.post(room, said(2, MIA), said(3, NOAH))
    scene.log.post(inside, said(4, MIA), said(5, NOAH))
    scene.log.unreadable.add(room.channel_id)
    await scene.catch_up(room)
    await scene.says(room, said(6, NOAH))
    assert await scene.spans(room) == (Span(at(3) + 1, at(6)),)
    assert (await scene.gaps()) == {at(1): (Span(at(1), at(3)),)}
    await scene.catch_up(room, inside)
    assert await scene.spans(inside) == (Span(at(2), at(5)),)
    assert (await scene.archives.unsearched(GUILD)).begins(at(1)) == at(1)


async def test_a_message_that_was_still_being_read_when_its_channel_got_out_of_sight_is_left_to_history(
    scene: Scene,
) -> None:
    """What was said while the channel could not be seen lies between it and what is heard next."""
    await scene.catch_up(channel())
    scene.log.post(channel(), said(1, MIA), said(2, NOAH), said(3, MIA))
    with scene.follower.receiving(channel(), at(1)) as heard:
        await scene.follower.channels_hidden([CHANNEL])
        heard(said(1, MIA))
    assert scene.follower.caught_up  # nobody waits for what is out of sight
    with scene.follower.receiving(channel(), at(2)) as heard:
        await scene.follower.channels_hidden([CHANNEL])
        await scene.heard(channel(), said(3, MIA))
        heard(said(2, NOAH))
    scene.log.unreadable.add(CHANNEL)
    await scene.follower.catch_up([ChannelSnapshot(channel(), at(3), stale=True)], scene.follower.session)
    scene.log.unreadable.clear()
    await scene.says(channel(), said(4, NOAH))
    await scene.follower.retry_gaps()
    await oracle(scene, channel())


async def test_a_thread_in_the_archive_gets_out_of_sight_with_its_channel(scene: Scene) -> None:
    """Somebody may wake it up there, unheard."""
    old = thread(MIA, at(1), parent_id=CHANNEL)
    scene.log.post(old, said(2, MIA))
    await scene.catch_up(channel(), old)
    await scene.follower.channels_hidden([CHANNEL])
    scene.log.post(old, said(3, NOAH))
    assert not scene.follower.knows(old.channel_id)
    await scene.follower.catch_up([scene.log.snapshot(old)], scene.follower.session)
    await scene.says(old, said(4, MIA))
    await oracle(scene, channel(), old)


# Deletes.


@pytest.mark.parametrize("when", ["before", "buffered", "written", "in a page", "while deaf"])
async def test_a_deleted_message_neither_touches_nor_waits(scene: Scene, when: str) -> None:
    """Whenever the delete comes; what was sent stays counted unless nobody ever saw it."""
    await scene.catch_up(channel())
    question, answer = said(1, MIA, mentions=[ANNA]), said(2, ANNA, to=(1, MIA))
    ids = (at(1), at(2))
    if when == "before":
        scene.follower.messages_deleted(CHANNEL, ids)
    if when in {"in a page", "while deaf"}:
        scene.follower.interrupted()
        scene.deaf = True
    await scene.says(channel(), question, answer, said(3, NOAH))
    if when == "written":
        await scene.follower.settle()
        assert len((await rows(scene.database))["touch"]) == 1
    if when in {"buffered", "written"}:
        scene.follower.messages_deleted(CHANNEL, ids)

    async def delete(_place: Place, _page: object) -> None:
        scene.follower.messages_deleted(CHANNEL, ids)

    if when == "in a page":
        scene.log.during_page = delete
    if when == "while deaf":
        scene.log.delete(channel(), *ids)
    await scene.catch_up(channel())
    found = await scene.recorded()
    assert found["touch"] == found["waiting"] == found["waiting_for"] == []
    assert sum(row[3] for row in found["activity"]) == (1 if when == "while deaf" else 3)


async def test_what_is_said_after_a_deleted_message_is_judged_without_it(scene: Scene) -> None:
    """Noah's message was deleted before any of them was written, so Anna's follows Mia's and answers it."""
    await scene.catch_up(channel())
    await scene.says(channel(), said(1, MIA, mentions=[ANNA]), said(2, NOAH), said(2.5, ANNA))
    scene.follower.messages_deleted(CHANNEL, [at(2)])
    assert [row[:2] for row in (await scene.recorded())["touch"]] == [(at(2.5), MIA)]


async def test_deletes_that_the_store_refused_are_taken_back_later(scene: Scene) -> None:
    await scene.catch_up(channel())
    await scene.says(channel(), said(1, MIA), said(2, ANNA, to=(1, MIA)))
    await scene.follower.settle()
    scene.follower.messages_deleted(CHANNEL, [at(2)])
    with mock.patch.object(Recorder, "take_back", side_effect=StoreError("full")), pytest.raises(StoreError):
        await scene.follower.flush()
    assert len((await rows(scene.database))["touch"]) == 1
    await scene.follower.flush()
    assert (await rows(scene.database))["touch"] == []


async def test_what_was_deleted_is_taken_back_at_once(scene: Scene) -> None:
    """Nobody says it a second time: a crash must not come first, whatever is held back."""
    await scene.catch_up(channel())
    await scene.says(channel(), said(1, MIA), said(2, ANNA, to=(1, MIA)))
    await scene.follower.settle()
    follower = scene_of(scene.database, scene.log, hold_seconds=3600).follower
    task = asyncio.create_task(follower.run())
    await asyncio.sleep(0.01)
    follower.messages_deleted(CHANNEL, [at(2)])
    async with asyncio.timeout(PATIENCE):
        while (await rows(scene.database))["touch"]:
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_what_is_heard_and_deleted_before_its_channel_has_caught_up_was_said_all_the_same(scene: Scene) -> None:
    await scene.catch_up(channel())
    await scene.says(channel(), said(1, NOAH))
    await scene.follower.channels_hidden([CHANNEL])
    scene.log.post(channel(), said(2, ANNA))
    await scene.says(channel(), said(3, MIA, mentions=[ANNA]), said(4, ANNA, to=(3, MIA)), said(5, NOAH))
    scene.log.delete(channel(), at(3), at(4))
    scene.follower.messages_deleted(CHANNEL, [at(3), at(4)])
    await scene.follower.catch_up([scene.log.snapshot(channel())], scene.follower.session)
    found = await scene.recorded()
    assert sum(row[3] for row in found["activity"]) == 5
    assert found["touch"] == found["waiting"] == []


async def test_a_deleted_channel_takes_the_touches_of_its_archived_threads_along(scene: Scene) -> None:
    place = thread(MIA, at(-5), parent_id=CHANNEL)
    await scene.catch_up(channel(), place)
    await scene.says(place, said(1, MIA, mentions=[ANNA]), said(2, ANNA, to=(1, MIA)))
    assert len((await scene.recorded())["touch"]) == 1
    scene.follower.channel_deleted(CHANNEL)
    found = await scene.recorded()
    assert found["touch"] == found["waiting"] == []
    await scene.says(place, said(3, ANNA, to=(1, MIA)))  # a page on its way
    assert (await scene.recorded())["touch"] == []


async def test_a_deleted_channel_takes_its_touches_with_it(scene: Scene) -> None:
    await scene.catch_up(channel(), OTHER)
    for minute, place in ((1, channel()), (11, OTHER)):
        await scene.says(place, said(minute, MIA, mentions=[ANNA]), said(minute + 1, ANNA, to=(minute, MIA)))
    await scene.follower.settle()
    assert len((await rows(scene.database))["touch"]) == 2
    await scene.says(channel(), said(3, ANNA, to=(1, MIA)))  # still in the buffer
    scene.follower.channel_deleted(CHANNEL)
    scene.follower.channel_deleted(777)  # never seen
    found = await scene.recorded()
    assert {row[4] for row in found["touch"]} == {OTHER.channel_id}
    assert {row[2] for row in found["waiting"]} == {OTHER.channel_id}
    assert not scene.follower.knows(CHANNEL)
    assert scene.follower.caught_up


async def test_a_channel_deleted_while_it_catches_up_stays_gone(scene: Scene) -> None:
    await scene.catch_up(channel())
    scene.follower.interrupted()
    scene.log.post(channel(), said(1, MIA, mentions=[ANNA]), said(2, ANNA, to=(1, MIA)))

    async def gone(_place: Place, _page: object) -> None:
        scene.follower.channel_deleted(CHANNEL)
        await scene.follower.flush()

    scene.log.during_page = gone
    await scene.catch_up(channel())
    found = await scene.recorded()
    assert found["touch"] == found["waiting"] == []


async def test_a_channel_that_is_gone_when_it_is_asked_for_leaves_no_gap(scene: Scene) -> None:
    await scene.catch_up(channel())
    scene.follower.interrupted()
    scene.log.post(channel(), said(1, MIA))

    async def gone(_place: Place, _page: object) -> None:
        scene.follower.channel_deleted(CHANNEL)
        raise UnreadableHistoryError("Unknown Channel")

    scene.log.during_page = gone
    await scene.catch_up(channel())
    assert await scene.gaps() == {}


# A long, unkind story.


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_happens_the_record_is_what_a_spade_that_was_always_there_would_have(
    scene: Scene, seed: int
) -> None:
    """Live events, repetitions, disorder, interruptions, deafness and restarts, at random in three channels."""
    random = Random(seed)
    places = [channel(), OTHER, thread(MIA, at(0.5), parent_id=CHANNEL)]
    await scene.watched()
    await scene.catch_up(*places)
    minute = 1.0
    current = scene
    for _ in range(30):
        place = random.choice(places)
        burst = chatter(random, random.choice([1, 2, 5, 60]), begin=minute, step=random.choice([0.1, 1.5]))
        minute += len(burst) * 1.5 + random.choice([0.1, 3, 70])
        event = random.choice(["live", "live", "live", "twice", "disorder", "deaf", "interrupted", "restart", "settle"])
        if event == "deaf":
            current.follower.interrupted()
            current.log.post(place, *burst)
            await current.catch_up(*places)
        elif event == "disorder":
            random.shuffle(burst)
            await current.says(place, *burst)
        elif event == "restart":
            await current.says(place, *burst)
            current = scene_of(scene.database, scene.log)
            await current.catch_up(*places)
        else:
            await current.says(place, *burst)
            if event == "twice":
                await current.heard(place, *burst)
            elif event == "interrupted":
                current.follower.interrupted()
                await current.catch_up(*places)
            elif event == "settle":
                await current.follower.settle()
    assert current.follower.caught_up
    for place in places:
        assert len(await current.spans(place)) == 1
    assert first_id_at(moment(minute)) > current.follower.newest_received_id
    await oracle(current, *places)
