"""Who manages a guild and who is ignored there: by name, or by a role that Spade saw them have."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from bot.clock import Clock
from bot.services.recent import Recent
from bot.store import forgetting, history_jobs, ignoring, managers
from bot.store.database import Connection, Database
from bot.store.people import opted_out

_GUILDS = 1000
"""How many guilds' lists are kept in memory. Those of another guild are read again."""
_AT_ONCE = 16
"""Of how many guilds the lists are looked up at once at most; those of one guild once for all who need them."""


async def appoint(
    connection: Connection, guild_id: int, people: Collection[int], at: datetime, *, by_role_id: int | None = None
) -> frozenset[int]:
    """Put people on the manager list; returns those who were not on it.

    All that is on record has to be read again for them. The job for it, with what it has to read, is added in the same
    transaction, so a crash cannot lose it. Of what people wrote and received before who had opted out by then, nothing
    is recorded.
    """
    before = await managers.people(connection, guild_id)
    await managers.add(connection, guild_id, people, by_role_id=by_role_id)
    new = await managers.people(connection, guild_id) - before
    for person_id in sorted(new & await opted_out(connection, guild_id)):
        await forgetting.return_at(connection, guild_id, person_id, at)
    for person_id in sorted(new):
        await history_jobs.add_reading_again(connection, guild_id, person_id, at)
    return new


async def dismiss(connection: Connection, guild_id: int, people: Collection[int], at: datetime) -> None:
    """Take people off the manager list. Nothing is read again for them any more."""
    await managers.remove(connection, guild_id, people)
    await history_jobs.cancel_for_others(connection, guild_id, at)


@dataclass(slots=True)
class _List:
    people: frozenset[int]
    roles: frozenset[int]
    by_role: frozenset[int]

    def role_of(self, role_ids: Collection[int]) -> int | None:
        return min(self.roles.intersection(role_ids), default=None)

    def agrees(self, person_id: int, role_ids: Collection[int]) -> bool:
        """Whether a person with these roles is on the list, or off it, as they should be."""
        return person_id not in self.by_role if self.role_of(role_ids) is None else person_id in self.people


@dataclass(slots=True)
class _Known:
    managers: _List
    ignored: _List


class Roster:
    """Caches each guild's managers and ignored people, because every message is checked against them."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._guilds: Recent[int, _Known] = Recent(_GUILDS)
        self._changes = 0
        self._looking_up = [asyncio.Lock() for _ in range(_AT_ONCE)]

    async def managers(self, guild_id: int) -> frozenset[int]:
        """The people on the manager list."""
        return (await self._known(guild_id)).managers.people

    def may_manage(self, guild_id: int, person_id: int) -> bool:
        """Whether a person may be on the manager list, as far as that is known without looking it up."""
        known = self._guilds.get(guild_id)
        return known is None or person_id in known.managers.people

    def agrees(self, guild_id: int, person_id: int, role_ids: Collection[int]) -> bool:
        """Whether it is known, without looking it up, that `seen` with these roles changes nothing."""
        known = self._guilds.get(guild_id)
        return (
            known is not None
            and known.managers.agrees(person_id, role_ids)
            and known.ignored.agrees(person_id, role_ids)
        )

    async def would_manage(self, guild_id: int, person_id: int, role_ids: Collection[int]) -> bool:
        """Whether a person with these roles is a manager once they are seen with them. Changes nothing."""
        known = (await self._known(guild_id)).managers
        if known.role_of(role_ids) is not None:
            return True
        return person_id in known.people and person_id not in known.by_role

    async def seen(self, guild_id: int, person_id: int, role_ids: Collection[int]) -> bool:
        """A person was seen with their roles: put them on the lists, or take them off, by these roles.

        True if it made them a manager: then the history has to be read again.
        """
        known = await self._known(guild_id)
        role_id = known.managers.role_of(role_ids)
        became = False
        if role_id is not None and person_id not in known.managers.people:
            async with self._database.writing() as connection:
                became = bool(
                    await appoint(connection, guild_id, [person_id], self._clock.now(), by_role_id=role_id)
                )  # a person who asked to be forgotten was not added
            self.changed(guild_id)
        elif role_id is None and person_id in known.managers.by_role:
            async with self._database.writing() as connection:
                await dismiss(connection, guild_id, [person_id], self._clock.now())
            self.changed(guild_id)
        await self._look_whether_ignored(guild_id, known.ignored, person_id, role_ids)
        return became

    async def _look_whether_ignored(
        self, guild_id: int, known: _List, person_id: int, role_ids: Collection[int]
    ) -> None:
        role_id = known.role_of(role_ids)
        if role_id is not None and person_id not in known.people:
            async with self._database.writing() as connection:
                await ignoring.add(connection, guild_id, [person_id], by_role_id=role_id)
            self.changed(guild_id)
        elif role_id is None and person_id in known.by_role:
            async with self._database.writing() as connection:
                await ignoring.remove(connection, guild_id, [person_id])
            self.changed(guild_id)

    def changed(self, guild_id: int) -> None:
        """The lists were changed elsewhere: drop the cached ones."""
        self._guilds.pop(guild_id)
        self._changes += 1

    async def _known(self, guild_id: int) -> _Known:
        if (known := self._guilds.get(guild_id)) is not None:
            return known
        async with self._looking_up[(guild_id >> 22) % _AT_ONCE]:
            return self._guilds.get(guild_id) or await self._looked_up(guild_id)

    async def _looked_up(self, guild_id: int) -> _Known:
        changes = self._changes
        async with self._database.reading() as connection:
            known = _Known(
                managers=_List(
                    people=await managers.people(connection, guild_id),
                    roles=await managers.roles(connection, guild_id),
                    by_role=await managers.people_by_role(connection, guild_id),
                ),
                ignored=_List(
                    people=await ignoring.people(connection, guild_id),
                    roles=await ignoring.roles(connection, guild_id),
                    by_role=await ignoring.people_by_role(connection, guild_id),
                ),
            )
        if changes == self._changes:  # else it may be outdated
            self._guilds[guild_id] = known
        return known
