"""Follows every channel: what happens live, and what happened while nobody was listening (§4).

A channel is either *followed* (everything up to `position` is on record, and live events continue from there) or
it has to catch up first. Live events of a channel that catches up need not be kept, because the pages bring them;
only those that arrive during the last page are.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Iterable
from contextlib import asynccontextmanager

from bot.clock import Clock
from bot.domain.message import Message
from bot.domain.snowflake import first_id_at
from bot.domain.span import Span
from bot.domain.stretch import Place, Stretch
from bot.services.record.channels import FollowedChannel, Sight
from bot.services.record.deletions import Deletions
from bot.services.record.gaps import Gaps
from bot.services.record.history import PAGE, History, HistoryContext, NoHistoryError, Sighting
from bot.services.record.positions import Openings
from bot.services.record.recorder import Recorder
from bot.services.record.retry import CHANNEL_TRIES, RETRY_SECONDS, retry
from bot.store.database import Database, StoreError

log = logging.getLogger(__name__)

BATCH = 500
ASK_AGAIN_SECONDS = 900.0
"""How often known gaps are asked for again."""
_CHANNELS_AT_ONCE = 4
_EXCLUDED = "It was excluded"


class Follower(Sight):
    """Keeps the record in step with Discord. One instance for all guilds; `run` must be running for it to write.

    `hold_seconds` is how long an event waits for earlier ones that may arrive after it.
    """

    def __init__(
        self, database: Database, recorder: Recorder, history: History, clock: Clock, *, hold_seconds: float = 1.0
    ) -> None:
        super().__init__()
        self._recorder = recorder
        self._history = history
        self._context = HistoryContext(history)
        self._openings = Openings(database, clock)
        self._deletions = Deletions(recorder)
        self._gaps = Gaps(database, recorder, history, self._context)
        self._clock = clock
        self._hold = hold_seconds
        self._flushing = asyncio.Lock()
        self._at_once = asyncio.Semaphore(_CHANNELS_AT_ONCE)
        self._newest_heard_id = 0
        self._ask_again_at = 0.0
        self._unplaced: dict[int, int] = {}

    # What happens.

    async def follow_new(self, place: Place, session: int) -> None:
        """A channel or thread was just made: all of it will be heard, unless `session` is over by now."""
        channel = self._seen(place, session)
        async with channel.turn:
            if channel.position is None:
                channel.position = await self._openings.recorded_until(place) or place.channel_id - 1
        await self._catch_up(channel, Sighting(place, 0), session)

    def lost(self, channel_ids: Collection[int]) -> Coroutine[object, object, None]:
        """Channels cannot be seen any more, or could not for a moment. To be awaited: what was heard of them before.

        Their threads go with them, those in the archive too. They are unknown at once, so that what is heard from here
        on is not taken for what comes next.
        """
        gone = [
            channel
            for channel in self._channels.values()
            if not {channel.place.channel_id, channel.place.parent_id}.isdisjoint(channel_ids)
        ]
        for channel in gone:
            del self._channels[channel.place.channel_id]
        return self._write_last(gone)

    async def _write_last(self, gone: Collection[FollowedChannel]) -> None:
        now = asyncio.get_running_loop().time()
        ends = await asyncio.gather(*(self._flush_channel(channel, now) for channel in gone), return_exceptions=True)
        for channel, end in zip(gone, ends, strict=True):
            self._interrupt(channel)
            if end is not None:
                log.warning("Channel %s: what was heard is left to its history (%s)", channel.place.channel_id, end)

    @asynccontextmanager
    async def arriving(self, place: Place, message_id: int) -> AsyncIterator[Callable[[Message], None]]:
        """A live message is being read, which may take a question to Discord; nothing after it is written meanwhile.

        Yields what takes the message. Waits first while the buffer is full, so that recording can keep up. When
        reading fails, the channel has to catch up in a new session.
        """
        session = self._session
        channel = self._seen(place, session)
        channel.arriving.add(message_id)
        try:
            # One that comes late must not wait for those after it, which wait for it.
            if not self._room.is_set() and message_id > max(channel.pending, default=0):
                for behind in self._channels.values():
                    if not behind.followed:
                        self._leave_to_history(behind)
                await self._room.wait()
            yield lambda message: self._heard(channel, place, message, session)
        except Exception:
            self._interrupt(self._channels.get(place.channel_id, channel))
            raise
        finally:
            channel.arriving.discard(message_id)

    def _heard(self, channel: FollowedChannel, place: Place, message: Message, session: int) -> None:
        """Take a message that began to arrive in a session, when this was its channel's state."""
        self._newest_heard_id = max(self._newest_heard_id, message.message_id)
        now = self._channels.get(place.channel_id)
        if now is None:
            return  # out of sight meanwhile, or deleted: if it comes back, its history has the message
        now.place = place
        self._keep(now, message)
        if not now.followed and (now is not channel or not self._lasts(session, now)):
            self._leave_to_history(now)  # nobody knows what was said since it was sent

    @property
    def newest_heard_id(self) -> int:
        """The newest message id that was heard live; 0 before the first."""
        return self._newest_heard_id

    def heard_of(self, channel_id: int, message_id: int) -> None:
        """There is a message in a thread that is not in sight (yet): it is fetched once the thread is."""
        self._unplaced[channel_id] = max(message_id, self._unplaced.get(channel_id, 0))

    def removed(self, message_ids: Iterable[int]) -> None:
        """Messages were deleted: what a page still brings of them is ignored, what is on record is taken back."""
        self._deletions.note(message_ids)

    def removed_channel(self, channel_id: int) -> None:
        """A channel or thread was deleted."""
        channel = self._channels.pop(channel_id, None)
        if channel is not None:
            self._unfollow(channel)
        self._deletions.note_channel(channel_id)

    # Writing what was heard.

    async def run(self) -> None:
        """Write what was heard, for as long as it is not cancelled. A full disk is waited out: nothing is dropped.

        What was deleted is taken back at once, whatever the rest waits for: nobody says it a second time.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_on(self._flush_in_a_moment))
            group.create_task(self._keep_on(self._deletions.take_back_next))

    async def _keep_on(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except StoreError as error:
                log.error("Recording waits: %s", error)  # noqa: TRY400 - the sentence says it all
                await asyncio.sleep(RETRY_SECONDS)
            except Exception:
                log.exception("Recording failed; it is tried again in %.0f s", RETRY_SECONDS)
                await asyncio.sleep(RETRY_SECONDS)

    async def _flush_in_a_moment(self) -> None:
        await asyncio.sleep(self._hold / 2 or 0.01)
        await self.flush()

    async def settle(self) -> None:
        """Return when everything heard before this call is on record (or its channel is still catching up)."""
        await asyncio.sleep(self._hold)
        await self.flush()

    async def flush(self) -> None:
        """Write what has waited long enough, and take back what was deleted.

        Where a channel needs something of Discord that is not to be had now, or takes its time, the others are still
        written; then the first failure is raised.
        """
        async with self._flushing:
            ripe_at = asyncio.get_running_loop().time() - self._hold
            heard = [channel for channel in self._channels.values() if channel.followed and channel.pending]
            ends = await asyncio.gather(
                *(self._flush_channel(channel, ripe_at) for channel in heard), return_exceptions=True
            )
            await self._deletions.take_back()
            failures = [end for end in ends if end is not None]
            for failure in sorted(failures, key=lambda failure: not isinstance(failure, StoreError)):
                raise failure

    async def _flush_channel(self, channel: FollowedChannel, ripe_at: float) -> None:
        async with channel.turn:
            while channel.followed:
                assert channel.position is not None
                reading = min(channel.arriving, default=None)
                ripe = [
                    message_id
                    for message_id, (_, arrived) in channel.pending.items()
                    if arrived <= ripe_at and (reading is None or message_id < reading)
                ]
                self._drop_pending(channel, [known for known in channel.pending if known <= channel.position])
                newest = max(ripe, default=0)
                ready = sorted(message_id for message_id in channel.pending if message_id <= newest)[:BATCH]
                if not ready:
                    return
                messages = tuple(channel.pending[message_id][0] for message_id in ready)
                session, first_id = self._session, channel.position + 1
                try:
                    await self._record(channel, messages, ready[-1])
                except NoHistoryError as error:
                    # What was said before them is not to be had, so that they cannot be judged yet.
                    await self._gaps.note(channel.place, Span(first_id, ready[-1]), str(error))
                    self.ask_soon()
                    channel.position = ready[-1]
                    self._remember(channel, messages, first_id, session)
                self._drop_pending(channel, ready)

    async def _record(self, channel: FollowedChannel, messages: tuple[Message, ...], last_id: int) -> None:
        """Record what follows a channel's position up to `last_id`, and move the position there."""
        assert channel.position is not None
        first_id = channel.position + 1
        session = self._session
        recorded = await self._recorder.record(
            Stretch(
                place=channel.place,
                first_id=first_id,
                last_id=last_id,
                messages=messages,
                context=tuple(channel.tail),
                context_first_id=channel.tail_from or first_id,
            ),
            self._context,
        )
        channel.position = last_id
        if channel.excluded and not recorded.excluded:
            await self._gaps.note(channel.place, await self._since_excluded(channel.place, first_id), _EXCLUDED)
            self.ask_soon()
        channel.excluded = recorded.excluded
        self._remember(channel, messages, first_id, session)

    def _remember(self, channel: FollowedChannel, messages: Collection[Message], first_id: int, session: int) -> None:
        """Keep what was written in a session as context, unless it is over: then it is none for what comes after."""
        if self._lasts(session, channel):
            channel.remember(messages, first_id)
        else:
            channel.forget()

    # Catching up.

    async def catch_up_all(
        self, sightings: Collection[Sighting], session: int, *, guild_ids: Collection[int] = ()
    ) -> None:
        """Catch up with these channels, several at once. A channel that fails is tried again, and then left behind.

        `session` is the one in which they were seen; with these, everything there is of `guild_ids` was seen in it.
        """
        # Marked before the first request, so that nobody takes the record for whole meanwhile.
        seen = [
            (self._seen(sighting.place, session), sighting)
            for sighting in sightings
            if self.lasts(session, sighting.place.guild_id)
        ]
        # A thread's record opens where its channel's does, so that is settled before any thread is looked at.
        await asyncio.gather(*(self._open(*one, session) for one in seen if not one[0].place.parent_id))
        fetched = sum(await asyncio.gather(*(self._catch_up_or_miss(*one, session) for one in seen)))
        if fetched:
            log.info("Caught up with %s messages in %s channels", fetched, len(seen))
        for guild_id in guild_ids:
            if self.lasts(session, guild_id):
                self._entered(guild_id, session)

    async def _open(self, channel: FollowedChannel, sighting: Sighting, session: int) -> None:
        async def once() -> None:
            async with channel.turn:
                if channel.position is None:
                    channel.position = await self._position_of(channel, sighting)

        what = f"Opening the record of channel {sighting.place.channel_id}"
        await retry(what, once, wanted=lambda: self._lasts(session, channel), tries=CHANNEL_TRIES)

    async def _catch_up_or_miss(self, channel: FollowedChannel, sighting: Sighting, session: int) -> int:
        def lasts() -> bool:
            return self._lasts(session, channel)

        async def once() -> int:
            async with self._at_once:
                return await self._catch_up(channel, sighting, session) if lasts() else 0

        what = f"Catching up with channel {sighting.place.channel_id}"
        fetched = await retry(what, once, wanted=lasts, tries=CHANNEL_TRIES)
        if fetched is None and lasts():
            await retry(what, lambda: self._leave_behind(channel, sighting, session), wanted=lasts)
        return fetched or 0

    async def _leave_behind(self, channel: FollowedChannel, sighting: Sighting, session: int) -> None:
        """Go on live without what cannot be fetched: one channel must not hold up everything else for ever."""
        async with channel.turn:
            if channel.followed:
                return
            if channel.position is None:
                channel.position = await self._position_of(channel, sighting)
            channel.wanted = max(channel.wanted, sighting.last_message_id)
            await self._miss(channel, "Discord does not answer", stale=sighting.stale)
            channel.followed = self._lasts(session, channel)

    async def _catch_up(self, channel: FollowedChannel, sighting: Sighting, session: int) -> int:
        """Fetch what one channel's record lacks, then follow it; returns the number of messages fetched.

        It is followed unless `session`, in which it was seen, is over by then: its messages since may be missing.
        """
        channel.place = sighting.place
        async with channel.turn:
            fetched = await self._fetch(channel, sighting, session)
            channel.followed = channel.followed or self._lasts(session, channel)
        if self._channels.get(sighting.place.channel_id) is channel:
            await self._gaps.fill(channel.place)
        return fetched

    async def _fetch(self, channel: FollowedChannel, sighting: Sighting, session: int) -> int:
        place, fetched = channel.place, 0
        if channel.position is None:
            channel.position = await self._position_of(channel, sighting)
        channel.wanted = max(channel.wanted, sighting.last_message_id, self._unplaced.pop(place.channel_id, 0))
        if sighting.stale:
            channel.wanted = max(channel.wanted, channel.position + 1)
        if not channel.followed and await self._gaps.excluded(place):
            channel.position, channel.excluded = max(channel.position, channel.wanted), True
        while channel.wanted > channel.position and not channel.followed and self._lasts(session, channel):
            heard = {message_id: message for message_id, (message, _) in channel.pending.items()}
            channel.wanted = wanted = max([channel.wanted, *heard])
            try:
                page = await self._history.after(place, channel.position)
            except NoHistoryError as error:
                if self._channels.get(place.channel_id) is channel:
                    await self._miss(channel, str(error), stale=sighting.stale)
                break
            if self._channels.get(place.channel_id) is not channel:
                break  # deleted meanwhile
            newest = page[-1].message_id if page else 0
            last_id = newest if len(page) == PAGE else max(newest, wanted)
            # What was heard and is deleted by now was said all the same, as long as its deletion was heard, too.
            lasts = self._lasts(session, channel)
            said = {one: message for one, message in heard.items() if lasts and channel.position < one <= last_id}
            said |= {message.message_id: message for message in page}
            await self._record(channel, tuple(said[message_id] for message_id in sorted(said)), last_id)
            self._drop_pending(channel, [message_id for message_id in heard if message_id <= last_id])
            fetched += len(page)
        return fetched

    def ask_soon(self) -> None:
        """Permissions have changed: what could not be fetched may be to be had now."""
        self._ask_again_at = 0.0

    async def ask_again(self) -> int:
        """Every quarter of an hour, ask again for what could not be fetched; returns for how many channels."""
        now = asyncio.get_running_loop().time()
        if now < self._ask_again_at:
            return 0
        self._ask_again_at = now + ASK_AGAIN_SECONDS
        asked = 0
        for guild_id in list(self._in_sight):
            for channel_id in await self._gaps.channels(guild_id):
                channel = self._channels.get(channel_id)
                if channel is None or channel.followed:
                    asked += 1
                    await self._gaps.try_to_fill(guild_id, channel_id, channel.place if channel else None)
        return asked

    async def _position_of(self, channel: FollowedChannel, sighting: Sighting) -> int:
        said = sighting.last_message_id or channel.pending
        behind_id = channel.before_pending(sighting.last_message_id + 1) if said else None
        return await self._openings.position(channel.place, behind_id)

    async def _since_excluded(self, place: Place, until_id: int) -> Span | None:
        """What was said while a channel did not count, up to the first message on record again."""
        ended = await self._openings.position(place, until_id, before_id=until_id)
        return Span(ended + 1, until_id - 1) if ended + 1 < until_id else None

    async def _miss(self, channel: FollowedChannel, reason: str, *, stale: bool) -> None:
        """Note what history has to bring and does not. What was heard in this session is written all the same.

        `stale`: how far the channel has come is not known, so everything up to now is missing.
        """
        assert channel.position is not None
        newest_id = max(channel.wanted, first_id_at(self._clock.now())) if stale else channel.wanted
        last_id = max(channel.dropped, channel.before_pending(newest_id))
        if last_id <= channel.position:
            return
        await self._gaps.note(channel.place, Span(channel.position + 1, last_id), reason)
        self.ask_soon()  # it may be to be had again already
        channel.position = last_id
        channel.forget()
