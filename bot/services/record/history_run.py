"""Reading a guild's history for one or more jobs, as far as it can be read now."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

from bot.clock import Clock, UnsureTimeError
from bot.domain.calendar import day_start
from bot.domain.history_job import HistoryJob, JobKind, LeftOut, Unread
from bot.domain.retention import first_day_kept
from bot.domain.snowflake import first_id_at
from bot.domain.span import Span, unrecorded
from bot.domain.stretch import Place
from bot.services.record import gaps
from bot.services.record.channel_snapshot import ChannelSnapshot
from bot.services.record.growing_delays import GrowingDelays
from bot.services.record.history import GoneChannelError, History, NoMessagesError, UnreadableHistoryError
from bot.services.record.history_context import HistoryContext
from bot.services.record.job_progress import JobTracker
from bot.services.record.pages import pages
from bot.services.record.recorder import Recorder
from bot.services.record.retry import CHANNEL_TRIES, retry
from bot.store import evidence, guilds, history_jobs, spans, unread
from bot.store.database import Connection, Database
from bot.store.error import UnknownZoneError

log = logging.getLogger(__name__)

_CHANNELS_AT_ONCE = 3

Item = TypeVar("Item")


class ChannelSource(Protocol):
    """Lists the channels and threads of a guild."""

    def shown(self, guild_id: int) -> Sequence[ChannelSnapshot] | None:
        """The visible channels, and their threads that are not archived; None if the guild is not visible."""

    async def archived(self, guild_id: int, channel_id: int, since_id: int) -> tuple[Sequence[ChannelSnapshot], bool]:
        """A channel's archived threads that may hold messages from `since_id` on, and whether these are all.

        Raises UnreadableHistoryError if they may not be listed.
        """


class HistoryRun:
    """Reads channels for jobs, a few at once over all guilds, and keeps what the jobs have still to read.

    A channel that cannot be read stays on a job's list, with the reason; the job ends when nothing is on it.
    """

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
        self._delays = GrowingDelays()
        self._archive_delays = GrowingDelays()

    async def run(self, jobs: tuple[HistoryJob, ...]) -> None:
        """Read what one backfill, or jobs of one guild that read again, have still to read and can read now.

        A channel is tried `CHANNEL_TRIES` times; one with messages that cannot be read is tried in later and later
        runs. Nothing is done while the guild is not visible.
        """
        guild_id = jobs[0].guild_id
        if self._channels.shown(guild_id) is None:
            return
        if jobs[0].kind is JobKind.BACKFILL:
            await self._list(jobs[0])
        else:
            await retry("Looking for what is kept", partial(self._leave_what_is_not_kept, jobs))
        to_read = await retry("Looking for what is to be read", partial(self._to_read, jobs)) or {}
        before = self._progress.of(jobs[0])
        await _side_by_side(to_read.items(), lambda one: self._read(one[1], one[0]))
        await retry("Noting that history was read", partial(self._finish, jobs))
        after = self._progress.of(jobs[0])
        if (after.done, after.messages) != (before.done, before.messages):
            what = f"Read {after.messages} messages of history in {after.done} of {after.channels} channels"
            log.info("%s (%s)", what, jobs[0].kind.value)

    # What there is to read.

    async def _list(self, job: HistoryJob) -> None:
        """Put on a backfill's list what it has to read, as far as that can be found now."""
        if not job.listed:
            await retry("Looking for channels to read", partial(self._list_shown, job))
        found = await retry("Looking for archives", partial(self._unread, job)) or ()
        archives = [one for one in found if one.archive and _due([one], self._archive_delays)]
        await _side_by_side(archives, partial(self._search, job))

    async def _list_shown(self, job: HistoryJob) -> None:
        """List the visible channels, and those on record that are not visible: they are read once they are."""
        shown, since_id = self._channels.shown(job.guild_id), first_id_at(job.since)
        if shown is None:
            return
        async with self._database.writing() as connection:
            excluded = await guilds.excluded_channels(connection, job.guild_id)
            on_record = await _on_record(connection, job.guild_id)
            found = [
                self._missing(job, one, on_record, archive=not one.place.is_thread)
                for one in shown
                if not one.place.is_in(excluded)
            ]
            looked_at = sum(
                (one.stale or one.last_message_id >= since_id) and not one.place.is_in(excluded) for one in shown
            )
            ids = {one.place.channel_id for one in shown}
            for channel_id in sorted(await spans.counted_channels(connection, job.guild_id) - ids):
                hidden = self._missing(job, ChannelSnapshot(Place(job.guild_id, channel_id), 0), on_record)
                looked_at += bool(hidden.stretches)
                found.append(hidden)
            await history_jobs.add_list(connection, job.guild_id, job.job_id, found, looked_at)

    def _missing(
        self,
        job: HistoryJob,
        snapshot: ChannelSnapshot,
        on_record: "_OnRecord",
        *,
        archive: bool = False,
    ) -> Unread:
        """What the record of a channel lacks from the beginning of a backfill until its own end."""
        place = snapshot.place
        recorded, imported = on_record.spans.get(place.channel_id, ()), on_record.imported.get(place.channel_id)
        newest_id = first_id_at(self._clock.now()) if snapshot.stale else snapshot.last_message_id
        if imported is not None:
            newest_id = max(newest_id, imported.last_id)
        first_id = max(first_id_at(job.since), place.channel_id)
        last_id = max((span.last_id for span in recorded), default=newest_id)
        wanted = unrecorded(Span(first_id, last_id), recorded) if first_id <= last_id else ()
        return Unread(place.channel_id, place.parent_id, wanted, archive)

    async def _search(self, job: HistoryJob, channel: Unread) -> None:
        """Put a channel's archived threads on a backfill's list."""
        what = f"Looking at the archive of channel {channel.channel_id}"
        work = partial(self._search_archive, job, channel.channel_id)
        await self._try(what, [job], channel, work, self._archive_delays)

    async def _search_archive(self, job: HistoryJob, channel_id: int) -> LeftOut | None:
        found, whole = await self._channels.archived(job.guild_id, channel_id, first_id_at(job.since))
        async with self._database.writing() as connection:
            on_record = await _on_record(connection, job.guild_id)
            threads = [self._missing(job, one, on_record) for one in found]
            added = await unread.add(connection, job.guild_id, job.job_id, threads)
            await history_jobs.add_channels(connection, job.job_id, added)
            if whole:
                await unread.archive_found(connection, job.job_id, channel_id)
        return None if whole else LeftOut.UNREADABLE

    async def _leave_what_is_not_kept(self, jobs: Sequence[HistoryJob]) -> None:
        """Take off the lists of jobs that read again what is older than the guild keeps: it was purged for good."""
        with suppress(UnknownZoneError, UnsureTimeError):  # then nothing is purged either
            now = self._clock.sure_now()
            async with self._database.reading() as connection:
                settings = await guilds.settings_of(connection, jobs[0].guild_id)
            day = None if settings is None else first_day_kept(settings, now)
            if settings is None or day is None:
                return
            first_id = first_id_at(day_start(day, settings.zone))
            async with self._database.writing() as connection:
                await unread.forget_before(connection, [job.job_id for job in jobs], first_id)

    async def _unread(self, job: HistoryJob) -> tuple[Unread, ...]:
        async with self._database.reading() as connection:
            return await unread.of_job(connection, job.guild_id, job.job_id)

    async def _to_read(self, jobs: Sequence[HistoryJob]) -> Mapping[int, Sequence[tuple[HistoryJob, Unread]]]:
        """The channels with messages that can be tried to be read now, each with the jobs that have to read it."""
        found: dict[int, list[tuple[HistoryJob, Unread]]] = {}
        for job in jobs:
            async with self._database.reading() as connection:
                known = await history_jobs.by_id(connection, job.job_id)
            channels = [one for one in await self._unread(job) if one.stretches]
            self._progress.expect(job, channels=known.channels if known else 0, left=len(channels))
            for one in channels:
                found.setdefault(one.channel_id, []).append((job, one))
        return {channel_id: who for channel_id, who in found.items() if _due([one for _, one in who], self._delays)}

    # Reading it.

    async def _read(self, who: Sequence[tuple[HistoryJob, Unread]], channel_id: int) -> None:
        jobs = [job for job, _ in who]
        what = f"Reading history of channel {channel_id}"
        if await self._try(what, jobs, who[0][1], partial(self._read_channel, jobs, channel_id), self._delays):
            self._progress.add(jobs, channels=1)

    async def _try(
        self,
        what: str,
        jobs: Sequence[HistoryJob],
        channel: Unread,
        work: Callable[[], Awaitable[LeftOut | None]],
        delays: GrowingDelays,
    ) -> bool:
        """Do some work on a channel, which returns what keeps it from being all that is to be done; note that."""

        async def once() -> tuple[LeftOut | None]:
            async with self._at_once:
                return (await self._attempt(jobs, channel.channel_id, work),)

        (reason,) = await retry(what, once, tries=CHANNEL_TRIES) or (LeftOut.UNANSWERED,)
        if reason is None:
            delays.end(channel.channel_id)
            return True
        if reason is LeftOut.UNREADABLE:
            delays.grow(channel.channel_id, gaps.GAP_RETRY_SECONDS, gaps.LONGEST_RETRY_SECONDS)
        if reason is not channel.left_out:
            log.info("History of channel %s is left out for now: %s", channel.channel_id, reason.value)
        await retry("Noting what was left out", partial(self._leave_out, jobs, channel.channel_id, reason))
        return False

    async def _attempt(
        self, jobs: Sequence[HistoryJob], channel_id: int, work: Callable[[], Awaitable[LeftOut | None]]
    ) -> LeftOut | None:
        try:
            return await work()
        except NoMessagesError:
            async with self._database.writing() as connection:
                await unread.has_no_messages(connection, [job.job_id for job in jobs], channel_id)
            return None
        except GoneChannelError:
            shown = self._channels.shown(jobs[0].guild_id)
            if shown is None:
                return LeftOut.FORBIDDEN  # an outage, or Spade was removed
            if any(one.place.channel_id == channel_id for one in shown):
                return LeftOut.UNANSWERED  # Spade sees it: if it was deleted, that will be heard
            await self._recorder.take_back_channel(channel_id)
            return None
        except UnreadableHistoryError as error:
            log.debug("History of channel %s cannot be read: %s", channel_id, error)
            return LeftOut.FORBIDDEN

    async def _read_channel(self, jobs: Sequence[HistoryJob], channel_id: int) -> LeftOut | None:
        place = await self._history.place(jobs[0].guild_id, channel_id)
        async with self._database.reading() as connection:
            wanted = await unread.stretches_of(connection, [job.job_id for job in jobs], channel_id)
            recorded = await spans.of_channel(connection, channel_id)
        if jobs[0].kind is JobKind.BACKFILL:
            for span in wanted:
                if not await self._record(jobs, place, span, recorded):
                    break
            return None
        return await self._read_again(jobs, place, wanted)

    async def _record(self, jobs: Sequence[HistoryJob], place: Place, span: Span, recorded: Collection[Span]) -> bool:
        """Record what is missing in a span; False if the channel is excluded."""
        parts = unrecorded(span, recorded)
        for part in parts:
            missed: list[Span] = []
            before: Span | None = None
            async for stretch in pages(self._history, place, part):
                if before is not None:
                    await self._note(jobs, place, before)
                result = await self._recorder.record(stretch, self._context)
                if result.excluded:
                    return False
                missed += result.unreadable
                self._progress.add(jobs, messages=len(stretch.messages))
                before = Span(stretch.first_id, stretch.last_id)
            async with self._database.writing() as connection:
                await gaps.forget_filled(connection, place, part, missed)
                await self._note_in(connection, jobs, place, span if part == parts[-1] else part)
        if not parts:
            await self._note(jobs, place, span)
        return True

    async def _read_again(self, jobs: Sequence[HistoryJob], place: Place, wanted: Iterable[Span]) -> LeftOut | None:
        manager_ids = frozenset(job.manager_id for job in jobs if job.manager_id is not None)
        whole = True
        for span in wanted:
            async for stretch in pages(self._history, place, span):
                # Of what was imported, only what concerned the managers of that time was kept: now Discord tells it.
                await self._recorder.record(stretch, self._context)
                still = await self._recorder.read_again(stretch, self._context, manager_ids)
                if still is None:
                    return None
                whole = whole and not still
                self._progress.add(jobs, messages=len(stretch.messages))
                await self._note(jobs, place)
        return None if whole else LeftOut.UNREADABLE

    # Noting it.

    async def _note(self, jobs: Sequence[HistoryJob], place: Place, recorded: Span | None = None) -> None:
        async with self._database.writing() as connection:
            await self._note_in(connection, jobs, place, recorded)

    async def _note_in(
        self, connection: Connection, jobs: Sequence[HistoryJob], place: Place, recorded: Span | None
    ) -> None:
        for job in jobs:
            await history_jobs.note_messages(connection, job.job_id, self._progress.of(job).messages)
        if recorded is not None:
            await unread.read(connection, [job.job_id for job in jobs], place.channel_id, recorded)

    async def _leave_out(self, jobs: Sequence[HistoryJob], channel_id: int, reason: LeftOut) -> None:
        async with self._database.writing() as connection:
            await unread.leave_out(connection, [job.job_id for job in jobs], channel_id, reason)

    async def _finish(self, jobs: Sequence[HistoryJob]) -> None:
        async with self._database.writing() as connection:
            await history_jobs.finish(connection, [job.job_id for job in jobs], self._clock.now())
            for job in jobs:
                known = await history_jobs.by_id(connection, job.job_id)
                left_out = await unread.left_out(connection, job.guild_id, job.job_id)
                self._progress.leave(job, left_out, finished=known is not None and known.finished_at is not None)


@dataclass(frozen=True, slots=True)
class _OnRecord:
    """By channel: the spans, and from where to where messages were imported."""

    spans: Mapping[int, tuple[Span, ...]]
    imported: Mapping[int, Span]


async def _on_record(connection: Connection, guild_id: int) -> _OnRecord:
    return _OnRecord(await spans.of_guild(connection, guild_id), await evidence.extents(connection, guild_id))


def _due(channel: Collection[Unread], delays: GrowingDelays) -> bool:
    """Whether a channel is to be tried: it is not if all there is of it could not be read a short while ago."""
    return any(one.left_out is not LeftOut.UNREADABLE or delays.due(one.channel_id) for one in channel)


async def _side_by_side(items: Iterable[Item], work: Callable[[Item], Awaitable[None]]) -> None:
    """Work on all items, a few at once."""
    left = iter(items)

    async def some() -> None:
        for item in left:
            await work(item)

    async with asyncio.TaskGroup() as group:
        for _ in range(_CHANNELS_AT_ONCE):
            group.create_task(some())
