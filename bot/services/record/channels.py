"""What Spade sees of Discord: guilds and channels that come and go, session by session, and what was heard of them.

A session lasts for as long as nothing that happens can be missed. What cannot be seen any more is not known here any
more either: when it comes back into sight, the record says how far it reaches.
"""

import asyncio
from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from bot.domain.message import Message
from bot.domain.stretch import Place

BUFFER_LIMIT = 5000
TAIL = 50


@dataclass(slots=True)
class FollowedChannel:
    """One channel's state. `position` None: not looked up yet. `pending` maps ids to messages and arrival times.

    `seen_in` is the newest session in which something showed that it is there. Nothing is written past the messages in
    `arriving`: they are still being read. `interrupted_at` is the session that began when one of them could not be
    read. `wanted` is the newest message that history has to bring, `dropped` the newest that only history can.
    `excluded`: nothing up to `position` went on record since its span ended.
    """

    place: Place
    position: int | None = None
    followed: bool = False
    excluded: bool = False
    seen_in: int = 0
    pending: dict[int, tuple[Message, float]] = field(default_factory=dict)
    arriving: set[int] = field(default_factory=set)
    interrupted_at: int = 0
    wanted: int = 0
    dropped: int = 0
    tail: deque[Message] = field(default_factory=lambda: deque(maxlen=TAIL))
    tail_from: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def before_pending(self, position: int) -> int:
        """A position, or the one before the first message that was heard already."""
        return min([position, *(message_id - 1 for message_id in self.pending)])

    def remember(self, messages: Collection[Message], first_id: int) -> None:
        """Keep the last messages as context for what comes after; these are all there were from `first_id` on."""
        overflow = len(self.tail) + len(messages) > TAIL
        self.tail_from = self.tail_from or first_id
        self.tail.extend(messages)
        if overflow:
            self.tail_from = self.tail[0].message_id

    def forget(self) -> None:
        """Keep no context: nobody knows what was said, or deleted, since."""
        self.tail.clear()
        self.tail_from = 0


class Sight:
    """Which guilds and channels are in sight, and which of them are followed without a break."""

    def __init__(self) -> None:
        self._channels: dict[int, FollowedChannel] = {}
        self._session = 0
        self._interrupted_at: dict[int | None, int] = {}
        self._entering: set[int | None] = {None}  # None: nobody knows yet which guilds there are
        self._in_sight: set[int] = set()
        self._buffered = 0
        self._room = asyncio.Event()
        self._room.set()

    @property
    def session(self) -> int:
        """A number that changes with every interruption: what was seen under another one may be out of date."""
        return self._session

    @property
    def in_step(self) -> bool:
        """Whether every channel in sight is followed: then what is on record is all there is."""
        return not self._entering and all(channel.followed for channel in self._channels.values())

    def in_step_with(self, guild_id: int) -> bool:
        """Whether a guild is in sight, and every channel of it followed."""
        return guild_id in self._in_sight and self.behind(guild_id) == 0

    def behind(self, guild_id: int) -> int:
        """How many of a guild's channels still have to catch up."""
        return sum(channel.place.guild_id == guild_id and not channel.followed for channel in self._channels.values())

    def knows(self, channel_id: int) -> bool:
        """Whether a channel was seen before, so that its messages need no catching up first."""
        return channel_id in self._channels

    def _seen(self, place: Place, session: int) -> FollowedChannel:
        channel = self._channels.setdefault(place.channel_id, FollowedChannel(place))
        channel.seen_in = max(channel.seen_in, session)
        return channel

    def interrupted(self, guild_id: int | None = None) -> None:
        """Events may be missed from here on, everywhere or in one guild: its channels have to catch up first."""
        self._session += 1
        self._interrupted_at[guild_id] = self._session
        if guild_id is None:
            self._entering = {None}
            self._in_sight.clear()
        else:
            self._entering.add(guild_id)
            self._in_sight.discard(guild_id)
        for channel in self._channels.values():
            if guild_id in (None, channel.place.guild_id):
                self._unfollow(channel)

    def entering(self, guild_ids: Iterable[int]) -> None:
        """These are the guilds in sight: each has to be looked at before the record is in step."""
        self._entering = set(guild_ids)

    def out_of_sight(self, guild_id: int) -> None:
        """Spade was removed from a guild, or Discord does not show it now: nobody waits for it, the rest goes on."""
        self.interrupted(guild_id)
        self._entering.discard(guild_id)
        for channel_id, channel in list(self._channels.items()):
            if channel.place.guild_id == guild_id:
                del self._channels[channel_id]

    def _entered(self, guild_id: int, session: int) -> None:
        self._entering.discard(guild_id)
        self._in_sight.add(guild_id)
        for channel_id, channel in list(self._channels.items()):
            if channel.place.guild_id == guild_id and channel.seen_in < session and not channel.followed:
                del self._channels[channel_id]  # in the archive, or gone

    def lasts(self, session: int, guild_id: int | None = None) -> bool:
        """Whether the connection (and what it shows of a guild) has not been interrupted since `session`."""
        return session >= max(self._interrupted_at.get(which, 0) for which in (None, guild_id))

    def _lasts(self, session: int, channel: FollowedChannel) -> bool:
        """Whether nothing that happened in a channel since `session` can have been missed.

        Of one that got out of sight meanwhile, or was deleted, everything can.
        """
        known = self._channels.get(channel.place.channel_id) is channel
        return known and session >= channel.interrupted_at and self.lasts(session, channel.place.guild_id)

    def _interrupt(self, channel: FollowedChannel) -> None:
        self._session += 1
        channel.interrupted_at = self._session
        self._unfollow(channel)

    def _unfollow(self, channel: FollowedChannel) -> None:
        self._leave_to_history(channel)
        channel.followed = False
        channel.forget()  # what is deleted from here on may go unheard, and nothing must be judged by it

    def _keep(self, channel: FollowedChannel, message: Message) -> None:
        if message.message_id not in channel.pending:
            channel.pending[message.message_id] = (message, asyncio.get_running_loop().time())
            self._buffered += 1
            if self._buffered >= BUFFER_LIMIT:
                self._room.clear()

    def _drop_pending(self, channel: FollowedChannel, message_ids: Iterable[int]) -> None:
        for message_id in message_ids:
            if channel.pending.pop(message_id, None) is not None:
                self._buffered -= 1
        if self._buffered < BUFFER_LIMIT:
            self._room.set()

    def _leave_to_history(self, channel: FollowedChannel) -> None:
        """Drop what was heard: the pages will bring it."""
        channel.dropped = max([channel.dropped, *channel.pending])
        channel.wanted = max(channel.wanted, channel.dropped)
        self._drop_pending(channel, list(channel.pending))
