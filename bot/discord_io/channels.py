"""Which channels and threads of a guild there are to read, and up to where."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import datetime, timedelta

import discord

from bot.discord_io.places import Recordable, place_of, recorded_channels
from bot.discord_io.timeout import patience
from bot.domain.snowflake import moment_of
from bot.services.record.channel_snapshot import ChannelSnapshot
from bot.services.record.retry import CHANNEL_TRIES, retry
from bot.services.record.thread_archives import ArchiveScope

log = logging.getLogger(__name__)

_WithThreads = discord.TextChannel | discord.ForumChannel
_PAGE = 100
_LOOK_BACK = timedelta(days=7)
_CHANNELS_AT_ONCE = 4


def snapshot_of(channel: Recordable | discord.ForumChannel, *, stale: bool = False) -> ChannelSnapshot:
    """A channel as it stands now, or (`stale`) as Spade saw it last. A forum has no messages of its own."""
    if isinstance(channel, discord.ForumChannel):
        return ChannelSnapshot(place_of(channel), 0)
    return ChannelSnapshot(place_of(channel), channel.last_message_id or 0, stale)


def visible(guild: discord.Guild) -> list[ChannelSnapshot]:
    """Every channel and active thread of a guild that can be recorded; a channel comes before its threads."""
    return [snapshot_of(channel) for channel in recorded_channels(guild)]


async def _changed(channel: _WithThreads, look: ArchiveScope) -> list[ChannelSnapshot] | None:
    """The archived threads of a channel with something to fetch; None when Spade may not look.

    Raises discord.Forbidden where the permission was taken so lately that Spade has yet to hear of it.
    One that is not on record yet belongs there from where its channel's record begins.
    """
    begins = look.begins(channel.id)
    found: list[ChannelSnapshot] = []
    if begins is None:
        return found
    if not channel.permissions_for(channel.guild.me).read_message_history:
        return None
    from_at = look.from_at or moment_of(begins)
    async for thread in _archive(channel):
        if thread.archive_timestamp < from_at - _LOOK_BACK:
            break
        known = look.recorded.get(thread.id)
        if (thread.last_message_id or thread.id) > (known.last_id if known is not None else begins):
            found.append(snapshot_of(thread))
    return found


async def changed_in_archives(
    channels: Iterable[_WithThreads],
    look: ArchiveScope,
    unread: set[int],
    wanted: Callable[[], bool],
) -> tuple[list[ChannelSnapshot], bool]:
    """The archived threads with something to fetch, several channels at once, and whether all could be looked at.

    `unread` holds the channels whose archives could not be. A channel stands there from the moment it is refused, so
    that a permission that comes back while others are looked at is noticed. What fails is tried again while it is
    `wanted`, and then left: the next session looks as far back.
    """
    at_once = asyncio.Semaphore(_CHANNELS_AT_ONCE)

    async def one(channel: _WithThreads) -> list[ChannelSnapshot] | None:
        async def changed() -> list[ChannelSnapshot] | None:
            async with at_once:
                some = await _changed(channel, look)
                (unread.add if some is None else unread.discard)(channel.id)
                return some

        what = f"Looking at the archive of channel {channel.id}"
        some = await retry(what, changed, wanted=wanted, tries=CHANNEL_TRIES)
        if some is None:
            unread.add(channel.id)
        return some

    found = await asyncio.gather(*(one(channel) for channel in channels))
    return [snapshot for some in found for snapshot in some or ()], all(some is not None for some in found)


def with_archives(channels: Iterable[object]) -> list[_WithThreads]:
    """Those that can have archived threads."""
    return [channel for channel in channels if isinstance(channel, _WithThreads)]


async def _archive(channel: _WithThreads) -> AsyncIterator[discord.Thread]:
    """A channel's archived public threads, the last one archived first. Raises discord.Forbidden.

    None are left of a channel that was deleted.
    """
    before: datetime | None = None
    while True:
        try:
            async with patience():
                page = [thread async for thread in channel.archived_threads(limit=_PAGE, before=before)]
        except discord.NotFound:
            return
        for thread in page:
            yield thread
        if len(page) < _PAGE:
            return
        before = page[-1].archive_timestamp


class GuildChannels:
    """Everything a guild holds, for jobs that read its history."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client

    async def with_archived(self, guild_id: int, since_id: int) -> Sequence[ChannelSnapshot]:
        """The channels and threads that may hold messages from `since_id` on; none while the guild is out of sight."""
        guild = self._client.get_guild(guild_id)
        if guild is None:
            return ()
        found = visible(guild)
        since = moment_of(since_id)
        for channel in with_archives(recorded_channels(guild)):
            if not channel.permissions_for(guild.me).read_message_history:
                continue
            try:
                async for thread in _archive(channel):
                    if thread.archive_timestamp < since:
                        break
                    found.append(snapshot_of(thread))
            except discord.Forbidden as error:
                log.warning("The archived threads of channel %s cannot be listed: %s", channel.id, error.text)
        return [snapshot for snapshot in found if snapshot.last_message_id >= since_id]
