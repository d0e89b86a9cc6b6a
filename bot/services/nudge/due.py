"""Judges for many managers at once whether their nudge is due."""

from collections.abc import Collection
from datetime import date, datetime

from bot.domain.delivery import UNSENT, Delivery, DeliveryKind, DeliveryState
from bot.domain.nudge_time import NudgeSchedule, due_nudge, next_nudge_at
from bot.services.delivery import periods
from bot.services.delivery.due_times import Judged
from bot.services.nudge.schedule import schedules_among
from bot.store.database import Connection
from bot.store.due_times import Key


async def due_nudges(
    connection: Connection, keys: Collection[Key], now: datetime
) -> Judged[tuple[NudgeSchedule, date]]:
    """Those of the managers whose nudge is due and whose day is open, with the day."""
    schedules = await schedules_among(connection, keys)
    days = {
        key: day
        for key, schedule in schedules.items()
        if (day := due_nudge(schedule.manager, schedule.guild.zone, now)) is not None
    }
    dealt = await periods.dealt_with_among(connection, DeliveryKind.NUDGE, days, now)
    due = {key: (schedules[key], day) for key, day in days.items() if not deals_with(dealt.get(key), day)}
    ahead = {
        key: next_nudge_at(schedules[key].manager, schedules[key].guild.zone, now) if key in schedules else None
        for key in keys
        if key not in due
    }
    return Judged(tuple(due.values()), ahead)


def deals_with(newest: Delivery | None, day: date, *, on_request: bool = False) -> bool:
    """Whether a day has had its nudge. One that Discord refused for now is tried again; on request, any not sent."""
    open_again = UNSENT if on_request else {DeliveryState.PENDING}
    return newest is not None and not (newest.due_on == day and newest.state in open_again)
