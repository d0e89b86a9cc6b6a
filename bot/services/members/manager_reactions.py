"""Managers' reactions to messages."""

import logging
from collections import defaultdict
from collections.abc import Collection, Mapping

from bot.services.backlog import Backlog
from bot.services.members.roster import Roster
from bot.services.members.waiting import WaitingService
from bot.store.error import OutageError

log = logging.getLogger(__name__)

MOST_WAITING = 10_000

_Reaction = tuple[int, int, int]
"""A guild, a person and a message."""


class ManagerReactions:
    """Has managers' reactions set waiting messages aside, those of a guild together.

    If the database does not take them they are tried again. When more than `MOST_WAITING` wait, the oldest are
    forgotten: their messages stay in the list of who waits.
    """

    def __init__(self, roster: Roster, waiting: WaitingService) -> None:
        self._roster = roster
        self._waiting = waiting
        self._backlog: Backlog[_Reaction, None] = Backlog("reactions", MOST_WAITING)

    def note(self, guild_id: int, person_id: int, message_id: int) -> None:
        """Somebody reacted to a message."""
        if self._roster.may_manage(guild_id, person_id):
            self._backlog.note((guild_id, person_id, message_id), None)

    async def run(self) -> None:
        """Set messages aside, until cancelled."""
        await self._backlog.work(self._set_aside)

    async def _set_aside(self, reactions: Mapping[_Reaction, None]) -> Collection[_Reaction]:
        by_guild: defaultdict[int, list[_Reaction]] = defaultdict(list)
        for reaction in reactions:
            by_guild[reaction[0]].append(reaction)
        failed: list[_Reaction] = []
        for guild_id, some in by_guild.items():
            try:
                await self._waiting.reacted(guild_id, {(person_id, message_id) for _, person_id, message_id in some})
            except OutageError:
                failed += some  # the outage is logged by itself
            except Exception as error:  # noqa: BLE001 - whatever failed, the other guilds get their turn
                log.warning("Reactions cannot be noted now (%s: %s)", type(error).__name__, error)
                failed += some
        return failed
