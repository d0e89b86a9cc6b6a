"""Known gaps: stretches that could not be fetched. They are noted, shown, and tried again."""

import asyncio
import logging
from collections.abc import Collection
from contextlib import suppress

from bot.domain.span import Span
from bot.domain.stretch import Place
from bot.services.record.channels import Channels
from bot.services.record.gone_channels import GoneChannels
from bot.services.record.growing_delays import GrowingDelays
from bot.services.record.held import Held
from bot.services.record.history import GoneChannelError, History, UnreadableHistoryError
from bot.services.record.history_context import HistoryContext
from bot.services.record.pages import pages
from bot.services.record.recorder import UNREADABLE, Recorder
from bot.store import spans
from bot.store.database import Connection, Database
from bot.store.error import OutageError

log = logging.getLogger(__name__)

GAP_RETRY_SECONDS = 900.0
"""How often known gaps are tried again."""
_EXCLUDED = "It was excluded"
LONGEST_RETRY_SECONDS = 86_400.0
"""The longest delay between tries of a channel whose messages cannot be read; it doubles up to this."""


class Gaps:
    """Notes and fills the known gaps of channels. A gap is forgotten once all of it is on record."""

    def __init__(
        self,
        database: Database,
        recorder: Recorder,
        history: History,
        context: HistoryContext,
        channels: Channels,
        gone: GoneChannels,
    ) -> None:
        self._database = database
        self._recorder = recorder
        self._history = history
        self._context = context
        self._channels = channels
        self._gone = gone
        self._retry_at = 0.0
        self._delays = GrowingDelays()
        self._with_gaps = Held(database, spans.GAPS, spans.channels_with_gaps)

    async def note(self, place: Place, gap: Span | None, reason: str) -> None:
        """Note that a stretch of a channel is missing, None for nothing, and have gaps tried again soon.

        The reason may have passed already.
        """
        if gap is not None:
            async with self._database.writing() as connection:
                await spans.add_known_gap(
                    connection, place.guild_id, place.channel_id, gap, reason, parent_id=place.parent_id
                )
            log.warning("Channel %s: messages are missing from the record (%s).", place.channel_id, reason)
        self.retry_soon()

    async def note_excluded(self, place: Place, stretch: Span) -> None:
        """Note that a stretch is not recorded because its channel is excluded.

        It counts as missing, and is filled, from the moment the channel is included again.
        """
        async with self._database.writing() as connection:
            await spans.lengthen_known_gap(connection, place, stretch, _EXCLUDED)

    def retry_soon(self) -> None:
        """Let the next call of `retry_due` try gaps again."""
        self._retry_at = 0.0

    async def retry_due(self) -> int:
        """Try to fill the gaps of all visible guilds, at most every `GAP_RETRY_SECONDS`.

        Returns how many channels were tried. Left out are channels that are excluded, those that have to catch up,
        which fills their gaps, and those whose messages could not be read until a growing delay is over. The guilds
        are tried at the same time: one where Discord hangs holds up no other.
        """
        now = asyncio.get_running_loop().time()
        if now < self._retry_at:
            return 0
        self._retry_at = now + GAP_RETRY_SECONDS
        async with self._database.reading() as connection:
            missing = await spans.guilds_with_gaps(connection)
        visible = [guild_id for guild_id in self._channels.visible_guilds if guild_id in missing]
        return sum(await asyncio.gather(*map(self._retry_guild, visible)))

    async def _retry_guild(self, guild_id: int) -> int:
        tried = 0
        for channel_id in await self._channels_with_gaps(guild_id):
            channel = self._channels.get(channel_id)
            if self._delays.due(channel_id) and (channel is None or channel.followed):
                tried += 1
                await self._try_to_fill(guild_id, channel_id, channel.place if channel else None)
        return tried

    async def fill(self, place: Place) -> None:
        """Fetch and record a channel's gaps, unless it is excluded or its history cannot be read.

        Of messages that still cannot be read the gaps stay.
        """
        with suppress(UnreadableHistoryError):
            await self._fill(place)

    async def _fill(self, place: Place) -> None:
        with_gaps = await self._with_gaps.of(place.guild_id)
        if with_gaps is not None and place.channel_id not in with_gaps:
            self._delays.end(place.channel_id)
            return
        async with self._database.reading() as connection:
            gaps = await spans.known_gaps_of(connection, place.channel_id)
        if gaps and await self._recorder.excludes(place):
            return
        still: list[Span] = []
        for gap in gaps:
            unreadable: list[Span] = []
            async for stretch in pages(self._history, place, gap):
                recorded = await self._recorder.record(stretch, self._context)
                if recorded.excluded:
                    return
                unreadable += recorded.unreadable
            async with self._database.writing() as connection:
                await forget_filled(connection, place, gap, unreadable)
            still += unreadable
        if still:
            self._delays.grow(place.channel_id, GAP_RETRY_SECONDS, LONGEST_RETRY_SECONDS)
        else:
            self._delays.end(place.channel_id)

    async def _channels_with_gaps(self, guild_id: int) -> Collection[int]:
        async with self._database.reading() as connection:
            return tuple(await spans.known_gaps(connection, guild_id, counted=True))

    async def _try_to_fill(self, guild_id: int, channel_id: int, place: Place | None) -> None:
        """Fill a channel's gaps; a failure is logged, so that the other channels are tried all the same.

        Only an outage of the database is raised.
        `place` is None for a channel that is not visible: an archived thread, or one that is deleted.
        """
        session = self._channels.session
        try:
            await self._fill(place or await self._history.place(guild_id, channel_id))
        except GoneChannelError:
            await self._gone.take_back(guild_id, channel_id, session)
        except UnreadableHistoryError:
            return
        except OutageError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever failed, it is tried again later
            log.warning("Channel %s: what is missing still cannot be fetched (%s)", channel_id, error)


async def forget_filled(connection: Connection, place: Place, filled: Span, unreadable: Collection[Span]) -> None:
    """Forget the known gaps within a stretch that was fetched, but for what could not be read in it."""
    await spans.forget_known_gaps(connection, place.channel_id, filled)
    for gap in unreadable:
        await spans.add_known_gap(
            connection, place.guild_id, place.channel_id, gap, UNREADABLE, parent_id=place.parent_id
        )
