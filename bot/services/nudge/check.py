"""Decides a nudge and looks whether what it says is still so: on the record, and on Discord."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.domain.guild import GuildSettings
from bot.domain.nudge import Nudge, Reason
from bot.domain.nudge_decision import NudgeFacts, Obstacle, decide_nudge
from bot.domain.rules import Rules
from bot.services.delivery.messenger import Directory, Present
from bot.services.nudge.facts import gather
from bot.services.record.beginning import old_hands
from bot.store import people, record
from bot.store.database import Connection, Database


@dataclass(slots=True)
class DiscordState:
    """What Discord said that the record does not know: who is there, who is not, which messages are gone.

    `old_hands` were there before a young record begins, so that nobody can call them newcomers.
    """

    present: dict[int, Present] = field(default_factory=dict)
    barred: dict[int, Obstacle] = field(default_factory=dict)
    old_hands: set[int] = field(default_factory=set)
    gone: set[int] = field(default_factory=set)
    there: set[int] = field(default_factory=set)


class NudgeCheck:
    """Makes a nudge out of those members and messages that are really there. Writes nothing but with `note`."""

    def __init__(self, database: Database, directory: Directory, rules: Rules) -> None:
        self._database = database
        self._directory = directory
        self._rules = rules

    async def decide(
        self, connection: Connection, settings: GuildSettings, manager_id: int, now: datetime, findings: DiscordState
    ) -> Nudge:
        """The nudge as the record and the findings have it."""
        facts = await self.facts(connection, settings, manager_id, now, findings)
        # In a large guild thousands have a reason.
        return self._without_gone(await asyncio.to_thread(decide_nudge, facts, self._rules), findings)

    async def facts(
        self, connection: Connection, settings: GuildSettings, manager_id: int, now: datetime, findings: DiscordState
    ) -> NudgeFacts:
        """The record with the findings."""
        facts = await gather(connection, settings, manager_id, now, self._rules, findings.barred, findings.old_hands)
        return replace(
            facts, waiting=tuple(state for state in facts.waiting if state.entry.message_id not in findings.gone)
        )

    async def look(self, settings: GuildSettings, manager_id: int, now: datetime) -> tuple[Nudge, DiscordState]:
        """Decide, ask Discord about everybody in it, and decide again until all of it is so.

        Raises UnreachableError when Discord cannot say.
        """
        findings = DiscordState()
        while True:
            async with self._database.reading() as connection:
                nudge = await self.decide(connection, settings, manager_id, now, findings)
            before = len(findings.barred), len(findings.gone), len(findings.old_hands)
            await self.ask(settings, nudge, findings)
            if (len(findings.barred), len(findings.gone), len(findings.old_hands)) == before:
                return nudge, findings

    async def ask(self, settings: GuildSettings, nudge: Nudge, findings: DiscordState) -> None:
        """Ask Discord about everybody in a nudge who was not asked about before. Raises UnreachableError."""
        await self.ask_about(settings, [offer.member_id for offer in nudge.offers], findings)
        for offer in nudge.offers:
            if offer.message_id is None or offer.channel_id is None or offer.message_id in findings.there:
                continue
            exists = await self._directory.message_exists(offer.channel_id, offer.message_id)
            (findings.there if exists else findings.gone).add(offer.message_id)

    async def ask_about(self, settings: GuildSettings, members: Collection[int], findings: DiscordState) -> None:
        """Ask Discord about those of some members who were not asked about before. Raises UnreachableError."""
        unknown = [member_id for member_id in members if member_id not in findings.present]
        found = await self._directory.present(settings.guild_id, unknown)
        findings.present.update(found)
        async with self._database.reading() as connection:
            _, ignored_roles = await people.ignored(connection, settings.guild_id)
            findings.old_hands |= await old_hands(connection, settings, joined_of(found), self._rules)
        for member_id in unknown:
            if member_id not in found:
                findings.barred[member_id] = Obstacle.LEFT
            elif found[member_id].role_ids & ignored_roles:
                findings.barred[member_id] = Obstacle.IGNORED

    async def note(
        self, connection: Connection, settings: GuildSettings, findings: DiscordState, now: datetime
    ) -> None:
        """Put on record who has left, and take back what waited in messages that are gone."""
        for member_id, obstacle in findings.barred.items():
            if obstacle is Obstacle.LEFT:
                await people.mark_departed(connection, settings.guild_id, member_id, now)
        await record.take_back(connection, findings.gone)

    @staticmethod
    def _without_gone(nudge: Nudge, findings: DiscordState) -> Nudge:
        """Whoever has another reason than a message stays, without the link that leads nowhere."""
        return replace(
            nudge,
            offers=tuple(
                replace(offer, message_id=None, channel_id=None)
                if offer.message_id in findings.gone and offer.reason is not Reason.WAITING
                else offer
                for offer in nudge.offers
            ),
        )


def names_of(present: Mapping[int, Present]) -> dict[int, str]:
    """The names people go by."""
    return {person_id: person.name for person_id, person in present.items()}


def joined_of(present: Mapping[int, Present]) -> dict[int, datetime]:
    """When people joined, where Discord says so."""
    return {person_id: person.joined_at for person_id, person in present.items() if person.joined_at is not None}
