"""Looks at nudges without sending any: a preview, why somebody is left out, how they stand, what they led to."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from bot.clock import Clock
from bot.domain.calendar import just_after
from bot.domain.delivery import Delivery
from bot.domain.effect import Effect
from bot.domain.guild import GuildSettings
from bot.domain.nudge import Nudge, NudgeDraft, OfferContext, Reason
from bot.domain.nudge_time import NudgeSchedule, next_nudge_day
from bot.domain.rules import NudgeRules, Rules
from bot.domain.why import Why, explain
from bot.services.delivery.messenger import Directory
from bot.services.guild_reader import Settle
from bot.services.nudge.check import NudgeCheck
from bot.services.nudge.drafts import NudgeDrafts
from bot.services.nudge.effects import effects_between
from bot.services.nudge.facts import decide_from_record, gather_member, past_nudges, usual_pace
from bot.services.nudge.schedule import schedule_of
from bot.store import deliveries
from bot.store.database import Database

EFFECT_DAYS = 90
"""How many days of nudges a manager is shown the effects of."""


@dataclass(frozen=True, slots=True)
class NudgeExplanation:
    """Why a person is, or is not, in the nudge that a manager would get now."""

    why: Why
    name: str
    context: OfferContext


@dataclass(frozen=True, slots=True)
class NudgeStatus:
    """How a manager's nudges stand.

    `next_on` is the next day one can come. `throttled`: they come half as often. `effects` are of the last
    `EFFECT_DAYS` days. `refused` is what Discord refused last; None if the last message was not refused.
    """

    schedule: NudgeSchedule
    next_on: date | None
    throttled: bool
    effects: Mapping[Reason, Effect] = field(default_factory=dict)
    rules: NudgeRules = field(default_factory=NudgeRules)
    refused: Delivery | None = None


async def preview_at(
    database: Database, settings: GuildSettings, manager_id: int, at: datetime, rules: Rules
) -> tuple[Nudge, float | None]:
    """The nudge at any moment by the record alone, without Discord, and the manager's usual pace by then in minutes."""
    async with database.reading() as connection:
        nudge = await decide_from_record(connection, settings, manager_id, at, rules)
        return nudge, await usual_pace(connection, settings.guild_id, manager_id, at)


class NudgePreviews:
    """Answers a manager's questions. Sends and stores nothing."""

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
        self._check = NudgeCheck(database, directory, rules)
        self._drafts = NudgeDrafts(database, directory, rules)

    async def preview(self, guild_id: int, manager_id: int) -> NudgeDraft | None:
        """What a nudge would say now; None for somebody who is no manager. Raises DiscordUnreachableError."""
        schedule = await self._schedule(guild_id, manager_id)
        if schedule is None:
            return None
        now = self._clock.now()
        checked = await self._check.look(schedule.guild, manager_id, now)
        nudge, discord = checked.nudge, checked.discord
        return await self._drafts.new("0", schedule, nudge, discord, now)

    async def why(self, guild_id: int, manager_id: int, member_id: int) -> NudgeExplanation | None:
        """Why a member is, or is not, in the nudge that would come now; None for somebody who is no manager.

        Raises DiscordUnreachableError.
        """
        schedule = await self._schedule(guild_id, manager_id)
        if schedule is None:
            return None
        guild, now = schedule.guild, self._clock.now()
        checked = await self._check.look(guild, manager_id, now)
        nudge, discord = checked.nudge, checked.discord
        await self._check.ask_about(guild, [member_id], discord)
        async with self._database.reading() as connection:
            facts = await self._check.facts(connection, guild, manager_id, now, discord)
            member = await gather_member(connection, guild, member_id, now, self._rules)
        if member.met_at is not None:
            facts = replace(facts, met=facts.met | {member_id})
        why = await asyncio.to_thread(explain, facts, member_id, member, self._rules)
        context = await self._drafts.context(schedule, nudge, discord, now)
        return NudgeExplanation(why, context.names.get(member_id, ""), context)

    async def status(self, guild_id: int, manager_id: int) -> NudgeStatus | None:
        """How a manager's nudges stand; None for somebody who is no manager."""
        schedule = await self._schedule(guild_id, manager_id)
        if schedule is None:
            return None
        guild, manager, now = schedule.guild, schedule.manager, self._clock.now()
        since, soon = now - timedelta(days=EFFECT_DAYS), just_after(now)
        async with self._database.reading() as connection:
            past = await past_nudges(connection, guild, manager, now, self._rules)
            last = (await deliveries.last_tried(connection, guild_id)).get(manager_id)
            led_to = await effects_between(connection, guild_id, since, soon, now, self._rules, manager_id)
        return NudgeStatus(
            schedule=schedule,
            next_on=next_nudge_day(manager, guild.zone, now, past),
            throttled=past.unanswered,
            effects=led_to,
            rules=self._rules.nudge,
            refused=last if last is not None and last.refused else None,
        )

    async def _schedule(self, guild_id: int, manager_id: int) -> NudgeSchedule | None:
        """The manager's schedule, once everything received so far is on record."""
        await self._settle(guild_id)
        async with self._database.reading() as connection:
            return await schedule_of(connection, guild_id, manager_id)
