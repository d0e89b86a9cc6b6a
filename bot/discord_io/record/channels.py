"""The channels and threads of a guild, as snapshots for the record."""

import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from typing import Any

import discord

from bot.discord_io.connection.problem import described
from bot.discord_io.connection.timeout import request_timeout
from bot.discord_io.payload.fields import MalformedError, list_of, object_of, readable_identity
from bot.discord_io.record.archived_thread import ArchivedThread, read_thread
from bot.discord_io.record.history_request import history_request, unreadable
from bot.discord_io.record.permissions import may_read_history
from bot.discord_io.record.places import MessageChannel, place_of, visible_channels
from bot.domain.snowflake import moment_of
from bot.services.record.channel_snapshot import ChannelSnapshot
from bot.services.record.history import UnreadableHistoryError

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


class Archives:
    """The archived public threads of channels."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client

    async def threads(self, channel: ChannelWithThreads) -> AsyncIterator[ArchivedThread | None]:
        """A channel's archived threads, last archived first; none if the channel is deleted.

        None stands for a thread that cannot be read, which is logged. Raises discord.Forbidden, other errors of
        discord.py and aiohttp, and TimeoutError.
        """
        before: datetime | None = None
        while True:
            try:
                page, has_more = await self._page(channel.id, before)
            except discord.NotFound:
                return
            for thread in page:
                yield thread
            archived_at = [thread.archived_at for thread in page if thread is not None and thread.archived_at]
            if not has_more or not archived_at or min(archived_at) == before:
                return
            before = min(archived_at)

    async def _page(self, channel_id: int, before: datetime | None) -> tuple[list[ArchivedThread | None], bool]:
        until = None if before is None else before.isoformat()
        async with request_timeout():
            answer: Any = await self._client.http.get_public_archived_threads(channel_id, before=until, limit=_PAGE)
            found = list_of(object_of(answer, "archive").get("threads"), "threads")
            return [_readable(channel_id, raw) for raw in found], len(found) >= _PAGE


def _readable(channel_id: int, raw: object) -> ArchivedThread | None:
    try:
        return read_thread(object_of(raw, "thread"))
    except MalformedError as error:
        thread_id = readable_identity(raw) or "?"
        log.warning("Archived thread %s of channel %s cannot be read (%s)", thread_id, channel_id, error)
        return None


class GuildChannels:
    """All channels and threads of a guild, for jobs that read its history."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._archives = Archives(client)

    def shown(self, guild_id: int) -> Sequence[ChannelSnapshot] | None:
        """The visible channels, and their threads that are not archived; None if the guild is not visible."""
        guild = self._client.get_guild(guild_id)
        return None if guild is None or guild.unavailable else visible_snapshots(guild)

    async def archived(self, guild_id: int, channel_id: int, since_id: int) -> tuple[Sequence[ChannelSnapshot], bool]:
        """A channel's archived threads that may hold messages from `since_id` on, and whether these are all.

        Raises UnreadableHistoryError, GoneChannelError too, and what `Archives.threads` raises but for Forbidden.
        """
        guild = self._client.get_guild(guild_id)
        channel = None if guild is None else guild.get_channel(channel_id)
        if channel is not None and not isinstance(channel, ChannelWithThreads):
            return (), True
        if channel is None:
            await self._require(channel_id)
        if channel is None or not may_read_history(channel):
            raise UnreadableHistoryError("Spade may not list the archived threads there")
        found: list[ChannelSnapshot] = []
        whole, since = True, moment_of(since_id)
        try:
            async for thread in self._archives.threads(channel):
                if thread is None:
                    whole = False
                    continue
                if thread.archived_at is not None and thread.archived_at < since:
                    break
                found.append(thread.snapshot_in(channel))
        except discord.Forbidden as error:
            raise UnreadableHistoryError(described(error)) from error
        return [one for one in found if one.stale or one.last_message_id >= since_id], whole

    async def _require(self, channel_id: int) -> None:
        """Ask Discord for a channel. Raises UnreadableHistoryError, GoneChannelError too."""
        try:
            async with history_request():
                await self._client.http.get_channel(channel_id)
        except discord.NotFound as error:
            raise unreadable(error) from error
