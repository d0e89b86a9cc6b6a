"""Which channels and threads of a guild there are to read, and up to where."""

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta

import discord

from bot.discord_io.patience import patience
from bot.discord_io.places import Places, Recordable, recorded_channels
from bot.domain.snowflake import first_id_at, moment_of
from bot.domain.span import Span
from bot.services.history import Sighting

log = logging.getLogger(__name__)

_WithThreads = discord.TextChannel | discord.ForumChannel
_PAGE = 100
_LOOK_BACK = timedelta(days=7)


async def sighting_of(channel: Recordable | discord.ForumChannel, places: Places) -> Sighting:
    """A channel as it stands now. A forum has no messages of its own."""
    last_message_id = 0 if isinstance(channel, discord.ForumChannel) else channel.last_message_id or 0
    return Sighting(await places.of(channel), last_message_id)


async def visible(guild: discord.Guild, places: Places) -> list[Sighting]:
    """Every channel and active thread of a guild that can be recorded; a channel comes before its threads."""
    return [await sighting_of(channel, places) for channel in recorded_channels(guild)]


async def changed_in_archive(
    guild: discord.Guild, places: Places, recorded: Mapping[int, Span], since: datetime
) -> list[Sighting]:
    """Archived threads with something to fetch, given what is on record of each channel and since when Spade is there.

    An archive shows last what was archived first. It is read back to well before the newest thing on record: what
    was archived earlier was looked at earlier, even if Spade was stopped before it had caught up. Channels that have
    just come into sight have nothing to catch up with.
    """
    newest_id = max((span.last_id for span in recorded.values()), default=0)
    looked_at = moment_of(newest_id) - _LOOK_BACK
    found: list[Sighting] = []
    for channel in recorded_channels(guild):
        if not isinstance(channel, _WithThreads):
            continue
        if channel.id in recorded:
            begins = recorded[channel.id].first_id
        elif channel.id >= first_id_at(since):
            begins = channel.id
        else:
            continue
        async for thread in _archive(channel):
            if thread.archive_timestamp < looked_at:
                break
            ends = recorded[thread.id].last_id if thread.id in recorded else begins
            if (thread.last_message_id or thread.id) > ends:
                found.append(await sighting_of(thread, places))
    return found


async def _archive(channel: _WithThreads) -> AsyncIterator[discord.Thread]:
    """A channel's archived public threads, the last one archived first."""
    if not channel.permissions_for(channel.guild.me).read_message_history:
        return
    before: datetime | None = None
    while True:
        try:
            async with patience():
                page = [thread async for thread in channel.archived_threads(limit=_PAGE, before=before)]
        except (discord.Forbidden, discord.NotFound) as error:
            log.warning("The archived threads of channel %s cannot be listed: %s", channel.id, error.text)
            return
        for thread in page:
            yield thread
        if len(page) < _PAGE:
            return
        before = page[-1].archive_timestamp


class GuildChannels:
    """Everything a guild holds, for jobs that read its history."""

    def __init__(self, client: discord.Client, places: Places) -> None:
        self._client = client
        self._places = places

    async def with_archived(self, guild_id: int, since_id: int) -> Sequence[Sighting]:
        """The channels and threads that may hold messages from `since_id` on; none while the guild is out of sight."""
        guild = self._client.get_guild(guild_id)
        if guild is None:
            return ()
        found = await visible(guild, self._places)
        since = moment_of(since_id)
        for channel in recorded_channels(guild):
            if isinstance(channel, _WithThreads):
                async for thread in _archive(channel):
                    if thread.archive_timestamp < since:
                        break
                    found.append(await sighting_of(thread, self._places))
        return [sighting for sighting in found if sighting.last_message_id >= since_id]
