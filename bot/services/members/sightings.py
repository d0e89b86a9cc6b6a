"""Which roles people were last seen with."""

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping

from bot.services.backlog import Backlog
from bot.services.members.roster import Roster
from bot.store.error import OutageError

log = logging.getLogger(__name__)

MOST_WAITING = 10_000

_Seen = tuple[int, int]
"""A guild and a person."""


class Sightings:
    """Has the roster see people with their roles, one after the other; only those whose roles may change anything.

    `became_manager` is awaited with the id of the guild in which somebody became a manager. If the database does not
    take a sighting it is tried again. One that is forgotten, because thousands wait, comes with their next message.
    """

    def __init__(self, roster: Roster, became_manager: Callable[[int], Awaitable[object]]) -> None:
        self._roster = roster
        self._became_manager = became_manager
        self._backlog: Backlog[_Seen, tuple[int, ...]] = Backlog("people seen with their roles", MOST_WAITING)

    def note(self, guild_id: int, person_id: int, role_ids: Collection[int]) -> None:
        """A person was seen with these roles."""
        if not self._roster.agrees(guild_id, person_id, role_ids):
            self._backlog.note((guild_id, person_id), tuple(role_ids))

    async def run(self) -> None:
        """Tell the roster, until cancelled."""
        await self._backlog.work(self._tell)

    async def _tell(self, seen: Mapping[_Seen, tuple[int, ...]]) -> Collection[_Seen]:
        failed: list[_Seen] = []
        for (guild_id, person_id), role_ids in seen.items():
            try:
                if await self._roster.seen(guild_id, person_id, role_ids):
                    await self._became_manager(guild_id)
            except OutageError:
                failed.append((guild_id, person_id))  # the outage is logged by itself
            except Exception as error:  # noqa: BLE001 - whatever failed, the others get their turn
                if not failed:
                    log.warning("The roles of people cannot be looked at now (%s: %s)", type(error).__name__, error)
                failed.append((guild_id, person_id))
        return failed
