"""Judges for many guilds and managers at once whether their digest is due."""

from collections.abc import Collection
from datetime import datetime

from bot.domain.delivery import Delivery, DeliveryKind, DeliveryState
from bot.domain.digest import DueDigest, due_digest, due_personal_digest, next_digest_at, next_personal_digest_at
from bot.domain.guild import GuildSettings
from bot.domain.nudge_time import NudgeSchedule
from bot.services.delivery import periods
from bot.services.delivery.due_times import Judged
from bot.services.nudge.schedule import schedules_among
from bot.store import guilds
from bot.store.database import Connection
from bot.store.due_times import Key


async def due_digests(
    connection: Connection, keys: Collection[Key], now: datetime
) -> Judged[tuple[GuildSettings, DueDigest]]:
    """Those of the guilds whose digest is due and whose week is open, with the week."""
    found = await guilds.all_settings(connection, {guild_id for guild_id, _ in keys})
    settings = {(one.guild_id, 0): one for one in found}
    weeks = {key: week for key, one in settings.items() if (week := due_digest(one, now)) is not None}
    days = {key: week.week_on for key, week in weeks.items()}
    before = await periods.dealt_with_among(connection, DeliveryKind.DIGEST, days, now)
    due = {
        key: (settings[key], week)
        for key, week in weeks.items()
        if is_open(before.get(key), week, settings[key].digest_channel_id)
    }
    ahead = {key: next_digest_at(settings[key], now) if key in settings else None for key in keys if key not in due}
    return Judged(tuple(due.values()), ahead)


async def due_personal_digests(
    connection: Connection, keys: Collection[Key], now: datetime
) -> Judged[tuple[NudgeSchedule, DueDigest]]:
    """Those of the managers whose own digest is due and whose week is open, with the week."""
    schedules = await schedules_among(connection, keys)
    weeks = {
        key: week
        for key, schedule in schedules.items()
        if (week := due_personal_digest(schedule.guild, schedule.manager, now)) is not None
    }
    days = {key: week.week_on for key, week in weeks.items()}
    before = await periods.dealt_with_among(connection, DeliveryKind.PERSONAL_DIGEST, days, now)
    due = {key: (schedules[key], week) for key, week in weeks.items() if is_open(before.get(key), week, None)}
    ahead = {
        key: next_personal_digest_at(schedules[key].guild, schedules[key].manager, now) if key in schedules else None
        for key in keys
        if key not in due
    }
    return Judged(tuple(due.values()), ahead)


def is_open(newest: Delivery | None, due: DueDigest, channel_id: int | None) -> bool:
    """Whether the week was not dealt with, or its digest was refused and can be tried again, in the channel set now.

    A refusal for good, as of a deleted channel, is one only for that channel.
    """
    if newest is None:
        return True
    if newest.due_on != due.week_on or not newest.refused:
        return False
    return newest.state is DeliveryState.PENDING or newest.channel_id not in {None, channel_id}
