"""Who is a manager, by the manager list and by the roles that Discord reports; never by what a client sent."""

from collections.abc import Collection

from bot.services.members.roster import Roster
from bot.services.record.history_reader import HistoryReader


class Access:
    """Looks managers up, and puts a person on the list who has a manager role (docs/rules.md#managers-and-members)."""

    def __init__(self, roster: Roster, reader: HistoryReader) -> None:
        self._roster = roster
        self._reader = reader

    async def is_manager(self, guild_id: int, person_id: int, role_ids: Collection[int]) -> bool:
        """Whether a person with these roles is a manager of this guild.

        Notes their roles first. If that makes them a manager, history is read for them, as for any new manager.
        """
        if await self._roster.seen(guild_id, person_id, role_ids):
            await self._reader.resume(guild_id)
        return person_id in await self._roster.managers(guild_id)

    async def may_manage(self, guild_id: int, person_id: int, role_ids: Collection[int]) -> bool:
        """Whether `is_manager` would say so. Changes nothing: it is for what must be answered at once."""
        return await self._roster.would_manage(guild_id, person_id, role_ids)
