"""Looking at nudges without sending any: a preview, why not somebody, how things stand, what they led to."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from bot.clock import Clock
from bot.domain.calendar import just_after
from bot.domain.effect import Effect, effects
from bot.domain.guild import GuildSettings, ManagerSettings
from bot.domain.nudge import Nudge, NudgeDraft, Reason
from bot.domain.nudge_decision import decide_nudge
from bot.domain.nudge_time import next_nudge_day
from bot.domain.rules import Rules
from bot.domain.touch import personal_kinds
from bot.domain.why import Why, explain
from bot.services.delivery.messenger import Directory
from bot.services.nudge.check import NudgeCheck
from bot.services.nudge.drafts import NudgeDrafts
from bot.services.nudge.facts import gather, gather_member, past_nudges, usual_pace
from bot.store import guilds, managers, nudges, touches
from bot.store.database import Connection, Database

EFFECT_DAYS = 90
"""How far back a manager is shown what their nudges led to."""


@dataclass(frozen=True, slots=True)
class NudgeExplanation:
    """Why a person is, or is not, in the nudge that a manager would get now."""

    why: Why
    name: str
    draft: NudgeDraft


@dataclass(frozen=True, slots=True)
class NudgeStatus:
    """How a manager's nudges stand. `next_on` is the next day one can come; `effects` are of the last 90 days."""

    guild: GuildSettings
    manager: ManagerSettings
    next_on: date | None
    throttled: bool
    effects: Mapping[Reason, Effect]
    rules: Rules


async def effects_between(
    connection: Connection,
    guild_id: int,
    since: datetime,
    until: datetime,
    now: datetime,
    rules: Rules,
    manager_id: int | None = None,
) -> Mapping[Reason, Effect]:
    """What the nudges sent from `since` up to `until` led to by `now`, for one manager or for the team."""
    offered = await nudges.sent_members(connection, guild_id, manager_id, since, until)
    kinds = personal_kinds(count_inferred=rules.count_inferred)
    found = await touches.between(connection, guild_id, since, until + rules.nudge.worked_within, kinds)
    return effects(offered, found, rules.nudge, now)


async def preview_at(
    database: Database, settings: GuildSettings, manager_id: int, at: datetime, rules: Rules
) -> tuple[Nudge, float | None]:
    """What a nudge at any moment would say by the record alone, and the manager's usual pace by then."""
    async with database.reading() as connection:
        facts = await gather(connection, settings, manager_id, at, rules)
        nudge = await asyncio.to_thread(decide_nudge, facts, rules)
        return nudge, await usual_pace(connection, settings.guild_id, manager_id, at)


class NudgePreviews:
    """Answers a manager's questions. Sends and stores nothing."""

    def __init__(
        self,
        database: Database,
        directory: Directory,
        clock: Clock,
        rules: Rules,
        settle: Callable[[], Awaitable[None]],
    ) -> None:
        self._database = database
        self._directory = directory
        self._clock = clock
        self._rules = rules
        self._settle = settle
        self._check = NudgeCheck(database, directory, rules)
        self._drafts = NudgeDrafts(database, directory)

    async def preview(self, guild_id: int, manager_id: int) -> NudgeDraft | None:
        """What a nudge would say now; None for somebody who is no manager. Raises UnreachableError."""
        await self._settle()
        found = await self._settings(guild_id, manager_id)
        if found is None:
            return None
        settings, manager = found
        now = self._clock.now()
        nudge, findings = await self._check.look(settings, manager_id, now)
        return await self._drafts.new("0", settings, manager, nudge, findings, now)

    async def why(self, guild_id: int, manager_id: int, member_id: int) -> NudgeExplanation | None:
        """Why a member is, or is not, in the nudge that would come now; None for somebody who is no manager."""
        await self._settle()
        found = await self._settings(guild_id, manager_id)
        if found is None:
            return None
        settings, manager = found
        now = self._clock.now()
        nudge, findings = await self._check.look(settings, manager_id, now)
        await self._check.ask_about(settings, [member_id], findings)
        async with self._database.reading() as connection:
            facts = await self._check.facts(connection, settings, manager_id, now, findings)
            member = await gather_member(connection, settings, member_id, now, self._rules)
        draft = await self._drafts.new("0", settings, manager, nudge, findings, now)
        if member.met_at is not None:
            facts = replace(facts, met=facts.met | {member_id})
        why = await asyncio.to_thread(explain, facts, member_id, member, self._rules)
        return NudgeExplanation(why, draft.names.get(member_id, ""), draft)

    async def status(self, guild_id: int, manager_id: int) -> NudgeStatus | None:
        """How a manager's nudges stand; None for somebody who is no manager."""
        await self._settle()
        found = await self._settings(guild_id, manager_id)
        if found is None:
            return None
        settings, manager = found
        now = self._clock.now()
        async with self._database.reading() as connection:
            past = await past_nudges(connection, settings, manager, now, self._rules)
            return NudgeStatus(
                guild=settings,
                manager=manager,
                next_on=next_nudge_day(manager, settings.zone, now, past),
                throttled=past.unanswered,
                effects=await effects_between(
                    connection,
                    guild_id,
                    now - timedelta(days=EFFECT_DAYS),
                    just_after(now),
                    now,
                    self._rules,
                    manager_id,
                ),
                rules=self._rules,
            )

    async def _settings(self, guild_id: int, manager_id: int) -> tuple[GuildSettings, ManagerSettings] | None:
        async with self._database.reading() as connection:
            settings = await guilds.settings_of(connection, guild_id)
            manager = await managers.settings_of(connection, guild_id, manager_id)
        return None if settings is None or manager is None else (settings, manager)
