"""Jobs that read history: backfills, and reading again for people who became managers."""

import asyncio
import logging
from collections.abc import Coroutine
from datetime import date, datetime
from zoneinfo import ZoneInfo

from bot.clock import Clock
from bot.domain.calendar import day_start, local_day
from bot.domain.history_job import HistoryJob, JobKind
from bot.domain.snowflake import EPOCH
from bot.services.record import gaps
from bot.services.record.history import History
from bot.services.record.history_run import ChannelSource, HistoryRun
from bot.services.record.job_progress import JobProgress, JobTracker
from bot.services.record.recorder import Recorder
from bot.store import guilds, history_jobs
from bot.store.database import Database

log = logging.getLogger(__name__)


class HistoryReader:
    """Runs each guild's jobs in the background.

    A job keeps on record what it has still to read, and goes on with that after a restart. What could not be read is
    tried again when `retry_due` is called; the job ends when all is read. All jobs of a guild that read again are run
    as one, if they are there when it begins: however many people became managers, the history is read once.
    """

    def __init__(
        self, database: Database, recorder: Recorder, history: History, channels: ChannelSource, clock: Clock
    ) -> None:
        self._database = database
        self._clock = clock
        self._progress = JobTracker()
        self._reading = HistoryRun(database, recorder, history, channels, self._progress, clock)
        self._jobs: dict[int, HistoryJob] = {}
        self._running: dict[int, asyncio.Task[None]] = {}
        self._to_read_again: dict[int, list[HistoryJob]] = {}
        self._retry_at = 0.0

    async def backfill(self, guild_id: int, since: datetime) -> HistoryJob:
        """Start a job that reads what was written from `since` until the record begins."""
        async with self._database.writing() as connection:
            job = await history_jobs.add(connection, guild_id, JobKind.BACKFILL, since, self._clock.now())
        self._start(job)
        return job

    async def backfill_from(self, guild_id: int, first_on: date) -> HistoryJob:
        """The same from the first moment of a day on, as days are in the guild's time zone.

        A day before there was Discord, or one that has not come yet, counts as the first or the last moment there is.
        """
        async with self._database.reading() as connection:
            settings = await guilds.settings_of(connection, guild_id)
        zone, now = settings.zone if settings is not None else ZoneInfo("UTC"), self._clock.now()
        if first_on <= EPOCH.date():
            return await self.backfill(guild_id, EPOCH)
        return await self.backfill(guild_id, now if first_on > local_day(now, zone) else day_start(first_on, zone))

    def retry_soon(self) -> None:
        """Permissions have changed: let the next `retry_due` go on with jobs, however recently it did."""
        self._retry_at = 0.0

    async def retry_due(self) -> None:
        """Go on with the unfinished jobs of all guilds, as often as known gaps are tried again."""
        now = asyncio.get_running_loop().time()
        if now < self._retry_at:
            return
        self._retry_at = now + gaps.GAP_RETRY_SECONDS
        async with self._database.reading() as connection:
            guild_ids = await history_jobs.guilds_with_unfinished(connection)
        for guild_id in guild_ids:
            await self.resume(guild_id)

    async def resume(self, guild_id: int) -> None:
        """Start the unfinished jobs of a guild that are not running.

        These are new ones, those that a restart interrupted, and those that could not read everything.
        """
        async with self._database.reading() as connection:
            unfinished = await history_jobs.unfinished(connection, guild_id)
        for job in unfinished:
            self._start(job)

    async def cancel(self, guild_id: int) -> int:
        """Cancel a guild's backfills and return how many there were. What they recorded stays."""
        async with self._database.writing() as connection:
            cancelled = await history_jobs.cancel(connection, guild_id, self._clock.now())
        for job_id, task in list(self._running.items()):
            job = self._jobs[job_id]
            if job.guild_id == guild_id and job.kind is JobKind.BACKFILL:
                task.cancel()
        return cancelled

    def progress(self, guild_id: int) -> tuple[JobProgress, ...]:
        """The guild's jobs that this process runs or has run lately, newest first."""
        return self._progress.of_guild(guild_id)

    async def wait(self, job: HistoryJob) -> JobProgress:
        """Return when a job that this process runs has ended: done, cancelled, or to go on later."""
        task = self._running.get(job.job_id)
        if task is not None:
            await asyncio.gather(task, return_exceptions=True)
        return self._progress.of(job)

    async def stop(self) -> None:
        """Cancel all running tasks, and return when they have ended. Unfinished jobs go on after a restart."""
        tasks = set(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, job: HistoryJob) -> None:
        if job.job_id in self._running:
            return
        self._jobs[job.job_id] = job
        self._progress.begin(job)
        if job.kind is JobKind.BACKFILL:
            self._running[job.job_id] = self._task(self._reading.run((job,)), f"history job {job.job_id}")
            return
        waiting = self._to_read_again.setdefault(job.guild_id, [])
        waiting.append(job)
        reading = next(
            (task for job_id, task in self._running.items() if self._reads_again(job_id, job.guild_id)), None
        )
        self._running[job.job_id] = reading or self._task(self._read_again(waiting), "reading history again")

    def _reads_again(self, job_id: int, guild_id: int) -> bool:
        job = self._jobs[job_id]
        return job.guild_id == guild_id and job.kind is JobKind.READ_AGAIN

    async def _read_again(self, waiting: list[HistoryJob]) -> None:
        while waiting:
            jobs = tuple(waiting)
            waiting.clear()
            await self._reading.run(jobs)

    def _task(self, work: Coroutine[object, object, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        for job_id in [job_id for job_id, one in self._running.items() if one is task]:
            del self._running[job_id]
            job = self._jobs.pop(job_id)
            self._progress.end(job)
            if job.kind is JobKind.READ_AGAIN:
                self._to_read_again.pop(job.guild_id, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s failed; it goes on later", task.get_name(), exc_info=error)
