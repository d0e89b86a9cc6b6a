"""Nudges that were sent: whom they offered, what was pressed, and who is snoozed or handed over."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.nudge import Action, Obstacle, Offer, PastOffer, Reason
from bot.store import tables
from bot.store.insertion import insert_into

_member = tables.nudge_member.c
_snooze = tables.snooze.c
_hand_over = tables.hand_over.c


@dataclass(frozen=True, slots=True)
class OfferedMember:
    """A member in a nudge that was claimed, with what was pressed. Positions count from 1."""

    delivery_id: str
    position: int
    manager_id: int
    offer: Offer
    offered_at: datetime
    action: Action | None
    colleague_id: int | None
    settled_at: datetime | None


def _read(row: Row[Any]) -> OfferedMember:
    return OfferedMember(
        delivery_id=row.delivery_id,
        position=row.position,
        manager_id=row.manager_id,
        offer=Offer(
            member_id=row.member_id,
            reason=Reason(row.reason),
            since=row.since,
            message_id=row.message_id,
            channel_id=row.channel_id,
            wrote_back=row.wrote_back,
            for_team=row.for_team,
            active_days=row.active_days,
            conversations=row.conversations,
        ),
        offered_at=row.offered_at,
        action=Action(row.action) if row.action else None,
        colleague_id=row.colleague_id,
        settled_at=row.settled_at,
    )


async def add_members(
    connection: AsyncConnection,
    guild_id: int,
    manager_id: int,
    delivery_id: str,
    offers: Collection[Offer],
    at: datetime,
    on: date,
) -> None:
    """Put the members of a claimed nudge on record."""
    await connection.execute(
        insert_into(connection, tables.nudge_member),
        [
            {
                "delivery_id": delivery_id,
                "position": position,
                "guild_id": guild_id,
                "manager_id": manager_id,
                "member_id": offer.member_id,
                "reason": offer.reason.value,
                "since": offer.since,
                "message_id": offer.message_id,
                "channel_id": offer.channel_id,
                "wrote_back": offer.wrote_back,
                "for_team": offer.for_team,
                "active_days": offer.active_days,
                "conversations": offer.conversations,
                "offered_at": at,
                "offered_on": on,
            }
            for position, offer in enumerate(offers, start=1)
        ],
    )


async def forget_members(connection: AsyncConnection, delivery_id: str) -> None:
    """Forget whom a nudge would have offered, because it was never sent."""
    await connection.execute(delete(tables.nudge_member).where(_member.delivery_id == delivery_id))


async def members_of(connection: AsyncConnection, delivery_id: str) -> tuple[OfferedMember, ...]:
    """The members of a nudge, in the order they stand in it."""
    query = select(tables.nudge_member).where(_member.delivery_id == delivery_id).order_by(_member.position)
    return tuple(_read(row) for row in await connection.execute(query))


async def settle(
    connection: AsyncConnection,
    offered: OfferedMember,
    action: Action,
    at: datetime,
    colleague_id: int | None = None,
) -> bool:
    """Note what was pressed; False when something was pressed before."""
    result = await connection.execute(
        update(tables.nudge_member)
        .where(
            _member.delivery_id == offered.delivery_id,
            _member.position == offered.position,
            _member.action.is_(None),
        )
        .values(action=action.value, colleague_id=colleague_id, settled_at=at)
    )
    return result.rowcount == 1


async def past_offers(
    connection: AsyncConnection, guild_id: int, manager_id: int, since: datetime
) -> dict[int, PastOffer]:
    """For each member offered to a manager since a moment, the last time."""
    query = (
        select(_member.member_id, _member.offered_at, _member.message_id)
        .where(_member.guild_id == guild_id, _member.manager_id == manager_id, _member.offered_at >= since)
        .order_by(_member.offered_at)
    )
    return {row.member_id: PastOffer(row.offered_at, row.message_id) for row in await connection.execute(query)}


async def offered_to_others(connection: AsyncConnection, guild_id: int, manager_id: int, on: date) -> frozenset[int]:
    """The members that other managers were offered on a day."""
    query = select(_member.member_id).where(
        _member.guild_id == guild_id, _member.manager_id != manager_id, _member.offered_on == on
    )
    return frozenset(await connection.scalars(query))


async def snooze(
    connection: AsyncConnection, guild_id: int, manager_id: int, member_id: int, until: datetime | None
) -> None:
    """Leave a member out of a manager's nudges until a moment; None: for good."""
    statement = insert_into(connection, tables.snooze).values(
        guild_id=guild_id, manager_id=manager_id, member_id=member_id, until_at=until
    )
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["guild_id", "manager_id", "member_id"], set_={"until_at": until}
        )
    )


async def snoozed(connection: AsyncConnection, guild_id: int, manager_id: int, now: datetime) -> dict[int, Obstacle]:
    """Whom a manager has snoozed or dismissed."""
    query = select(_snooze.member_id, _snooze.until_at).where(
        _snooze.guild_id == guild_id,
        _snooze.manager_id == manager_id,
        or_(_snooze.until_at.is_(None), _snooze.until_at > now),
    )
    return {
        row.member_id: Obstacle.DISMISSED if row.until_at is None else Obstacle.SNOOZED
        for row in await connection.execute(query)
    }


async def hand_over(
    connection: AsyncConnection, guild_id: int, from_manager_id: int, to_manager_id: int, member_id: int, at: datetime
) -> None:
    """Put a member into a colleague's next nudge."""
    values = {"from_manager_id": from_manager_id, "handed_at": at}
    statement = insert_into(connection, tables.hand_over).values(
        guild_id=guild_id, manager_id=to_manager_id, member_id=member_id, **values
    )
    await connection.execute(
        statement.on_conflict_do_update(index_elements=["guild_id", "manager_id", "member_id"], set_=values)
    )


async def handed_to(connection: AsyncConnection, guild_id: int, manager_id: int, since: datetime) -> frozenset[int]:
    """The members handed over to a manager since a moment and not offered to them since."""
    offered = (
        select(func.max(_member.offered_at))
        .where(
            _member.guild_id == _hand_over.guild_id,
            _member.manager_id == _hand_over.manager_id,
            _member.member_id == _hand_over.member_id,
        )
        .scalar_subquery()
    )
    query = select(_hand_over.member_id).where(
        _hand_over.guild_id == guild_id,
        _hand_over.manager_id == manager_id,
        _hand_over.handed_at >= since,
        or_(offered.is_(None), offered < _hand_over.handed_at),
    )
    return frozenset(await connection.scalars(query))


async def recent(
    connection: AsyncConnection, guild_id: int, manager_id: int, nudges: int
) -> tuple[tuple[OfferedMember, ...], ...]:
    """The members of a manager's last nudges that were sent, newest nudge first."""
    newest = (
        select(tables.delivery.c.delivery_id)
        .where(
            tables.delivery.c.guild_id == guild_id,
            tables.delivery.c.kind == "nudge",
            tables.delivery.c.manager_id == manager_id,
            tables.delivery.c.state == "sent",
        )
        .order_by(tables.delivery.c.claimed_at.desc())
        .limit(nudges)
    )
    query = (
        select(tables.nudge_member)
        .where(_member.delivery_id.in_(newest))
        .order_by(_member.offered_at.desc(), _member.delivery_id, _member.position)
    )
    grouped: dict[str, list[OfferedMember]] = defaultdict(list)
    for row in await connection.execute(query):
        grouped[row.delivery_id].append(_read(row))
    return tuple(tuple(members) for members in grouped.values())
