"""Plays a program: the world goes on, Spade is told, and at the end its record is compared."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from bot.domain.snowflake import first_id_at
from bot.services.guild.settings import SettingsChange
from bot.store.database import open_database
from tests.histories import steps
from tests.histories.comparison import differences, record_of
from tests.histories.life import DiedError
from tests.histories.oracle import Consent, expected
from tests.histories.quick import jump, run_quickly
from tests.histories.spade import Spade, import_files
from tests.histories.world import BOT, GUILD, PEOPLE, Channel, File, Kind, Post, Sort, World
from tests.support.summed import differences_in, sum_up

Result = TypeVar("Result")
MOST_MESSAGES = 400


@dataclass(frozen=True)
class Outcome:
    """What one run came to: its differences, how many steps were played, how many processes were killed."""

    lines: tuple[str, ...]
    steps: int
    kills: int
    commits: int


class Play:
    """One run in a folder with an empty database.

    With `dies_after` the process that makes this commit, counted over all processes, is killed right after it, and
    another is started at once; an import is then repeated, as whoever saw it fail would do.
    """

    def __init__(self, program: Sequence[steps.Step], folder: Path, *, dies_after: int | None = None) -> None:
        self.world = World()
        self.spade: Spade | None = None
        self.kills = 0
        self.commits = 0
        self.consent = Consent()
        self.managers: frozenset[int] = frozenset()
        self._ever: set[int] = set()
        self._program = program
        self._path = folder / "spade.db"
        self._exports = folder / "exports"
        self._exports.mkdir()
        self._files: list[File] = []
        self._imported: set[File] = set()
        self._hearing: list[Post | Channel] = []
        self._privacy: dict[int, tuple[int, bool]] = {}
        self._out: set[int] = set()
        self._begun_id: int | None = None
        self._dies_after = dies_after
        self._revive = dies_after is not None
        self._zones = {"UTC"}
        self._kept_from: int = 0

    @property
    def _left(self) -> int | None:
        """After how many commits of the next process it dies."""
        return None if self._dies_after is None else self._dies_after - self.commits

    async def run(self) -> Outcome:
        played = 0
        if steps.Begin() not in self._program:
            await self._step(steps.Begin())
        for step in self._program:
            await self._step(step)
            played += 1
            if played == (len(self._program) + 1) // 2:
                await self._sum_up()
        await self._end()
        wanted = expected(self.world, self._imported, self.managers, self._ever, self.consent, self._kept_from)
        found = differences(
            self.world, record_of(self._path), wanted, self.managers, self.consent, frozenset(self._zones)
        )
        found = [*found, *differences_in(self._path)]
        return Outcome(tuple(found), played, self.kills, self.commits)

    async def _sum_up(self) -> None:
        """Have kept what the record comes to halfway; the facts of the second half change it."""
        if self.spade is not None:
            with suppress(DiedError):
                await self._tell(sum_up(self.spade.database, GUILD, self.world.now))

    # Steps.

    async def _step(self, step: steps.Step) -> None:
        self.world.pass_by(seconds=step.after if isinstance(step, steps.Say) else 1)
        if self.spade is not None:
            self.spade.clock.set(self.world.now)
        self._mark()
        settled = False
        try:
            await self._do(step)
            if self.spade is not None:
                if step.rush:
                    await self._tell(asyncio.sleep(0.2))
                else:
                    await self._tell(self.spade.settle())
                    settled = True
        except DiedError:
            self._mark_what_it_could_read()
            await self._bury()
            if self._revive:
                self._revive = False
                await self._start()
                if step == steps.Begin():
                    await self._set_up()
                await self._learn()
        self._mark(settled=settled)

    async def _bury(self) -> None:
        """The process is dead; what it did not write down is gone."""
        self.kills += 1
        self._dies_after = None
        if self.spade is not None:
            self.commits += self.spade.life.commits
            await self.spade.bury()
        self.spade = None
        self._hearing.clear()

    async def _tell(self, work: Coroutine[Any, Any, Result]) -> Result:
        assert self.spade is not None
        return await self.spade.life.through(work)

    async def _do(self, step: steps.Step) -> None:
        match step:
            case steps.Say():
                await self._say(step)
            case steps.Open():
                await self._open(step)
            case steps.Delete():
                await self._delete(step)
            case steps.Archive():
                self._archive(step)
            case steps.Make():
                await self._made(self.world.make(Sort.TEXT))
            case steps.Remove():
                await self._remove(step)
            case steps.Permit():
                await self._permit(step)
            case steps.Outage():
                await self._outage()
            case steps.Cut() | steps.Stop() | steps.Begin():
                await self._process(step)
            case steps.Kill():
                if self.spade is not None:
                    self.spade.life.dies_in(step.commits)
            case steps.Pass():
                self.world.pass_by(minutes=step.minutes)
                if self.spade is not None:
                    await self._tell(self._pass(step.minutes))
            case steps.Export():
                self._export(step)
            case steps.Import():
                await self._import(step)
            case _:
                await self._command(step)

    def _channel(self, number: int, *sorts: Sort) -> Channel | None:
        found = self.world.of_sort(*sorts)
        return found[number % len(found)] if found else None

    async def _say(self, step: steps.Say) -> None:
        channel = self._channel(step.where, Sort.TEXT, Sort.THREAD)
        if channel is None:
            return
        if channel.archived_at is not None:
            channel.archived_at = None
            if self.spade is not None:
                self.spade.thread_changed(channel)
        alive = channel.alive
        to = None if step.to is None or not alive else alive[-1 - step.to % len(alive)]
        kinds = {"forward": Kind.FORWARD, "joined": Kind.JOINED, "alert": Kind.ALERT}
        kind = kinds.get(step.kind, Kind.SAID if to is None else Kind.REPLY)
        author = BOT if step.who == len(PEOPLE) else PEOPLE[step.who % len(PEOPLE)]
        if kind not in {Kind.SAID, Kind.REPLY}:
            to = None
        post = self.world.post(
            channel,
            author,
            kind,
            mentions=frozenset(PEOPLE[one % len(PEOPLE)] for one in step.names) if kind.counted else frozenset(),
            crowd=step.kind == "crowd",
            names_bot=step.kind == "bot",
            to=to,
        )
        await self._said(post)

    async def _said(self, post: Post) -> None:
        post.heard = self._door(post.channel)
        if self.spade is not None:
            await self._tell(self.spade.message(post))

    async def _made(self, channel: Channel) -> None:
        if self.spade is not None:
            await self._tell(self.spade.channel_made(channel))

    async def _open(self, step: steps.Open) -> None:
        parent = self._channel(step.where, Sort.FORUM if step.post else Sort.TEXT)
        if parent is None:
            return
        who = PEOPLE[step.who % len(PEOPLE)]
        if step.post:
            thread = self.world.make(Sort.THREAD, parent=parent, owner=who)
            await self._made(thread)
            await self._said(self.world.post(thread, who, message_id=thread.channel_id))
            return
        free = [one for one in parent.alive if self.world.by_id(one.message_id) is None]
        on = None if step.on is None or not free else free[-1 - step.on % len(free)]
        thread_id = on.message_id if on is not None else None
        thread = self.world.make(Sort.THREAD, parent=parent, owner=who, started_on=on, channel_id=thread_id)
        await self._made(thread)
        if on is None:
            await self._said(self.world.post(parent, who, Kind.CREATED, message_id=thread.channel_id))
        else:
            # Whose name Discord puts on it is not certain; it tells nothing about the opener.
            await self._said(self.world.post(thread, who if step.who % 2 else on.author, Kind.STARTER))

    async def _delete(self, step: steps.Delete) -> None:
        channel = self._channel(step.where, Sort.TEXT, Sort.THREAD)
        alive = channel.alive if channel is not None else []
        if not alive:
            return
        post = alive[-1 - step.back % len(alive)]
        post.deleted = True
        self._hear(post, self.spade is not None and self.spade.hears(post.channel))
        if self.spade is not None:
            self.spade.message_deleted(post)

    def _hear(self, gone: Post | Channel, heard: bool) -> None:
        """Something was deleted. It is certain that Spade knows once everything heard is written."""
        gone.heard_gone = None if heard else False
        if heard:
            self._hearing.append(gone)

    def _archive(self, step: steps.Archive) -> None:
        thread = self._channel(step.where, Sort.THREAD)
        if thread is None:
            return
        thread.archived_at = self.world.now if thread.archived_at is None else None
        if self.spade is not None:
            self.spade.thread_changed(thread)

    async def _remove(self, step: steps.Remove) -> None:
        channel = self._channel(step.where, Sort.TEXT, Sort.THREAD)
        if channel is None or channel is self.world.channels[0]:
            return
        heard = self.spade is not None and self.spade.hears(channel)
        self.world.delete(channel)
        for one in self.world.channels:
            if channel in (one, one.parent):
                self._hear(one, heard)
        if heard and self.spade is not None:
            self.spade.channel_deleted(channel)

    async def _permit(self, step: steps.Permit) -> None:
        channel = self._channel(step.where, Sort.TEXT, Sort.FORUM)
        if channel is None:
            return
        was_visible = self.world.visible(channel)
        if step.view:
            channel.view = not channel.view
        else:
            channel.history = not channel.history
        if self.spade is not None:
            await self._tell(self.spade.permitted(channel, was_visible=was_visible))

    async def _outage(self) -> None:
        self.world.available = not self.world.available
        if self.spade is not None and self.spade.connected:
            self.spade.guild_changed()

    async def _process(self, step: steps.Step) -> None:
        if isinstance(step, steps.Begin) and self._begun_id is None:
            self._begun_id = first_id_at(self.world.now)
            if not self._imported:  # else the record goes on where the files ended
                for channel in self.world.of_sort(Sort.TEXT):
                    channel.may_from = self._begun_id
            await self._start()
            await self._set_up()
        elif self._begun_id is None:
            return
        elif isinstance(step, steps.Cut) and self.spade is not None:
            if self.spade.connected:
                self.spade.cut()
            else:
                await self._tell(self.spade.connect())
        elif self.spade is None:
            await self._start()
        elif isinstance(step, steps.Stop):
            await self._stop()
        await self._learn()

    @property
    def _spade(self) -> Spade:
        assert self.spade is not None
        return self.spade

    async def _set_up(self) -> None:
        await self._tell(self._spade.change(SettingsChange(zone=ZoneInfo("UTC"), add_managers=[PEOPLE[0]])))

    async def _start(self) -> None:
        self.spade = await Spade.start(self.world, self._path, dies_after=self._left)
        await self._tell(self.spade.connect())

    async def _stop(self) -> None:
        spade = self._spade
        await self._tell(spade.stop())
        await spade.bury()
        self.commits += spade.life.commits
        self.spade = None
        self._hearing.clear()

    async def _pass(self, minutes: int) -> None:
        jump(minutes * 60)
        await asyncio.sleep(0)
        await self._spade.tick()
        if self._kept_from:
            self._kept_from = first_id_at(await self._spade.purge(GUILD))

    # Commands.

    async def _command(self, step: steps.Step) -> None:
        if self._begun_id is None or not self.world.available:
            return
        if self.spade is None:  # whoever wants something of Spade starts it
            await self._start()
        spade = self._spade
        if not spade.connected:
            await self._tell(spade.connect())
        if not step.rush:
            await self._tell(spade.settle())
        await self._learn()
        self._mark()  # it may have read already what the command forbids
        now_id = first_id_at(self.world.now)
        match step:
            case steps.Exclude():
                channel = self._channel(step.where, Sort.TEXT, Sort.FORUM)
                if channel is not None:
                    change = (
                        SettingsChange(include=[channel.channel_id])
                        if channel.channel_id in self.world.excluded
                        else SettingsChange(exclude=[channel.channel_id])
                    )
                    await self._tell(spade.change(change))
            case steps.Manage():
                who = PEOPLE[step.who % len(PEOPLE)]
                change = (
                    SettingsChange(remove_managers=[who])
                    if who in self.managers
                    else SettingsChange(add_managers=[who])
                )
                await self._tell(spade.change(change))
            case steps.Privacy():
                who = PEOPLE[step.who % len(PEOPLE)]
                self._privacy[who] = now_id, step.erase
                service = spade.privacy
                if who in self._out:
                    await self._tell(service.opt_in(GUILD, who, self.world.now))
                elif step.erase:
                    await self._tell(service.erase(GUILD, who))
                else:
                    await self._tell(service.opt_out(GUILD, who))
            case steps.Backfill():
                await self._backfill(step)
            case steps.Zone():
                self._zones.add(step.name)
                await self._tell(spade.change(SettingsChange(zone=ZoneInfo(step.name))))
            case steps.Keep():
                self._kept_from = 1
                await self._tell(spade.change(SettingsChange(keep_months=step.months)))
        await self._learn()

    async def _backfill(self, step: steps.Backfill) -> None:
        since = self.world.now - timedelta(hours=step.hours)
        listed = [
            one
            for one in self.world.channels
            if self.world.visible(one) and self.world.counts(one) and (not one.is_thread or self.world.readable(one))
        ]
        since_id = first_id_at(since)
        for channel in self.world.channels:
            channel.may_from = min(channel.may_from, max(since_id, channel.channel_id))
        self._mark()
        await self._tell(self._spade.backfill(since))
        await self._tell(self._spade.settle())
        for channel in listed:
            if channel.owed_from is not None:
                channel.owed_from = min(channel.owed_from, max(since_id, channel.channel_id))

    async def _learn(self) -> None:
        """Look up what the settings are now: a command may have been cut off by a kill."""
        if self.spade is None:
            return
        before = self.managers
        self.managers, self.world.excluded, unrecorded = await self._tell(self.spade.lists())
        self._ever |= self.managers
        for who in self.managers - before:
            if who in self._out:  # nothing from before they were put on the list while they were out
                self.consent.as_manager[who] = first_id_at(self.world.now)
        for who, (asked_id, erase) in list(self._privacy.items()):
            out = who in unrecorded
            if out and who not in self._out:
                self._out.add(who)
                self.consent.as_member[who] = None
                if erase:
                    self.consent.as_manager[who] = None
            elif not out and who in self._out:
                self._out.discard(who)
                self.consent.as_member[who] = asked_id
                if who not in self.managers:
                    self.consent.as_manager[who] = asked_id

    # Files.

    def _export(self, step: steps.Export) -> None:
        if len(self._files) >= 24:
            return
        chosen = (
            self.world.with_messages() if step.where is None else [self._channel(step.where, Sort.TEXT, Sort.THREAD)]
        )
        after = None if step.hours is None else self.world.now - timedelta(hours=step.hours)
        authors = None if step.who is None else [PEOPLE[step.who % len(PEOPLE)]]
        for channel in chosen:
            if channel is not None:
                self._files += self.world.export(
                    channel, self._exports, after=after, authors=authors, halves=step.halves
                )

    async def _import(self, step: steps.Import) -> None:
        chosen = [file for number, file in enumerate(self._files) if step.mask == -1 or step.mask >> number % 8 & 1]
        if not chosen:
            return
        running = self.spade is not None
        if running:
            await self._stop()
        if step.replace:
            self._replaced()
        paths = [file.path for file in chosen]
        died = await self._import_once(paths, self._left if step.dies is None else step.dies, replace=step.replace)
        if died and self._revive:
            self._revive = False
            died = await self._import_once(paths, None, replace=step.replace)
        counting = [file for file in chosen if self.world.counts(file.channel)]
        for channel in self.world.channels:
            channel.may_from = min(channel.may_from, channel.channel_id)
        for post in (post for file in counting for post in file.posts):
            if post.deleted and post.heard_gone and not (post.known or post.imported):
                post.heard_gone = None  # what was deleted before it was ever on record may be brought by an old file
            post.may = True
            post.imported = post.imported or not died
        self._imported.update(counting)
        if running:
            await self._start()

    async def _import_once(self, paths: Sequence[Path], dies_after: int | None, *, replace: bool) -> bool:
        """Import files in a process of its own; returns whether that was killed."""
        team = PEOPLE[:1] if self._begun_id is None else ()
        self._ever |= {*team}
        life = await import_files(self._path, paths, team, dies_after=dies_after, replace=replace)
        self.commits += life.commits
        if life.over:
            self.kills += 1
            self._dies_after = None
        return life.over

    def _replaced(self) -> None:
        """All that was recorded is forgotten: it may come back by files and from the history, and need not."""
        self._imported.clear()
        for channel in self.world.channels:
            channel.owed_from = None
            for post in channel.posts:
                post.known = post.imported = False

    # What Spade can know.

    def _door(self, channel: Channel) -> bool:
        """Whether what is said in a channel now comes to Spade, and counts."""
        return self.spade is not None and self.spade.hears(channel) and self.world.counts(channel)

    def _mark(self, *, settled: bool = False) -> None:
        for channel in sorted(self.world.channels, key=lambda one: one.is_thread):
            door = self._door(channel)
            if settled and self.spade is not None and self.spade.hears(channel):
                self._owe(channel)
            for post in channel.posts:
                if door and not post.deleted and post.message_id >= channel.may_from:
                    post.may = True
                if door and settled and post.heard and self.world.readable(channel) and not post.deleted:
                    post.known = True
                post.heard = post.heard and door
        if settled:
            for gone in self._hearing:
                gone.heard_gone = True
            self._hearing.clear()

    def _mark_what_it_could_read(self) -> None:
        """A process that dies of a commit may have read, in this very step, what it had not seen before."""
        for channel in self.world.channels if self._spade.connected else ():
            if self.world.visible(channel) and self.world.counts(channel):
                for post in channel.posts:
                    post.may = post.may or (not post.deleted and post.message_id >= channel.may_from)

    def _owe(self, channel: Channel) -> None:
        """From where on everything in a channel has to be on record, now that Spade has seen it."""
        if channel.owed_from is not None or self._begun_id is None:
            return
        if channel.is_thread:
            parent = channel.permitting.owed_from
            channel.owed_from = None if parent is None else max(parent, channel.channel_id)
        elif channel.channel_id >= self._begun_id:
            channel.owed_from = channel.channel_id
        else:
            channel.owed_from = first_id_at(self.world.now)

    # The end.

    async def _end(self) -> None:
        """Everything can be read, and what is due is tried, by this process and by one more."""
        self.world.available = True
        for channel in self.world.channels:
            channel.view = channel.history = True
        with suppress(DiedError):
            if self.spade is not None:
                await self._stop()
        if self.spade is not None:
            await self._bury()
        for again in (False, True):
            if again and not record_of(self._path).unfinished:
                break
            if again:
                await self._stop()
            self.world.pass_by(minutes=30)
            await self._settle_all()
            if self.spade is None:  # killed by the plan of a story, which kills only once
                await self._settle_all()
        await self._stop()

    async def _settle_all(self) -> None:
        try:
            await self._start()
            await self._learn()
            await self._tell(self._spade.settle())
            self.world.pass_by(minutes=30)
            await self._tell(self._pass(30))
            await self._tell(self._spade.reader.resume(GUILD))
            await self._tell(self._spade.settle())
            self._mark(settled=True)
        except DiedError:
            await self._bury()


def empty_database(folder: Path) -> Path:
    """A migrated file, to be copied for each run."""
    path = folder / "empty.db"

    async def make() -> None:
        await (await open_database(f"sqlite:///{path}", write=True)).close()

    run_quickly(make)
    return path


def play(program: Sequence[steps.Step], empty: Path, *, dies_after: int | None = None) -> Outcome:
    """Play a program in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="spade-histories-", dir=empty.parent) as made:
        shutil.copy(empty, Path(made, "spade.db"))

        async def whole() -> Outcome:
            return await Play(program, Path(made), dies_after=dies_after).run()

        return run_quickly(whole)
