"""Follows every channel: what happens live, and what happened while nobody was listening (§4).

A channel is either *followed* (everything up to `position` is on record, and live events continue from there) or
it has to catch up first. Live events of a channel that catches up need not be kept, because the pages bring them;
only those that arrive during the last page are.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from bot.clock import Clock
from bot.domain.message import Message
from bot.domain.snowflake import first_id_at
from bot.domain.span import Span
from bot.domain.stretch import Place, Stretch
from bot.services.history import PAGE, History, HistoryContext, NoHistoryError, Sighting
from bot.services.paging import pages
from bot.services.persistence import RETRY_SECONDS, persistently
from bot.services.recorder import Recorder
from bot.store import guilds, spans
from bot.store.database import Database, StoreError

log = logging.getLogger(__name__)

BUFFER_LIMIT = 5000
BATCH = 500
TAIL = 50
_CHANNELS_AT_ONCE = 4


@dataclass(slots=True)
class _Channel:
    """One channel's state. `position` None: not looked up yet. `pending` maps ids to messages and arrival times.

    Nothing is written past the messages in `arriving`: they are still being read. `interrupted_at` is the session
    that began when one of them could not be read. `wanted` is the newest message that only history can bring.
    """

    place: Place
    position: int | None = None
    followed: bool = False
    pending: dict[int, tuple[Message, float]] = field(default_factory=dict)
    arriving: set[int] = field(default_factory=set)
    interrupted_at: int = 0
    wanted: int = 0
    tail: deque[Message] = field(default_factory=lambda: deque(maxlen=TAIL))
    tail_from: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Follower:
    """Keeps the record in step with Discord. One instance for all guilds; `run` must be running for it to write.

    `hold_seconds` is how long an event waits for earlier ones that may arrive after it.
    """

    def __init__(
        self, database: Database, recorder: Recorder, history: History, clock: Clock, *, hold_seconds: float = 1.0
    ) -> None:
        self._database = database
        self._recorder = recorder
        self._history = history
        self._context = HistoryContext(history)
        self._clock = clock
        self._hold = hold_seconds
        self._channels: dict[int, _Channel] = {}
        self._removed: set[int] = set()
        self._removed_channels: set[int] = set()
        self._buffered = 0
        self._flushing = asyncio.Lock()
        self._at_once = asyncio.Semaphore(_CHANNELS_AT_ONCE)
        self._whole = False
        self._newest_heard_id = 0
        self._session = 0
        self._interrupted_at: dict[int | None, int] = {}
        self._room = asyncio.Event()
        self._room.set()

    # What happens.

    @property
    def session(self) -> int:
        """A number that changes with every interruption: what was seen under another one may be out of date."""
        return self._session

    async def follow_new(self, place: Place, session: int) -> None:
        """A channel or thread was just made: all of it will be heard, unless `session` is over by now."""
        channel = self._channels.setdefault(place.channel_id, _Channel(place))
        async with channel.turn:
            if channel.position is None:
                channel.position = await self._recorded_until(place) or place.channel_id - 1
        await self.catch_up(Sighting(place, 0), session)

    def interrupted(self, guild_id: int | None = None) -> None:
        """Events may be missed from here on, everywhere or in one guild: its channels have to catch up first."""
        self._whole = False
        self._session += 1
        self._interrupted_at[guild_id] = self._session
        for channel in self._channels.values():
            if guild_id in (None, channel.place.guild_id):
                self._unfollow(channel)

    def lasts(self, session: int) -> bool:
        """Whether the connection has not been interrupted since `session`."""
        return session >= self._interrupted_at.get(None, 0)

    def _lasts(self, session: int, channel: _Channel) -> bool:
        """Whether nothing that happened in a channel since `session` can have been missed."""
        interrupted = (self._interrupted_at.get(guild_id, 0) for guild_id in (None, channel.place.guild_id))
        return session >= max(channel.interrupted_at, *interrupted)

    def _unfollow(self, channel: _Channel) -> None:
        self._leave_to_history(channel)
        channel.followed = False
        # What is deleted from here on may go unheard, and nothing must be judged by it.
        channel.tail.clear()
        channel.tail_from = 0

    @asynccontextmanager
    async def arriving(self, place: Place, message_id: int) -> AsyncIterator[None]:
        """A live message is being read, which may take a question to Discord; nothing after it is written meanwhile.

        Waits first while the buffer is full, so that recording can keep up. When reading fails, the channel has to
        catch up in a new session.
        """
        if not self._room.is_set():
            for behind in self._channels.values():
                if not behind.followed:
                    self._leave_to_history(behind)
            await self._room.wait()
        channel = self._channels.setdefault(place.channel_id, _Channel(place))
        channel.arriving.add(message_id)
        try:
            yield
        except Exception:
            self._session += 1
            channel.interrupted_at = self._session
            self._unfollow(channel)
            raise
        finally:
            channel.arriving.discard(message_id)

    def heard(self, place: Place, message: Message) -> None:
        """Take a live message."""
        channel = self._channels.setdefault(place.channel_id, _Channel(place))
        channel.place = place
        self._newest_heard_id = max(self._newest_heard_id, message.message_id)
        if message.message_id not in channel.pending:
            channel.pending[message.message_id] = (message, asyncio.get_running_loop().time())
            self._buffered += 1
            if self._buffered >= BUFFER_LIMIT:
                self._room.clear()

    @property
    def newest_heard_id(self) -> int:
        """The newest message id that was heard live; 0 before the first."""
        return self._newest_heard_id

    def knows(self, channel_id: int) -> bool:
        """Whether a channel was seen before, so that its messages need no catching up first."""
        return channel_id in self._channels

    def removed(self, message_ids: Iterable[int]) -> None:
        """Messages were deleted: what a page still brings of them is ignored, what is on record is taken back."""
        ids = list(message_ids)
        self._recorder.ignore(ids)
        self._removed.update(ids)

    def removed_channel(self, channel_id: int) -> None:
        """A channel or thread was deleted."""
        channel = self._channels.pop(channel_id, None)
        if channel is not None:
            self._unfollow(channel)
        self._removed_channels.add(channel_id)

    # Writing what was heard.

    async def run(self) -> None:
        """Write what was heard, for as long as it is not cancelled. A full disk is waited out: nothing is dropped."""
        pause = self._hold / 2 or 0.01
        while True:
            await asyncio.sleep(pause)
            try:
                await self.flush()
            except StoreError as error:
                log.error("Recording waits: %s", error)  # noqa: TRY400 - the sentence says it all
                await asyncio.sleep(RETRY_SECONDS)
            except Exception:
                log.exception("Recording failed; it is tried again in %.0f s", RETRY_SECONDS)
                await asyncio.sleep(RETRY_SECONDS)

    async def settle(self) -> None:
        """Return when everything heard before this call is on record (or its channel is still catching up)."""
        await asyncio.sleep(self._hold)
        await self.flush()

    async def flush(self) -> None:
        """Write what has waited long enough, and take back what was deleted.

        Where a channel needs something of Discord that is not to be had now, the others are still written; then
        the first failure is raised.
        """
        async with self._flushing:
            ripe_at = asyncio.get_running_loop().time() - self._hold
            failures: list[Exception] = []
            for channel in list(self._channels.values()):
                if channel.followed and channel.pending:
                    try:
                        await self._flush_channel(channel, ripe_at)
                    except StoreError:
                        raise
                    except Exception as failure:  # noqa: BLE001 - raised below
                        failures.append(failure)
            await self._take_back()
            if failures:
                raise failures[0]

    async def _take_back(self) -> None:
        if self._removed:
            removed = set(self._removed)
            await self._recorder.take_back(removed)
            self._removed -= removed
        for channel_id in list(self._removed_channels):
            await self._recorder.take_back_channel(channel_id)
            self._removed_channels.discard(channel_id)

    async def _flush_channel(self, channel: _Channel, ripe_at: float) -> None:
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
                await self._record(channel, messages, ready[-1])
                self._drop_pending(channel, ready)

    async def _record(self, channel: _Channel, messages: tuple[Message, ...], last_id: int) -> None:
        """Record what follows a channel's position up to `last_id`, and move the position there."""
        assert channel.position is not None
        first_id = channel.position + 1
        session = self._session
        await self._recorder.record(
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
        if not self._lasts(session, channel):
            return  # what was heard before an interruption is no context for what comes after
        overflow = len(channel.tail) + len(messages) > TAIL
        channel.tail_from = channel.tail_from or first_id
        channel.tail.extend(messages)
        if overflow:
            channel.tail_from = channel.tail[0].message_id

    def _drop_pending(self, channel: _Channel, message_ids: Iterable[int]) -> None:
        for message_id in message_ids:
            if channel.pending.pop(message_id, None) is not None:
                self._buffered -= 1
        if self._buffered < BUFFER_LIMIT:
            self._room.set()

    def _leave_to_history(self, channel: _Channel) -> None:
        """Drop what was heard: the pages will bring it."""
        channel.wanted = max([channel.wanted, *channel.pending])
        self._drop_pending(channel, list(channel.pending))

    # Catching up.

    @property
    def in_step(self) -> bool:
        """Whether every channel there is has been seen and is followed: then what is on record is all there is."""
        return self._whole and all(channel.followed for channel in self._channels.values())

    def behind(self, guild_id: int) -> int:
        """How many of a guild's channels still have to catch up."""
        return sum(channel.place.guild_id == guild_id and not channel.followed for channel in self._channels.values())

    async def recorded(self, guild_id: int) -> Mapping[int, Span]:
        """For each channel on record, where its record begins and ends."""
        async with self._database.reading() as connection:
            return await spans.extents(connection, guild_id)

    async def watch(self, guild_id: int) -> datetime:
        """Since when Spade has been in a guild: what is made there from then on is recorded from its beginning."""
        async with self._database.writing() as connection:
            return await guilds.watch(connection, guild_id, self._clock.now())

    async def catch_up_all(self, sightings: Collection[Sighting], session: int, *, whole: bool = False) -> None:
        """Catch up with these channels, several at once. A channel that fails is tried again.

        `session` is the one in which they were seen; `whole` says that there are no others.
        """
        for sighting in sightings:
            # Marked before the first request, so that nobody takes the record for whole meanwhile.
            self._channels.setdefault(sighting.place.channel_id, _Channel(sighting.place))

        async def one(sighting: Sighting) -> int:
            async with self._at_once:
                return await self.catch_up(sighting, session)

        async def again(sighting: Sighting) -> int:
            channel = self._channels.setdefault(sighting.place.channel_id, _Channel(sighting.place))
            what = f"Catching up with channel {sighting.place.channel_id}"
            return await persistently(what, lambda: one(sighting), lambda: self._lasts(session, channel)) or 0

        fetched = sum(await asyncio.gather(*(again(sighting) for sighting in sightings)))
        if fetched:
            log.info("Caught up with %s messages in %s channels", fetched, len(sightings))
        self._whole = self._whole or (whole and self.lasts(session))

    async def catch_up(self, sighting: Sighting, session: int) -> int:
        """Fetch what one channel's record lacks, then follow it; returns the number of messages fetched.

        It is followed unless `session`, in which it was seen, is over by then: its messages since may be missing.
        """
        place = sighting.place
        fetched = 0
        channel = self._channels.setdefault(place.channel_id, _Channel(place))
        channel.place = place
        async with channel.turn:
            if channel.position is None:
                channel.position = await self._recorded_until(place) or await self._opening(
                    place, _before_pending(channel, sighting.last_message_id + 1)
                )
            await self._fill_gaps(channel)
            channel.wanted = max(channel.wanted, sighting.last_message_id)
            while channel.wanted > channel.position and not channel.followed and self._lasts(session, channel):
                self._leave_to_history(channel)
                wanted = channel.wanted
                try:
                    page = await self._history.after(place, channel.position)
                except NoHistoryError as error:
                    if self._channels.get(place.channel_id) is channel:
                        await self._miss(channel, wanted, str(error))
                    break
                if self._channels.get(place.channel_id) is not channel:
                    return fetched  # deleted meanwhile
                newest = page[-1].message_id if page else 0
                await self._record(channel, page, newest if len(page) == PAGE else max(newest, wanted))
                fetched += len(page)
            channel.followed = channel.followed or self._lasts(session, channel)
        return fetched

    async def _recorded_until(self, place: Place) -> int | None:
        """Where a channel's record stands; None before its first span."""
        async with self._database.reading() as connection:
            recorded = await spans.of_channel(connection, place.channel_id)
            missed = (await spans.known_gaps(connection, place.guild_id)).get(place.channel_id, ())
        return max((span.last_id for span in (*recorded, *missed)), default=None)

    async def _opening(self, place: Place, behind_id: int) -> int:
        """Open a channel's first span at the moment it becomes visible: right behind its newest message.

        What was made since Spade came is recorded from its beginning, and a thread is as visible as its channel.
        """
        async with self._database.writing() as connection:
            visible_id = first_id_at(await guilds.watch(connection, place.guild_id, self._clock.now()))
            if place.parent_id is not None:
                above = await spans.of_channel(connection, place.parent_id)
                return max(place.channel_id - 1, above[0].first_id if above else visible_id)
            if place.channel_id >= visible_id:
                return place.channel_id - 1
            opening = max(place.channel_id, behind_id)
            await spans.add(connection, place, Span(opening, opening))
            return opening

    async def _miss(self, channel: _Channel, last_id: int, reason: str) -> None:
        assert channel.position is not None
        async with self._database.writing() as connection:
            await spans.add_known_gap(
                connection,
                channel.place.guild_id,
                channel.place.channel_id,
                Span(channel.position + 1, last_id),
                reason,
            )
        log.warning("Channel %s: messages are missing from the record (%s).", channel.place.channel_id, reason)
        channel.position = last_id
        channel.tail.clear()
        channel.tail_from = 0

    async def _fill_gaps(self, channel: _Channel) -> None:
        """Fetch what is known to be missing, now that the channel can be read."""
        place = channel.place
        async with self._database.reading() as connection:
            gaps = (await spans.known_gaps(connection, place.guild_id)).get(place.channel_id, ())
        for gap in gaps:
            try:
                async for stretch in pages(self._history, place, gap):
                    await self._recorder.record(stretch, self._context)
            except NoHistoryError:
                return
            async with self._database.writing() as connection:
                await spans.forget_known_gaps(connection, place.channel_id, gap)


def _before_pending(channel: _Channel, position: int) -> int:
    """A position, or the one before the first message that was heard already."""
    return min([position, *(message_id - 1 for message_id in channel.pending)])
