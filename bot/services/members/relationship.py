"""Gathers the team's contact with one member, and logs contact that Discord cannot show."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.clock import Clock
from bot.domain.logged import WhenProblem, moment_of_day, position_of
from bot.domain.relationship import Relationship, Standing, relationship
from bot.domain.rules import Rules
from bot.domain.snowflake import moment_of
from bot.domain.touch import NO_CHANNEL, Touch, TouchKind, personal_kinds
from bot.domain.waiting import WaitingState
from bot.services.delivery.messenger import Directory
from bot.services.guild_reader import Settle
from bot.store import activity, forgetting, guilds, ignoring, managers, people, record, touches, waits
from bot.store.activity import Trace
from bot.store.database import Connection, Database


@dataclass(frozen=True, slots=True)
class RelationshipFacts:
    """One relationship. If the person is no member, only `standing` is shown. `proxied`: they write through a proxy."""

    guild_id: int
    member_id: int
    standing: Standing
    now: datetime
    names: Mapping[int, str]
    relationship: Relationship
    waiting: tuple[WaitingState, ...] = ()
    trace: Trace | None = None
    proxied: bool = False


@dataclass(frozen=True, slots=True)
class Logged:
    """A contact that was logged. `message_id` is used to take it back; `ended` counts the entries that it answered."""

    member_id: int
    message_id: int
    touched_at: datetime
    ended: int


class Relationships:
    """Reads one member's side of the record, and writes the contacts that managers log."""

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

    async def of(self, guild_id: int, member_id: int) -> RelationshipFacts:
        """The team's contact with one person."""
        await self._settle(guild_id)
        now = self._clock.now()
        async with self._database.reading() as connection:
            standing = await self._standing(connection, guild_id, member_id)
            zone = await self._zone(connection, guild_id)
            kinds = personal_kinds(count_inferred=self._rules.count_inferred)
            found = await touches.of_member(connection, guild_id, member_id, kinds)
            states = await waits.of_member(connection, guild_id, member_id, now - self._rules.waiting_expires)
            traces = await activity.traces(connection, guild_id, [member_id])
            proxied = member_id in await people.proxied(connection, guild_id)
        known = relationship(found, zone, now, self._rules)
        waiting = tuple(state for state in states if state.answered_at is None and not state.closed)
        asked = {person_id for state in waiting for person_id in state.entry.addressed}
        named = {member_id, *asked, *(one.manager_id for one in known.acquaintances)}
        return RelationshipFacts(
            guild_id=guild_id,
            member_id=member_id,
            standing=standing,
            now=now,
            names=await self._directory.names(guild_id, sorted(named)),
            relationship=known,
            waiting=waiting,
            trace=traces.get(member_id) if standing is Standing.MEMBER else None,
            proxied=proxied,
        )

    async def log(
        self,
        guild_id: int,
        manager_id: int,
        member_id: int,
        *,
        interaction_id: int,
        when: str | None = None,
    ) -> Logged | Standing | WhenProblem:
        """Log a contact that happened elsewhere, now or at `when`.

        Returns the person's standing if they are no member, or what is wrong with `when`.
        """
        now = self._clock.now()
        async with self._database.writing() as connection:
            standing = await self._standing(connection, guild_id, member_id)
            if standing is not Standing.MEMBER:
                return standing
            touched_at = now if when is None else moment_of_day(when, await self._zone(connection, guild_id), now)
            if isinstance(touched_at, WhenProblem):
                return touched_at
            message_id = position_of(interaction_id, touched_at, now)
            if await _objected(connection, guild_id, manager_id, member_id, moment_of(message_id)):
                return WhenProblem.OBJECTED
            since = now - self._rules.waiting_expires
            before = await waits.of_member(connection, guild_id, member_id, since)
            touch = Touch(TouchKind.LOGGED, manager_id, member_id, message_id, NO_CHANNEL, touched_at)
            await record.add_touches(connection, {guild_id: [touch]})
            after = await waits.of_member(connection, guild_id, member_id, since)
        return Logged(member_id, message_id, touched_at, _open(before) - _open(after))

    async def take_back(self, guild_id: int, manager_id: int, member_id: int, message_id: int) -> bool:
        """Delete a contact that the same manager logged; False if there is none."""
        async with self._database.writing() as connection:
            return await touches.take_back_logged(connection, guild_id, manager_id, member_id, message_id)

    async def names(self, guild_id: int, member_id: int) -> Mapping[int, str]:
        """The name of one person, if they are in the guild."""
        return await self._directory.names(guild_id, [member_id])

    async def _zone(self, connection: Connection, guild_id: int) -> ZoneInfo:
        settings = await guilds.settings_of(connection, guild_id)
        return settings.zone if settings is not None else ZoneInfo("UTC")

    async def _standing(self, connection: Connection, guild_id: int, person_id: int) -> Standing:
        if person_id in await managers.people(connection, guild_id):
            return Standing.MANAGER
        if person_id in await forgetting.unrecorded(connection, guild_id):
            return Standing.UNRECORDED
        if person_id in await ignoring.people(connection, guild_id):
            return Standing.IGNORED
        return Standing.MEMBER


async def _objected(connection: Connection, guild_id: int, manager_id: int, member_id: int, moment: datetime) -> bool:
    """Whether one of the two must not be recorded at a moment."""
    unrecorded = await forgetting.unrecorded(connection, guild_id)
    return unrecorded.as_manager(manager_id, moment) or unrecorded.as_member(member_id, moment)


def _open(states: tuple[WaitingState, ...]) -> int:
    return sum(state.answered_at is None and not state.closed for state in states)
