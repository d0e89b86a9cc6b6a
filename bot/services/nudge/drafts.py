"""Gathers what a nudge's words are made of."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.calendar import local_day
from bot.domain.nudge import Nudge, NudgeDraft, OfferContext, OfferedMember, Press
from bot.domain.nudge_time import NudgeSchedule
from bot.domain.rules import Rules
from bot.services.delivery.messenger import Directory, DiscordUnreachableError
from bot.services.nudge.check import DiscordState, joined_of, names_of
from bot.services.nudge.facts import usual_pace
from bot.services.nudge.schedule import schedule_of
from bot.services.record.beginning import record_from
from bot.store import deliveries, nudges
from bot.store.database import Connection, Database


class NudgeDrafts:
    """Makes drafts of a nudge that is about to be sent, and of one that was sent. Writes nothing."""

    def __init__(self, database: Database, directory: Directory, rules: Rules) -> None:
        self._database = database
        self._directory = directory
        self._rules = rules

    async def new(
        self, delivery_id: str, schedule: NudgeSchedule, nudge: Nudge, discord: DiscordState, now: datetime
    ) -> NudgeDraft:
        """The draft of a nudge that was just checked."""
        return NudgeDraft(
            delivery_id=delivery_id,
            nudge=nudge,
            schedule=schedule,
            guild_name=await self._directory.guild_name(schedule.guild.guild_id),
            context=await self.context(schedule, nudge, discord, now),
        )

    async def context(
        self, schedule: NudgeSchedule, nudge: Nudge, discord: DiscordState, now: datetime
    ) -> OfferContext:
        """What the sentences about a nudge's offers are made of, and about anybody else `discord` was asked about."""
        async with self._database.reading() as connection:
            recorded = await _recorded(connection, schedule, now)
        return await self._context(schedule, nudge, discord, now, recorded)

    async def _context(
        self, schedule: NudgeSchedule, nudge: Nudge, discord: DiscordState, now: datetime, recorded: "_Recorded"
    ) -> OfferContext:
        guild = schedule.guild
        colleagues = {offer.from_manager_id for offer in nudge.offers if offer.from_manager_id is not None}
        today, begins_at = local_day(now, guild.zone), recorded.begins_at
        return OfferContext(
            now=now,
            zone=schedule.zone,
            names={**await self._names(guild.guild_id, colleagues), **names_of(discord.present)},
            usual_reply_minutes=recorded.usual_reply_minutes,
            joined=joined_of(discord.present),
            days_on_record=None if begins_at is None else (today - local_day(begins_at, guild.zone)).days,
            rules=self._rules.nudge,
        )

    async def stored(self, delivery_id: str, now: datetime | None = None) -> NudgeDraft | None:
        """The draft of a nudge on record, with what was pressed so far; None if nothing is left of it.

        It says what held when the nudge was made, or what holds at `now`.
        """
        async with self._database.reading() as connection:
            delivery = await deliveries.by_id(connection, delivery_id)
            if delivery is None or delivery.manager_id is None:
                return None
            schedule = await schedule_of(connection, delivery.guild_id, delivery.manager_id)
            members = await nudges.members_of(connection, delivery_id)
            if schedule is None or not members:
                return None
            as_of = now or members[0].offered_at
            recorded = await _recorded(connection, schedule, as_of)
        nudge = Nudge(schedule.manager.manager_id, tuple(member.offer for member in members))
        discord = DiscordState()
        with suppress(DiscordUnreachableError):  # then it has no names: a press must work without Discord's answer
            discord.present.update(
                await self._directory.present(delivery.guild_id, sorted({offer.member_id for offer in nudge.offers}))
            )
        context = await self._context(schedule, nudge, discord, as_of, recorded)
        colleagues = {member.colleague_id for member in members if member.colleague_id is not None}
        names = {**await self._names(delivery.guild_id, colleagues), **context.names}
        return NudgeDraft(
            delivery_id=delivery_id,
            nudge=nudge,
            schedule=schedule,
            guild_name=await self._directory.guild_name(delivery.guild_id),
            context=replace(context, names=names),
            presses=tuple(_presses(members)),
        )

    async def _names(self, guild_id: int, people: Iterable[int]) -> Mapping[int, str]:
        return await self._directory.names(guild_id, sorted(people))


@dataclass(frozen=True, slots=True)
class _Recorded:
    """What the words need of the record."""

    usual_reply_minutes: float | None
    begins_at: datetime | None


async def _recorded(connection: Connection, schedule: NudgeSchedule, now: datetime) -> _Recorded:
    guild = schedule.guild
    pace = await usual_pace(connection, guild.guild_id, schedule.manager.manager_id, now)
    return _Recorded(pace, await record_from(connection, guild))


def _presses(members: Iterable[OfferedMember]) -> Iterator[Press]:
    for member in members:
        if member.action is not None and member.settled_at is not None:
            yield Press(member.position, member.action, member.settled_at, member.colleague_id)
