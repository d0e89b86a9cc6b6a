"""A trouble of one guild or one channel stays there: gaps, retention, and answers from the record."""

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, select

from bot.clock import DrivenClock
from bot.domain.guild import GuildSettings
from bot.domain.message import Message
from bot.domain.rules import Rules
from bot.domain.span import Span
from bot.domain.stretch import Place, Stretch
from bot.services.guild.retention import Retention
from bot.services.guild_reader import GuildReader, unwritten_for_answer
from bot.services.record.follower import Follower
from bot.services.record.recorder import ContextSource, Recorded, Recorder
from bot.store import guilds, retention, spans, tables
from bot.store.database import Connection, Database
from tests.support.channel_log import ChannelLog
from tests.support.days import a_day
from tests.support.messages import CHANNEL, GUILD, MIA, NOAH, at, channel, moment, said
from tests.support.patience import PATIENCE
from tests.support.rows import days_written

ELSEWHERE = replace(channel(CHANNEL + 9), guild_id=GUILD + 1)
OTHER = channel(CHANNEL + 5)


async def follow(follower: Follower, log: ChannelLog, *places: Place) -> None:
    follower.expect_guilds({place.guild_id for place in places})
    await follower.catch_up([log.snapshot(place) for place in places], follower.session)
    for place in places:
        follower.guild_complete(place.guild_id, follower.session)


async def hears(follower: Follower, place: Place, *messages: Message) -> None:
    for message in messages:
        with follower.receiving(place, message.message_id) as take:
            take(message)


async def test_a_guild_whose_history_hangs_holds_up_no_other_guilds_gaps(database: Database) -> None:
    log = ChannelLog()
    follower = Follower(database, Recorder(database, Rules()), log, DrivenClock(moment(0)), hold_seconds=0.01)
    for place in (channel(), ELSEWHERE):
        log.post(place, said(1, MIA))
    await follow(follower, log, channel(), ELSEWHERE)
    async with database.writing() as connection:
        for place in (channel(), ELSEWHERE):
            await spans.add_known_gap(connection, place.guild_id, place.channel_id, Span(at(0), at(1)), "refused")

    async def hang(place: Place, _page: tuple[Message, ...]) -> None:
        if place.guild_id == GUILD:
            await asyncio.sleep(3600)

    log.during_page = hang
    retrying = asyncio.create_task(follower.retry_gaps())
    async with asyncio.timeout(PATIENCE):
        while True:
            async with database.reading() as connection:
                if not await spans.known_gaps(connection, ELSEWHERE.guild_id):
                    break
            await asyncio.sleep(0.01)
    assert not retrying.done()
    retrying.cancel()


async def test_a_guild_that_cannot_be_purged_holds_up_no_other_and_is_tried_again(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = DrivenClock(moment(0))
    purging = Retention(database, clock)
    old = (clock.now() - timedelta(days=900)).date()
    async with database.writing() as connection:
        for guild_id in (GUILD, GUILD + 1):
            await guilds.save(connection, GuildSettings(guild_id, ZoneInfo("UTC"), keep_months=12))
            await connection.execute(insert(tables.activity).values(a_day(guild_id, MIA, old)))
    forget_before = retention.forget_before

    async def fails(connection: Connection, guild_id: int, *rest: object) -> int:
        if guild_id == GUILD:
            raise ValueError("no")
        return await forget_before(connection, guild_id, *rest)

    monkeypatch.setattr(retention, "forget_before", fails)
    assert await purging.purge_due() == 1
    assert await purging.purge_due() == 0
    assert caplog.text.count("retention of server") == 1
    monkeypatch.undo()
    clock.set(moment(1))
    assert await purging.purge_due() == 1
    async with database.reading() as connection:
        assert (await connection.execute(select(tables.activity))).all() == []


class OneBadChannel(Recorder):
    """Cannot record one channel."""

    bad = True

    async def record(self, stretch: Stretch, context: ContextSource) -> Recorded:
        if self.bad and stretch.place.channel_id == CHANNEL:
            raise ValueError("this one never succeeds")
        return await super().record(stretch, context)


async def test_a_channel_that_cannot_be_written_does_not_prevent_answers_which_say_so(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    log, clock, recorder = ChannelLog(), DrivenClock(moment(0)), OneBadChannel(database, Rules())
    follower = Follower(database, recorder, log, clock, hold_seconds=0.01)
    async with database.writing() as connection:
        await guilds.save(connection, GuildSettings(GUILD, ZoneInfo("UTC")))
    await follow(follower, log, channel(), OTHER)
    await hears(follower, channel(), said(1, MIA), said(2, NOAH))
    await hears(follower, OTHER, said(1.5, NOAH))
    reader = GuildReader(database, clock, follower.settle, follower.received)
    with pytest.raises(ValueError, match="never succeeds"):
        await reader.settle(GUILD)  # what Spade sends by itself waits
    async with reader.settled(GUILD) as guild:
        assert guild is not None
        written = await days_written(guild.connection)
    assert [row[3] for row in written] == [1]
    assert unwritten_for_answer() == {CHANNEL: 2}
    assert await reader.unwritten(GUILD + 1) == {}
    recorder.bad = False
    assert await reader.unwritten(GUILD) == {}
    await reader.settle_for_answer(GUILD)
    assert unwritten_for_answer() == {}


async def test_a_channel_that_is_never_written_is_one_line_in_the_log(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("bot.services.record.follower.RETRY_SECONDS", 0.01)
    log, recorder = ChannelLog(), OneBadChannel(database, Rules())
    follower = Follower(database, recorder, log, DrivenClock(moment(0)), hold_seconds=0.01)
    await follow(follower, log, channel(), OTHER)
    running = asyncio.create_task(follower.run())
    for trouble in (1, 2):
        recorder.bad = True
        await hears(follower, channel(), said(trouble, MIA))
        for minute in range(5):  # the other channel is written all the while
            await hears(follower, OTHER, said(10 * trouble + minute, NOAH))
            async with asyncio.timeout(PATIENCE):
                while follower.received(GUILD) != {CHANNEL: 1}:
                    await asyncio.sleep(0.01)
            await asyncio.sleep(0.03)
        assert caplog.text.count("Recording failed") == trouble
        recorder.bad = False
        async with asyncio.timeout(PATIENCE):
            while follower.received(GUILD):
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.03)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


class Slow(OneBadChannel):
    """Records nothing at all, but for ever."""

    async def record(self, stretch: Stretch, context: ContextSource) -> Recorded:
        await asyncio.sleep(3600)
        return await super().record(stretch, context)


@pytest.mark.parametrize("kind", [OneBadChannel, Slow])
async def test_a_channel_that_cannot_be_written_does_not_prevent_a_stop(
    kind: type[OneBadChannel], database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("bot.services.record.follower.LAST_SECONDS", 0.1)
    log = ChannelLog()
    follower = Follower(database, kind(database, Rules()), log, DrivenClock(moment(0)), hold_seconds=0.01)
    await follow(follower, log, channel())
    await hears(follower, channel(), said(1, MIA))
    async with asyncio.timeout(PATIENCE):
        await follower.settle_last()
    assert caplog.text.count("What was heard last is not on record") == 1
