"""How far the jobs that read history are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from bot.domain.history_job import HistoryJob, LeftOut
from bot.services.recent import Recent

_ENDED = 500
"""How many jobs that have ended are kept in memory."""


@dataclass(frozen=True, slots=True)
class JobProgress:
    """How far a job is: `done` of its `channels` are read, with `messages` in all.

    `left_out` are the channels that could not be read, or not all of them, by why; the job goes on with them later.
    """

    job: HistoryJob
    channels: int
    done: int
    messages: int
    running: bool
    finished: bool = False
    left_out: Mapping[LeftOut, tuple[int, ...]] = field(default_factory=dict)


class JobTracker:
    """The progress of each job that this process runs, and of those that ended last."""

    def __init__(self) -> None:
        self._running: dict[int, JobProgress] = {}
        self._ended: Recent[int, JobProgress] = Recent(_ENDED)

    def begin(self, job: HistoryJob) -> None:
        """A job begins, or goes on."""
        self._running[job.job_id] = JobProgress(job, 0, 0, job.messages, running=True)
        self._ended.pop(job.job_id)

    def expect(self, job: HistoryJob, *, channels: int, left: int) -> None:
        """A job has to read so many channels, of which so many are left."""
        known = self.of(job)
        self._running[job.job_id] = replace(known, channels=channels, done=channels - left)

    def leave(self, job: HistoryJob, left_out: Mapping[LeftOut, tuple[int, ...]], *, finished: bool) -> None:
        """A job has tried to read everything: it is finished, or could not read these channels."""
        self._running[job.job_id] = replace(self.of(job), left_out=left_out, finished=finished)

    def add(self, jobs: Iterable[HistoryJob], *, channels: int = 0, messages: int = 0) -> None:
        """So many channels and messages more were read for these jobs."""
        for job in jobs:
            known = self.of(job)
            self._running[job.job_id] = replace(known, done=known.done + channels, messages=known.messages + messages)

    def end(self, job: HistoryJob) -> None:
        """A job does not run any more: it is done, cancelled, or goes on later."""
        self._ended[job.job_id] = replace(self._running.pop(job.job_id), running=False)

    def of(self, job: HistoryJob) -> JobProgress:
        """The progress of a job that is running. One that has ended is known until hundreds of others have.

        Raises KeyError for any other.
        """
        running = self._running.get(job.job_id)
        ended = self._ended.get(job.job_id) if running is None else running
        if ended is None:
            raise KeyError(job.job_id)
        return ended

    def of_guild(self, guild_id: int) -> tuple[JobProgress, ...]:
        """The progress of a guild's jobs, newest first."""
        known = (*self._running.values(), *self._ended.values())
        found = [progress for progress in known if progress.job.guild_id == guild_id]
        return tuple(sorted(found, key=lambda progress: -progress.job.job_id))
