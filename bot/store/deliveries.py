"""The outbox: a row is committed before the request is sent, so that nothing is sent twice."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, Select, delete, func, select, update

from bot.domain.delivery import UNSENT, UNSETTLED, Delivery, DeliveryKind, DeliveryState
from bot.store import due_times, tables
from bot.store.engine import AsyncConnection
from bot.store.insertion import insert_into
from bot.store.prepared import Given, prepared

_delivery = tables.delivery.c
_TO_CHANNEL = 0


def _read(row: Row[Any]) -> Delivery:
    return Delivery(
        delivery_id=row.delivery_id,
        guild_id=row.guild_id,
        kind=DeliveryKind(row.kind),
        manager_id=row.manager_id if row.manager_id != _TO_CHANNEL else None,
        due_on=row.due_on,
        state=DeliveryState(row.state),
        nonce=row.nonce,
        claimed_at=row.claimed_at,
        tried_at=row.tried_at,
        channel_id=row.channel_id,
        message_id=row.message_id,
        problem=row.problem,
    )


async def claim(connection: AsyncConnection, delivery: Delivery) -> bool:
    """Insert a delivery; False if there is one for the same due date already, in any state."""
    statement = insert_into(connection, tables.delivery).values(
        delivery_id=delivery.delivery_id,
        guild_id=delivery.guild_id,
        kind=delivery.kind.value,
        manager_id=delivery.manager_id or _TO_CHANNEL,
        due_on=delivery.due_on,
        state=delivery.state.value,
        nonce=delivery.nonce,
        claimed_at=delivery.claimed_at,
        tried_at=delivery.tried_at,
        channel_id=delivery.channel_id,
    )
    statement = statement.on_conflict_do_nothing(index_elements=["guild_id", "kind", "manager_id", "due_on"])
    return (await connection.execute(statement)).rowcount == 1


async def claim_again(connection: AsyncConnection, refused: Delivery, claimed: Delivery) -> bool:
    """Claim a delivery that was refused, as `claimed` says; False if it is not as the caller read it any more."""
    return await move(
        connection,
        refused,
        claimed.state,
        claimed_at=claimed.claimed_at,
        tried_at=claimed.tried_at,
        channel_id=claimed.channel_id,
        problem=None,
        settled_at=None,
    )


async def move(
    connection: AsyncConnection, delivery: Delivery, to: DeliveryState, **changes: datetime | int | str | None
) -> bool:
    """Change the state of a delivery, if it still is in the state that the caller read; False if it is not."""
    result = await connection.execute(
        update(tables.delivery)
        .where(_delivery.delivery_id == delivery.delivery_id, _delivery.state == delivery.state.value)
        .values(state=to.value, **changes)
    )
    if result.rowcount != 1:
        return False
    if to in UNSENT:
        await due_times.delivery_unsent(connection, delivery.kind, (delivery.guild_id, delivery.manager_id or 0))
    return True


async def by_id(connection: AsyncConnection, delivery_id: str) -> Delivery | None:
    """A delivery by its id; None if there is none."""
    row = (await connection.execute(*_by_id(delivery_id))).first()
    return None if row is None else _read(row)


@prepared
def _by_id(delivery_id: Given) -> Select[Any]:
    return select(tables.delivery).where(_delivery.delivery_id == delivery_id)


async def unsettled(connection: AsyncConnection, guild_id: int | None = None) -> tuple[Delivery, ...]:
    """The deliveries without a final outcome, of one guild or of all, oldest first."""
    states = sorted(state.value for state in UNSETTLED)
    query = select(tables.delivery).where(_delivery.state.in_(states)).order_by(_delivery.claimed_at)
    if guild_id is not None:
        query = query.where(_delivery.guild_id == guild_id)
    return tuple(_read(row) for row in await connection.execute(query))


async def newest(
    connection: AsyncConnection,
    guild_id: int,
    kind: DeliveryKind,
    manager_id: int | None,
    until_on: date | None = None,
) -> Delivery | None:
    """The latest delivery of a kind by due date, not after `until_on` if given; None if there is none."""
    query = (
        select(tables.delivery)
        .where(
            _delivery.guild_id == guild_id,
            _delivery.kind == kind.value,
            _delivery.manager_id == (manager_id or _TO_CHANNEL),
            *([] if until_on is None else [_delivery.due_on <= until_on]),
        )
        .order_by(_delivery.due_on.desc())
        .limit(1)
    )
    row = (await connection.execute(query)).first()
    return None if row is None else _read(row)


async def due_between(
    connection: AsyncConnection,
    guild_id: int,
    kind: DeliveryKind,
    manager_id: int | None,
    first_on: date,
    last_on: date,
) -> tuple[Delivery, ...]:
    """The deliveries of a kind due from `first_on` to `last_on`, the latest first."""
    query = _due_between(guild_id, kind.value, manager_id or _TO_CHANNEL, first_on, last_on)
    return tuple(_read(row) for row in await connection.execute(*query))


@prepared
def _due_between(guild_id: Given, kind: Given, manager_id: Given, first_on: Given, last_on: Given) -> Select[Any]:
    return (
        select(tables.delivery)
        .where(
            _delivery.guild_id == guild_id,
            _delivery.kind == kind,
            _delivery.manager_id == manager_id,
            _delivery.due_on >= first_on,
            _delivery.due_on <= last_on,
        )
        .order_by(_delivery.due_on.desc())
    )


async def due_among(
    connection: AsyncConnection,
    kind: DeliveryKind,
    recipients: Collection[tuple[int, int]],
    first_on: date,
    last_on: date,
) -> dict[tuple[int, int], tuple[Delivery, ...]]:
    """The same for many recipients, each a guild and a manager, or 0 for its channel, in one question."""
    query = (
        select(tables.delivery)
        .where(
            _delivery.guild_id.in_(sorted({guild_id for guild_id, _ in recipients})),
            _delivery.kind == kind.value,
            _delivery.manager_id.in_(sorted({manager_id for _, manager_id in recipients})),
            _delivery.due_on >= first_on,
            _delivery.due_on <= last_on,
        )
        .order_by(_delivery.due_on.desc())
    )
    found: dict[tuple[int, int], tuple[Delivery, ...]] = {}
    for row in await connection.execute(query):
        key = row.guild_id, row.manager_id
        found[key] = (*found.get(key, ()), _read(row))
    return found


async def forget(connection: AsyncConnection, delivery_id: str) -> None:
    """Delete a delivery, with its members and the figures that were frozen for it."""
    await connection.execute(delete(tables.digest).where(tables.digest.c.delivery_id == delivery_id))
    await connection.execute(delete(tables.nudge_member).where(tables.nudge_member.c.delivery_id == delivery_id))
    await connection.execute(delete(tables.delivery).where(_delivery.delivery_id == delivery_id))


async def newest_day(
    connection: AsyncConnection, guild_id: int, kind: DeliveryKind, manager_id: int | None, *, state: DeliveryState
) -> date | None:
    """The latest due date of the deliveries of a kind in a state; None if there is none."""
    query = select(func.max(_delivery.due_on, type_=_delivery.due_on.type)).where(
        _delivery.guild_id == guild_id,
        _delivery.kind == kind.value,
        _delivery.manager_id == (manager_id or _TO_CHANNEL),
        _delivery.state == state.value,
    )
    found: date | None = (await connection.execute(query)).scalar_one()
    return found


async def last_tried(connection: AsyncConnection, guild_id: int) -> dict[int | None, Delivery]:
    """The delivery that was last tried for each recipient in a guild: a manager's id, or None for the channel."""
    newest = (
        select(_delivery.manager_id, func.max(_delivery.tried_at, type_=_delivery.tried_at.type).label("tried_at"))
        .where(_delivery.guild_id == guild_id, _delivery.tried_at.is_not(None))
        .group_by(_delivery.manager_id)
        .subquery()
    )
    query = select(tables.delivery).join(
        newest,
        (_delivery.manager_id == newest.c.manager_id) & (_delivery.tried_at == newest.c.tried_at),
    )
    found = [_read(row) for row in await connection.execute(query.where(_delivery.guild_id == guild_id))]
    return {delivery.manager_id: delivery for delivery in found}


async def forget_unsent(
    connection: AsyncConnection, guild_id: int, kind: DeliveryKind, manager_id: int | None, due_on: date
) -> None:
    """Delete a delivery that was not sent (nothing to say, or refused by Discord), so that it can be tried again."""
    deleted = await connection.execute(
        delete(tables.delivery).where(
            _delivery.guild_id == guild_id,
            _delivery.kind == kind.value,
            _delivery.manager_id == (manager_id or _TO_CHANNEL),
            _delivery.due_on == due_on,
            _delivery.state.in_(sorted(state.value for state in UNSENT)),
        )
    )
    if deleted.rowcount:
        await due_times.delivery_unsent(connection, kind, (guild_id, manager_id or _TO_CHANNEL))
