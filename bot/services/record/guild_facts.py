"""What the messages of a guild are judged by, besides other messages."""

from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from bot.domain.forgetting import Unrecorded
from bot.services.recent import Recent
from bot.services.record.held import Held
from bot.store import forgetting, guilds, managers
from bot.store.database import Connection, Database

_GUILDS = 1000
"""Of how many guilds facts are held. Those of another guild are read again."""


@dataclass(frozen=True, slots=True)
class GuildFacts:
    """A guild's managers, excluded channels, time zone, and the people about whom nothing may be recorded.

    `has_files`: files were imported, so what Discord tells may be on record already.
    """

    managers: AbstractSet[int]
    excluded: AbstractSet[int]
    zone: ZoneInfo
    unrecorded: Unrecorded
    has_files: bool


class HeldGuildFacts:
    """Facts of guilds, read once and held until anybody but their reader may have changed any.

    `of` must be called in a transaction that writes, and `keep` when that has changed none of these facts.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._held: Recent[int, GuildFacts] = Recent(_GUILDS)
        self._as_of: int | None = None
        self._kept: int | None = None
        self._excluded = Held(database, guilds.EXCLUSIONS, guilds.excluded_channels)

    async def of(self, connection: Connection, guild_ids: Collection[int]) -> Mapping[int, GuildFacts]:
        """The facts of some guilds as they are in this transaction."""
        changed = self._database.changed(*_TABLES)
        if changed is None or changed not in (self._as_of, self._kept):
            self._held = Recent(_GUILDS)
        known = {guild_id: facts for guild_id in guild_ids if (facts := self._held.get(guild_id)) is not None}
        missing = [guild_id for guild_id in guild_ids if guild_id not in known]
        if missing:
            known |= await _read(connection, missing)
        for guild_id in missing:
            self._held[guild_id] = known[guild_id]
        self._as_of = changed
        return known

    async def excluded(self, guild_id: int) -> frozenset[int] | None:
        """A guild's excluded channels, outside of any transaction; None where they cannot be held."""
        return await self._excluded.of(guild_id)

    def keep(self) -> None:
        """The transaction that is about to end changes none of these facts."""
        ended = self._database.ended
        self._kept = None if ended is None else ended + 1


_TABLES = (*managers.PEOPLE, *guilds.EXCLUSIONS, *guilds.ZONES, *forgetting.UNRECORDED, *guilds.FILES)


async def _read(connection: Connection, guild_ids: Collection[int]) -> dict[int, GuildFacts]:
    people = await managers.all_people(connection, guild_ids)
    excluded = await guilds.all_excluded_channels(connection, guild_ids)
    zones = await guilds.recording_zones(connection, guild_ids)
    unrecorded = await forgetting.all_unrecorded(connection, guild_ids)
    with_files = await guilds.with_files(connection, guild_ids)
    return {
        one: GuildFacts(people[one], excluded[one], zones[one], unrecorded[one], one in with_files) for one in guild_ids
    }
