"""The channels and threads of a guild, as snapshots for the record."""

import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime

import discord

from bot.discord_io.connection.timeout import request_timeout
from bot.discord_io.record.permissions import may_read_history
from bot.discord_io.record.places import MessageChannel, place_of, visible_channels
from bot.domain.snowflake import moment_of
from bot.services.record.channel_snapshot import ChannelSnapshot

log = logging.getLogger(__name__)

ChannelWithThreads = discord.TextChannel | discord.ForumChannel
_PAGE = 100


def snapshot_of(channel: MessageChannel | discord.ForumChannel, *, stale: bool = False) -> ChannelSnapshot:
    """A channel as the client holds it now; `stale` if it was hidden, so that the client missed messages."""
    if isinstance(channel, discord.ForumChannel):
        return ChannelSnapshot(place_of(channel), 0)  # a forum has no messages of its own
    return ChannelSnapshot(place_of(channel), channel.last_message_id or 0, stale)


def visible_snapshots(guild: discord.Guild) -> list[ChannelSnapshot]:
    """The visible channels and active threads of a guild that can be recorded; each channel before its threads."""
    return [snapshot_of(channel) for channel in visible_channels(guild)]


def with_threads(channels: Iterable[object]) -> list[ChannelWithThreads]:
    """Those of some channels that can have archived threads."""
    return [channel for channel in channels if isinstance(channel, ChannelWithThreads)]


async def archived_threads(channel: ChannelWithThreads) -> AsyncIterator[discord.Thread]:
    """A channel's archived public threads, last archived first; none if the channel is deleted.

    Raises discord.Forbidden, other errors of discord.py, and TimeoutError.
    """
    before: datetime | None = None
    while True:
        try:
            async with request_timeout():
                page = [thread async for thread in channel.archived_threads(limit=_PAGE, before=before)]
        except discord.NotFound:
            return
        for thread in page:
            yield thread
        if len(page) < _PAGE:
            return
        before = page[-1].archive_timestamp


class GuildChannels:
    """All channels and threads of a guild, for jobs that read its history."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client

    async def with_archived(self, guild_id: int, since_id: int) -> Sequence[ChannelSnapshot]:
        """The channels and threads that may hold messages from `since_id` on; none if the guild is not visible.

        Archived threads that Spade may not list are left out; the log says where.
        """
        guild = self._client.get_guild(guild_id)
        if guild is None:
            return ()
        found = visible_snapshots(guild)
        since = moment_of(since_id)
        for channel in with_threads(visible_channels(guild)):
            if not may_read_history(channel):
                continue
            try:
                async for thread in archived_threads(channel):
                    if thread.archive_timestamp < since:
                        break
                    found.append(snapshot_of(thread))
            except discord.Forbidden as error:
                log.warning("The archived threads of channel %s cannot be listed: %s", channel.id, error.text)
        return [snapshot for snapshot in found if snapshot.last_message_id >= since_id]
