"""What jobs that read history cannot read stays open until it is read, whatever happens meanwhile."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from shutil import copyfile
from typing import Any, Self
from zoneinfo import ZoneInfo

import pytest

from bot.clock import DrivenClock, UnsureTimeError
from bot.domain.guild import GuildSettings
from bot.domain.history_job import JobKind, LeftOut
from bot.domain.message import Message, MessageKind
from bot.domain.rules import Rules
from bot.domain.span import Span
from bot.domain.stretch import Place
from bot.services.digest.report import Reporter
from bot.services.guild.retention import Retention
from bot.services.guild.settings import SettingsChange, SettingsService
from bot.services.members.roster import Roster
from bot.services.record import gaps
from bot.services.record.channel_snapshot import ChannelSnapshot
from bot.services.record.follower import Follower
from bot.services.record.history import GoneChannelError, NoMessagesError, UnreadableHistoryError
from bot.services.record.history_reader import HistoryReader
from bot.services.record.recorder import Recorder
from bot.store import forgetting, guilds, history_jobs, managers, spans, tables, unread
from bot.store.database import Database, open_database
from tests.support.channel_log import ChannelLog
from tests.support.messages import ANNA, BEN, CHANNEL, GUILD, MIA, NOAH, START, at, channel, moment, said, thread, whole
from tests.support.no_context import NoContext
from tests.support.rows import rows
from tests.support.statements import statements

GENERAL, OTHER = channel(), channel(CHANNEL + 5)
SIDE = thread(MIA, at(-50), parent_id=OTHER.channel_id)
TALK = {
    GENERAL: (said(0, MIA), said(1, BEN, to=(0, MIA))),
    OTHER: (said(2, MIA, mentions=[BEN]), said(3, BEN, to=(2, MIA)), said(4, NOAH), said(5, ANNA, to=(4, NOAH))),
    SIDE: (said(6, MIA), said(7, BEN)),
}
OF_ANNA = {(at(5), NOAH, ANNA, "reply")}
IN_GENERAL = {(at(1), MIA, BEN, "reply")}
ELSEWHERE = {(at(3), MIA, BEN, "reply"), (at(7), MIA, BEN, "thread")}
ALL = OF_ANNA | IN_GENERAL | ELSEWHERE


class Log(ChannelLog):
    """A log whose channels can be deleted, too, or have no messages of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: dict[int, UnreadableHistoryError] = {}

    async def place(self, guild_id: int, channel_id: int) -> Place:
        if channel_id in self.refused:
            raise self.refused[channel_id]
        return await super().place(guild_id, channel_id)


class Shown:
    """The channels that a guild shows; `hidden` is the guild, `closed` are the channels with a closed archive."""

    def __init__(self, log: Log, *places: Place) -> None:
        self.log, self.places, self.hidden = log, places, False
        self.closed: set[int] = set()
        self.threads: dict[int, list[ChannelSnapshot]] = {}
        self.whole = True

    def shown(self, _guild_id: int) -> Sequence[ChannelSnapshot] | None:
        return None if self.hidden else [self.log.snapshot(place) for place in self.places]

    async def archived(self, _guild_id: int, channel_id: int, _since_id: int) -> tuple[Sequence[ChannelSnapshot], bool]:
        if channel_id in self.closed:
            raise UnreadableHistoryError("closed")
        return self.threads.get(channel_id, []), self.whole


@dataclass
class Scene:
    """A guild on a database, as one process knows it."""

    database: Database
    log: Log = field(default_factory=Log)
    clock: DrivenClock = field(default_factory=lambda: DrivenClock(moment(1000)))

    def __post_init__(self) -> None:
        self.recorder = Recorder(self.database, Rules())
        self.channels = Shown(self.log, GENERAL, OTHER)
        self.roster = Roster(self.database, self.clock)
        self.reader = self.restarted()
        self.settings = SettingsService(self.database, self.roster, self.clock, self.fill_soon)

    def fill_soon(self) -> None:
        """Channels count again; the reader may be another one by then."""
        self.reader.retry_soon()

    def restarted(self) -> HistoryReader:
        self.reader = HistoryReader(self.database, self.recorder, self.log, self.channels, self.clock)
        return self.reader

    async def recorded(self) -> Self:
        """The guild with all talk on record, when Anna was its only manager."""
        async with self.database.writing() as connection:
            await guilds.save(connection, GuildSettings(GUILD, ZoneInfo("UTC")))
            await managers.add(connection, GUILD, [ANNA])
        for place, said_there in TALK.items():
            self.log.post(place, *said_there)
            await self.recorder.record(whole(place, *said_there), NoContext())
        return self

    async def appoint(self, *people: int) -> None:
        await self.settings.change(GUILD, SettingsChange(add_managers=people))
        await self.read()

    async def dismiss(self, *people: int) -> None:
        await self.settings.change(GUILD, SettingsChange(remove_managers=people))

    async def read(self) -> None:
        await self.reader.resume(GUILD)
        await self.ended()

    async def retried(self) -> None:
        await self.reader.retry_due()
        await self.ended()

    async def ended(self) -> None:
        for progress in self.reader.progress(GUILD):
            await self.reader.wait(progress.job)

    async def touches(self) -> set[tuple[Any, ...]]:
        return {(row[0], row[1], row[2], row[5]) for row in (await rows(self.database))["touch"]}

    async def complete(self) -> bool:
        report = await Reporter(self.database, Rules()).week(GUILD, START.date())
        assert report is not None
        return report.complete

    async def open(self) -> int:
        """How many jobs are open."""
        async with self.database.reading() as connection:
            return len(await history_jobs.unfinished(connection, GUILD))

    async def left_out(self) -> dict[LeftOut, tuple[int, ...]]:
        async with self.database.reading() as connection:
            return await unread.left_out(connection, GUILD)


@pytest.fixture
def address(sqlite_template: Path, tmp_path: Path) -> str:
    """What depends on the kind of database is tested with the store."""
    copyfile(sqlite_template, tmp_path / "spade.db")
    return f"sqlite:///{tmp_path / 'spade.db'}"


@pytest.fixture
async def scene(database: Database) -> Scene:
    return await Scene(database).recorded()


# For a new manager.


@pytest.mark.parametrize("restart", [False, True])
async def test_what_may_not_be_read_for_a_new_manager_is_read_once_it_may(scene: Scene, restart: bool) -> None:
    scene.log.unreadable |= {OTHER.channel_id, SIDE.channel_id}
    await scene.appoint(BEN)
    assert await scene.touches() == OF_ANNA | IN_GENERAL
    assert await scene.left_out() == {LeftOut.FORBIDDEN: (OTHER.channel_id, SIDE.channel_id)}
    assert (await scene.open(), await scene.complete()) == (1, False)
    if restart:
        scene.restarted()
    await scene.retried()
    assert await scene.open() == 1
    requests = scene.log.requests
    scene.log.unreadable.clear()
    await scene.retried()  # a moment after the last time: nothing is tried
    assert (await scene.open(), scene.log.requests) == (1, requests)
    scene.reader.retry_soon()
    await scene.retried()
    assert await scene.touches() == ALL
    assert (await scene.open(), await scene.left_out(), await scene.complete()) == (0, {}, True)
    assert [row[0] for row in (await rows(scene.database))["waiting"] if row[0] == at(2)] == [at(2)]
    assert sum(row[3] for row in (await rows(scene.database))["activity"]) == 8


async def test_nothing_is_asked_or_given_up_while_the_guild_is_out_of_sight(scene: Scene) -> None:
    scene.channels.hidden = True
    scene.log.refused[OTHER.channel_id] = GoneChannelError("as an outage may say")
    await scene.appoint(BEN)
    assert (await scene.open(), await scene.complete(), scene.log.requests) == (1, False, 0)
    scene.log.refused.clear()
    scene.channels.hidden = False
    await scene.read()
    assert await scene.touches() == ALL
    assert (await scene.open(), await scene.complete()) == (0, True)


async def test_a_failure_leaves_a_channel_open_and_goes_on_by_itself(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.services.record.retry.RETRY_SECONDS", 0.0)
    monkeypatch.setattr(gaps, "GAP_RETRY_SECONDS", 0.0)

    async def fails(place: Place, _page: object) -> None:
        if place == OTHER:
            raise OSError("no answer")

    scene.log.during_page = fails
    await scene.appoint(BEN)
    assert await scene.left_out() == {LeftOut.UNANSWERED: (OTHER.channel_id,)}
    assert await scene.touches() == ALL - {(at(3), MIA, BEN, "reply")}
    scene.log.during_page = None
    await scene.retried()
    assert await scene.touches() == ALL
    assert await scene.open() == 0


async def test_what_cannot_be_judged_for_a_new_manager_stays_open(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What else is in the channel is read, and not again; the delay between the tries grows."""
    now = 0.0
    monkeypatch.setattr("bot.services.record.growing_delays._now", lambda: now)
    monkeypatch.setattr(gaps, "GAP_RETRY_SECONDS", 1000.0)
    unreadable = replace(TALK[SIDE][0], kind=MessageKind.UNREADABLE, author_id=None)
    later = said(8, BEN, to=(6, MIA))
    scene.log.post(SIDE, later)
    await scene.recorder.record(whole(SIDE, *TALK[SIDE], later), NoContext())
    scene.log.post(SIDE, unreadable)
    await scene.appoint(BEN)
    assert await scene.touches() == ALL - {(at(7), MIA, BEN, "thread")} | {(at(8), MIA, BEN, "reply")}
    assert await scene.left_out() == {LeftOut.UNREADABLE: (SIDE.channel_id,)}
    assert not await scene.complete()
    for now, tried in ((999.0, False), (1000.0, True), (2999.0, False), (3000.0, True), (6999.0, False)):
        requests = scene.log.requests
        await scene.read()
        assert (scene.log.requests > requests) is tried, now
    scene.log.post(SIDE, TALK[SIDE][0])
    now = 7000.0
    await scene.read()
    assert (await scene.open(), await scene.complete()) == (0, True)
    assert (at(7), MIA, BEN, "thread") in await scene.touches()


async def test_a_job_ends_with_its_manager_and_begins_anew_with_them(scene: Scene) -> None:
    """What they wrote in between, as a member, is among what is read."""
    scene.log.unreadable.add(OTHER.channel_id)
    await scene.appoint(BEN)
    await scene.dismiss(BEN)
    assert (await scene.open(), await scene.complete(), await scene.left_out()) == (0, True, {})
    between = said(9, BEN, to=(0, MIA))
    scene.log.post(GENERAL, between)
    await scene.recorder.record(whole(GENERAL, *TALK[GENERAL], between), NoContext())
    scene.log.unreadable.clear()
    await scene.read()
    assert (at(9), MIA, BEN, "reply") not in await scene.touches()
    await scene.appoint(BEN)
    assert await scene.touches() == ALL | {(at(9), MIA, BEN, "reply")}
    assert await scene.open() == 0


async def test_a_manager_who_is_removed_while_it_is_read_for_them_is_read_for_no_more(scene: Scene) -> None:
    async def removed(_place: Place, _page: object) -> None:
        scene.log.during_page = None
        await scene.dismiss(BEN)

    scene.log.during_page = removed
    await scene.appoint(BEN)
    assert BEN not in {row[2] for row in await scene.touches()}
    assert (await scene.open(), await scene.complete()) == (0, True)
    assert not any(progress.running for progress in scene.reader.progress(GUILD))


async def test_a_manager_named_or_removed_while_a_channel_catches_up_is_judged_alike(scene: Scene) -> None:
    """Between two pages: what was fetched before is read again, what comes after is recorded with them."""
    follower = Follower(scene.database, scene.recorder, scene.log, scene.clock, hold_seconds=0.01)
    new = [said(20 + minute, MIA if minute % 2 else BEN, to=None if minute % 2 else (2, MIA)) for minute in range(250)]
    scene.log.post(OTHER, *new)
    changes: list[Callable[[], Any]] = [
        lambda: scene.appoint(BEN),
        lambda: scene.dismiss(BEN),
        lambda: scene.appoint(BEN),
    ]

    async def change(place: Place, page: tuple[Message, ...]) -> None:
        if place == OTHER and page and page[0].message_id >= at(20) and changes:
            during, scene.log.during_page = scene.log.during_page, None
            await changes.pop(0)()
            scene.log.during_page = during

    scene.log.during_page = change
    follower.expect_guilds([GUILD])
    await follower.catch_up([scene.log.snapshot(OTHER)], follower.session)
    scene.log.during_page = None
    await scene.read()
    assert changes == []
    assert await scene.touches() == ALL | {(at(20 + minute), MIA, BEN, "reply") for minute in range(0, 250, 2)}
    assert await scene.open() == 0


async def test_roles_make_managers_for_whom_all_is_read_and_unmake_them(scene: Scene) -> None:
    """A role given, taken away, given again; then the person is named, and the role changes nothing any more."""
    await scene.settings.change(GUILD, SettingsChange(add_manager_role_id=77))
    scene.log.unreadable.add(OTHER.channel_id)

    async def seen(*role_ids: int) -> None:
        if await scene.roster.seen(GUILD, BEN, role_ids):
            await scene.read()

    await seen(77)
    assert (await scene.open(), await scene.complete()) == (1, False)
    await seen()
    assert (await scene.open(), await scene.complete()) == (0, True)
    await seen(77, 5)
    assert (await scene.open(), await scene.complete()) == (1, False)
    await scene.settings.change(GUILD, SettingsChange(remove_manager_roles=[77]))
    assert (await scene.open(), await scene.complete()) == (0, True)
    await scene.settings.change(GUILD, SettingsChange(add_manager_role_id=77))
    await seen(77)
    await scene.settings.change(GUILD, SettingsChange(add_managers=[BEN]))
    await seen()
    await scene.settings.change(GUILD, SettingsChange(remove_manager_roles=[77]))
    assert (await scene.open(), await scene.complete()) == (1, False)
    scene.log.unreadable.clear()
    await scene.read()
    assert await scene.touches() == ALL
    assert await scene.open() == 0


async def test_nothing_is_read_for_somebody_who_was_erased(scene: Scene) -> None:
    """Neither when they are named afterwards, nor when they go while it is read for them."""
    scene.log.unreadable.add(OTHER.channel_id)
    await scene.appoint(BEN, NOAH)
    async with scene.database.writing() as connection:
        for person in (BEN, NOAH):
            await forgetting.erase(connection, GUILD, person)
            await forgetting.remember(connection, GUILD, person)
    assert (await scene.open(), await scene.complete()) == (0, True)
    scene.log.unreadable.clear()
    await scene.read()
    await scene.appoint(BEN, NOAH)
    assert await scene.open() == 0
    assert await scene.touches() == set()
    assert (await rows(scene.database, tables.history_job_channel, tables.history_job_stretch)) == {
        "history_job_channel": [],
        "history_job_stretch": [],
    }


async def test_an_excluded_channel_is_read_once_it_counts_again(scene: Scene) -> None:
    """Whoever became a manager before it was excluded or meanwhile; its thread goes with it."""
    scene.log.unreadable |= {OTHER.channel_id, SIDE.channel_id}
    await scene.appoint(BEN)
    await scene.settings.change(GUILD, SettingsChange(exclude=[OTHER.channel_id]))
    scene.log.unreadable.clear()
    await scene.appoint(NOAH)
    assert await scene.touches() == OF_ANNA | IN_GENERAL
    assert (await scene.left_out(), await scene.complete()) == ({}, True)
    await scene.settings.change(GUILD, SettingsChange(include=[OTHER.channel_id]))
    assert not await scene.complete()
    await scene.read()
    assert await scene.touches() == ALL
    assert (await scene.open(), await scene.complete()) == (0, True)


async def test_a_channel_excluded_while_it_is_read_is_read_no_further(scene: Scene) -> None:
    async def excluded(place: Place, _page: object) -> None:
        if place == OTHER:
            await scene.settings.change(GUILD, SettingsChange(exclude=[OTHER.channel_id]))

    scene.log.during_page = excluded
    await scene.appoint(BEN)
    assert (at(3), MIA, BEN, "reply") not in await scene.touches()
    assert (await scene.left_out(), await scene.complete()) == ({}, True)
    scene.log.during_page = None
    await scene.settings.change(GUILD, SettingsChange(include=[OTHER.channel_id]))
    await scene.read()
    assert await scene.touches() == ALL
    assert await scene.open() == 0


async def test_a_channel_deleted_while_spade_was_away_keeps_no_job_open(scene: Scene) -> None:
    """Its touches are taken back; a channel that turns out to have no messages keeps none open, either."""
    scene.log.refused[OTHER.channel_id] = GoneChannelError("Unknown Channel")
    scene.log.refused[SIDE.channel_id] = NoMessagesError("a private thread")
    await scene.appoint(BEN)
    assert await scene.touches() == OF_ANNA | IN_GENERAL  # Spade sees the channel: it would hear of its deletion
    assert await scene.left_out() == {LeftOut.UNANSWERED: (OTHER.channel_id,)}
    scene.channels.places = (GENERAL,)
    scene.reader.retry_soon()
    await scene.retried()
    assert await scene.touches() == IN_GENERAL
    assert (await scene.open(), await scene.complete()) == (0, True)


class UncertainClock(DrivenClock):
    """A clock that may be wrong at times."""

    certain = True

    def sure_now(self) -> datetime:
        if not self.certain:
            raise UnsureTimeError
        return self.now()


async def test_what_is_older_than_the_guild_keeps_is_not_brought_back_for_a_new_manager(scene: Scene) -> None:
    """It was purged for good; what is purged while a job waits is not read either."""
    scene.clock = clock = UncertainClock(moment(0) + timedelta(days=100))
    scene.restarted()
    scene.log.unreadable |= {GENERAL.channel_id, OTHER.channel_id, SIDE.channel_id}
    settings = GuildSettings(GUILD, ZoneInfo("UTC"), keep_months=3)
    async with scene.database.writing() as connection:
        await guilds.save(connection, settings)
    assert await Retention(scene.database, scene.clock).purge_due() > 0
    purged = await scene.touches()
    clock.certain = False
    await scene.appoint(BEN)  # what is not certain is not left for good
    assert len((await scene.left_out())[LeftOut.FORBIDDEN]) == 3
    scene.log.unreadable.clear()
    requests = scene.log.requests
    clock.certain = True
    await scene.retried()
    assert (await scene.touches(), scene.log.requests, await scene.open()) == (purged, requests, 0)


async def test_what_still_may_not_be_read_is_logged_once(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    scene.log.unreadable |= {GENERAL.channel_id, OTHER.channel_id, SIDE.channel_id}
    await scene.appoint(BEN)
    assert "left out for now" in caplog.text
    caplog.clear()
    scene.reader.retry_soon()
    await scene.retried()
    assert not caplog.records


# Backfills.


async def test_an_archive_that_cannot_be_read_holds_up_no_messages_of_its_channel(database: Database) -> None:
    scene = Scene(database)
    scene.log.post(OTHER, said(10, MIA), said(11, MIA))
    scene.channels.whole = False
    job = await scene.reader.backfill(GUILD, moment(-100))
    progress = await scene.reader.wait(job)
    assert (progress.messages, progress.left_out) == (2, {LeftOut.UNREADABLE: (GENERAL.channel_id, OTHER.channel_id)})


async def test_listing_a_large_guild_asks_no_more_often_than_a_small_one(database: Database) -> None:
    """All that is recorded meanwhile waits for it."""
    asked: list[int] = []
    for some in (range(1, 4), range(10, 90)):
        scene = Scene(database)
        scene.channels.places = tuple(channel(CHANNEL + number) for number in some)
        for place in scene.channels.places:
            scene.log.post(place, said(0, MIA))
        async with database.writing() as connection:
            job = await history_jobs.add(connection, GUILD, JobKind.BACKFILL, moment(-100), moment(0))
        with statements() as counted:
            await scene.reader._reading._list_shown(job)
        asked.append(len(counted))
        async with database.reading() as connection:
            assert len(await unread.of_job(connection, GUILD, job.job_id)) == len(some)
    assert asked[0] == asked[1]


async def test_a_backfill_is_not_done_before_it_has_read_what_it_left_out(database: Database) -> None:
    """A channel, an archive that may not be listed, one with a thread that cannot be read, a channel out of sight."""
    scene = Scene(database)
    gone_from_sight, old = channel(CHANNEL + 9), thread(MIA, at(-40), parent_id=OTHER.channel_id)
    for place, minute in ((GENERAL, 0), (OTHER, 10), (old, 20), (gone_from_sight, 30)):
        scene.log.post(place, said(minute, MIA), said(minute + 1, MIA))
    async with database.writing() as connection:
        await spans.add(connection, gone_from_sight, Span(at(31), at(31)))
    scene.log.unreadable |= {OTHER.channel_id, gone_from_sight.channel_id}
    scene.channels.closed.add(OTHER.channel_id)
    scene.channels.threads[OTHER.channel_id] = [scene.log.snapshot(old)]
    job = await scene.reader.backfill(GUILD, moment(-100))
    progress = await scene.reader.wait(job)
    assert (progress.channels, progress.done, progress.messages, progress.finished) == (3, 1, 2, False)
    assert progress.left_out == {LeftOut.FORBIDDEN: (OTHER.channel_id, gone_from_sight.channel_id)}
    scene.log.unreadable.clear()
    await scene.read()
    progress = await scene.reader.wait(job)
    assert (progress.channels, progress.done, progress.messages, progress.finished) == (3, 3, 5, False)
    scene.restarted()
    scene.channels.closed.clear()
    scene.channels.whole = False
    await scene.read()
    progress = await scene.reader.wait(job)
    assert (progress.channels, progress.done, progress.messages, progress.finished) == (4, 4, 7, False)
    assert progress.left_out == {LeftOut.UNREADABLE: (OTHER.channel_id,)}
    scene.restarted()
    scene.channels.whole = True
    await scene.read()
    progress = await scene.reader.wait(job)
    assert (progress.channels, progress.done, progress.messages, progress.finished) == (4, 4, 7, True)
    assert await scene.open() == 0
    assert sum(row[3] for row in (await rows(database))["activity"]) == 7


# Killed between any two transactions.


@asynccontextmanager
async def killed_before(
    database: Database, number: int, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[asyncio.Event]:
    """From the transaction of that number on, counted from 0, nothing is written and nobody gets on."""
    dead, real, begun = asyncio.Event(), database.writing, 0

    @asynccontextmanager
    async def writing() -> AsyncIterator[Any]:
        nonlocal begun
        begun += 1
        if begun > number:
            dead.set()
            await asyncio.Event().wait()
        async with real() as connection:
            yield connection

    with monkeypatch.context() as patched:
        patched.setattr(database, "writing", writing)
        yield dead


async def story(scene: Scene) -> None:
    """Ben becomes a manager while two channels may not be read; then they may."""
    scene.log.unreadable |= {OTHER.channel_id, SIDE.channel_id}
    await scene.appoint(BEN)
    scene.log.unreadable.clear()
    scene.reader.retry_soon()
    await scene.retried()


async def test_killed_between_any_two_transactions_nothing_is_lost(
    sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each, a new process goes on by itself; before the first, the command is given again.

    One channel has two pages.
    """
    talk = {
        **TALK,
        GENERAL: (*TALK[GENERAL], *(said(20 + one, NOAH) for one in range(120)), said(200, BEN, to=(0, MIA))),
    }
    wanted = ALL | {(at(200), MIA, BEN, "reply")}
    copyfile(sqlite_template, tmp_path / "recorded.db")
    recorded = await open_database(f"sqlite:///{tmp_path / 'recorded.db'}", write=True)
    scene = await Scene(recorded).recorded()
    await scene.recorder.record(whole(GENERAL, *talk[GENERAL]), NoContext())
    await recorded.close()
    number, ended = 0, False
    while not ended:
        path = tmp_path / f"{number}.db"
        copyfile(tmp_path / "recorded.db", path)
        database = await open_database(f"sqlite:///{path}", write=True)
        scene = Scene(database)
        for place, said_there in talk.items():
            scene.log.post(place, *said_there)
        async with killed_before(database, number, monkeypatch) as dead:
            telling, dying = asyncio.create_task(story(scene)), asyncio.create_task(dead.wait())
            await asyncio.wait((telling, dying), return_when=asyncio.FIRST_COMPLETED)
            ended = telling.done()
            for task in (telling, dying):
                task.cancel()
            await asyncio.gather(telling, dying, scene.reader.stop(), return_exceptions=True)
        assert await scene.touches() == wanted or not await scene.complete() or number == 0, number
        scene.log.unreadable.clear()
        scene.restarted()
        await scene.read()
        if number == 0:
            await scene.appoint(BEN)
        assert await scene.touches() == wanted, number
        assert (await scene.open(), await scene.complete(), await scene.left_out()) == (0, True, {}), number
        assert sum(row[3] for row in (await rows(database))["activity"]) == 8 + 121
        await database.close()
        number += 1
    print(f"killed before each of {number - 1} transactions: lost=0")
    assert number > 8
