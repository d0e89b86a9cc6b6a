"""Sums up periods for their figures: the touches of managers, who was active and who waited, without reading each."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import CTE, ColumnElement, Text, case, cast, func, literal, null, or_, select, type_coerce, union_all

from bot.domain.calendar import Period, just_after
from bot.domain.figures import Attention, PeriodFacts
from bot.domain.snowflake import first_id_at
from bot.domain.touch import TouchKind
from bot.store import managers, tables
from bot.store.columns import DayNumber, Id, Moment, made_at
from bot.store.engine import AsyncConnection
from bot.store.people import is_counted, is_member, manager_ids
from bot.store.streaming import unindexed
from bot.store.touches import counted, was_met
from bot.store.waits import answers
from bot.store.written_days import weeks_within, within

_touch = tables.touch.c
_activity = tables.activity.c
_waiting = tables.waiting.c
_WEEK = timedelta(days=7)

_NOBODY = cast(null(), Id).label("manager_id")

Kinds = Collection[TouchKind]


async def of_periods(
    connection: AsyncConnection,
    guild_id: int,
    periods: Sequence[Period],
    kinds: Kinds,
    *,
    gap: timedelta,
    expires: timedelta,
) -> tuple[PeriodFacts, ...]:
    """The facts of one period, or of consecutive weeks, oldest first.

    What it reads grows with what the periods hold, and not with what is on record before and after them.
    """
    found: dict[tuple[int, int | None], Attention] = defaultdict(Attention)
    for row in await connection.execute(_reached(guild_id, periods, kinds, gap)):
        known = found[row.number, row.manager_id]
        found[row.number, row.manager_id] = replace(
            known,
            talks={**known.talks, row.each: row.members},
            reached_active=known.reached_active + row.active,
            first_time=known.first_time + row.first_time,
        )
    delays = await _delays(connection, guild_id, periods, kinds)
    for key, (personal, logged) in (await _touches(connection, guild_id, periods, kinds)).items():
        found[key] = replace(found[key], personal=personal, logged=logged, reply_delays=tuple(delays[key]))
    team = await managers.people(connection, guild_id)
    facts = []
    for number, period in enumerate(periods):
        for row in await connection.execute(_waiting_at(guild_id, period, expires)):
            found[number, row.manager_id] = replace(found[number, row.manager_id], waiting=row.entries)
        active, met = await active_and_met(connection, guild_id, period, kinds)
        own = {manager_id: found[number, manager_id] for manager_id in sorted(team)}
        facts.append(PeriodFacts(active, met, found[number, None], own))
    return tuple(facts)


async def active_and_met(
    connection: AsyncConnection, guild_id: int, period: Period, kinds: Kinds = ()
) -> tuple[int, int]:
    """How many members were active in a period, and how many of them any manager had touched by its end.

    Without `kinds` the latter is not counted, and 0.
    """
    here = (_activity.guild_id == guild_id, within(period.first_on, period.last_on))
    people = select(unindexed(_activity.member_id)).where(*here, is_member(_activity.member_id, guild_id))
    # A member has one row a week.
    active = (people if period.last_on - period.first_on < _WEEK else people.distinct()).subquery()
    met = was_met(active.c.member_id, guild_id, period.end_at, kinds) if kinds else literal(0) == 1
    query = select(func.count().label("active"), func.count().filter(met).label("met")).select_from(active)
    row = (await connection.execute(query)).one()
    return row.active, row.met


async def talks_of(
    connection: AsyncConnection,
    guild_id: int,
    period: Period,
    whose: Collection[int | None],
    kinds: Kinds,
    gap: timedelta,
) -> dict[int | None, dict[int, int]]:
    """How many members had so many conversations in a period, with each of these managers; with the team for None."""
    found: dict[int | None, dict[int, int]] = {one: {} for one in whose}
    alone = None if None in found else sorted(one for one in whose if one is not None)
    for row in await connection.execute(_counted(_began(guild_id, [period], kinds, gap, alone))):
        if row.manager_id in found:
            found[row.manager_id][row.each] = row.members
    return found


async def first_contacts(
    connection: AsyncConnection, guild_id: int, period: Period, kinds: Kinds, manager_id: int | None
) -> tuple[int, ...]:
    """The members whose first touch ever, by anybody or by one manager, lies in a period, in the order of those."""
    member_id = unindexed(_touch.member_id)
    query = (
        select(member_id)
        .where(
            *counted(guild_id, kinds),
            *([] if manager_id is None else [unindexed(_touch.manager_id) == manager_id]),
            _touch.touched_at >= period.start_at,
            _touch.touched_at < period.end_at,
            ~was_met(_touch.member_id, guild_id, period.start_at, kinds, by=manager_id),
        )
        .group_by(member_id)
        .order_by(func.min(_touch.touched_at), member_id)
    )
    return tuple(await connection.scalars(query))


def _in_periods(guild_id: int, periods: Sequence[Period], kinds: Kinds) -> tuple[ColumnElement[bool], ...]:
    return (
        *counted(guild_id, kinds),
        _touch.touched_at >= periods[0].start_at,
        _touch.touched_at < periods[-1].end_at,
    )


def _number(periods: Sequence[Period]) -> ColumnElement[int]:
    """The number of the period in which a touch lies; 0 for one before them."""
    return case(*((_touch.touched_at < period.end_at, number) for number, period in enumerate(periods)))


def _began(
    guild_id: int, periods: Sequence[Period], kinds: Kinds, gap: timedelta, whose: Collection[int] | None = None
) -> CTE:
    """Whom each manager had how many conversations with that began in some periods: number, manager, member, each.

    A touch begins one if none by the same manager to the same member lies in the `gap` before it.
    """
    at = type_coerce(_touch.touched_at, Id)
    last = func.lag(at).over(
        partition_by=(_touch.manager_id, _touch.member_id), order_by=(_touch.touched_at, _touch.message_id)
    )
    made = (
        select(
            _number(periods).label("number"),
            _touch.manager_id,
            _touch.member_id,
            _touch.touched_at,
            (at - last).label("pause"),
        )
        .where(
            *counted(guild_id, kinds),
            *([] if whose is None else [_touch.manager_id.in_(whose)]),
            _touch.touched_at >= periods[0].start_at - gap,
            _touch.touched_at < periods[-1].end_at,
        )
        .subquery("made")
    )
    begins = or_(made.c.pause.is_(None), made.c.pause > gap // timedelta(milliseconds=1))
    return (
        select(made.c.number, made.c.manager_id, made.c.member_id, func.count().label("each"))
        .where(begins, made.c.touched_at >= periods[0].start_at)
        .group_by(made.c.number, made.c.manager_id, made.c.member_id)
        .cte("began")
    )


def _pairs(began: CTE) -> Any:  # noqa: ANN401 - a union of two queries
    """The rows of `_began`, and those of the team as a whole, whose manager is NULL."""
    together = cast(func.sum(began.c.each), Id).label("each")
    team = select(began.c.number, _NOBODY, began.c.member_id, together).group_by(began.c.number, began.c.member_id)
    own = select(began.c.number, began.c.manager_id, began.c.member_id, began.c.each)
    return union_all(own, team).subquery("pair")


def _counted(began: CTE) -> Any:  # noqa: ANN401 - a query of three columns
    pair = _pairs(began)
    query = select(pair.c.manager_id, pair.c.each, func.count().label("members"))
    return query.group_by(pair.c.manager_id, pair.c.each)


def _reached(guild_id: int, periods: Sequence[Period], kinds: Kinds, gap: timedelta) -> Any:  # noqa: ANN401 - as above
    """By period, manager and number of conversations: how many members, how many of them active, how many new."""
    pair = _pairs(_began(guild_id, periods, kinds, gap))
    starts = [(pair.c.number == number, literal(one.start_at, Moment())) for number, one in enumerate(periods)]
    start_at = case(*starts)
    if len(periods) == 1:
        wrote = weeks_within(periods[0].first_on, periods[0].last_on)
    else:
        mondays = [(pair.c.number == number, literal(one.first_on, DayNumber())) for number, one in enumerate(periods)]
        wrote = _activity.week_on == case(*mondays)
    active = select(_activity.member_id).where(
        _activity.guild_id == guild_id, _activity.member_id == pair.c.member_id, wrote
    )
    earlier = was_met(pair.c.member_id, guild_id, start_at, kinds, by=pair.c.manager_id)
    told = select(
        pair.c.number,
        pair.c.manager_id,
        pair.c.each,
        case((active.exists(), 1), else_=0).label("active"),
        case((earlier, 0), else_=1).label("first_time"),
    ).subquery("told")
    return select(
        told.c.number,
        told.c.manager_id,
        told.c.each,
        func.count().label("members"),
        func.sum(told.c.active).label("active"),
        func.sum(told.c.first_time).label("first_time"),
    ).group_by(told.c.number, told.c.manager_id, told.c.each)


async def _touches(
    connection: AsyncConnection, guild_id: int, periods: Sequence[Period], kinds: Kinds
) -> dict[tuple[int, int | None], tuple[int, int]]:
    """By period, and by manager or for the team: the number of touches, and of those that were logged."""
    made = (
        select(_number(periods).label("number"), _touch.manager_id, _touch.kind)
        .where(*_in_periods(guild_id, periods, kinds))
        .subquery()
    )
    logged = func.count().filter(made.c.kind == TouchKind.LOGGED.value)
    query = select(made.c.number, made.c.manager_id, func.count().label("personal"), logged.label("logged")).group_by(
        made.c.number, made.c.manager_id
    )
    found: dict[tuple[int, int | None], tuple[int, int]] = {}
    for row in await connection.execute(query):
        for whose in (row.manager_id, None):
            personal, logged_before = found.get((row.number, whose), (0, 0))
            found[row.number, whose] = personal + row.personal, logged_before + row.logged
    return found


async def _delays(
    connection: AsyncConnection, guild_id: int, periods: Sequence[Period], kinds: Kinds
) -> dict[tuple[int, int | None], list[int]]:
    """By period, and by manager or for the team: how many milliseconds after a member's message each reply came."""
    found: dict[tuple[int, int | None], list[int]] = defaultdict(list)
    delay = type_coerce(_touch.touched_at, Id) - made_at(_touch.replied_to_id)
    made = (
        select(_number(periods).label("number"), _touch.manager_id, delay.label("delay"))
        .where(
            *_in_periods(guild_id, periods, kinds),
            _touch.kind == TouchKind.REPLY.value,
            _touch.replied_to_id.is_not(None),
        )
        .subquery()
    )
    # One text for all of them, since a row for each would cost more than everything else that is asked.
    delays = func.aggregate_strings(cast(made.c.delay, Text), ",").label("delays")
    query = select(made.c.number, made.c.manager_id, delays).group_by(made.c.number, made.c.manager_id)
    for row in await connection.execute(query):
        told = [int(one) for one in row.delays.split(",")]
        found[row.number, row.manager_id] += told
        found[row.number, None] += told
    return found


def _waiting_at(guild_id: int, period: Period, expires: timedelta) -> Any:  # noqa: ANN401 - a query of two columns
    """How many entries wait at the end of a period, for each manager and for the team, whose manager is NULL."""
    entry = (
        select(_waiting.message_id)
        .where(
            _waiting.guild_id == guild_id,
            _waiting.message_id >= first_id_at(just_after(period.end_at - expires)),
            _waiting.message_id < first_id_at(period.end_at),
            is_member(_waiting.member_id, guild_id),
            is_counted(_waiting.channel_id, guild_id),
            ~answers(guild_id, _touch.message_id).where(_touch.touched_at < period.end_at).exists(),
        )
        .cte("entry")
    )
    asked = tables.waiting_for.c
    own = (
        select(asked.manager_id, func.count().label("entries"))
        .select_from(entry.join(tables.waiting_for, asked.message_id == entry.c.message_id))
        .where(asked.manager_id.in_(manager_ids(guild_id)))
        .group_by(asked.manager_id)
    )
    return union_all(select(_NOBODY, func.count().label("entries")).select_from(entry), own)
