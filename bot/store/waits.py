"""Reads waiting entries with their state.

Answers are looked up and not stored: when a touch is taken back, the member waits again, and an entry that is recorded
late finds the touches that are there already.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Row,
    Select,
    case,
    func,
    or_,
    select,
    true,
    type_coerce,
    update,
)
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from bot.domain.snowflake import first_id_at
from bot.domain.touch import TouchKind
from bot.domain.waiting import WaitingEntry, WaitingState
from bot.store import tables
from bot.store.columns import Id, made_at
from bot.store.engine import AsyncConnection
from bot.store.people import is_counted, is_member, manager_ids
from bot.store.streaming import rows, unindexed

_waiting = tables.waiting.c
_touch = tables.touch.c
_DAY = 86_400_000
"""In milliseconds."""


async def written_between(
    connection: AsyncConnection, guild_id: int, since: datetime, until: datetime
) -> tuple[WaitingState, ...]:
    """The members' entries written from `since` up to, not including, `until`, oldest first, ended or not.

    Answers are not limited to that time: the caller compares `answered_at` with the time in question.
    """
    chosen = (
        _waiting.guild_id == guild_id,
        _waiting.message_id >= first_id_at(since),
        _waiting.message_id < first_id_at(until),
        is_member(_waiting.member_id, guild_id),
        is_counted(_waiting.channel_id, guild_id),
    )
    return await _read(connection, guild_id, chosen)


async def of_member(
    connection: AsyncConnection, guild_id: int, member_id: int, since: datetime
) -> tuple[WaitingState, ...]:
    """One member's entries written since `since`, oldest first, ended or not."""
    chosen = (
        _waiting.guild_id == guild_id,
        _waiting.message_id >= first_id_at(since),
        _waiting.member_id == member_id,
        is_member(_waiting.member_id, guild_id),
        is_counted(_waiting.channel_id, guild_id),
    )
    return await _read(connection, guild_id, chosen)


async def of_message(connection: AsyncConnection, guild_id: int, message_id: int) -> WaitingState | None:
    """The entry of a message; None if it has none that counts."""
    found = await _read(
        connection,
        guild_id,
        (
            _waiting.guild_id == guild_id,
            _waiting.message_id == message_id,
            is_member(_waiting.member_id, guild_id),
            is_counted(_waiting.channel_id, guild_id),
        ),
    )
    return found[0] if found else None


def _asked_of(
    guild_id: int, manager_id: int, since: datetime, until: datetime, aside: ColumnElement[bool] | None = None
) -> CTE:
    """The entries written from `since` up to `until` that are for this manager or for the team, and not set aside.

    `aside` is the condition that one was set aside; without it, that it ever was. All this is asked first, since
    whatever else is asked about an entry costs more.
    """
    asked = tables.waiting_for.c
    own = func.max(case((asked.manager_id == manager_id, 1), else_=0))
    team = unindexed(asked.manager_id).in_(manager_ids(guild_id))
    for_them = select(func.coalesce(own, 1)).where(asked.message_id == _waiting.message_id, team)
    return (
        select(_waiting.guild_id, _waiting.message_id, _waiting.channel_id, _waiting.member_id)
        .where(
            _waiting.guild_id == guild_id,
            _waiting.message_id >= first_id_at(since),
            _waiting.message_id < first_id_at(until),
            _waiting.closed_at.is_(None) if aside is None else or_(_waiting.closed_at.is_(None), ~aside),
            for_them.correlate(tables.waiting).scalar_subquery() == 1,
        )
        .cte("asked")
        .prefix_with("MATERIALIZED")
    )


async def page_for(
    connection: AsyncConnection,
    guild_id: int,
    manager_id: int,
    since: datetime,
    until: datetime,
    *,
    offset: int,
    limit: int,
) -> tuple[int, tuple[tuple[WaitingEntry, int], ...]]:
    """How many members there wait for a manager or the team, and a page of them, longest first.

    Each is told by the entry that waits longest, and by how many entries wait. The entries were written from `since` up
    to `until`; those of members who have left are left out.
    """
    entry = _asked_of(guild_id, manager_id, since, until).c
    left = select(tables.member.c.member_id).where(
        tables.member.c.guild_id == guild_id,
        tables.member.c.member_id == entry.member_id,
        tables.member.c.left_at.is_not(None),
    )
    waits = (
        select(func.min(entry.message_id).label("oldest_id"), func.count().label("messages"))
        .where(
            is_member(entry.member_id, guild_id),
            is_counted(entry.channel_id, guild_id),
            ~left.exists(),
            ~answers(guild_id, _touch.message_id, entry).exists(),
        )
        .group_by(entry.member_id)
        .cte("waits")
        .prefix_with("MATERIALIZED")
    )
    page = select(waits).order_by(waits.c.oldest_id).offset(offset).limit(limit).subquery("page")
    total = select(func.count().label("total")).select_from(waits).subquery("counts")
    query = select(total.c.total, page.c.oldest_id, page.c.messages).select_from(total.outerjoin(page, true()))
    found = (await connection.execute(query.order_by(page.c.oldest_id))).all()
    messages = {row.oldest_id: row.messages for row in found if row.oldest_id is not None}
    chosen = (_waiting.guild_id == guild_id, _waiting.message_id.in_(sorted(messages)))
    states = await _read(connection, guild_id, chosen) if messages else ()
    return found[0].total, tuple((state.entry, messages[state.entry.message_id]) for state in states)


async def first_open(
    connection: AsyncConnection, guild_id: int, manager_id: int, since: datetime, now: datetime, limit: int
) -> tuple[WaitingState, ...]:
    """Everything that members wrote from `since` up to `now`, of those whose entries for a manager wait longest.

    The first `limit` entries that are open for this manager or the team are chosen, and with them all entries of the
    members who wrote them, oldest first.
    """
    entry = _asked_of(guild_id, manager_id, since, now, _waiting.closed_at <= now).c
    unanswered = ~answers(guild_id, _touch.message_id, entry).where(_touch.touched_at < now).exists()
    first = (
        select(entry.member_id)
        .where(is_member(entry.member_id, guild_id), is_counted(entry.channel_id, guild_id), unanswered)
        .order_by(entry.message_id)
        .limit(limit)
    )
    members = sorted(set(await connection.scalars(first)))
    chosen = (
        _waiting.guild_id == guild_id,
        _waiting.message_id >= first_id_at(since),
        _waiting.message_id < first_id_at(now),
        _waiting.member_id.in_(members),
        is_counted(_waiting.channel_id, guild_id),
    )
    return await _read(connection, guild_id, chosen) if members else ()


def answers(
    guild_id: int, told: ColumnElement[Any], entry: ReadOnlyColumnCollection[str, Any] = _waiting
) -> Select[Any]:
    """A subquery for the touches that end an entry of the query around it."""
    return select(told).where(
        _touch.guild_id == entry.guild_id,
        _touch.member_id == entry.member_id,
        _touch.message_id > entry.message_id,
        # Follows from the line before, but for clocks that differ; this one is in the index.
        type_coerce(_touch.touched_at, Id) > made_at(entry.message_id) - _DAY,
        unindexed(_touch.manager_id).in_(manager_ids(guild_id)),
        or_(
            _touch.channel_id == entry.channel_id,
            _touch.channel_id == entry.message_id,
            _touch.kind == TouchKind.LOGGED.value,
        ),
    )


async def _read(
    connection: AsyncConnection, guild_id: int, chosen: Collection[ColumnElement[bool]]
) -> tuple[WaitingState, ...]:
    first_at = func.min(_touch.touched_at, type_=_touch.touched_at.type)
    answered = answers(guild_id, first_at).scalar_subquery()
    query = select(tables.waiting, answered.label("answered_at")).where(*chosen).order_by(_waiting.message_id)
    found = [row async for row in rows(connection, query)]
    addressed: dict[int, set[int]] = defaultdict(set)
    async for row in rows(
        connection,
        select(tables.waiting_for)
        .join(tables.waiting, _waiting.message_id == tables.waiting_for.c.message_id)
        .where(*chosen, tables.waiting_for.c.manager_id.in_(manager_ids(guild_id))),
    ):
        addressed[row.message_id].add(row.manager_id)
    wrote_back_to: dict[int, set[int]] = defaultdict(set)
    async for row in rows(
        connection,
        select(_waiting.message_id, _touch.manager_id)
        .join(tables.touch, (_touch.message_id == _waiting.reply_to_id) & (_touch.member_id == _waiting.member_id))
        .where(*chosen),
    ):
        wrote_back_to[row.message_id].add(row.manager_id)
    return await asyncio.to_thread(_states, found, addressed, wrote_back_to)


def _states(
    found: Iterable[Row[Any]], addressed: Mapping[int, set[int]], wrote_back_to: Mapping[int, set[int]]
) -> tuple[WaitingState, ...]:
    nobody: set[int] = set()
    return tuple(
        WaitingState(
            entry=WaitingEntry(
                message_id=row.message_id,
                channel_id=row.channel_id,
                member_id=row.member_id,
                addressed=frozenset(addressed.get(row.message_id, nobody)),
                reply_to_id=row.reply_to_id,
            ),
            answered_at=row.answered_at,
            closed_at=row.closed_at,
            wrote_back_to=frozenset(wrote_back_to.get(row.message_id, nobody)),
        )
        for row in found
    )


async def close(connection: AsyncConnection, guild_id: int, message_ids: Collection[int], at: datetime) -> int:
    """Set entries aside (a reaction, *Done*); the figures still count them. Returns how many were not set aside yet."""
    result = await connection.execute(
        update(tables.waiting)
        .where(
            _waiting.guild_id == guild_id,
            _waiting.message_id.in_(sorted(message_ids)),
            _waiting.closed_at.is_(None),
        )
        .values(closed_at=at)
    )
    return int(result.rowcount)
