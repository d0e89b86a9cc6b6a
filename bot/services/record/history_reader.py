"""Jobs that read history: backfills, and reading again for people who became managers."""

import asyncio
import logging
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Protocol

from bot.clock import Clock
from bot.domain.history_job import HistoryJob, JobKind
from bot.domain.snowflake import first_id_at
from bot.domain.span import Span, unrecorded
from bot.domain.stretch import Place
from bot.services.record.channel_snapshot import ChannelSnapshot
from bot.services.record.history import History, UnreadableHistoryError
from bot.services.record.history_context import HistoryContext
from bot.services.record.pages import pages
from bot.services.record.recorder import Recorder
from bot.services.record.retry import CHANNEL_TRIES, retry
from bot.store import guilds, history_jobs, spans
from bot.store.database import Database

log = logging.getLogger(__name__)

_CHANNELS_AT_ONCE = 3


class JobUnfinishedError(Exception):
    """A job ended before all channels were read; it goes on after a restart."""


class ChannelSource(Protocol):
    """Lists the channels and threads of a guild, archived ones too."""

    async def with_archived(self, guild_id: int, since_id: int) -> Sequence[ChannelSnapshot]:
        """Those that may hold messages from `since_id` on; none if the guild is not visible."""


@dataclass(frozen=True, slots=True)
class JobProgress:
    """How far a job is: `done` of its `channels` are read, with `messages` in all."""

    job: HistoryJob
    channels: int
    done: int
    messages: int
    running: bool


class HistoryReader:
    """Runs each guild's jobs in the background.

    A job is idempotent: what is on record already is skipped, so it can begin again after a restart. All jobs of a
    guild that read again are run as one, if they are there when it begins: however many people became managers, the
    history is read once.
    """

    def __init__(
        self, database: Database, recorder: Recorder, history: History, channels: ChannelSource, clock: Clock
    ) -> None:
        self._database = database
        self._recorder = recorder
        self._history = history
        self._context = HistoryContext(history)
        self._channels = channels
        self._clock = clock
        self._at_once = asyncio.Semaphore(_CHANNELS_AT_ONCE)
        self._running: dict[int, asyncio.Task[None]] = {}
        self._progress: dict[int, JobProgress] = {}
        self._to_read_again: dict[int, list[HistoryJob]] = {}

    async def backfill(self, guild_id: int, since: datetime) -> HistoryJob:
        """Start a job that reads what was written from `since` until the record begins."""
        async with self._database.writing() as connection:
            job = await history_jobs.add(connection, guild_id, JobKind.BACKFILL, since, self._clock.now())
        self._start(job)
        return job

    async def resume(self, guild_id: int) -> None:
        """Start the unfinished jobs of a guild that are not running: new ones, and those that a restart interrupted."""
        async with self._database.reading() as connection:
            unfinished = await history_jobs.unfinished(connection, guild_id)
        for job in unfinished:
            self._start(job)

    async def cancel(self, guild_id: int) -> int:
        """Cancel a guild's backfills and return how many there were. What they recorded stays."""
        async with self._database.writing() as connection:
            cancelled = await history_jobs.cancel(connection, guild_id, self._clock.now())
        for job_id, task in list(self._running.items()):
            job = self._progress[job_id].job
            if job.guild_id == guild_id and job.kind is JobKind.BACKFILL:
                task.cancel()
        return cancelled

    def progress(self, guild_id: int) -> tuple[JobProgress, ...]:
        """The guild's jobs that this process has run, newest first."""
        found = [progress for progress in self._progress.values() if progress.job.guild_id == guild_id]
        return tuple(sorted(found, key=lambda progress: -progress.job.job_id))

    async def wait(self, job: HistoryJob) -> JobProgress:
        """Return when a job that this process runs has ended: done, failed or cancelled."""
        task = self._running.get(job.job_id)
        if task is not None:
            await asyncio.gather(task, return_exceptions=True)
        return self._progress[job.job_id]

    async def stop(self) -> None:
        """Cancel all running tasks, and return when they have ended. Unfinished jobs go on after a restart."""
        tasks = set(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, job: HistoryJob) -> None:
        if job.job_id in self._running:
            return
        self._progress[job.job_id] = JobProgress(job, 0, 0, 0, running=True)
        if job.kind is JobKind.BACKFILL:
            self._running[job.job_id] = self._task(self._run((job,)), f"history job {job.job_id}")
            return
        waiting = self._to_read_again.setdefault(job.guild_id, [])
        waiting.append(job)
        reading = next(
            (task for job_id, task in self._running.items() if self._reads_again(job_id, job.guild_id)), None
        )
        self._running[job.job_id] = reading or self._task(self._read_again(waiting), "reading history again")

    def _reads_again(self, job_id: int, guild_id: int) -> bool:
        job = self._progress[job_id].job
        return job.guild_id == guild_id and job.kind is JobKind.READ_AGAIN

    async def _read_again(self, waiting: list[HistoryJob]) -> None:
        while waiting:
            jobs = tuple(waiting)
            waiting.clear()
            await self._run(jobs)

    def _task(self, work: Coroutine[object, object, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        for job_id in [job_id for job_id, one in self._running.items() if one is task]:
            del self._running[job_id]
            job = self._progress[job_id].job
            self._progress[job_id] = replace(self._progress[job_id], running=False)
            if job.kind is JobKind.READ_AGAIN:
                self._to_read_again.pop(job.guild_id, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s failed; it goes on after a restart", task.get_name(), exc_info=error)

    async def _run(self, jobs: tuple[HistoryJob, ...]) -> None:
        """Run one backfill, or all these jobs that read again; they are of one guild."""
        guild_id, since_id = jobs[0].guild_id, first_id_at(jobs[0].since)
        looking = "Looking for channels to read"
        found = await retry(looking, lambda: self._channels.with_archived(guild_id, since_id))
        async with self._database.reading() as connection:
            excluded = await guilds.excluded_channels(connection, guild_id)
        counted = [snapshot for snapshot in found or () if not snapshot.place.is_in(excluded)]
        for job in jobs:
            self._progress[job.job_id] = JobProgress(job, len(counted), 0, 0, running=True)
        left = iter(counted)
        async with asyncio.TaskGroup() as group:
            for _ in range(_CHANNELS_AT_ONCE):
                group.create_task(self._read(jobs, left))
        done = self._progress[jobs[0].job_id]
        what = f"Read {done.messages} messages of history in {done.done} of {done.channels} channels"
        if done.done < done.channels:
            raise JobUnfinishedError(what)
        async with self._database.writing() as connection:
            for job in jobs:
                await history_jobs.finish(connection, job.job_id, self._clock.now())
        log.info("%s (%s)", what, jobs[0].kind.value)

    async def _read(self, jobs: tuple[HistoryJob, ...], left: Iterator[ChannelSnapshot]) -> None:
        """Read channels that are `left`, one after the other, until there are none."""
        for snapshot in left:
            what = f"Reading history of channel {snapshot.place.channel_id}"
            if await retry(what, partial(self._read_channel, jobs, snapshot), tries=CHANNEL_TRIES):
                self._note(jobs, channels=1)

    async def _read_channel(self, jobs: tuple[HistoryJob, ...], snapshot: ChannelSnapshot) -> bool:
        async with self._at_once:
            try:
                for span in await self._wanted(jobs[0], snapshot):
                    await self._read_span(jobs, snapshot.place, span)
            except UnreadableHistoryError as error:
                log.info("History of channel %s is left out: %s", snapshot.place.channel_id, error)
        return True

    async def _wanted(self, job: HistoryJob, snapshot: ChannelSnapshot) -> Sequence[Span]:
        channel_id = snapshot.place.channel_id
        async with self._database.reading() as connection:
            recorded = await spans.of_channel(connection, channel_id)
        if job.kind is JobKind.READ_AGAIN:
            return recorded
        first_id = max(first_id_at(job.since), channel_id)
        last_id = max((span.last_id for span in recorded), default=snapshot.last_message_id)
        return unrecorded(Span(first_id, last_id), recorded) if first_id <= last_id else ()

    async def _read_span(self, jobs: tuple[HistoryJob, ...], place: Place, span: Span) -> None:
        manager_ids = {job.manager_id for job in jobs if job.manager_id is not None}
        async for stretch in pages(self._history, place, span):
            if manager_ids:
                await self._recorder.read_again(stretch, self._context, manager_ids)
            elif (await self._recorder.record(stretch, self._context)).excluded:
                return
            self._note(jobs, messages=len(stretch.messages))
            async with self._database.writing() as connection:
                for job in jobs:
                    await history_jobs.note_messages(connection, job.job_id, self._progress[job.job_id].messages)
        if not manager_ids:
            async with self._database.writing() as connection:
                await spans.forget_known_gaps(connection, place.channel_id, span)

    def _note(self, jobs: tuple[HistoryJob, ...], *, channels: int = 0, messages: int = 0) -> None:
        for job in jobs:
            known = self._progress[job.job_id]
            self._progress[job.job_id] = replace(known, done=known.done + channels, messages=known.messages + messages)
