"""Channels that are excluded and count again: what was said meanwhile is on record, or known to be missing."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from bot.clock import DrivenClock
from bot.domain.message import Message
from bot.domain.rules import Rules
from bot.domain.span import Span
from bot.domain.stretch import Place
from bot.services.guild.settings import SettingsChange, SettingsService
from bot.services.members.roster import Roster
from bot.services.record.channel_snapshot import ChannelSnapshot
from bot.services.record.follower import Follower
from bot.services.record.recorder import Recorder
from bot.services.record.thread_archives import ThreadArchives
from bot.store import guilds, managers, spans
from bot.store.database import Database, open_database
from tests.support.channel_log import ChannelLog
from tests.support.messages import ANNA, CHANNEL, GUILD, MIA, at, channel, moment, said, thread
from tests.support.mortality import killed_after
from tests.support.rows import rows

OLD = thread(MIA, at(-30), parent_id=CHANNEL)
NEW = thread(MIA, at(2.5), parent_id=CHANNEL)
"""Begun while its channel is excluded."""


class Town:
    """One run of Spade in a guild whose channels are a log."""

    def __init__(self, database: Database, log: ChannelLog) -> None:
        clock = DrivenClock(moment(100))
        self.database, self.log = database, log
        self.archives = ThreadArchives(database, clock)
        self.follower = Follower(database, Recorder(database, Rules()), log, clock, hold_seconds=0)
        self.settings = SettingsService(database, Roster(database, clock), clock, self.follower.retry_gaps_soon)

    async def says(self, place: Place, *messages: Message) -> None:
        if not self.follower.knows(place.channel_id):
            await self.follower.follow_new(place, self.follower.session)
        self.log.post(place, *messages)
        for message in messages:
            with self.follower.receiving(place, message.message_id) as heard:
                heard(message)
        await self.follower.flush()

    async def starts(self, *active: Place) -> None:
        """Catch up as at the start of a session: with what is active, then with what changed in the archive."""
        scope = await self.archives.unsearched(GUILD)
        session = self.follower.session
        self.follower.expect_guilds([GUILD])
        await self.follower.catch_up([self.log.snapshot(place) for place in active], session)
        archived: list[ChannelSnapshot] = []
        for place in (OLD, NEW):
            snapshot = self.log.snapshot(place)
            known, begins = scope.recorded.get(place.channel_id), scope.begins(CHANNEL)
            since = known.last_id if known is not None else begins
            if since is not None and snapshot.last_message_id > since and place not in active:
                archived.append(snapshot)
        await self.follower.catch_up(archived, session)
        self.follower.guild_complete(GUILD, session)
        await self.archives.mark_searched(GUILD)
        await self.follower.retry_gaps()

    async def excludes(self, *channel_ids: int) -> None:
        await self.settings.change(GUILD, SettingsChange(exclude=channel_ids))

    async def includes(self, *channel_ids: int) -> None:
        await self.settings.change(GUILD, SettingsChange(include=channel_ids))

    async def recorded(self) -> int:
        """How many messages are counted in all."""
        await self.follower.settle()
        return sum(row[3] for row in (await rows(self.database))["activity"])

    async def excluded(self) -> bool:
        async with self.database.reading() as connection:
            return bool(await guilds.excluded_channels(connection, GUILD))

    async def gaps(self) -> dict[int, tuple[Span, ...]]:
        async with self.database.reading() as connection:
            return await spans.known_gaps(connection, GUILD, counted=True)

    async def lost(self, place: Place) -> list[int]:
        """The messages that are behind the position of their channel, in no span and in no gap."""
        async with self.database.reading() as connection:
            found = await spans.of_channel(connection, place.channel_id)
            gaps = await spans.known_gaps_of(connection, place.channel_id)
            reach = await spans.reach_of(connection, place.channel_id)
        return [
            message.message_id
            for message in self.log.all_of(place)
            if reach is not None
            and reach.first_id <= message.message_id <= reach.last_id
            and not any(span.holds(message.message_id) for span in (*found, *gaps))
        ]


async def opened(database: Database) -> Town:
    """Spade has been in the guild for a while, and has heard of the channel and of one thread."""
    async with database.writing() as connection:
        await managers.add(connection, GUILD, [ANNA])
        await guilds.watch(connection, GUILD, moment(-100))
    log = ChannelLog()
    log.post(channel())
    town = Town(database, log)
    await town.starts(channel(), OLD)
    return town


@pytest.fixture
async def town(database: Database) -> Town:
    return await opened(database)


async def story(town: Town, place: Place) -> None:
    """Three messages while the channel is excluded, three when it counts again; a thread is archived in between."""
    await town.excludes(CHANNEL)
    for minute in (3, 4, 5):
        await town.says(place, said(minute, MIA))
    town.follower.thread_archived(place.channel_id)
    await town.includes(CHANNEL)
    town.follower.thread_active(place.channel_id)
    for minute in (6, 7, 8):
        await town.says(place, said(minute, MIA))
    await town.follower.retry_gaps()


@pytest.mark.parametrize(
    ("place", "archived"),
    [(channel(), False), (OLD, False), (NEW, True)],
    ids=["channel", "thread", "new thread in the archive"],
)
async def test_a_kill_between_any_two_transactions_loses_nothing_of_what_was_excluded(
    place: Place,
    archived: bool,
    sqlite_template: Path,
    tmp_path: Path,
) -> None:
    """Whatever was committed, all six are on record in the end; until then none is lost without a known gap."""
    path = tmp_path / "spade.db"
    shutil.copyfile(sqlite_template, path)
    database = await open_database(f"sqlite:///{path}", write=True)
    commits, died = 0, True
    try:
        while died:
            async with database.writing() as connection:
                await guilds.purge(connection, GUILD)
            town = await opened(database)
            died = await killed_after(database, commits, story(town, place))
            assert await town.lost(place) == [], commits
            again = Town(database, town.log)
            await again.starts(channel(), *(() if archived or not place.is_thread else (place,)))
            assert await again.lost(place) == [], commits
            if await again.excluded():
                assert await again.recorded() == 0, commits
            await again.includes(CHANNEL)
            await again.follower.retry_gaps()
            said_before = len(town.log.all_of(place))
            for minute in range(3 + said_before, 9):
                await again.says(place, said(minute, MIA))
            assert (await again.recorded(), await again.gaps()) == (6, {}), commits
            commits += 1
    finally:
        await database.close()
    assert commits > 8


async def test_what_is_said_in_an_excluded_channel_is_a_gap_that_does_not_count_until_it_does(town: Town) -> None:
    """One gap, however many batches; of a thread that began meanwhile as well. No page is asked for."""
    await town.excludes(CHANNEL)
    requests = town.log.requests
    for place in (channel(), NEW):
        for minute in (3, 4, 5):
            await town.says(place, said(minute, MIA))
    town.follower.retry_gaps_soon()
    assert await town.follower.retry_gaps() == 0
    assert (await town.recorded(), await town.gaps(), town.log.requests) == (0, {}, requests)
    await town.includes(CHANNEL)
    assert {channel_id: len(gaps) for channel_id, gaps in (await town.gaps()).items()} == {
        CHANNEL: 1,
        NEW.channel_id: 1,
    }
    assert await town.follower.retry_gaps() == 2
    assert (await town.recorded(), await town.gaps()) == (6, {})


async def test_a_channel_excluded_again_while_its_gap_is_filled_is_recorded_no_further(town: Town) -> None:
    await town.excludes(CHANNEL)
    for minute in range(1, 151):
        town.log.post(channel(), said(minute / 10, MIA))
    await town.says(channel(), said(20, MIA))
    await town.includes(CHANNEL)

    async def excluded_again(_place: Place, page: tuple[Message, ...]) -> None:
        if page and page[0].message_id > at(5):
            await town.excludes(CHANNEL)

    town.log.during_page = excluded_again
    await town.follower.retry_gaps()
    assert (await town.recorded(), await town.gaps()) == (100, {})
    town.log.during_page = None
    await town.includes(CHANNEL)
    await town.follower.retry_gaps()
    assert (await town.recorded(), await town.gaps()) == (151, {})


async def test_a_channel_out_of_sight_while_it_is_excluded_is_missing_up_to_now(town: Town) -> None:
    """Its newest message is not known when it is back, so the next one that is heard tells nothing of those before."""
    await town.excludes(CHANNEL)
    town.follower.interrupted()
    town.log.post(channel(), *(said(minute, MIA) for minute in (3, 4, 5)))
    unknown = replace(town.log.snapshot(channel()), last_message_id=0, stale=True)
    await town.follower.catch_up([unknown], town.follower.session)
    town.follower.guild_complete(GUILD, town.follower.session)
    await town.includes(CHANNEL)
    await town.says(channel(), said(101, MIA))
    await town.follower.retry_gaps()
    assert (await town.recorded(), await town.gaps()) == (4, {})


async def test_a_deleted_channel_takes_the_gaps_of_threads_along_that_are_in_no_span(town: Town) -> None:
    await town.excludes(CHANNEL)
    await town.says(NEW, said(3, MIA))
    await town.includes(CHANNEL)
    assert list(await town.gaps()) == [NEW.channel_id]
    town.follower.channel_deleted(CHANNEL)
    await town.follower.flush()
    assert await town.gaps() == {}
