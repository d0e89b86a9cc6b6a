"""Channels that are hidden, or become visible again, while Spade is connected."""

from collections.abc import Awaitable, Collection, Iterable

import discord

from bot.background import BackgroundTasks
from bot.discord_io.record.archive_search import ArchiveSearch
from bot.discord_io.record.channels import snapshot_of, with_threads
from bot.discord_io.record.places import MessageChannel, is_recordable, is_visible, place_of
from bot.services.record.channel_snapshot import ChannelSnapshot
from bot.services.record.follower import Follower
from bot.services.record.history_reader import HistoryReader
from bot.services.record.retry import retry
from bot.services.record.thread_archives import ThreadArchives


class ChannelVisibility:
    """Tells the follower which channels are hidden, and has it catch up with those that are visible again."""

    def __init__(
        self,
        follower: Follower,
        archives: ThreadArchives,
        search: ArchiveSearch,
        reader: HistoryReader,
        tasks: BackgroundTasks,
    ) -> None:
        self._follower = follower
        self._archives = archives
        self._search = search
        self._reader = reader
        self._tasks = tasks

    def changed(
        self,
        guild: discord.Guild,
        channels: Collection[discord.abc.GuildChannel],
        *,
        returned: Collection[discord.abc.Snowflake],
    ) -> Awaitable[object]:
        """Permissions in some channels of a guild may have changed.

        Hidden channels are followed no longer, and those that are visible again catch up in the background.
        `returned`: those of `channels` that were hidden a moment ago, even if the follower was never told. To be
        awaited: what was received of hidden channels before is then recorded.
        """
        self._follower.retry_gaps_soon()
        self._reader.retry_soon()
        recordable = [channel for channel in channels if is_recordable(channel)]
        were_hidden = {channel.id for channel in returned}
        # Nothing is awaited before this: the next event may be a message that follows on messages that were missed.
        last_received = self._follower.channels_hidden(
            [channel.id for channel in recordable if channel.id in were_hidden or not is_visible(channel)]
        )
        ids = {channel.id for channel in recordable}
        threads = [thread for thread in guild.threads if thread.parent_id in ids and is_recordable(thread)]
        visible_again = [one for one in (*recordable, *threads) if is_visible(one) and not self._follower.knows(one.id)]
        readable_again = self._search.readable_again(channels)
        if visible_again or readable_again:
            self._tasks.start(
                self._catch_up_again(guild, visible_again, readable_again), "catching up with what is visible again"
            )
        return last_received

    async def created(self, channel: object) -> None:
        """A channel or thread was made: follow it from its first message on, if it is recordable and visible."""
        if not (is_recordable(channel) and is_visible(channel)) or self._follower.knows(channel.id):
            return  # a thread is also "made" whenever somebody is added to it
        follower, session, place = self._follower, self._follower.session, place_of(channel)
        await retry(
            f"Following channel {place.channel_id}",
            lambda: follower.follow_new(place, session),
            wanted=lambda: follower.uninterrupted(session),
        )

    def deleted(self, channel_ids: Iterable[int]) -> None:
        """Channels or threads were deleted, with all their messages."""
        for channel_id in channel_ids:
            self._follower.channel_deleted(channel_id)
            self._search.forget(channel_id)

    def look_at(self, channels: Iterable[object]) -> None:
        """Catch up with those of some channels and threads that are visible, as the client holds them now."""
        self.catch_up([snapshot_of(one) for one in channels if is_recordable(one) and is_visible(one)])

    def thread_changed(self, thread: discord.Thread) -> None:
        """A thread was seen, perhaps for the first time, or went into the archive, or came out of it."""
        if thread.archived:
            self._follower.thread_archived(thread.id)
        else:
            self._follower.thread_active(thread.id)
        if not self._follower.knows(thread.id):
            self.look_at([thread])

    def catch_up(self, found: list[ChannelSnapshot]) -> None:
        """Catch up with channels in the background: a long history must not hold up the next event."""
        if found:
            self._tasks.start(self._follower.catch_up(found, self._follower.session), "catching up")

    async def _catch_up_again(
        self,
        guild: discord.Guild,
        channels: Collection[MessageChannel | discord.ForumChannel],
        readable: Iterable[object],
    ) -> None:
        """Catch up with channels that are visible again, and with their archives and those of `readable` channels."""
        follower, session = self._follower, self._follower.session

        def wanted() -> bool:
            return follower.uninterrupted(session, guild.id)

        stale = [snapshot_of(channel, stale=True) for channel in channels if is_visible(channel)]
        await follower.catch_up(stale, session)
        scope = await retry("Looking at archives", lambda: self._archives.everything(guild.id), wanted=wanted)
        if scope is not None:
            found, _ = await self._search.changed(with_threads({*channels, *readable}), scope, wanted)
            await follower.catch_up(found, session)
