"""One process of Spade on a database file: the real services, and in place of the client what it would tell them.

What `cogs/tracking.py`, `ConnectedGuilds`, `ChannelVisibility` and `ArchiveSearch` do with discord.py's objects is done
here with those of the world; everything below them is the real thing.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Collection, Container, Coroutine
from contextlib import redirect_stderr, suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest import mock

from bot.cli import imports
from bot.clock import DrivenClock
from bot.config import Settings
from bot.domain.calendar import day_start
from bot.domain.retention import first_day_kept
from bot.domain.rules import Rules
from bot.domain.snowflake import EPOCH, moment_of
from bot.exports.archive import Archive
from bot.services.guild.membership import MembershipService
from bot.services.guild.retention import Retention
from bot.services.guild.settings import SettingsChange, SettingsService
from bot.services.members.privacy import PrivacyService
from bot.services.members.roster import Roster
from bot.services.record.channel_snapshot import ChannelSnapshot
from bot.services.record.follower import Follower
from bot.services.record.history_reader import HistoryReader
from bot.services.record.recorder import Recorder
from bot.services.record.retry import retry
from bot.services.record.thread_archives import ArchiveScope, ThreadArchives
from bot.store import forgetting, guilds, managers
from bot.store.database import Database, open_database
from tests.histories.life import DiedError, Life, end_all_others
from tests.histories.world import GUILD, Channel, Post, Sort, World

PATIENCE = 6 * 3600.0
"""How long work in the background may take, in seconds of the loop; they pass at once."""
_LOOK_BACK_DAYS = 7


class Spade:
    """A running process. Whatever it is told raises DiedError if it is killed meanwhile."""

    def __init__(self, world: World, database: Database, life: Life) -> None:
        self.world = world
        self.life = life
        self.database = database
        self.clock = DrivenClock(world.now)
        self.connected = False
        recorder = Recorder(database, Rules())
        self.follower = Follower(database, recorder, world, self.clock)
        self.reader = HistoryReader(database, recorder, world, world, self.clock)
        self.roster = Roster(database, self.clock)
        self.settings = SettingsService(database, self.roster, self.clock, self.follower.retry_gaps_soon)
        self.privacy = PrivacyService(database, self.roster, self.clock)
        self._membership = MembershipService(database, self.clock)
        self._archives = ThreadArchives(database, self.clock)
        self._unread: set[Channel] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._recording = asyncio.create_task(self.follower.run())

    @classmethod
    async def start(cls, world: World, path: Path, *, dies_after: int | None = None) -> Spade:
        life = Life(dies_after)
        return cls(world, life.hook(await open_database(f"sqlite:///{path}", write=True)), life)

    async def stop(self) -> None:
        """End as on a signal: write what was heard."""
        await self.reader.stop()
        await self.follower.settle_last()

    async def bury(self) -> None:
        """Nothing of the process is left but its file."""
        self.life.end()
        await end_all_others()
        await self.database.close()

    # Sessions.

    async def connect(self) -> None:
        self.connected = True
        self._unread.clear()
        self.follower.interrupted()
        self.follower.expect_guilds([GUILD] if self.world.available else [])
        if self.world.available:
            self._start(self._catch_up())

    def cut(self) -> None:
        """The connection is lost, and nobody knows yet."""
        self.connected = False

    def guild_changed(self) -> None:
        """An outage of the guild began or ended."""
        if not self.world.available:
            self.follower.guild_hidden(GUILD)
            return
        self.follower.interrupted(GUILD)
        self._start(self._catch_up())

    async def _catch_up(self) -> None:
        follower, session = self.follower, self.follower.session

        def wanted() -> bool:
            return follower.uninterrupted(session, GUILD)

        await self._membership.present([GUILD])
        scope = await retry("scope", lambda: self._archives.unsearched(GUILD), wanted=wanted)
        if scope is None:
            return
        await follower.catch_up(self.world.visible_snapshots(), session)
        channels = [one for one in self.world.of_sort(Sort.TEXT, Sort.FORUM) if self.world.visible(one)]
        found, whole = self._search(channels, scope)
        await follower.catch_up(found, session)
        follower.guild_complete(GUILD, session)
        if not wanted():
            return
        if whole:
            await self._archives.mark_searched(GUILD)
        await self.reader.resume(GUILD)
        present = [one.channel_id for one in self.world.channels if not one.deleted and one.archived_at is None]
        await follower.look_for_deleted(GUILD, present, session)

    def _search(self, channels: Collection[Channel], scope: ArchiveScope) -> tuple[list[ChannelSnapshot], bool]:
        found: list[ChannelSnapshot] = []
        for channel in channels:
            begins = scope.begins(channel.channel_id)
            if begins is None:
                self._unread.discard(channel)
                continue
            if not self.world.readable(channel):
                self._unread.add(channel)
                continue
            self._unread.discard(channel)
            from_at = scope.from_at or moment_of(begins)
            for thread in self.world.archive_of(channel):
                if thread.archived_at is not None and (from_at - thread.archived_at).days >= _LOOK_BACK_DAYS:
                    break
                seen, known = thread.snapshot(), scope.recorded.get(thread.channel_id)
                newest_id = seen.last_message_id or thread.channel_id
                if newest_id > (known.last_id if known is not None else begins):
                    found.append(seen)
        return found, not self._unread.intersection(channels)

    # Events.

    def hears(self, channel: Channel) -> bool:
        return self.connected and not self.life.over and self.world.visible(channel)

    async def message(self, post: Post) -> None:
        channel = post.channel
        if not self.hears(channel):
            return
        known, message = self.follower.knows(channel.channel_id), post.seen()
        with self.follower.receiving(channel.place, post.message_id) as take:
            take(message)
        if not known:
            self._look_at(ChannelSnapshot(channel.place, post.message_id))

    def message_deleted(self, post: Post) -> None:
        if self.hears(post.channel):
            self.follower.messages_deleted(post.channel.channel_id, [post.message_id])

    async def channel_made(self, channel: Channel) -> None:
        if not self.hears(channel) or self.follower.knows(channel.channel_id):
            return
        follower, session = self.follower, self.follower.session
        await retry(
            "following",
            lambda: follower.follow_new(channel.place, session),
            wanted=lambda: follower.uninterrupted(session),
        )

    def thread_changed(self, thread: Channel) -> None:
        if not self.hears(thread):
            return
        if thread.archived_at is not None:
            self.follower.thread_archived(thread.channel_id)
        else:
            self.follower.thread_active(thread.channel_id)
        if not self.follower.knows(thread.channel_id):
            self._look_at(thread.snapshot())

    def channel_deleted(self, channel: Channel) -> None:
        """Of a channel's threads the client knows the active ones."""
        for one in self.world.channels:
            if one is channel or (one.parent is channel and one.archived_at is None):
                self.follower.channel_deleted(one.channel_id)
        self._unread.discard(channel)

    async def permitted(self, channel: Channel, *, was_visible: bool) -> None:
        """The permissions of a channel changed."""
        if not self.connected or not self.world.available:
            return
        visible = self.world.visible(channel)
        self.follower.retry_gaps_soon()
        self.reader.retry_soon()
        hide = not visible or not was_visible
        last_received = self.follower.channels_hidden([channel.channel_id] if hide else [])
        threads = [one for one in self.world.channels if one.parent is channel and one.archived_at is None]
        again = [
            one for one in (channel, *threads) if self.world.visible(one) and not self.follower.knows(one.channel_id)
        ]
        readable_again = [channel] if channel in self._unread and self.world.readable(channel) else []
        if again or readable_again:
            self._start(self._catch_up_again(again, readable_again))
        await last_received
        if visible:
            self._look_at(channel.snapshot())

    async def _catch_up_again(self, channels: Collection[Channel], readable: Collection[Channel]) -> None:
        follower, session = self.follower, self.follower.session
        await follower.catch_up([one.snapshot(stale=True) for one in channels if self.world.visible(one)], session)
        scope = await retry(
            "scope", lambda: self._archives.everything(GUILD), wanted=lambda: follower.uninterrupted(session, GUILD)
        )
        if scope is not None:
            searched = {one for one in (*channels, *readable) if not one.is_thread and self.world.visible(one)}
            found, _ = self._search(sorted(searched, key=lambda one: one.channel_id), scope)
            await follower.catch_up(found, session)

    # Commands.

    async def change(self, change: SettingsChange) -> None:
        state = await self.settings.change(GUILD, change)
        if state.new_managers:
            await self.reader.resume(GUILD)

    async def backfill(self, since: datetime) -> None:
        await self.reader.backfill(GUILD, since)

    async def lists(self) -> tuple[frozenset[int], frozenset[int], Container[int]]:
        """The managers, the channels that are excluded, and the people who must not be recorded now."""
        async with self.database.reading() as connection:
            return (
                await managers.people(connection, GUILD),
                await guilds.excluded_channels(connection, GUILD),
                await forgetting.unrecorded(connection, GUILD),
            )

    async def tick(self) -> None:
        """What is due by now."""
        self.clock.set(self.world.now)
        await self.privacy.finish_due()
        await self.follower.retry_gaps()
        await self.reader.retry_due()

    async def purge(self, guild_id: int) -> datetime:
        """Delete what is older than is kept; returns from when on nothing was."""
        await Retention(self.database, self.clock).purge_due()
        settings = (await self.settings.state(guild_id)).settings
        day = first_day_kept(settings, self.clock.now())
        return EPOCH if day is None else day_start(day, settings.zone)

    # Waiting.

    def _look_at(self, snapshot: ChannelSnapshot) -> None:
        self._start(self.follower.catch_up([snapshot], self.follower.session))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settle(self) -> None:
        """Return when everything that was begun is done, and everything that was heard is on record."""
        async with asyncio.timeout(PATIENCE):
            while busy := {*self._tasks, *self.reader._running.values()}:
                await asyncio.wait(busy)
            while self.connected and self.world.available and not self.follower.caught_up:
                await asyncio.sleep(1)
            await self.follower.settle()


async def import_files(
    path: Path, files: Collection[Path], managers: Collection[int], *, dies_after: int | None, replace: bool = False
) -> Life:
    """`spade import` in a process of its own; returns its life, which may have ended in between."""
    life = Life(dies_after)
    opened: list[Database] = []

    async def opening(address: str, *, write: bool) -> Database:
        opened.append(life.hook(await open_database(address, write=write)))
        return opened[0]

    settings = Settings(database=f"sqlite:///{path}")
    with mock.patch.object(imports, "open_database", opening), imports._Bar() as bar, Archive(files) as archive:
        if archive.guild_id is None:
            return life
        work = imports._run(archive, archive.guild_id, settings, frozenset(managers), None, bar, replace=replace)
        with suppress(DiedError), redirect_stderr(io.StringIO()):  # what it tells people
            await life.through(work)
    if life.over:
        await end_all_others()
        for database in opened:
            await database.close()
    return life
