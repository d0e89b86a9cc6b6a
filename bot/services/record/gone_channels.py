"""Channels that were deleted while Spade was away: nobody told it, so it asks Discord."""

import logging
from collections.abc import Collection

from bot.services.recent import Recent
from bot.services.record.channels import Channels
from bot.services.record.history import GoneChannelError, History, UnreadableHistoryError
from bot.services.record.recorder import Recorder
from bot.store import record
from bot.store.database import Database
from bot.store.error import OutageError

log = logging.getLogger(__name__)

_ASKED = 10_000
"""How many channels are remembered as there, so that each is asked about once."""


class GoneChannels:
    """Takes what stands in deleted channels off the record, as if their deletion had been heard.

    Only what Discord says of the channel itself counts: that it does not know it. A channel that is merely not in
    sight, a refusal and an outage take nothing back.
    """

    def __init__(self, database: Database, recorder: Recorder, history: History, channels: Channels) -> None:
        self._database = database
        self._recorder = recorder
        self._history = history
        self._channels = channels
        self._there: Recent[int, bool] = Recent(_ASKED)

    async def look(self, guild_id: int, present: Collection[int], session: int) -> None:
        """Ask about the channels with facts or gaps that are not among those `present` in a guild in this session.

        An archived thread is not in sight either, so a thread counts as present if its channel is. One whose channel
        is not known is asked about, once a process. A thread that was deleted in a channel that is there goes
        unnoticed, until one of its gaps is tried.
        """
        async with self._database.reading() as connection:
            parents = await record.channels_with_facts(connection, guild_id)
        places = {parent_id or channel_id for channel_id, parent_id in parents.items()}
        for channel_id in sorted(places.difference(present)):
            if not self._channels.uninterrupted(session, guild_id):
                return
            if not self._there.get(channel_id):
                await self._ask(guild_id, channel_id, session)

    async def _ask(self, guild_id: int, channel_id: int, session: int) -> None:
        try:
            await self._history.place(guild_id, channel_id)
        except GoneChannelError:
            await self.take_back(guild_id, channel_id, session)
            return
        except UnreadableHistoryError:
            pass
        except OutageError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever failed, it is asked for again in the next session
            log.warning("Channel %s: it is not known whether it is still there (%s)", channel_id, error)
            return
        self._there[channel_id] = True

    async def take_back(self, guild_id: int, channel_id: int, session: int) -> None:
        """Discord does not know a channel: take back what stands in it and in its threads, and forget its gaps.

        Ignored if Spade sees the channel, whose deletion it will hear, or if the guild's session has ended since: then
        an outage may have given that answer.
        """
        if self._channels.get(channel_id) is not None or not self._channels.uninterrupted(session, guild_id):
            return
        log.info("Channel %s was deleted while Spade was away: it is taken off the record.", channel_id)
        await self._recorder.take_back_channel(channel_id)
