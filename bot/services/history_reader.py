"""Jobs that read history: backfills, and second readings for people who became managers."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.clock import Clock
from bot.domain.history_job import HistoryJob, JobKind
from bot.domain.snowflake import EPOCH, first_id_at
from bot.domain.span import Span, unrecorded
from bot.domain.stretch import Place
from bot.services.history import History, HistoryContext, NoHistoryError, Sighting
from bot.services.paging import pages
from bot.services.recorder import Recorder
from bot.store import guilds, history_jobs, spans
from bot.store.database import Database

log = logging.getLogger(__name__)

_CHANNELS_AT_ONCE = 3


class Channels(Protocol):
    """Every channel and thread of a guild, archived ones too."""

    async def with_archived(self, guild_id: int, since_id: int) -> Sequence[Sighting]:
        """Those that may hold messages from `since_id` on; nothing when the guild is out of sight."""


@dataclass(frozen=True, slots=True)
class JobProgress:
    """How far a job is: channels done of those there are, and messages read."""

    job: HistoryJob
    channels: int
    done: int
    messages: int
    running: bool


class HistoryReader:
    """Runs each guild's jobs in the background. What is on record already is skipped, so a job can begin again."""

    def __init__(
        self, database: Database, recorder: Recorder, history: History, channels: Channels, clock: Clock
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

    async def backfill(self, guild_id: int, since: datetime) -> HistoryJob:
        """Read what was written from `since` until the record begins."""
        async with self._database.writing() as connection:
            job = await history_jobs.add(connection, guild_id, JobKind.BACKFILL, since, self._clock.now())
        self._start(job)
        return job

    async def read_again(self, guild_id: int, manager_id: int) -> HistoryJob:
        """Read everything on record once more for a new manager's replies and for those who waited for them."""
        async with self._database.writing() as connection:
            job = await history_jobs.add(connection, guild_id, JobKind.READ_AGAIN, EPOCH, self._clock.now(), manager_id)
        self._start(job)
        return job

    async def resume(self, guild_id: int) -> None:
        """Go on with the jobs that a restart interrupted."""
        async with self._database.reading() as connection:
            unfinished = await history_jobs.unfinished(connection, guild_id)
        for job in unfinished:
            self._start(job)

    async def cancel(self, guild_id: int) -> int:
        """Stop a guild's backfills; what they recorded stays. Returns how many there were."""
        async with self._database.writing() as connection:
            cancelled = await history_jobs.cancel(connection, guild_id, self._clock.now())
        for job_id, task in list(self._running.items()):
            job = self._progress[job_id].job
            if job.guild_id == guild_id and job.kind is JobKind.BACKFILL:
                task.cancel()
        return cancelled

    def progress(self, guild_id: int) -> tuple[JobProgress, ...]:
        """The guild's jobs of this process, newest first."""
        found = [progress for progress in self._progress.values() if progress.job.guild_id == guild_id]
        return tuple(sorted(found, key=lambda progress: -progress.job.job_id))

    async def wait(self, job: HistoryJob) -> JobProgress:
        """Return when a job of this process has ended, one way or the other."""
        task = self._running.get(job.job_id)
        if task is not None:
            await asyncio.gather(task, return_exceptions=True)
        return self._progress[job.job_id]

    async def stop(self) -> None:
        """Stop for now; unfinished jobs go on after a restart."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, job: HistoryJob) -> None:
        if job.job_id in self._running:
            return
        self._progress[job.job_id] = JobProgress(job, 0, 0, 0, running=True)
        task = asyncio.create_task(self._run(job), name=f"history job {job.job_id}")
        self._running[job.job_id] = task
        task.add_done_callback(lambda ended: self._ended(job, ended))

    def _ended(self, job: HistoryJob, task: asyncio.Task[None]) -> None:
        self._running.pop(job.job_id, None)
        progress = self._progress[job.job_id]
        self._progress[job.job_id] = JobProgress(
            job, progress.channels, progress.done, progress.messages, running=False
        )
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("Reading history (job %s) failed; it goes on after a restart", job.job_id, exc_info=error)

    async def _run(self, job: HistoryJob) -> None:
        found = await self._channels.with_archived(job.guild_id, first_id_at(job.since))
        async with self._database.reading() as connection:
            excluded = await guilds.excluded_channels(connection, job.guild_id)
        counted = [
            sighting
            for sighting in found
            if sighting.place.channel_id not in excluded and sighting.place.parent_id not in excluded
        ]
        self._progress[job.job_id] = JobProgress(job, len(counted), 0, 0, running=True)
        async with asyncio.TaskGroup() as group:
            for sighting in counted:
                group.create_task(self._read(job, sighting))
        async with self._database.writing() as connection:
            await history_jobs.finish(connection, job.job_id, self._clock.now())
        done = self._progress[job.job_id]
        log.info("Read %s messages of history in %s channels (%s)", done.messages, done.channels, job.kind.value)

    async def _read(self, job: HistoryJob, sighting: Sighting) -> None:
        async with self._at_once:
            try:
                for span in await self._wanted(job, sighting):
                    await self._read_span(job, sighting.place, span)
            except NoHistoryError as error:
                log.info("History of channel %s is left out: %s", sighting.place.channel_id, error)
        self._note(job, channels=1)

    async def _wanted(self, job: HistoryJob, sighting: Sighting) -> Sequence[Span]:
        channel_id = sighting.place.channel_id
        async with self._database.reading() as connection:
            recorded = await spans.of_channel(connection, channel_id)
        if job.kind is JobKind.READ_AGAIN:
            return recorded
        first_id = max(first_id_at(job.since), channel_id)
        last_id = max((span.last_id for span in recorded), default=sighting.last_message_id)
        return unrecorded(Span(first_id, last_id), recorded) if first_id <= last_id else ()

    async def _read_span(self, job: HistoryJob, place: Place, span: Span) -> None:
        async for stretch in pages(self._history, place, span):
            if job.kind is JobKind.READ_AGAIN:
                assert job.manager_id is not None
                await self._recorder.read_again(stretch, self._context, {job.manager_id})
            else:
                await self._recorder.record(stretch, self._context)
            self._note(job, messages=len(stretch.messages))
            async with self._database.writing() as connection:
                await history_jobs.note_messages(connection, job.job_id, self._progress[job.job_id].messages)
        if job.kind is JobKind.BACKFILL:
            async with self._database.writing() as connection:
                await spans.forget_known_gaps(connection, place.channel_id, span)

    def _note(self, job: HistoryJob, *, channels: int = 0, messages: int = 0) -> None:
        known = self._progress[job.job_id]
        self._progress[job.job_id] = JobProgress(
            job, known.channels, known.done + channels, known.messages + messages, running=True
        )
