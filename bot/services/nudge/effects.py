"""Gathers what followed nudges."""

from collections.abc import Mapping
from datetime import datetime

from bot.domain.effect import Effect, effects
from bot.domain.nudge import Reason
from bot.domain.rules import Rules
from bot.domain.touch import personal_kinds
from bot.store import nudges, touches
from bot.store.database import Connection


async def effects_between(
    connection: Connection,
    guild_id: int,
    since: datetime,
    until: datetime,
    now: datetime,
    rules: Rules,
    manager_id: int | None = None,
) -> Mapping[Reason, Effect]:
    """What the nudges sent from `since` up to `until` led to by `now`, for one manager or for the team (None)."""
    offered = await nudges.sent_members(connection, guild_id, manager_id, since, until)
    kinds = personal_kinds(count_inferred=rules.count_inferred)
    found = await touches.after_offers(connection, guild_id, since, until, rules.nudge.worked_within, kinds)
    return effects(offered, found, rules.nudge, now)
