"""Reading a guild's history once, for one or more jobs."""

import asyncio
import logging
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from typing import Protocol

from bot.clock import Clock
from bot.domain.history_job import HistoryJob, JobKind
from bot.domain.snowflake import first_id_at
from bot.domain.span import Span, merged, unrecorded
from bot.domain.stretch import Place
from bot.services.record.channel_snapshot import ChannelSnapshot
from bot.services.record.gaps import forget_filled
from bot.services.record.history import History, UnreadableHistoryError
from bot.services.record.history_context import HistoryContext
from bot.services.record.job_progress import JobTracker
from bot.services.record.pages import pages
from bot.services.record.recorder import Recorder
from bot.services.record.retry import CHANNEL_TRIES, retry
from bot.store import evidence, guilds, history_jobs, spans
from bot.store.database import Database

log = logging.getLogger(__name__)

_CHANNELS_AT_ONCE = 3


class JobUnfinishedError(Exception):
    """A job ended before all channels were read; it goes on after a restart."""


class ChannelSource(Protocol):
    """Lists the channels and threads of a guild, archived ones too."""

    async def with_archived(self, guild_id: int, since_id: int) -> Sequence[ChannelSnapshot]:
        """Those that may hold messages from `since_id` on; none if the guild is not visible."""


class HistoryRun:
    """Reads channels for jobs, a few at once over all guilds, and notes the progress of the jobs."""

    def __init__(
        self,
        database: Database,
        recorder: Recorder,
        history: History,
        channels: ChannelSource,
        progress: JobTracker,
        clock: Clock,
    ) -> None:
        self._database = database
        self._recorder = recorder
        self._history = history
        self._context = HistoryContext(history)
        self._channels = channels
        self._progress = progress
        self._clock = clock
        self._at_once = asyncio.Semaphore(_CHANNELS_AT_ONCE)

    async def run(self, jobs: tuple[HistoryJob, ...]) -> None:
        """Run one backfill, or jobs of one guild that read again, until done.

        Raises JobUnfinishedError if some channels could not be read after `CHANNEL_TRIES` tries.
        """
        guild_id, since_id = jobs[0].guild_id, first_id_at(jobs[0].since)
        looking = "Looking for channels to read"
        found = await retry(looking, lambda: self._channels.with_archived(guild_id, since_id))
        excluded = await retry("Looking for channels that are excluded", partial(self._excluded, guild_id))
        counted = [snapshot for snapshot in found or () if not snapshot.place.is_in(excluded or ())]
        self._progress.begin(jobs, len(counted))
        left = iter(counted)
        async with asyncio.TaskGroup() as group:
            for _ in range(_CHANNELS_AT_ONCE):
                group.create_task(self._read(jobs, left))
        done = self._progress.of(jobs[0])
        what = f"Read {done.messages} messages of history in {done.done} of {done.channels} channels"
        if done.done < done.channels:
            raise JobUnfinishedError(what)
        await retry("Noting that history was read", partial(self._finish, jobs))
        log.info("%s (%s)", what, jobs[0].kind.value)

    async def _excluded(self, guild_id: int) -> Collection[int]:
        async with self._database.reading() as connection:
            return await guilds.excluded_channels(connection, guild_id)

    async def _finish(self, jobs: tuple[HistoryJob, ...]) -> None:
        async with self._database.writing() as connection:
            for job in jobs:
                await history_jobs.finish(connection, job.job_id, self._clock.now())

    async def _read(self, jobs: tuple[HistoryJob, ...], left: Iterator[ChannelSnapshot]) -> None:
        """Read channels that are `left`, one after the other, until there are none."""
        for snapshot in left:
            what = f"Reading history of channel {snapshot.place.channel_id}"
            if await retry(what, partial(self._read_channel, jobs, snapshot), tries=CHANNEL_TRIES):
                self._progress.add(jobs, channels=1)

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
            imported = await evidence.extent(connection, channel_id)
        if job.kind is JobKind.READ_AGAIN:
            return merged(recorded if imported is None else (*recorded, imported))
        first_id = max(first_id_at(job.since), channel_id)
        last_id = max((span.last_id for span in recorded), default=snapshot.last_message_id)
        return unrecorded(Span(first_id, last_id), recorded) if first_id <= last_id else ()

    async def _read_span(self, jobs: tuple[HistoryJob, ...], place: Place, span: Span) -> None:
        manager_ids = {job.manager_id for job in jobs if job.manager_id is not None}
        unreadable: list[Span] = []
        async for stretch in pages(self._history, place, span):
            if manager_ids:
                # Of what was imported, only what concerned the managers of that time was kept: now Discord tells it.
                if (await self._recorder.record(stretch, self._context)).excluded:
                    return
                await self._recorder.read_again(stretch, self._context, manager_ids)
            else:
                recorded = await self._recorder.record(stretch, self._context)
                if recorded.excluded:
                    return
                unreadable += recorded.unreadable
            self._progress.add(jobs, messages=len(stretch.messages))
            async with self._database.writing() as connection:
                for job in jobs:
                    await history_jobs.note_messages(connection, job.job_id, self._progress.of(job).messages)
        if not manager_ids:
            await forget_filled(self._database, place, span, unreadable)
