"""How far the jobs that read history are."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from bot.domain.history_job import HistoryJob


@dataclass(frozen=True, slots=True)
class JobProgress:
    """How far a job is: `done` of its `channels` are read, with `messages` in all."""

    job: HistoryJob
    channels: int
    done: int
    messages: int
    running: bool


class JobTracker:
    """The progress of each job that this process has run."""

    def __init__(self) -> None:
        self._by_job: dict[int, JobProgress] = {}

    def begin(self, jobs: Iterable[HistoryJob], channels: int = 0) -> None:
        """Jobs begin, or begin again, to read so many channels."""
        for job in jobs:
            self._by_job[job.job_id] = JobProgress(job, channels, 0, 0, running=True)

    def add(self, jobs: Iterable[HistoryJob], *, channels: int = 0, messages: int = 0) -> None:
        """So many channels and messages more were read for these jobs."""
        for job in jobs:
            known = self.of(job)
            self._by_job[job.job_id] = replace(known, done=known.done + channels, messages=known.messages + messages)

    def end(self, job: HistoryJob) -> None:
        """A job does not run any more: it is done, failed or cancelled."""
        self._by_job[job.job_id] = replace(self.of(job), running=False)

    def of(self, job: HistoryJob) -> JobProgress:
        """The progress of a job that has begun in this process."""
        return self._by_job[job.job_id]

    def of_guild(self, guild_id: int) -> tuple[JobProgress, ...]:
        """The progress of a guild's jobs, newest first."""
        found = [progress for progress in self._by_job.values() if progress.job.guild_id == guild_id]
        return tuple(sorted(found, key=lambda progress: -progress.job.job_id))
