"""Following all channels: entry point for what Discord sends and the record lacks (docs/rules.md#catch-up).

A channel is either *followed* (everything up to its position is on record, and live messages continue from there) or
it has to *catch up* first. Live messages of a channel that catches up need not be kept, because the pages of its
history bring them; only those that arrive during the last page are.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable
from contextlib import AbstractContextManager

from bot.clock import Clock
from bot.domain.message import Message
from bot.domain.stretch import Place
from bot.services.record.buffer import Buffer
from bot.services.record.catch_up import CatchUp
from bot.services.record.channel_recorder import ChannelRecorder
from bot.services.record.channel_snapshot import ChannelSnapshot
from bot.services.record.channels import Channels
from bot.services.record.deletions import Deletions
from bot.services.record.gaps import Gaps
from bot.services.record.gone_channels import GoneChannels
from bot.services.record.history import History
from bot.services.record.history_context import HistoryContext
from bot.services.record.intake import Intake
from bot.services.record.left_channels import LeftChannels
from bot.services.record.live_writer import LiveWriter
from bot.services.record.positions import Positions
from bot.services.record.recorder import Recorder
from bot.services.record.retry import RETRY_SECONDS
from bot.store.database import Database
from bot.store.error import LostDatabaseError, OutageError, StoreError

log = logging.getLogger(__name__)

LAST_SECONDS = 8.0
"""How long a stop waits for the database to take what was heard last: whoever stops Spade does not wait for ever."""


class Follower:
    """Keeps the record complete. One instance serves all guilds; it writes only while `run` is running.

    `hold_seconds` is how long a received message is held back, since messages can arrive out of order.
    """

    def __init__(
        self, database: Database, recorder: Recorder, history: History, clock: Clock, *, hold_seconds: float = 1.0
    ) -> None:
        buffer, context, positions = Buffer(), HistoryContext(history), Positions(database, clock)
        self._channels = Channels(buffer)
        self._deletions = Deletions(recorder)
        self._gone = GoneChannels(database, recorder, history, self._channels)
        self._gaps = Gaps(database, recorder, history, context, self._channels, self._gone)
        channel_recorder = ChannelRecorder(recorder, context, self._channels, self._gaps)
        self._writer = LiveWriter(self._channels, channel_recorder)
        self._catch_up = CatchUp(self._channels, recorder, channel_recorder, history, positions, self._gaps, clock)
        self._left = LeftChannels(self._channels, self._catch_up, channel_recorder.recorded)
        self._intake = Intake(self._channels, buffer, self._left)
        self._hold = hold_seconds
        self._flushed_at = 0.0
        self._flushing = asyncio.Lock()

    # What is followed.

    @property
    def session(self) -> int:
        """The number of the session, which grows with every interruption: what was seen in another may be outdated."""
        return self._channels.session

    def uninterrupted(self, session: int, guild_id: int | None = None) -> bool:
        """Whether neither the connection nor, if given, the guild was interrupted since `session`."""
        return self._channels.uninterrupted(session, guild_id)

    @property
    def caught_up(self) -> bool:
        """Whether every visible channel is followed, so that nothing is missing but known gaps."""
        return self._channels.caught_up

    def guild_caught_up(self, guild_id: int) -> bool:
        """Whether a guild is visible and all its channels are followed."""
        return self._channels.guild_caught_up(guild_id)

    def behind(self, guild_id: int) -> int:
        """How many of a guild's channels still have to catch up."""
        return self._channels.behind(guild_id)

    def knows(self, channel_id: int) -> bool:
        """Whether a channel is visible and was seen in this session, so that no catching up needs to be started."""
        return self._channels.knows(channel_id)

    def excludes(self, channel_id: int) -> bool:
        """Whether a channel was found to be excluded when its messages were last to be recorded."""
        channel = self._channels.get(channel_id)
        return channel is not None and channel.excluded

    # What happens to guilds and channels.

    def interrupted(self, guild_id: int | None = None) -> None:
        """Events may be missed from here on, of one guild or everywhere: the channels have to catch up first."""
        self._channels.interrupt(guild_id)

    def expect_guilds(self, guild_ids: Iterable[int]) -> None:
        """These are the visible guilds. Each has to be caught up with completely before the record is caught up."""
        self._channels.expect_guilds(guild_ids)

    def guild_hidden(self, guild_id: int) -> None:
        """Spade was removed from a guild, or the guild is unavailable: nothing waits for it."""
        self._channels.hide_guild(guild_id)

    def channels_hidden(self, channel_ids: Collection[int]) -> Coroutine[object, object, None]:
        """Channels are hidden, or were for a moment, with all their threads, archived ones too.

        They are forgotten at once, so that a message received from here on does not count as what follows in them.
        To be awaited: what was received of them before is then recorded.
        """
        return self._writer.write_last(self._channels.hide(channel_ids))

    async def follow_new(self, place: Place, session: int) -> None:
        """A channel or thread was just made: follow it from its first message on, unless `session` has ended."""
        await self._catch_up.follow_new(place, session)

    def thread_archived(self, thread_id: int) -> None:
        """A thread went into the archive: it need not be kept in memory when all that was received is on record."""
        self._channels.archive(thread_id)

    def thread_active(self, thread_id: int) -> None:
        """A thread is not archived, or no longer."""
        self._channels.unarchive(thread_id)

    async def catch_up(self, seen: Collection[ChannelSnapshot], session: int) -> None:
        """Catch up with channels that were seen in `session`, several at once.

        A channel that cannot be read is followed after a known gap. See `CatchUp.all_of`.
        """
        await self._catch_up.all_of(seen, session)

    def guild_complete(self, guild_id: int, session: int) -> None:
        """All channels of a guild were seen in `session`, and caught up with. Ignored if that session has ended."""
        if self._channels.uninterrupted(session, guild_id):
            self._channels.guild_complete(guild_id, session)

    async def look_for_deleted(self, guild_id: int, present: Collection[int], session: int) -> None:
        """Take channels off the record that were deleted while Spade was away. See `GoneChannels.look`."""
        await self._gone.look(guild_id, present, session)

    def retry_gaps_soon(self) -> None:
        """Permissions have changed: let the next `retry_gaps` try known gaps, however recently it did."""
        self._gaps.retry_soon()

    async def retry_gaps(self) -> int:
        """Try to fill known gaps, every quarter of an hour; returns for how many channels it was tried."""
        return await self._gaps.retry_due()

    # What happens to messages.

    def receive(self, place: Place, message: Message) -> None:
        """Receive a live message that has been read."""
        self._intake.receive(place, message)

    def receiving(self, place: Place, message_id: int) -> AbstractContextManager[Callable[[Message], None]]:
        """Receive a live message that has to be read: a context that yields a function which takes it after that.

        See `Intake.receiving`.
        """
        return self._intake.receiving(place, message_id)

    def room(self) -> Awaitable[None] | None:
        """What to await before the next message is received; None for nothing. See `Intake.room`."""
        return self._intake.room()

    @property
    def newest_received_id(self) -> int:
        """The highest id of a message that was received live; 0 before the first."""
        return self._intake.newest_id

    @property
    def being_read(self) -> int:
        """How many live messages are being read at the moment."""
        return self._intake.being_read

    def note_out_of_sight(self, channel_id: int, message_id: int) -> None:
        """A message was received, and the client does not know its channel, or does not show its guild.

        It is fetched when the channel is seen; at once if it is followed, as a thread that was archived.
        """
        channel = self._channels.get(channel_id)
        if channel is None:
            self._catch_up.note_out_of_sight(channel_id, message_id)
        else:
            self._left.leave(channel, message_id, "it was out of sight")

    def message_missed(self, channel_id: int) -> None:
        """A message of a channel was sent or deleted, and cannot be read. The caller has the channel catch up then."""
        channel = self._channels.get(channel_id)
        if channel is not None:
            self._channels.interrupt_channel(channel)

    def messages_deleted(self, channel_id: int, message_ids: Collection[int]) -> None:
        """Messages were deleted: what is on record of them is taken back, and what still arrives makes no touch."""
        channel = self._channels.get(channel_id)
        if channel is not None:
            channel.note_deleted(message_ids)
        self._deletions.note(message_ids)

    def channel_deleted(self, channel_id: int) -> None:
        """A channel or thread was deleted."""
        self._channels.delete(channel_id)
        self._deletions.note_channel(channel_id)

    def received(self, guild_id: int) -> dict[int, int]:
        """How many messages of a guild were received and are not on record yet, by channel.

        Without channels that are catching up, whose messages the history brings.
        """
        channels = [one for one in self._channels if one.place.guild_id == guild_id and one.followed and one.pending]
        return {channel.place.channel_id: len(channel.pending.by_id()) for channel in channels}

    # Writing.

    async def run(self) -> None:
        """Write what was received, until cancelled. While the disk is full it is retried: nothing is lost.

        What does not fit into memory meanwhile is fetched from the history afterwards.
        Ends when the database is lost, since nothing can be written any more.
        Deletes are written at once, whatever the rest waits for: Discord sends each of them only once.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self._repeat(self._flush_when_due))
            group.create_task(self._repeat(self._deletions.take_back_next))
            group.create_task(self._left.run())

    async def _repeat(self, work: Callable[[], Awaitable[None]]) -> None:
        """Repeat some work until cancelled. A failure that stays the same is logged once."""
        told = ""
        while True:
            try:
                await work()
                told = ""
                continue
            except OutageError:
                pass  # it is logged by itself
            except LostDatabaseError:
                return  # the bot stops, and says why
            except StoreError as error:
                before, told = told, str(error)
                if told != before:
                    log.error("Recording waits: %s", error)  # noqa: TRY400 - the message is for people; no traceback
            except Exception as error:
                before, told = told, repr(error)
                if told != before:
                    log.exception("Recording failed; it is tried again every %.0f s", RETRY_SECONDS)
            await asyncio.sleep(RETRY_SECONDS)

    async def _flush_when_due(self) -> None:
        """Flush as soon as the first message was held for long enough, but let those that follow come together."""
        now = asyncio.get_running_loop().time()
        oldest = self._channels.first_received_at
        due_at = now + self._hold / 2 if oldest is None else oldest + self._hold
        await asyncio.sleep(max(due_at, self._flushed_at + self._hold / 3, now + 0.01) - now)
        self._flushed_at = asyncio.get_running_loop().time()
        await self.flush()

    async def settle(self, guild_id: int | None = None) -> None:
        """Return when everything received before this call is on record, except for channels that are catching up.

        With a guild, only that guild's messages have to be on record: what fails in another guild is not raised.
        """
        await asyncio.sleep(self._hold)
        await self.flush(guild_id)

    async def settle_last(self) -> None:
        """The same, before Spade stops, for at most `LAST_SECONDS`. Raises nothing but cancellation.

        What cannot be written any more is logged, and left to the history.
        """
        try:
            async with asyncio.timeout(LAST_SECONDS):
                await self.settle()
        except Exception as error:  # noqa: BLE001 - whatever failed, Spade stops
            why = str(error) or type(error).__name__
            log.warning("What was heard last is not on record, and has to come from the history: %s", why)

    async def flush(self, guild_id: int | None = None) -> None:
        """Record what was held back long enough, and take back what was deleted.

        If a channel fails, the others are still written; then the first failure is raised, a StoreError before others.
        With a guild, only a failure of its own channels is raised, or one of the deletions.
        """
        async with self._flushing:
            failures = await self._writer.write(asyncio.get_running_loop().time() - self._hold)
            await self._deletions.take_back()
            concerning = [one.error for one in failures if guild_id in {None, one.guild_id}]
            for error in sorted(concerning, key=lambda error: not isinstance(error, StoreError)):
                raise error
