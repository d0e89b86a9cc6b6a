"""Decides a nudge, and checks what it says against the record and against Discord."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.domain.guild import GuildSettings
from bot.domain.nudge import Nudge, Reason
from bot.domain.nudge_decision import NudgeFacts, Obstacle
from bot.domain.rules import Rules
from bot.services.delivery.messenger import Directory, Present
from bot.services.nudge.facts import decide_from_record, gather, without_gone
from bot.services.record.beginning import old_hands
from bot.store import people, record
from bot.store.database import Connection, Database


@dataclass(slots=True)
class DiscordState:
    """What Discord knows and the record does not. It grows with each question asked.

    `present` are in the guild. `barred` must not be offered. `old_hands` were in the guild before a young record
    begins, so they are no newcomers. `gone` are messages that were deleted, `there` messages that exist.
    """

    present: dict[int, Present] = field(default_factory=dict)
    barred: dict[int, Obstacle] = field(default_factory=dict)
    old_hands: set[int] = field(default_factory=set)
    gone: set[int] = field(default_factory=set)
    there: set[int] = field(default_factory=set)


class NudgeCheck:
    """Makes a nudge of members and messages that still exist on Discord. Only `note` writes."""

    def __init__(self, database: Database, directory: Directory, rules: Rules) -> None:
        self._database = database
        self._directory = directory
        self._rules = rules

    async def decide(
        self, connection: Connection, settings: GuildSettings, manager_id: int, now: datetime, discord: DiscordState
    ) -> Nudge:
        """The nudge by the record and by what Discord said."""
        nudge = await decide_from_record(
            connection, settings, manager_id, now, self._rules, discord.barred, discord.old_hands, discord.gone
        )
        return self._without_gone(nudge, discord)

    async def facts(
        self, connection: Connection, settings: GuildSettings, manager_id: int, now: datetime, discord: DiscordState
    ) -> NudgeFacts:
        """What the nudge is decided on: the record, without what is gone from Discord."""
        facts = await gather(connection, settings, manager_id, now, self._rules, discord.barred, discord.old_hands)
        return without_gone(facts, discord.gone)

    async def look(self, settings: GuildSettings, manager_id: int, now: datetime) -> "Checked":
        """Decide a nudge and ask Discord about everybody in it, again and again until Discord changes nothing.

        Raises DiscordUnreachableError if Discord does not answer.
        """
        discord = DiscordState()
        while True:
            as_of = self._database.ended
            async with self._database.reading() as connection:
                nudge = await self.decide(connection, settings, manager_id, now, discord)
            before = len(discord.barred), len(discord.gone), len(discord.old_hands)
            await self.ask(settings, nudge, discord)
            if (len(discord.barred), len(discord.gone), len(discord.old_hands)) == before:
                return Checked(nudge, discord, as_of)

    async def still_holds(
        self, connection: Connection, settings: GuildSettings, checked: "Checked", now: datetime
    ) -> bool:
        """Whether a nudge is decided no other way on the newest record, in a transaction that writes."""
        if checked.as_of is not None and checked.as_of == self._database.ended:
            return True  # nothing was recorded since
        nudge = checked.nudge
        again = await self.decide(connection, settings, nudge.manager_id, now, checked.discord)
        return again.offers == nudge.offers

    async def ask(self, settings: GuildSettings, nudge: Nudge, discord: DiscordState) -> None:
        """Ask Discord about the members and messages of a nudge that were not asked about before.

        Raises DiscordUnreachableError.
        """
        await self.ask_about(settings, [offer.member_id for offer in nudge.offers], discord)
        for offer in nudge.offers:
            if offer.message_id is None or offer.channel_id is None or offer.message_id in discord.there:
                continue
            exists = await self._directory.message_exists(offer.channel_id, offer.message_id)
            (discord.there if exists else discord.gone).add(offer.message_id)

    async def ask_about(self, settings: GuildSettings, members: Collection[int], discord: DiscordState) -> None:
        """Ask Discord about members, except those asked about before. Raises DiscordUnreachableError."""
        unknown = [member_id for member_id in members if member_id not in discord.present]
        found = await self._directory.present(settings.guild_id, unknown)
        discord.present.update(found)
        async with self._database.reading() as connection:
            _, ignored_roles = await people.ignored(connection, settings.guild_id)
            discord.old_hands |= await old_hands(connection, settings, joined_of(found), self._rules)
        for member_id in unknown:
            if member_id not in found:
                discord.barred[member_id] = Obstacle.LEFT
            elif (role_ids := found[member_id].role_ids) is None:
                discord.barred[member_id] = Obstacle.UNREADABLE
            elif role_ids & ignored_roles:
                discord.barred[member_id] = Obstacle.IGNORED

    async def note(self, connection: Connection, settings: GuildSettings, discord: DiscordState, now: datetime) -> None:
        """Record who has left, and take back what the deleted messages had put on record."""
        for member_id, obstacle in discord.barred.items():
            if obstacle is Obstacle.LEFT:
                await people.mark_departed(connection, settings.guild_id, member_id, now)
        await record.take_back(connection, discord.gone)

    @staticmethod
    def _without_gone(nudge: Nudge, discord: DiscordState) -> Nudge:
        """The nudge without links to deleted messages."""
        return replace(
            nudge,
            offers=tuple(
                replace(offer, message_id=None, channel_id=None)
                if offer.message_id in discord.gone and offer.reason is not Reason.WAITING
                else offer
                for offer in nudge.offers
            ),
        )


@dataclass(frozen=True, slots=True)
class Checked:
    """A nudge, what Discord said about those in it, and the `Database.ended` of the record that it was decided on."""

    nudge: Nudge
    discord: DiscordState
    as_of: int | None


def names_of(present: Mapping[int, Present]) -> dict[int, str]:
    """The names people go by."""
    return {person_id: person.name for person_id, person in present.items()}


def joined_of(present: Mapping[int, Present]) -> dict[int, datetime]:
    """When people joined, as far as Discord says so."""
    return {person_id: person.joined_at for person_id, person in present.items() if person.joined_at is not None}
