"""Who may use what, asked of the record and of the roles Discord shows; never of what a client offered."""

from collections.abc import Collection

from bot.services.members.roster import Roster
from bot.services.record.history_reader import HistoryReader


class Access:
    """Knows managers, and notices when the person asking has come to be one by a role."""

    def __init__(self, roster: Roster, reader: HistoryReader) -> None:
        self._roster = roster
        self._reader = reader

    async def is_manager(self, guild_id: int, person_id: int, role_ids: Collection[int]) -> bool:
        """Whether somebody who is here with these roles manages this guild."""
        if await self._roster.seen(guild_id, person_id, role_ids):
            await self._reader.resume(guild_id)
        return person_id in await self._roster.managers(guild_id)
