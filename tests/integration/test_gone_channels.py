"""Channels that were deleted while Spade was away: what stood in them goes, and nothing else does."""

from collections.abc import Awaitable, Callable

import pytest

from bot.clock import DrivenClock
from bot.domain.rules import Rules
from bot.domain.stretch import Place
from bot.services.record.follower import Follower
from bot.services.record.history import UnreadableHistoryError
from bot.services.record.recorder import Recorder
from bot.store import guilds, managers, spans
from bot.store.database import Database
from tests.support.channel_log import ChannelLog
from tests.support.messages import ANNA, CHANNEL, GUILD, MIA, at, channel, moment, said, thread
from tests.support.rows import rows

OTHER = channel(CHANNEL + 5)
IN_ARCHIVE = thread(MIA, at(-30), parent_id=OTHER.channel_id)
OF_GONE = thread(MIA, at(-20), parent_id=CHANNEL)
EVERYTHING = (channel(), OTHER, IN_ARCHIVE, OF_GONE)


class Town:
    """A manager's reply and an open question in every channel; then Spade was away, and is back."""

    def __init__(self, database: Database) -> None:
        self.database, self.log = database, ChannelLog()
        self.follower = Follower(
            database, Recorder(database, Rules()), self.log, DrivenClock(moment(0)), hold_seconds=0
        )

    async def catch_up(self, *places: Place) -> None:
        session = self.follower.session
        self.follower.expect_guilds([GUILD])
        await self.follower.catch_up([self.log.snapshot(place) for place in places], session)
        self.follower.guild_complete(GUILD, session)

    async def look(self, *present: Place) -> None:
        ids = [place.channel_id for place in present]
        await self.follower.look_for_deleted(GUILD, ids, self.follower.session)

    async def stands_in(self) -> set[int]:
        """The channels with touches and waiting messages; in each there is as much of both."""
        found = await rows(self.database)
        touched = {row[4] for row in found["touch"]}
        assert touched == {row[2] for row in found["waiting"]}
        return touched

    async def gaps(self) -> set[int]:
        async with self.database.reading() as connection:
            return set(await spans.known_gaps(connection, GUILD))


@pytest.fixture
async def town(database: Database) -> Town:
    async with database.writing() as connection:
        await managers.add(connection, GUILD, [ANNA])
        await guilds.watch(connection, GUILD, moment(-100))
    town = Town(database)
    await town.catch_up(*EVERYTHING)
    for number, place in enumerate(EVERYTHING):
        begin = 4 * number + 1
        messages = [said(begin, MIA), said(begin + 1, ANNA, to=(begin, MIA)), said(begin + 2, MIA, mentions=[ANNA])]
        town.log.post(place, *messages)
        for message in messages:
            with town.follower.receiving(place, message.message_id) as heard:
                heard(message)
    await town.follower.flush()
    town.follower.interrupted()
    return town


async def test_a_channel_that_is_not_in_the_guild_any_more_goes_with_its_threads(town: Town) -> None:
    """Archived threads are never listed: those of channels that are there are not even asked about."""
    town.log.gone |= {CHANNEL, OF_GONE.channel_id}
    await town.catch_up(OTHER)
    await town.look(OTHER)
    assert await town.stands_in() == {OTHER.channel_id, IN_ARCHIVE.channel_id}
    assert town.log.asked == [CHANNEL]
    await town.look(OTHER)
    assert town.log.asked == [CHANNEL]


async def test_a_channel_that_discord_knows_or_refuses_stays_and_is_asked_about_once(town: Town) -> None:
    town.log.unreadable.add(CHANNEL)
    await town.catch_up(OTHER)
    for _ in range(2):
        await town.look(OTHER)
    town.log.unreadable.clear()
    assert town.log.asked == [CHANNEL]
    assert await town.stands_in() == {place.channel_id for place in EVERYTHING}


async def fails(_town: Town) -> None:
    raise TimeoutError


async def refuses(_town: Town) -> None:
    raise UnreadableHistoryError("Missing Access")


async def hides_the_guild(town: Town) -> None:
    town.follower.guild_hidden(GUILD)


async def ends_the_session(town: Town) -> None:
    town.follower.interrupted(GUILD)


@pytest.mark.parametrize("trouble", [fails, refuses, hides_the_guild, ends_the_session])
async def test_a_refusal_an_outage_and_a_guild_out_of_sight_take_nothing_back(
    town: Town, monkeypatch: pytest.MonkeyPatch, trouble: Callable[[Town], Awaitable[None]]
) -> None:
    """Whether a gap is tried or the channel is not listed. What Discord says while the guild goes is not believed."""
    town.log.unreadable.add(CHANNEL)
    town.log.post(channel(), said(50, MIA))
    await town.catch_up(channel(), OTHER)
    assert await town.gaps() == {CHANNEL}
    town.follower.interrupted()
    await town.catch_up(OTHER)
    town.log.unreadable.clear()
    town.log.gone.add(CHANNEL)
    answered = town.log.place

    async def in_trouble(guild_id: int, channel_id: int) -> Place:
        await trouble(town)
        return await answered(guild_id, channel_id)

    monkeypatch.setattr(town.log, "place", in_trouble)
    town.follower.retry_gaps_soon()
    await town.follower.retry_gaps()
    await town.look(OTHER)
    assert await town.gaps() == {CHANNEL}
    assert await town.stands_in() == {place.channel_id for place in EVERYTHING}
    if trouble in (fails, refuses):  # the guild is in sight all the while, and in the end Discord says what is so
        monkeypatch.undo()
        town.follower.retry_gaps_soon()
        await town.follower.retry_gaps()
        assert await town.gaps() == set()
        assert await town.stands_in() == {OTHER.channel_id, IN_ARCHIVE.channel_id}


async def test_the_gap_of_a_deleted_thread_ends_whose_channel_is_there(town: Town) -> None:
    """In the archive, where nothing but its gap makes Spade ask for it."""
    town.log.unreadable.add(IN_ARCHIVE.channel_id)
    town.log.post(IN_ARCHIVE, said(50, MIA))
    await town.catch_up(*EVERYTHING)
    assert await town.gaps() == {IN_ARCHIVE.channel_id}
    town.log.unreadable.clear()
    town.log.gone.add(IN_ARCHIVE.channel_id)
    town.follower.interrupted()
    await town.catch_up(channel(), OTHER)
    await town.look(channel(), OTHER)
    town.follower.retry_gaps_soon()
    assert await town.follower.retry_gaps() == 1
    assert await town.gaps() == set()
    assert await town.stands_in() == {CHANNEL, OTHER.channel_id, OF_GONE.channel_id}
    assert await town.follower.retry_gaps() == 0


async def test_a_channel_that_spade_sees_is_left_to_its_deletion(town: Town) -> None:
    town.log.unreadable.add(CHANNEL)
    town.log.post(channel(), said(50, MIA))
    await town.catch_up(*EVERYTHING)
    town.log.unreadable.clear()
    town.log.gone.add(CHANNEL)
    await town.look(OTHER)
    assert await town.gaps() == {CHANNEL}
    assert await town.stands_in() == {place.channel_id for place in EVERYTHING}
