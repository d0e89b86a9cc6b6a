"""Who manages a guild: by name, or by a role Spade sees somebody bear."""

from collections.abc import Collection
from dataclasses import dataclass

from bot.store import managers
from bot.store.database import Database


@dataclass(slots=True)
class _Known:
    people: frozenset[int]
    roles: frozenset[int]
    by_role: frozenset[int]


class Roster:
    """Remembers each guild's managers, so that every message can be asked about cheaply."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._guilds: dict[int, _Known] = {}

    async def managers(self, guild_id: int) -> frozenset[int]:
        """The people on the manager list."""
        return (await self._known(guild_id)).people

    async def seen(self, guild_id: int, person_id: int, role_ids: Collection[int]) -> bool:
        """Somebody was seen with their roles: put them on the list, or take them off, as the roles say.

        True when they came to be a manager by this.
        """
        known = await self._known(guild_id)
        bears = sorted(known.roles.intersection(role_ids))
        if bears and person_id not in known.people:
            async with self._database.writing() as connection:
                await managers.add(connection, guild_id, [person_id], by_role_id=bears[0])
            self.changed(guild_id)
            return True
        if not bears and person_id in known.by_role:
            async with self._database.writing() as connection:
                await managers.remove(connection, guild_id, [person_id])
            self.changed(guild_id)
        return False

    def changed(self, guild_id: int) -> None:
        """The list was changed by somebody else: look again."""
        self._guilds.pop(guild_id, None)

    async def _known(self, guild_id: int) -> _Known:
        known = self._guilds.get(guild_id)
        if known is None:
            async with self._database.reading() as connection:
                known = _Known(
                    people=await managers.people(connection, guild_id),
                    roles=await managers.roles(connection, guild_id),
                    by_role=await managers.people_by_role(connection, guild_id),
                )
            self._guilds[guild_id] = known
        return known
