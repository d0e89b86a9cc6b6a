"""Which days and weeks were dealt with; what a clock that was far ahead had left does not count."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from bot.domain.delivery import Delivery, DeliveryKind, claimed_too_early
from bot.store import deliveries
from bot.store.database import Connection

Recipient = tuple[int, int]
"""A guild and a manager; 0 for the guild's channel."""
_AHEAD = {DeliveryKind.DIGEST: timedelta(weeks=1), DeliveryKind.PERSONAL_DIGEST: timedelta(weeks=1)}


async def dealt_with(
    connection: Connection, guild_id: int, kind: DeliveryKind, manager_id: int | None, due_on: date, now: datetime
) -> Delivery | None:
    """The delivery that dealt with a day or week, in any state; None while it is open.

    The next day's or week's counts as well: somebody who moved to a time zone further west, or a digest to a later
    hour, has had it already.
    """
    found = await deliveries.due_between(connection, guild_id, kind, manager_id, due_on, due_on + _ahead(kind))
    return next((one for one in found if not claimed_too_early(one, now)), None)


async def dealt_with_among(
    connection: Connection, kind: DeliveryKind, due_on: Mapping[Recipient, date], now: datetime
) -> dict[Recipient, Delivery]:
    """The same for many recipients, each with their own day or week, in one question; without those that are open."""
    if not due_on:
        return {}
    first_on, last_on = min(due_on.values()), max(due_on.values()) + _ahead(kind)
    latest_first = await deliveries.due_among(connection, kind, due_on.keys(), first_on, last_on)
    dealt = {}
    for recipient, day in due_on.items():
        for delivery in latest_first.get(recipient, ()):
            if day <= delivery.due_on <= day + _ahead(kind) and not claimed_too_early(delivery, now):
                dealt[recipient] = delivery
                break
    return dealt


def _ahead(kind: DeliveryKind) -> timedelta:
    return _AHEAD.get(kind, timedelta(days=1))


async def claim(connection: Connection, delivery: Delivery) -> bool:
    """Store a delivery in place of one that a wrong clock had left; False if its day or week was dealt with."""
    key = (delivery.guild_id, delivery.kind, delivery.manager_id, delivery.due_on, delivery.due_on)
    for one in await deliveries.due_between(connection, *key):
        if claimed_too_early(one, delivery.claimed_at):
            await deliveries.forget(connection, one.delivery_id)
    return await deliveries.claim(connection, delivery)
