"""Follows every channel: what happens live, and what happened while nobody was listening (§4).

A channel is either *followed* (everything up to `position` is on record, and live events continue from there) or
it has to catch up first. Live events of a channel that catches up need not be kept, because the pages bring them;
only those that arrive during the last page are.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from bot.clock import Clock
from bot.domain.message import Message
from bot.domain.snowflake import first_id_at
from bot.domain.span import Span
from bot.domain.stretch import Place, Stretch
from bot.services.history import PAGE, History, HistoryContext, NoHistoryError, Sighting
from bot.services.paging import pages
from bot.services.recorder import Recorder
from bot.store import guilds, spans
from bot.store.database import Database, StoreError

log = logging.getLogger(__name__)

BUFFER_LIMIT = 5000
BATCH = 500
TAIL = 50
RETRY_SECONDS = 5.0
_CHANNELS_AT_ONCE = 4


@dataclass(slots=True)
class _Channel:
    """One channel's state. `position` None: not looked up yet. `pending` maps ids to messages and arrival times."""

    place: Place
    position: int | None = None
    followed: bool = False
    pending: dict[int, tuple[Message, float]] = field(default_factory=dict)
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
        self._buffered = 0
        self._flushing = asyncio.Lock()
        self._at_once = asyncio.Semaphore(_CHANNELS_AT_ONCE)
        self._whole = False
        self._newest_heard_id = 0
        self._interruptions: Counter[int | None] = Counter()
        self._failed: dict[int, Sighting] = {}
        self._room = asyncio.Event()
        self._room.set()

    # What happens.

    def session(self, guild_id: int) -> tuple[int, int]:
        """What changes with every interruption of a guild: what was seen under another one may be out of date."""
        return self._interruptions[None], self._interruptions[guild_id]

    async def follow_new(self, place: Place, session: tuple[int, int]) -> None:
        """A channel or thread was just made: all of it will be heard, unless `session` is over by now."""
        channel = self._channels.setdefault(place.channel_id, _Channel(place))
        async with channel.turn:
            if channel.position is None:
                channel.position = await self._recorded_until(place) or place.channel_id - 1
            channel.followed = channel.followed or session == self.session(place.guild_id)

    def interrupted(self, guild_id: int | None = None) -> None:
        """Events may be missed from here on, everywhere or in one guild: its channels have to catch up first."""
        self._whole = False
        self._interruptions[guild_id] += 1
        for channel in self._channels.values():
            if guild_id in (None, channel.place.guild_id):
                self._drop_pending(channel)
                channel.followed = False
                self._failed.pop(channel.place.channel_id, None)

    async def heard(self, place: Place, message: Message) -> None:
        """Take a live message. Waits while the buffer is full, so that recording can keep up."""
        await self._room.wait()
        channel = self._channels.get(place.channel_id)
        if channel is None:
            channel = self._channels[place.channel_id] = _Channel(place)
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

    async def removed_channel(self, channel_id: int) -> None:
        """A channel or thread was deleted."""
        channel = self._channels.pop(channel_id, None)
        if channel is not None:
            self._drop_pending(channel)
        await self._recorder.take_back_channel(channel_id)

    # Writing what was heard.

    async def run(self) -> None:
        """Write what was heard, for as long as it is not cancelled. A full disk is waited out: nothing is dropped."""
        pause = self._hold / 2 or 0.01
        retry_at = 0.0
        while True:
            await asyncio.sleep(pause)
            try:
                await self.flush()
                if self._failed and retry_at <= (now := asyncio.get_running_loop().time()):
                    await self.catch_up_all(list(self._failed.values()))
                    retry_at = now + RETRY_SECONDS
            except StoreError as error:
                log.error("Recording waits: %s", error)  # noqa: TRY400 - the sentence says it all
                await asyncio.sleep(RETRY_SECONDS)

    async def settle(self) -> None:
        """Return when everything heard before this call is on record (or its channel is still catching up)."""
        await asyncio.sleep(self._hold)
        await self.flush()

    async def flush(self) -> None:
        """Write what has waited long enough, and take back what was deleted."""
        async with self._flushing:
            ripe_at = asyncio.get_running_loop().time() - self._hold
            for channel in list(self._channels.values()):
                if channel.followed and channel.pending:
                    await self._flush_channel(channel, ripe_at)
            if self._removed:
                removed = set(self._removed)
                await self._recorder.take_back(removed)
                self._removed -= removed

    async def _flush_channel(self, channel: _Channel, ripe_at: float) -> None:
        async with channel.turn:
            assert channel.position is not None
            while channel.followed:
                ripe = [message_id for message_id, (_, arrived) in channel.pending.items() if arrived <= ripe_at]
                for message_id in [known for known in channel.pending if known <= channel.position]:
                    self._drop_pending(channel, message_id)
                newest = max(ripe, default=0)
                ready = sorted(message_id for message_id in channel.pending if message_id <= newest)[:BATCH]
                if not ready:
                    return
                messages = tuple(channel.pending[message_id][0] for message_id in ready)
                await self._record(channel, messages, ready[-1])
                for message_id in ready:
                    self._drop_pending(channel, message_id)

    async def _record(self, channel: _Channel, messages: tuple[Message, ...], last_id: int) -> None:
        """Record what follows a channel's position up to `last_id`, and move the position there."""
        assert channel.position is not None
        first_id = channel.position + 1
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
        overflow = len(channel.tail) + len(messages) > TAIL
        channel.tail_from = channel.tail_from or first_id
        channel.tail.extend(messages)
        if overflow:
            channel.tail_from = channel.tail[0].message_id

    def _drop_pending(self, channel: _Channel, message_id: int | None = None) -> None:
        if message_id is None:
            self._buffered -= len(channel.pending)
            channel.pending.clear()
        elif channel.pending.pop(message_id, None) is not None:
            self._buffered -= 1
        if self._buffered < BUFFER_LIMIT:
            self._room.set()

    # Catching up.

    @property
    def in_step(self) -> bool:
        """Whether every channel there is has been seen and is followed: then what is on record is all there is."""
        return self._whole and all(channel.followed for channel in self._channels.values())

    async def recorded(self, guild_id: int) -> Mapping[int, int]:
        """For each channel on record, the position its record ends at."""
        async with self._database.reading() as connection:
            return await spans.last_ids(connection, guild_id)

    async def watch(self, guild_id: int) -> None:
        """Spade is in a guild: what is made there from now on is recorded from its beginning."""
        async with self._database.writing() as connection:
            await guilds.watch(connection, guild_id, self._clock.now())

    async def catch_up_all(self, sightings: Collection[Sighting], *, whole: bool = False) -> None:
        """Catch up with these channels, several at once. One that fails is tried again, again and again.

        `whole` says that there are no others.
        """
        fetched = 0
        for sighting in sightings:
            # Marked before the first request, so that nobody takes the record for whole meanwhile.
            self._channels.setdefault(sighting.place.channel_id, _Channel(sighting.place))

        async def one(sighting: Sighting) -> None:
            nonlocal fetched
            async with self._at_once:
                fetched += await self.catch_up(sighting)

        results = await asyncio.gather(*(one(sighting) for sighting in sightings), return_exceptions=True)
        if fetched:
            log.info("Caught up with %s messages in %s channels", fetched, len(sightings))
        for sighting, result in zip(sightings, results, strict=True):
            if isinstance(result, BaseException):
                self._failed[sighting.place.channel_id] = sighting
                log.error("Channel %s could not catch up: %r", sighting.place.channel_id, result)
            else:
                self._failed.pop(sighting.place.channel_id, None)
        self._whole = self._whole or whole

    async def catch_up(self, sighting: Sighting) -> int:
        """Fetch what one channel's record lacks, then follow it; returns the number of messages fetched."""
        place = sighting.place
        fetched = 0
        channel = self._channels.setdefault(place.channel_id, _Channel(place))
        channel.place = place
        async with channel.turn:
            session = self.session(place.guild_id)
            if channel.position is None:
                channel.position = await self._recorded_until(place) or await self._opening(
                    place, _before_pending(channel, sighting.last_message_id + 1)
                )
            await self._fill_gaps(channel)
            while sighting.last_message_id > channel.position and not channel.followed:
                self._drop_pending(channel)
                try:
                    page = await self._history.after(place, channel.position)
                except NoHistoryError as error:
                    await self._miss(channel, sighting.last_message_id, str(error))
                    break
                last = len(page) < PAGE
                end = max([sighting.last_message_id] if last else [], default=0)
                end = max(end, page[-1].message_id if page else 0)
                await self._record(channel, page, end)
                fetched += len(page)
            # Interrupted meanwhile: what came after the last page may have been missed; the next session's turn.
            channel.followed = session == self.session(place.guild_id)
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
