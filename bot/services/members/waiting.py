"""Lists who waits, and sets waiting entries aside."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.clock import Clock
from bot.domain.calendar import just_after
from bot.domain.rules import Rules
from bot.domain.waiting import WaitingEntry, WaitingState
from bot.services.delivery.messenger import Directory
from bot.services.guild_reader import Settle
from bot.services.members.roster import Roster
from bot.store import people, waits
from bot.store.database import Database


class WaitingService:
    """Closes waiting entries by hand. A touch closes them without this service."""

    def __init__(self, database: Database, roster: Roster, clock: Clock, settle: Settle) -> None:
        self._database = database
        self._roster = roster
        self._clock = clock
        self._settle = settle

    async def reacted(self, guild_id: int, reactions: Collection[tuple[int, int]]) -> None:
        """People reacted to messages, given by their ids: those to which managers did are set aside."""
        managers = await self._roster.managers(guild_id)
        if by_managers := {message_id for person_id, message_id in reactions if person_id in managers}:
            await self._set_aside(guild_id, by_managers)

    async def set_aside(self, guild_id: int, message_id: int) -> bool:
        """Close a message's entry for nudges and lists; False if none was open.

        A message that was just received is recorded first.
        """
        return await self._set_aside(guild_id, {message_id}) > 0

    async def _set_aside(self, guild_id: int, message_ids: Collection[int]) -> int:
        closed = await self._close(guild_id, message_ids)
        if closed == len(message_ids):
            return closed
        await self._settle(guild_id)
        return closed + await self._close(guild_id, message_ids)

    async def _close(self, guild_id: int, message_ids: Collection[int]) -> int:
        async with self._database.writing() as connection:
            return await waits.close(connection, guild_id, message_ids, self._clock.now())


@dataclass(frozen=True, slots=True)
class WaitingMember:
    """A member who waits: their message that waits longest, and how many wait."""

    member_id: int
    oldest: WaitingEntry
    messages: int


@dataclass(frozen=True, slots=True)
class WaitingPage:
    """A page of the list, oldest first. `pages` is at least 1, `number` counts from 1."""

    guild_id: int
    number: int
    pages: int
    total: int
    members: tuple[WaitingMember, ...]
    names: Mapping[int, str]
    now: datetime


class WaitingList:
    """Who waits for one manager, or for the team."""

    def __init__(
        self,
        database: Database,
        directory: Directory,
        clock: Clock,
        rules: Rules,
        settle: Settle,
    ) -> None:
        self._database = database
        self._directory = directory
        self._clock = clock
        self._rules = rules
        self._settle = settle

    async def page(self, guild_id: int, manager_id: int, number: int, size: int) -> WaitingPage:
        """A page of the list; the nearest one if `number` is out of range. Does not check that they are a manager."""
        await self._settle(guild_id)
        number = max(number, 1)
        while True:
            now = self._clock.now()
            async with self._database.reading() as connection:
                total, found = await waits.page_for(
                    connection,
                    guild_id,
                    manager_id,
                    now - self._rules.waiting_expires,
                    just_after(now),  # an entry or an answer of this millisecond counts, too
                    offset=(number - 1) * size,
                    limit=size,
                )
            pages = max(1, -(-total // size))
            if number > pages:
                number = pages
                continue
            shown = tuple(WaitingMember(entry.member_id, entry, messages) for entry, messages in found)
            names = await self._directory.names(guild_id, [member.member_id for member in shown])
            departed = [member.member_id for member in shown if member.member_id not in names]
            if not departed:
                return WaitingPage(guild_id, number, pages, total, shown, names, now)
            async with self._database.writing() as connection:
                for member_id in departed:
                    await people.mark_departed(connection, guild_id, member_id, now)


def waiting_members(states: list[WaitingState], manager_id: int) -> tuple[WaitingMember, ...]:
    """The members whose messages still wait for a manager or the team, longest first."""
    entries: dict[int, list[WaitingEntry]] = {}
    for state in states:
        entry = state.entry
        if state.answered_at is None and not state.closed and entry.waits_for(manager_id):
            entries.setdefault(entry.member_id, []).append(entry)
    found = [
        WaitingMember(member_id, min(own, key=lambda entry: entry.message_id), len(own))
        for member_id, own in entries.items()
    ]
    return tuple(sorted(found, key=lambda member: member.oldest.message_id))
