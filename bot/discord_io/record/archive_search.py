"""Searching the archived threads of channels for messages that are not on record."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import timedelta

from bot.discord_io.record.channels import Archives, ChannelWithThreads, with_threads
from bot.discord_io.record.permissions import may_read_history
from bot.domain.snowflake import moment_of
from bot.services.record.channel_snapshot import ChannelSnapshot
from bot.services.record.retry import CHANNEL_TRIES, retry
from bot.services.record.thread_archives import ArchiveScope

_LOOK_BACK = timedelta(days=7)
_CHANNELS_AT_ONCE = 4


class ArchiveSearch:
    """Finds archived threads with new messages, and remembers the channels whose archive could not be read."""

    def __init__(self, archives: Archives) -> None:
        self._archives = archives
        self._unread: set[int] = set()

    @property
    def unread(self) -> frozenset[int]:
        """The channels whose archive could not be read at the last search."""
        return frozenset(self._unread)

    def forget(self, channel_id: int | None = None) -> None:
        """A channel is gone; without one, all are searched anew."""
        self._unread = self._unread - {channel_id} if channel_id is not None else set()

    def readable_again(self, channels: Iterable[object]) -> list[ChannelWithThreads]:
        """Those of some channels whose archive could not be read, and may be now."""
        return [
            channel for channel in with_threads(channels) if channel.id in self._unread and may_read_history(channel)
        ]

    async def changed(
        self, channels: Iterable[ChannelWithThreads], scope: ArchiveScope, wanted: Callable[[], bool]
    ) -> tuple[list[ChannelSnapshot], bool]:
        """The archived threads with something to fetch, and whether the archives of all channels could be read.

        Several channels are searched at once. A failure is retried while `wanted()`, at most `CHANNEL_TRIES` times;
        after that the archive counts as not read, and the next session searches as far back. A channel is in `unread`
        from the moment it is refused, so that a permission given while others are still searched is noticed.
        """
        at_once = asyncio.Semaphore(_CHANNELS_AT_ONCE)

        async def one(channel: ChannelWithThreads) -> tuple[list[ChannelSnapshot], bool]:
            async def search() -> tuple[list[ChannelSnapshot], bool]:
                async with at_once:
                    some, whole = await self._changed_in(channel, scope)
                    (self._unread.discard if whole else self._unread.add)(channel.id)
                    return some, whole

            what = f"Looking at the archive of channel {channel.id}"
            searched = await retry(what, search, wanted=wanted, tries=CHANNEL_TRIES)
            if searched is None:
                self._unread.add(channel.id)
            return searched or ([], False)

        found = await asyncio.gather(*(one(channel) for channel in channels))
        return [snapshot for some, _ in found for snapshot in some], all(whole for _, whole in found)

    async def _changed_in(self, channel: ChannelWithThreads, scope: ArchiveScope) -> tuple[list[ChannelSnapshot], bool]:
        """The archived threads of one channel with something to fetch, and whether the whole archive was read.

        A thread that is not on record yet belongs there from where its channel's record begins. Raises
        discord.Forbidden if the permission was taken so recently that the client does not know it yet.
        """
        begins = scope.begins(channel.id)
        found: list[ChannelSnapshot] = []
        if begins is None:
            return found, True
        if not may_read_history(channel):
            return found, False
        from_at = scope.from_at or moment_of(begins)
        whole = True
        async for thread in self._archives.threads(channel):
            if thread is None:
                whole = False
                continue
            if thread.archived_at is not None and thread.archived_at < from_at - _LOOK_BACK:
                break
            newest_id = thread.last_message_id or thread.thread_id
            if thread.stale or newest_id > scope.ends.get(thread.thread_id, begins):
                found.append(thread.snapshot_in(channel))
        return found, whole
