"""Recording an archive of export files, in the same way as live messages."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from bot.clock import Clock
from bot.domain.guild import GuildSettings
from bot.domain.rules import Rules
from bot.domain.stretch import Stretch
from bot.domain.touch import TouchKind
from bot.services.members.roster import appoint
from bot.services.record.recorder import Recorded, Recorder
from bot.store import guilds, history_jobs
from bot.store.database import Database

_CONTEXT = 200
_STILL_DUE = timedelta(days=8)
"""The longest that a day or week is due after it was dealt with, in any time zone."""


class StagedArchive(Protocol):
    """An archive of export files, as an import needs it."""

    def stretches(self) -> Iterable[Stretch]:
        """Everything it covers, one channel after the other, oldest first."""

    def earlier(self, stretch: Stretch, count: int) -> Stretch:
        """The same stretch with up to `count` more messages before it."""


@dataclass(frozen=True, slots=True)
class Imported:
    """The result of an import: `new` messages, those that were `known` before, and the touches on members it added."""

    new: int = 0
    known: int = 0
    touches: Counter[TouchKind] = field(default_factory=Counter)


class Importer:
    """Imports archives of one guild after another. Importing the same files again changes nothing."""

    def __init__(self, database: Database, rules: Rules, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._recorder = Recorder(database, rules)

    async def prepare(self, guild_id: int, manager_ids: Collection[int], zone: ZoneInfo | None) -> frozenset[int]:
        """Store the guild's settings and managers; returns those managers for whom history has to be read again.

        These are the ones who were no managers before, and those with an unfinished job that reads again: they were no
        managers when a part of the record was made.
        """
        async with self._database.writing() as connection:
            settings = await guilds.settings_of(connection, guild_id, zone=zone)
            await guilds.save(connection, settings or GuildSettings(guild_id, zone or ZoneInfo("UTC")))
            new = await appoint(connection, guild_id, manager_ids, self._clock.now())
            unread = {job.manager_id for job in await history_jobs.unfinished(connection, guild_id)}
        return new | (frozenset(manager_ids) & unread)

    async def forget(self, guild_id: int) -> None:
        """Delete what is recorded of a guild; its settings stay, and that nothing is sent twice."""
        async with self._database.writing() as connection:
            await guilds.forget(connection, guild_id, sent_since=self._clock.now() - _STILL_DUE)

    async def run(
        self, archive: StagedArchive, new_managers: frozenset[int], progress: Callable[[int], None]
    ) -> Imported:
        """Record what the archive has and the record lacks.

        `progress` is called with the number of messages in each stretch.
        """
        context = _ArchiveContext(archive)
        total = Recorded()
        for stretch in archive.stretches():
            recorded = await self._recorder.record(stretch, context)
            if new_managers and recorded.known:
                await self._recorder.read_again(stretch, context, new_managers)
            total += recorded
            progress(len(stretch.messages))
        return Imported(total.messages, total.known, total.touches)


class _ArchiveContext:
    def __init__(self, archive: StagedArchive) -> None:
        self._archive = archive

    async def earlier(self, stretch: Stretch) -> Stretch:
        return self._archive.earlier(stretch, _CONTEXT)

    async def opened(self, stretch: Stretch) -> Stretch:
        return stretch  # an archive names the opener of every thread
