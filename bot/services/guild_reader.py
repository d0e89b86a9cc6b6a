"""Reads one guild's record."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from bot.clock import Clock
from bot.domain.guild import GuildSettings
from bot.store import guilds
from bot.store.database import Connection, Database

Settle = Callable[[int], Awaitable[None]]
"""Returns when everything received so far of the guild with this id is on record. Raises what hinders that."""


@dataclass(frozen=True, slots=True)
class GuildSnapshot:
    """One consistent view of the record: its read transaction, the guild's settings, and the time it was opened.

    `connection` is closed at the end of the `async with` that gave it; `settings` and `now` can be used after it.
    """

    connection: Connection
    settings: GuildSettings
    now: datetime


class GuildReader:
    """Opens read transactions for one guild. `settle` is the follower's: it waits for the record of one guild."""

    def __init__(self, database: Database, clock: Clock, settle: Settle) -> None:
        self._database = database
        self._clock = clock
        self.settle = settle

    @asynccontextmanager
    async def snapshot(self, guild_id: int) -> AsyncIterator[GuildSnapshot | None]:
        """The record as it is; None for a guild without settings, so before Spade was set up there."""
        now = self._clock.now()
        async with self._database.reading() as connection:
            settings = await guilds.settings_of(connection, guild_id)
            yield None if settings is None else GuildSnapshot(connection, settings, now)

    @asynccontextmanager
    async def settled(self, guild_id: int) -> AsyncIterator[GuildSnapshot | None]:
        """The same, once everything received so far is on record."""
        await self.settle(guild_id)
        async with self.snapshot(guild_id) as snapshot:
            yield snapshot
