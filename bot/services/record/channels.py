"""The guilds and channels that are visible, session by session."""

from collections.abc import Collection, Iterable, Iterator

from bot.domain.stretch import Place
from bot.services.record.buffer import Buffer
from bot.services.record.followed_channel import FollowedChannel
from bot.services.record.sessions import Sessions


class Channels:
    """Which guilds and channels are visible, and which channels are followed without interruption.

    A channel that is not visible any more is forgotten here. When it is visible again it gets a new state, and the
    database tells how far it is on record.
    """

    def __init__(self, buffer: Buffer) -> None:
        self._buffer = buffer
        self._sessions = Sessions()
        self._channels: dict[int, FollowedChannel] = {}
        self._archived: set[FollowedChannel] = set()
        self._guilds_known = False
        self._guilds_to_check: set[int] = set()
        self._visible_guilds: set[int] = set()

    def __iter__(self) -> Iterator[FollowedChannel]:
        """The visible channels, as they are now."""
        return iter(list(self._channels.values()))

    # Sessions.

    @property
    def session(self) -> int:
        """The number of the session; it grows with every interruption."""
        return self._sessions.current

    def uninterrupted(self, session: int, guild_id: int | None = None) -> bool:
        """Whether neither the connection nor, if given, the guild was interrupted since `session`."""
        return self._sessions.uninterrupted(session, guild_id)

    def channel_uninterrupted(self, channel: FollowedChannel, session: int) -> bool:
        """Whether no event of a channel can have been missed since `session`.

        False if the channel was hidden or deleted meanwhile, even if it is visible again.
        """
        return (
            self.holds(channel)
            and session >= channel.interrupted_at
            and self.uninterrupted(session, channel.place.guild_id)
        )

    # Guilds.

    @property
    def visible_guilds(self) -> tuple[int, ...]:
        """The guilds all of whose channels were seen in this session."""
        return tuple(self._visible_guilds)

    @property
    def caught_up(self) -> bool:
        """Whether every visible channel is followed, so that nothing is missing but known gaps.

        False at first, and after an interruption, until every guild given to `expect_guilds` was seen completely.
        """
        return self._guilds_known and not self._guilds_to_check and all(one.followed for one in self)

    def guild_caught_up(self, guild_id: int) -> bool:
        """Whether a guild is visible and all its channels are followed."""
        return guild_id in self._visible_guilds and self.behind(guild_id) == 0

    def behind(self, guild_id: int) -> int:
        """How many of a guild's channels still have to catch up."""
        return sum(channel.place.guild_id == guild_id and not channel.followed for channel in self)

    def expect_guilds(self, guild_ids: Iterable[int]) -> None:
        """These are the visible guilds. Each has to be seen completely before the record is caught up."""
        self._guilds_known = True
        self._guilds_to_check = set(guild_ids)

    def guild_complete(self, guild_id: int, session: int) -> None:
        """All there is of a guild was seen in `session`: its other channels are archived, or deleted."""
        self._guilds_to_check.discard(guild_id)
        self._visible_guilds.add(guild_id)
        for channel in self:
            if channel.place.guild_id == guild_id and channel.seen_in < session and not channel.followed:
                self._forget(channel)

    def interrupt(self, guild_id: int | None = None) -> None:
        """Events may be missed from here on, of one guild or everywhere: the channels have to catch up first."""
        self._sessions.interrupt(guild_id)
        if guild_id is None:
            self._guilds_known = False
            self._guilds_to_check.clear()
            self._visible_guilds.clear()
        else:
            self._guilds_to_check.add(guild_id)
            self._visible_guilds.discard(guild_id)
        for channel in self:
            if guild_id in (None, channel.place.guild_id):
                channel.unfollow()
                self._archived.discard(channel)  # the new session tells which threads are active

    def hide_guild(self, guild_id: int) -> None:
        """A guild is not visible any more: its channels are forgotten, and the record is caught up without it."""
        self.interrupt(guild_id)
        self._guilds_to_check.discard(guild_id)
        for channel in self:
            if channel.place.guild_id == guild_id:
                self._forget(channel)

    # Channels.

    @property
    def first_received_at(self) -> float | None:
        """When the message was received that waits for longest to be recorded as what follows; None for none."""
        waiting = [one.pending for one in self._channels.values() if one.followed and one.pending]
        return min((pending.first_received_at for pending in waiting), default=None)

    def get(self, channel_id: int) -> FollowedChannel | None:
        """The state of a channel; None if it is not visible."""
        return self._channels.get(channel_id)

    def knows(self, channel_id: int) -> bool:
        """Whether a channel is visible, and was seen since its guild or everything was interrupted.

        What is known from an earlier session alone may be archived or hidden by now, so that nobody catches up with it.
        A channel that was interrupted alone is known: whoever interrupts it has it catch up.
        """
        channel = self._channels.get(channel_id)
        return channel is not None and self.uninterrupted(channel.seen_in, channel.place.guild_id)

    def holds(self, channel: FollowedChannel) -> bool:
        """Whether this state is still the one of its channel: the channel was not hidden or deleted meanwhile."""
        return self._channels.get(channel.place.channel_id) is channel

    def see(self, place: Place, session: int) -> FollowedChannel:
        """The state of a channel that was seen in `session`; a new one if the channel is not known."""
        channel = self._channels.get(place.channel_id)
        if channel is None:
            channel = self._channels[place.channel_id] = FollowedChannel(place, self._buffer)
        channel.seen_in = max(channel.seen_in, session)
        return channel

    def archive(self, channel_id: int) -> None:
        """A thread went into the archive: it is forgotten as soon as all that was received of it is on record."""
        channel = self._channels.get(channel_id)
        if channel is not None:
            self._archived.add(channel)

    def forget_archived(self) -> None:
        """Forget the archived threads of which nothing has to be recorded any more."""
        for channel in [one for one in self._archived if one.idle or not self.holds(one)]:
            self._archived.discard(channel)
            if self.holds(channel):
                self._forget(channel)

    def unarchive(self, channel_id: int) -> None:
        """A thread came out of the archive."""
        self._archived -= {channel for channel in self._archived if channel.place.channel_id == channel_id}

    def interrupt_channel(self, channel: FollowedChannel) -> None:
        """A message of one channel was missed: the channel has to catch up in a new session."""
        channel.interrupt(self._sessions.advance())

    def hide(self, channel_ids: Collection[int]) -> list[FollowedChannel]:
        """Forget channels with all their threads, archived ones too; returns the states they had."""
        hidden = [channel for channel in self if channel.place.is_in(channel_ids)]
        for channel in hidden:
            self._forget(channel)
        return hidden

    def delete(self, channel_id: int) -> None:
        """Forget a channel or thread that was deleted, with its pending messages."""
        channel = self._channels.pop(channel_id, None)
        if channel is not None:
            channel.unfollow()

    def _forget(self, channel: FollowedChannel) -> None:
        del self._channels[channel.place.channel_id]
