"""Puts an archive of exports on record, through the same door as live messages."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
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


class StagedArchive(Protocol):
    """What an import needs of an archive."""

    def stretches(self) -> Iterable[Stretch]:
        """Everything it covers, a channel at a time, oldest first."""

    def earlier(self, stretch: Stretch, count: int) -> Stretch:
        """The same stretch with more context."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import came to: messages recorded now and known before, and the touches on members it added."""

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
        """Make the guild's settings and managers known; returns the managers for whom there is more to be read again.

        Those are who were none before, and who were none when something went on record that was not read again since.
        """
        async with self._database.writing() as connection:
            settings = await guilds.settings_of(connection, guild_id)
            if settings is None:
                await guilds.save(connection, GuildSettings(guild_id, zone or ZoneInfo("UTC")))
            elif zone is not None:
                await guilds.save(connection, replace(settings, zone=zone))
            new = await appoint(connection, guild_id, manager_ids, self._clock.now())
            unread = {job.manager_id for job in await history_jobs.unfinished(connection, guild_id)}
        return new | (frozenset(manager_ids) & unread)

    async def forget(self, guild_id: int) -> None:
        """Forget what is recorded of a guild; its settings stay."""
        async with self._database.writing() as connection:
            await guilds.forget(connection, guild_id)

    async def run(
        self, archive: StagedArchive, new_managers: frozenset[int], progress: Callable[[int], None]
    ) -> Imported:
        """Record everything in the archive that is not on record yet; `progress` is told of messages as they pass."""
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
