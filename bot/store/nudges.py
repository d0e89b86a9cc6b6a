"""Nudges: the members they offered, the buttons pressed, and who is snoozed or handed over."""

from collections import defaultdict
from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Update, delete, or_, select, update

from bot.domain.nudge import Action, Offer, OfferedMember, Reason
from bot.domain.nudge_decision import HandedOver, Obstacle, PastOffer
from bot.store import tables
from bot.store.engine import AsyncConnection
from bot.store.insertion import insert_into
from bot.store.people import is_member, manager_ids
from bot.store.prepared import Given, prepared
from bot.store.streaming import unindexed

_member = tables.nudge_member.c
_snooze = tables.snooze.c
_hand_over = tables.hand_over.c
_touch = tables.touch.c


def _before(day: date) -> datetime:
    """A moment before which a local day has begun nowhere; what was offered on it is found by an index of moments."""
    return datetime.combine(day, time(), UTC) - timedelta(days=2)


def _offer(row: Row[Any]) -> Offer:
    return Offer(
        member_id=row.member_id,
        reason=Reason(row.reason),
        since=row.since,
        message_id=row.message_id,
        channel_id=row.channel_id,
        wrote_back=row.wrote_back,
        for_team=row.for_team,
        active_days=row.active_days,
        conversations=row.conversations,
        from_manager_id=row.from_manager_id,
        handed=row.handed,
    )


def _read(row: Row[Any]) -> OfferedMember:
    return OfferedMember(
        delivery_id=row.delivery_id,
        position=row.position,
        manager_id=row.manager_id,
        offer=_offer(row),
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
    """Store the members of a claimed nudge, offered at `at` on the guild's local day `on`."""
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
                "from_manager_id": offer.from_manager_id,
                "handed": offer.handed,
                "offered_at": at,
                "offered_on": on,
            }
            for position, offer in enumerate(offers, start=1)
        ],
    )


async def forget_members(connection: AsyncConnection, delivery_id: str) -> None:
    """Delete the members of a nudge that was never sent."""
    await connection.execute(delete(tables.nudge_member).where(_member.delivery_id == delivery_id))


async def members_of(connection: AsyncConnection, delivery_id: str) -> tuple[OfferedMember, ...]:
    """The members of a nudge, in its order."""
    return tuple(_read(row) for row in await connection.execute(*_members_of(delivery_id)))


@prepared
def _members_of(delivery_id: Given) -> Select[Any]:
    return select(tables.nudge_member).where(_member.delivery_id == delivery_id).order_by(_member.position)


async def settle(
    connection: AsyncConnection,
    offered: OfferedMember,
    action: Action,
    at: datetime,
    colleague_id: int | None = None,
) -> bool:
    """Store the button pressed for a member; False if one was pressed before, and then nothing changes."""
    values = offered.delivery_id, offered.position, action.value, colleague_id, at
    return bool((await connection.execute(*_settled(*values))).rowcount == 1)


@prepared
def _settled(delivery_id: Given, position: Given, action: Given, colleague_id: Given, at: Given) -> Update:
    return (
        update(tables.nudge_member)
        .where(_member.delivery_id == delivery_id, _member.position == position, _member.action.is_(None))
        .values(action=action, colleague_id=colleague_id, settled_at=at)
    )


async def past_offers(
    connection: AsyncConnection, guild_id: int, manager_id: int, since_on: date, until: datetime
) -> dict[int, tuple[PastOffer, ...]]:
    """The offers of each member to a manager from the local day `since_on` up to `until`, oldest first."""
    found: dict[int, list[PastOffer]] = defaultdict(list)
    for row in await connection.execute(*_past_offers(guild_id, manager_id, since_on, _before(since_on), until)):
        waiting = Reason(row.reason) is Reason.WAITING  # other reasons link to messages that do not wait
        found[row.member_id].append(PastOffer(row.offered_on, row.message_id if waiting else None))
    return {member_id: tuple(offers) for member_id, offers in found.items()}


@prepared
def _past_offers(guild_id: Given, manager_id: Given, since_on: Given, since: Given, until: Given) -> Select[Any]:
    return (
        select(_member.member_id, _member.offered_on, _member.reason, _member.message_id)
        .where(
            _member.guild_id == guild_id,
            _member.manager_id == manager_id,
            _member.offered_on >= since_on,
            _member.offered_at >= since,
            _member.offered_at <= until,
        )
        .order_by(_member.offered_at)
    )


async def offered_to_others(
    connection: AsyncConnection, guild_id: int, manager_id: int, on: date, until: datetime
) -> frozenset[int]:
    """The members offered to other managers on a local day of the guild, up to `until`."""
    return frozenset(await connection.scalars(*_offered_to_others(guild_id, manager_id, on, _before(on), until)))


@prepared
def _offered_to_others(guild_id: Given, manager_id: Given, on: Given, since: Given, until: Given) -> Select[Any]:
    return select(_member.member_id).where(
        _member.guild_id == guild_id,
        _member.manager_id != manager_id,
        _member.offered_on == on,
        _member.offered_at >= since,
        _member.offered_at <= until,
    )


async def left_behind(
    connection: AsyncConnection, guild_id: int, receivers: Collection[int], since: datetime, until: datetime
) -> dict[int, frozenset[int]]:
    """The members offered or handed over, from `since` to `until`, to managers other than `receivers`.

    Offers that were acted on are left out. Each member comes with the managers who no longer look after them: the one
    who was offered or handed the member, and the one who handed the member over.
    """
    found: dict[int, set[int]] = defaultdict(set)
    values = guild_id, sorted(receivers), since, until
    for row in await connection.execute(*_offered_to_absent(*values)):
        found[row.member_id].add(row.manager_id)
    for claim in await connection.execute(*_handed_to_absent(*values)):
        found[claim.member_id] |= {claim.manager_id, claim.from_manager_id}
    return {member_id: frozenset(colleagues) for member_id, colleagues in found.items()}


@prepared
def _offered_to_absent(guild_id: Given, receivers: Given, since: Given, until: Given) -> Select[Any]:
    return select(_member.member_id, _member.manager_id).where(
        _member.guild_id == guild_id,
        _member.manager_id.not_in(receivers),
        _member.offered_at >= since,
        _member.offered_at <= until,
        _member.action.is_(None),
    )


@prepared
def _handed_to_absent(guild_id: Given, receivers: Given, since: Given, until: Given) -> Select[Any]:
    return select(_hand_over.member_id, _hand_over.manager_id, _hand_over.from_manager_id).where(
        _hand_over.guild_id == guild_id,
        _hand_over.manager_id.not_in(receivers),
        _hand_over.handed_at >= since,
        _hand_over.handed_at <= until,
    )


async def snooze(
    connection: AsyncConnection, guild_id: int, manager_id: int, member_id: int, until: datetime | None
) -> None:
    """Leave a member out of a manager's nudges until `until`; None is forever ("not this person")."""
    statement = insert_into(connection, tables.snooze).values(
        guild_id=guild_id, manager_id=manager_id, member_id=member_id, until_at=until
    )
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["guild_id", "manager_id", "member_id"], set_={"until_at": until}
        )
    )


async def name_again(connection: AsyncConnection, guild_id: int, manager_id: int, member_id: int) -> bool:
    """Delete a manager's snooze or dismissal of a member; False if there is none."""
    deleted = await connection.execute(
        delete(tables.snooze).where(
            _snooze.guild_id == guild_id, _snooze.manager_id == manager_id, _snooze.member_id == member_id
        )
    )
    return deleted.rowcount > 0


async def snoozed(
    connection: AsyncConnection, guild_id: int, manager_id: int, now: datetime, longest: timedelta
) -> dict[int, Obstacle]:
    """The members whom a manager has snoozed or dismissed, with which of the two.

    A snooze that ends later than in `longest` was begun by a wrong clock, and does not count.
    """
    return {
        row.member_id: Obstacle.DISMISSED if row.until_at is None else Obstacle.SNOOZED
        for row in await connection.execute(*_snoozed(guild_id, manager_id, now, now + longest))
    }


@prepared
def _snoozed(guild_id: Given, manager_id: Given, now: Given, last: Given) -> Select[Any]:
    return select(_snooze.member_id, _snooze.until_at).where(
        _snooze.guild_id == guild_id, _snooze.manager_id == manager_id, _holds(now, last)
    )


async def snoozed_by(
    connection: AsyncConnection, guild_id: int, member_id: int, now: datetime, longest: timedelta
) -> frozenset[int]:
    """The managers who have snoozed or dismissed a member; `longest` as for `snoozed`."""
    query = select(_snooze.manager_id).where(
        _snooze.guild_id == guild_id, _snooze.member_id == member_id, _holds(now, now + longest)
    )
    return frozenset(await connection.scalars(query))


def _holds(now: datetime | Given, last: datetime | Given) -> ColumnElement[bool]:
    return or_(_snooze.until_at.is_(None), (_snooze.until_at > now) & (_snooze.until_at <= last))


async def hand_over(
    connection: AsyncConnection, guild_id: int, offered: OfferedMember, to_manager_id: int, at: datetime
) -> None:
    """Hand a member of a nudge over to another manager, whose next nudge offers the member."""
    values = {
        "from_manager_id": offered.manager_id,
        "handed_at": at,
        "delivery_id": offered.delivery_id,
        "position": offered.position,
    }
    statement = insert_into(connection, tables.hand_over).values(
        guild_id=guild_id, manager_id=to_manager_id, member_id=offered.offer.member_id, **values
    )
    await connection.execute(
        statement.on_conflict_do_update(index_elements=["guild_id", "manager_id", "member_id"], set_=values)
    )


async def handed_to(
    connection: AsyncConnection, guild_id: int, manager_id: int, since: datetime, until: datetime
) -> dict[int, HandedOver]:
    """The members handed over to a manager from `since` to `until` and not offered to that manager since."""
    return {
        row.member_id: HandedOver(row.colleague, _offer(row), touched=bool(row.touched))
        for row in await connection.execute(*_handed_to(guild_id, manager_id, since, until))
    }


@prepared
def _handed_to(guild_id: Given, manager_id: Given, since: Given, until: Given) -> Select[Any]:
    offered = (
        select(_member.member_id)
        .where(
            _member.guild_id == _hand_over.guild_id,
            _member.manager_id == _hand_over.manager_id,
            _member.member_id == _hand_over.member_id,
            _member.offered_at >= _hand_over.handed_at,
            _member.offered_at <= until,
        )
        .correlate(tables.hand_over)
        .exists()
    )
    touched = (
        select(_touch.member_id)
        .where(
            _touch.guild_id == _hand_over.guild_id,
            _touch.member_id == _hand_over.member_id,
            unindexed(_touch.manager_id).in_(manager_ids(guild_id)),
            _touch.touched_at > _hand_over.handed_at,
            _touch.touched_at <= until,
        )
        .correlate(tables.hand_over)
        .exists()
    )
    return (
        select(tables.nudge_member, _hand_over.from_manager_id.label("colleague"), touched.label("touched"))
        .select_from(tables.hand_over)
        .join(
            tables.nudge_member,
            (_member.delivery_id == _hand_over.delivery_id) & (_member.position == _hand_over.position),
        )
        .where(
            _hand_over.guild_id == guild_id,
            _hand_over.manager_id == manager_id,
            _hand_over.handed_at >= since,
            _hand_over.handed_at <= until,
            ~offered,
            is_member(_hand_over.member_id, guild_id),
        )
    )


async def sent_members(
    connection: AsyncConnection, guild_id: int, manager_id: int | None, since: datetime, until: datetime
) -> tuple[OfferedMember, ...]:
    """The members of the nudges sent from `since` up to `until`, to one manager or (with None) to all."""
    query = (
        select(tables.nudge_member)
        .join(tables.delivery, tables.delivery.c.delivery_id == _member.delivery_id)
        .where(
            _member.guild_id == guild_id,
            _member.offered_at >= since,
            _member.offered_at < until,
            tables.delivery.c.state == "sent",
            *([] if manager_id is None else [_member.manager_id == manager_id]),
        )
        .order_by(_member.offered_at, _member.delivery_id, _member.position)
    )
    return tuple(_read(row) for row in await connection.execute(query))


async def last_press_at(connection: AsyncConnection, guild_id: int, manager_id: int) -> datetime | None:
    """When a manager last pressed a button on a nudge; None if never."""
    query = (
        select(_member.settled_at)
        .where(
            _member.guild_id == guild_id,
            _member.manager_id == manager_id,
            _member.settled_at.is_not(None),
            _member.action != Action.MOOT.value,
        )
        .order_by(_member.settled_at.desc())
        .limit(1)
    )
    found: datetime | None = await connection.scalar(query)
    return found


async def recent(
    connection: AsyncConnection, guild_id: int, manager_id: int, nudges: int
) -> tuple[tuple[OfferedMember, ...], ...]:
    """The members of the last `nudges` nudges sent to a manager, newest nudge first."""
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
