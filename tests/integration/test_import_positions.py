"""Files do not move the end of a record that Spade kept itself: what a file lacks is fetched all the same."""

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.clock import DrivenClock
from bot.domain.guild import GuildSettings
from bot.domain.history_job import JobKind, LeftOut, Unread
from bot.domain.message import Message, MessageKind
from bot.domain.rules import Rules
from bot.domain.snowflake import moment_of
from bot.domain.span import Span
from bot.domain.stretch import Place
from bot.services.record.follower import Follower
from bot.services.record.positions import Positions
from bot.services.record.recorder import Recorder
from bot.services.record.thread_archives import ThreadArchives
from bot.store import guilds, history_jobs, managers, spans, unread
from bot.store.database import Database
from bot.store.spans import RecordEnd
from tests.imports.history import GUILD, MANAGERS
from tests.imports.record import import_paths
from tests.support.channel_log import ChannelLog
from tests.support.exported import (
    ANNA,
    CHANNEL,
    MIA,
    NOAH,
    OLE,
    START,
    Exports,
    at,
    entry,
    messages_of,
    reply,
    touches,
    waiting,
)

ROOM = Place(GUILD, CHANNEL)


def said(minute: float, author: int, *, mentions: tuple[int, ...] = ()) -> Message:
    return Message(at(minute), author, mentions=frozenset(mentions))


def replied(minute: float, author: int, to: float, whom: int) -> Message:
    return Message(at(minute), author, MessageKind.REPLY, reply_to_id=at(to), reply_to_author_id=whom)


MISSED = (said(10, MIA), replied(11, ANNA, 10, MIA), said(12, MIA, mentions=(ANNA,)), said(20, OLE))
"""What is written while Spade is away; the files have the last message alone."""


class Away:
    """A server whose bot comes and goes; the clock stands where the last message is."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.exports = Exports(folder)
        self.log = ChannelLog()
        self.clock = DrivenClock(START)

    async def session(self, *places: Place) -> None:
        """The bot starts, sees these channels, catches up and stops."""
        follower = Follower(self.database, Recorder(self.database, Rules()), self.log, self.clock, hold_seconds=0)
        follower.expect_guilds([GUILD])
        await follower.catch_up([self.log.snapshot(place) for place in places], follower.session)
        await follower.flush()

    async def imports(self, path: Path, *, new_manager: int | None = None) -> None:
        await import_paths(self.database, [path], [*MANAGERS, *([new_manager] if new_manager else [])])

    async def holds_what_was_missed(self) -> None:
        found = await messages_of(self.database)
        assert (found[MIA], found[ANNA], found[OLE]) == (2, 1, 1)
        assert await touches(self.database) == [(11, "reply", ANNA, MIA)]
        assert await waiting(self.database) == [(12, MIA)]


@pytest.fixture
async def away(database: Database, tmp_path: Path) -> Away:
    async with database.writing() as connection:
        await guilds.save(connection, GuildSettings(GUILD, ZoneInfo("UTC")))
        await managers.add(connection, GUILD, MANAGERS)
        await guilds.watch(connection, GUILD, START)
    return Away(database, tmp_path)


async def test_a_file_with_the_newest_message_does_not_hide_what_was_missed(away: Away) -> None:
    away.log.post(ROOM, said(-5, MIA))
    await away.session(ROOM)
    away.log.post(ROOM, *MISSED)
    away.clock.set(START + timedelta(minutes=30))
    await away.imports(away.exports.file(entry(20, OLE), after=19))
    assert await Positions(away.database, away.clock).recorded_until(ROOM) == at(-5) + 1
    async with away.database.reading() as connection:
        assert (await spans.reaches(connection, GUILD))[CHANNEL] == Span(at(-5) + 1, at(-5) + 1)
    await away.session(ROOM)
    await away.holds_what_was_missed()
    async with away.database.reading() as connection:
        assert await spans.of_channel(connection, CHANNEL) == (Span(at(-5) + 1, at(20)),)


async def test_a_known_gap_is_the_end_of_a_record_too(away: Away) -> None:
    async with away.database.writing() as connection:
        await spans.add_known_gap(connection, GUILD, CHANNEL, Span(at(0), at(9)), "not for Spade")
    away.log.post(ROOM, *MISSED)
    await away.imports(away.exports.file(entry(20, OLE), after=19))
    await away.session(ROOM)
    await away.holds_what_was_missed()


async def test_a_record_that_files_began_is_spades_own_from_the_first_session(away: Away) -> None:
    """There was nothing to fetch in it, and yet Spade was there."""
    await away.imports(away.exports.file(entry(-9, NOAH, type="GuildMemberJoin")))
    away.log.post(ROOM, Message(at(-9), None, MessageKind.OTHER))
    await away.session(ROOM)
    away.log.post(ROOM, *MISSED)
    await away.imports(away.exports.file(entry(20, OLE), after=19))
    await away.session(ROOM)
    await away.holds_what_was_missed()


async def test_a_thread_that_was_made_meanwhile_is_read_from_its_start(away: Away) -> None:
    thread = Place(GUILD, at(9), is_thread=True, parent_id=CHANNEL, opener_id=None)
    away.log.post(ROOM, said(-5, MIA))
    await away.session(ROOM)
    away.log.post(thread, *MISSED)
    away.clock.set(START + timedelta(minutes=30))
    await away.imports(away.exports.thread(entry(20, OLE), opened=9, after=19))
    scope = await ThreadArchives(away.database, away.clock).unsearched(GUILD)
    assert scope.ends[thread.channel_id] == thread.channel_id - 1  # so a search of archives finds it
    await away.session(ROOM, thread)
    await away.holds_what_was_missed()


async def test_a_channel_that_was_made_meanwhile_is_read_from_its_start(away: Away) -> None:
    made = Place(GUILD, at(9))
    away.log.post(made, *MISSED)
    await away.imports(away.exports.file(entry(20, OLE), channel=at(9), after=19))
    async with away.database.reading() as connection:
        assert await spans.ends(connection, GUILD) == {at(9): at(9) - 1}
    await away.session(made)
    await away.holds_what_was_missed()


async def test_an_older_thread_is_read_from_where_its_channel_was_followed(away: Away) -> None:
    thread = Place(GUILD, CHANNEL + 1, is_thread=True, parent_id=CHANNEL, opener_id=None)
    away.log.post(ROOM, said(5, NOAH))
    away.log.post(thread, said(4, NOAH), *MISSED)
    async with away.database.writing() as connection:
        await spans.add(connection, ROOM, Span(at(5) + 1, at(6)))
    await away.imports(
        away.exports.file(entry(20, OLE), channel=CHANNEL + 1, kind="GuildPublicThread", category=CHANNEL, after=19)
    )
    async with away.database.reading() as connection:
        assert (await spans.ends(connection, GUILD))[CHANNEL + 1] == at(5) + 1
        assert await spans.end_of(connection, thread) == RecordEnd(at(5) + 1, told=False)
    await away.session(ROOM, thread)
    await away.holds_what_was_missed()


async def test_archives_are_searched_from_where_discord_was_last_heard(away: Away) -> None:
    archives = ThreadArchives(away.database, away.clock)
    await away.imports(away.exports.file(entry(-50, OLE), entry(5000, OLE)))
    assert (await archives.unsearched(GUILD)).from_at == START  # when Spade came
    await archives.mark_searched(GUILD)
    async with away.database.writing() as connection:
        await spans.add(connection, Place(GUILD, CHANNEL + 5), Span(at(1), at(10)))
    assert (await archives.unsearched(GUILD)).from_at == moment_of(at(10))
    await archives.mark_searched(GUILD)
    async with away.database.writing() as connection:
        await guilds.forget(connection, GUILD)
    await away.imports(away.exports.file(entry(-50, OLE)))
    assert (await archives.unsearched(GUILD)).from_at == moment_of(at(-50))


async def test_what_is_behind_a_record_is_not_read_again_for_a_manager_before_it_is_fetched(away: Away) -> None:
    """It would close the stretch, and what was missed would seem to be on record."""
    async with away.database.writing() as connection:
        await spans.add(connection, ROOM, Span(at(0), at(10)))
    await away.imports(away.exports.file(entry(5, OLE), entry(20, OLE)))
    await away.imports(away.exports.file(entry(15, OLE), channel=CHANNEL + 1))
    await away.imports(away.exports.file(entry(30, OLE), channel=at(25)), new_manager=NOAH)
    async with away.database.reading() as connection:
        (job,) = await history_jobs.unfinished(connection, GUILD)
        listed = await unread.of_job(connection, GUILD, job.job_id)
    assert {one.channel_id: one.stretches for one in listed} == {
        CHANNEL: (Span(at(0), at(10)),),
        CHANNEL + 1: (Span(at(15), at(15)),),
    }


async def test_a_reply_in_a_file_before_the_record_is_no_end_of_it(away: Away) -> None:
    async with away.database.writing() as connection:
        await spans.add(connection, ROOM, Span(at(9), at(10)))
    await away.imports(away.exports.file(entry(0, MIA), reply(1, ANNA, 0)))
    async with away.database.reading() as connection:
        assert await spans.reach_of(connection, CHANNEL) == Span(at(0), at(10))
        assert await spans.end_of(connection, ROOM) == RecordEnd(at(10), told=True)


async def test_a_thread_whose_channel_only_files_tell_waits_on_a_list_while_that_is_excluded(away: Away) -> None:
    await away.imports(away.exports.thread(entry(0, MIA), entry(1, OLE), opened=0))
    async with away.database.writing() as connection:
        job = await history_jobs.add(connection, GUILD, JobKind.BACKFILL, START, START)
        await unread.add(connection, GUILD, job.job_id, [Unread(at(0), None, (Span(at(0), at(1)),))])
        await unread.leave_out(connection, [job.job_id], at(0), LeftOut.FORBIDDEN)
        assert await unread.left_out(connection, GUILD) == {LeftOut.FORBIDDEN: (at(0),)}
        await guilds.set_excluded_channels(connection, GUILD, [CHANNEL])
        assert await unread.left_out(connection, GUILD) == {}
        assert await unread.of_job(connection, GUILD, job.job_id) == ()
        await guilds.set_excluded_channels(connection, GUILD, [])
        assert len(await unread.of_job(connection, GUILD, job.job_id)) == 1
