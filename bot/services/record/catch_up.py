"""Catching up: fetching from the history what a channel's record lacks."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from functools import partial

from bot.clock import Clock
from bot.domain.message import Message
from bot.domain.snowflake import first_id_at
from bot.domain.span import Span
from bot.domain.stretch import Place
from bot.services.recent import Recent
from bot.services.record.channel_recorder import ChannelRecorder
from bot.services.record.channel_snapshot import ChannelSnapshot
from bot.services.record.channels import Channels
from bot.services.record.followed_channel import FollowedChannel
from bot.services.record.gaps import Gaps
from bot.services.record.history import PAGE, History, UnreadableHistoryError
from bot.services.record.positions import Positions
from bot.services.record.recorder import Recorder
from bot.services.record.retry import CHANNEL_TRIES, retry

log = logging.getLogger(__name__)

_CHANNELS_AT_ONCE = 4
"""How many of the channels that are given together, as those of a guild are, are caught up with at the same time."""
_ALL_AT_ONCE = 32
"""How many channels of all guilds."""
_OUT_OF_SIGHT = 10_000
"""How many are remembered; the newest message of any other is known when it is seen, or in the next session."""


class CatchUp:
    """Fetches what channels lack, page by page, and then has them followed.

    A channel is followed only if it was not interrupted since the session in which it was seen. Otherwise messages
    after its last page may have been missed, and the caller that begins the next session catches up again.
    """

    def __init__(
        self,
        channels: Channels,
        recorder: Recorder,
        channel_recorder: ChannelRecorder,
        history: History,
        positions: Positions,
        gaps: Gaps,
        clock: Clock,
    ) -> None:
        self._channels = channels
        self._recorder = recorder
        self._channel_recorder = channel_recorder
        self._history = history
        self._positions = positions
        self._gaps = gaps
        self._clock = clock
        self._at_once = asyncio.Semaphore(_ALL_AT_ONCE)
        self._out_of_sight: Recent[int, int] = Recent(_OUT_OF_SIGHT)

    def note_out_of_sight(self, channel_id: int, message_id: int) -> None:
        """A message was received in a channel that is not followed: fetch it when the channel is seen."""
        self._out_of_sight[channel_id] = max(message_id, self._out_of_sight.get(channel_id) or 0)

    async def all_of(self, seen: Collection[ChannelSnapshot], session: int) -> None:
        """Catch up with channels that were seen in `session`, several at once.

        A channel that fails is tried `CHANNEL_TRIES` times; then what it lacks becomes a known gap and it is followed
        from there. Returns early, with channels that are not followed, if the session ends.
        """
        # All are marked as seen before the first request, so that the record does not count as caught up meanwhile.
        found = [
            (self._channels.see(one.place, session), one)
            for one in seen
            if self._channels.uninterrupted(session, one.place.guild_id)
        ]
        # A thread's record opens where its channel's does, so channels are opened before any thread is looked at.
        await asyncio.gather(
            *(self._open(channel, one, session) for channel, one in found if not channel.place.parent_id)
        )
        turns = asyncio.Semaphore(_CHANNELS_AT_ONCE)
        works = (self._catch_up_or_miss(channel, one, session, turns) for channel, one in found)
        fetched = sum(await asyncio.gather(*works))
        if fetched:
            log.info("Caught up with %s messages in %s channels", fetched, len(found))

    async def follow_new(self, place: Place, session: int) -> None:
        """Follow a channel or thread that was just made, from its first message on.

        Nothing needs to be fetched for that, unless it was made before, or `session` has ended by now. What cannot be
        fetched becomes a known gap, as in `all_of`. Raises StoreError if the position cannot be looked up.
        """
        channel = self._channels.see(place, session)
        async with channel.turn:
            before = channel.position or await self._positions.recorded_until(place)
            channel.position = before or place.channel_id - 1
        await self.all_of([ChannelSnapshot(place, 0, stale=before is not None)], session)

    async def _open(self, channel: FollowedChannel, seen: ChannelSnapshot, session: int) -> None:
        async def once() -> None:
            async with channel.turn:
                await self._look_up_position(channel, seen)

        await retry(
            f"Opening the record of channel {seen.place.channel_id}",
            once,
            wanted=lambda: self._channels.channel_uninterrupted(channel, session),
            tries=CHANNEL_TRIES,
        )

    async def _catch_up_or_miss(
        self, channel: FollowedChannel, seen: ChannelSnapshot, session: int, turns: asyncio.Semaphore
    ) -> int:
        def wanted() -> bool:
            return self._channels.channel_uninterrupted(channel, session)

        async def once() -> int:
            async with turns, self._at_once:
                return await self._catch_up(channel, seen, session) if wanted() else 0

        what = f"Catching up with channel {seen.place.channel_id}"
        fetched = await retry(what, once, wanted=wanted, tries=CHANNEL_TRIES)
        if fetched is None and wanted():
            await retry(what, partial(self._give_up, channel, seen, session), wanted=wanted)
        return fetched or 0

    async def _give_up(self, channel: FollowedChannel, seen: ChannelSnapshot, session: int) -> None:
        """Follow a channel without what cannot be fetched: it must not keep the whole record from catching up."""
        async with channel.turn:
            if channel.followed:
                return
            await self._look_up_position(channel, seen)
            channel.want(seen.last_message_id)
            await self._miss(channel, "Discord does not answer", stale=seen.stale)
            while self._dropped_meanwhile(channel, session):
                await self._miss(channel, "Discord does not answer", stale=seen.stale)
            channel.followed = self._channels.channel_uninterrupted(channel, session)

    async def _catch_up(self, channel: FollowedChannel, seen: ChannelSnapshot, session: int) -> int:
        """Fetch what one channel lacks, then follow it if `session` lasts; returns the number of messages fetched."""
        channel.place = seen.place
        async with channel.turn:
            fetched = await self._fetch(channel, seen, session)
            while self._dropped_meanwhile(channel, session):
                fetched += await self._fetch(channel, seen, session)
            channel.followed = channel.followed or self._channels.channel_uninterrupted(channel, session)
        if self._channels.holds(channel):
            await self._gaps.fill(channel.place)
        return fetched

    def _dropped_meanwhile(self, channel: FollowedChannel, session: int) -> bool:
        """Whether messages were dropped, for lack of room, while a gap before them was noted."""
        return (
            not channel.followed
            and channel.dropped > channel.known_position
            and self._channels.channel_uninterrupted(channel, session)
        )

    async def _fetch(self, channel: FollowedChannel, seen: ChannelSnapshot, session: int) -> int:
        fetched = 0
        position = await self._look_up_position(channel, seen)
        channel.want(max(seen.last_message_id, self._out_of_sight.pop(seen.place.channel_id) or 0))
        if seen.stale:
            channel.want(position + 1)  # at least one page is fetched
        if not channel.followed and await self._recorder.excludes(channel.place):
            channel.excluded = True
            await self._pass_over(channel, partial(self._gaps.note_excluded, channel.place), stale=seen.stale)
            return 0
        while (
            channel.known_position < channel.wanted
            and not channel.followed
            and self._channels.channel_uninterrupted(channel, session)
        ):
            page = await self._record_page(channel, seen, session)
            if page is None:
                break
            fetched += len(page)
            if seen.stale and len(page) >= PAGE:
                channel.want(channel.known_position + 1)  # only a page that is not full tells that there are no more
        return fetched

    async def _record_page(
        self, channel: FollowedChannel, seen: ChannelSnapshot, session: int
    ) -> tuple[Message, ...] | None:
        """Record the page after a channel's position; None if there is none to record.

        If the history cannot be read, what it should have brought becomes a known gap.
        """
        pending = channel.pending.by_id()
        channel.want(channel.pending.newest_id)
        wanted = channel.wanted
        try:
            page = await self._history.after(channel.place, channel.known_position)
        except UnreadableHistoryError as error:
            if self._channels.holds(channel):
                await self._miss(channel, str(error), stale=seen.stale)
            return None
        if not self._channels.holds(channel):
            return None  # hidden or deleted meanwhile
        newest_id = page[-1].message_id if page else 0
        last_id = newest_id if len(page) >= PAGE else max(newest_id, wanted)
        messages: dict[int, Message] = {}
        if self._channels.channel_uninterrupted(channel, session):
            # A pending message that the page lacks was deleted. It was sent, so it counts as activity; it makes no
            # touch, because its delete was received, too: nothing was missed since.
            first_id = channel.next_id
            messages |= {one: message for one, message in pending.items() if first_id <= one <= last_id}
        messages |= {one.message_id: one for one in page if one.readable or one.message_id not in messages}
        await self._channel_recorder.record(channel, [messages[one] for one in sorted(messages)], last_id)
        channel.pending.drop(one for one in pending if one <= last_id)
        return page

    async def _look_up_position(self, channel: FollowedChannel, seen: ChannelSnapshot) -> int:
        """Look up a channel's position, if that has not been done; opens its record if it has not begun."""
        if channel.position is None:
            first_received = channel.first_received
            opening_id = seen.last_message_id + 1 if seen.last_message_id or first_received is not None else None
            if opening_id is not None and first_received is not None:
                opening_id = min(opening_id, first_received - 1)
            channel.position = await self._positions.position_of(channel.place, opening_id)
        return channel.position

    async def _miss(self, channel: FollowedChannel, reason: str, *, stale: bool) -> None:
        """Note what the history should have brought as a known gap, and go on after it."""
        await self._pass_over(channel, partial(self._gaps.note, channel.place, reason=reason), stale=stale)

    async def _pass_over(
        self, channel: FollowedChannel, note: Callable[[Span], Awaitable[None]], *, stale: bool
    ) -> None:
        """Have what the history should bring noted, and go on after it.

        Pending messages are after it, so they are still recorded. `stale`: the channel's newest message is not known,
        so everything up to now is passed over.
        """
        position = channel.known_position
        channel.pending.drop_up_to(position)  # repeated events; what is on record does not end the gap
        newest_id = max(channel.wanted, first_id_at(self._clock.now())) if stale else channel.wanted
        last_id = max(channel.dropped, channel.pending.before(newest_id))
        if last_id <= position:
            return
        await note(Span(position + 1, last_id))
        channel.position = last_id
        channel.context.clear()
