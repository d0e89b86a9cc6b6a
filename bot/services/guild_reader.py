"""Reads one guild's record."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from bot.clock import Clock
from bot.domain.guild import GuildSettings
from bot.store import guilds
from bot.store.database import Connection, Database
from bot.store.error import OutageError

log = logging.getLogger(__name__)

Settle = Callable[[int], Awaitable[object]]
"""Returns when everything received so far of the guild with this id is on record. Raises what hinders that."""

ANSWER_SECONDS = 10.0
"""How long an answer waits for what was received to be written."""

Unwritten = Mapping[int, int]
"""How many messages of a channel are not on record yet, by the channel's id."""
NOTHING_UNWRITTEN: Unwritten = MappingProxyType({})
_unwritten: ContextVar[Unwritten] = ContextVar("unwritten", default=NOTHING_UNWRITTEN)


def unwritten_for_answer() -> Unwritten:
    """What the answer that this task makes is without, because it could not be written."""
    return _unwritten.get()


def _all_written(_guild_id: int) -> Unwritten:
    return NOTHING_UNWRITTEN


@dataclass(frozen=True, slots=True)
class GuildSnapshot:
    """One consistent view of the record: its read transaction, the guild's settings, and the time it was opened.

    `connection` is closed at the end of the `async with` that gave it; `settings` and `now` can be used after it.
    """

    connection: Connection
    settings: GuildSettings
    now: datetime


class GuildReader:
    """Opens read transactions for one guild. `settle` is the follower's: it waits for the record of one guild.

    `received` says what was received of a guild and is not on record yet.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        settle: Settle,
        received: Callable[[int], Unwritten] = _all_written,
    ) -> None:
        self._database = database
        self._clock = clock
        self.settle = settle
        self._received = received

    async def settle_for_answer(self, guild_id: int) -> None:
        """Settle, and note what could not be written: it does not prevent an answer, which says so."""
        _unwritten.set(await self.unwritten(guild_id))

    async def unwritten(self, guild_id: int) -> Unwritten:
        """What is not on record although it was received, after everything that can be written was."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self.settle(guild_id)
        except OutageError:  # which is logged by itself
            return self._received(guild_id)
        except Exception as error:  # noqa: BLE001 - whatever failed, recording has logged it and tries it again
            reason = str(error) or "it takes too long"
            log.info("The record of server %s is shown without what cannot be written (%s)", guild_id, reason)
            return self._received(guild_id)
        return NOTHING_UNWRITTEN

    @asynccontextmanager
    async def snapshot(self, guild_id: int) -> AsyncIterator[GuildSnapshot | None]:
        """The record as it is; None for a guild without settings, so before Spade was set up there."""
        now = self._clock.now()
        async with self._database.reading() as connection:
            settings = await guilds.settings_of(connection, guild_id)
            yield None if settings is None else GuildSnapshot(connection, settings, now)

    @asynccontextmanager
    async def settled(self, guild_id: int) -> AsyncIterator[GuildSnapshot | None]:
        """The same for an answer, once everything received so far is on record, or cannot be written now."""
        await self.settle_for_answer(guild_id)
        async with self.snapshot(guild_id) as snapshot:
            yield snapshot
