"""Setting waiting messages aside."""

from bot.clock import Clock
from bot.services.roster import Roster
from bot.store import waits
from bot.store.database import Database


class WaitingService:
    """Closes waiting entries; a touch ends them by itself and needs no help."""

    def __init__(self, database: Database, roster: Roster, clock: Clock) -> None:
        self._database = database
        self._roster = roster
        self._clock = clock

    async def reacted(self, guild_id: int, person_id: int, message_id: int) -> None:
        """Somebody reacted to a message: if they are a manager, it is set aside."""
        if person_id in await self._roster.managers(guild_id):
            await self.set_aside(guild_id, message_id)

    async def set_aside(self, guild_id: int, message_id: int) -> bool:
        """Close a message's entry for nudges and lists; False when none was open."""
        async with self._database.writing() as connection:
            return await waits.close(connection, guild_id, [message_id], self._clock.now()) > 0
