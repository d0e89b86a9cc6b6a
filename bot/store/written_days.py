"""The days on which people wrote, seven to a row: how days become rows, and conditions on them."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    RowMapping,
    Select,
    and_,
    bindparam,
    case,
    delete,
    func,
    or_,
    select,
    type_coerce,
    update,
)

from bot.domain.calendar import monday_of
from bot.store import tables
from bot.store.columns import DayNumber
from bot.store.engine import AsyncConnection
from bot.store.insertion import parameters

_activity = tables.activity.c
_DAYS = tuple(_activity[name] for name in tables.WEEKDAYS)
_WEEK = timedelta(days=7)
_PERIODS = 64
"""For how many of them the conditions are kept, which are made of many small objects."""
_EMPTY = and_(*(column == 0 for column in _DAYS))

_KEY = ("guild_id", "week_on", "member_id")
_COLUMNS = (*_KEY, *tables.WEEKDAYS)
_ADD = f"""
INSERT INTO activity ({", ".join(_COLUMNS)}) VALUES ({{}}) ON CONFLICT ({", ".join(_KEY)})
DO UPDATE SET {", ".join(f"{name} = activity.{name} + excluded.{name}" for name in tables.WEEKDAYS)}
"""  # noqa: S608 - names of columns

Count = tuple[int, int, date, int]
"""Guild, member, local day, and a number of messages, which is below 0 if they are taken off."""


async def add(connection: AsyncConnection, counts: Iterable[Count]) -> None:
    """Add numbers of messages of any guilds' members to their days. A week without any message left is none."""
    weeks: dict[tuple[int, date, int], list[int]] = {}
    fewer: set[tuple[int, date, int]] = set()
    places: dict[date, tuple[date, int]] = {}
    for guild_id, member_id, day, number in counts:
        if not number:
            continue
        if day not in places:
            places[day] = monday_of(day), day.weekday()
        monday, weekday = places[day]
        key = guild_id, monday, member_id
        week = weeks.get(key)
        if week is None:
            week = weeks[key] = [0] * len(_DAYS)
        week[weekday] += number
        if number < 0:
            fewer.add(key)
    if not weeks:
        return
    # In the driver's own words: SQLAlchemy would go over each of up to a million values.
    mondays = {monday: DayNumber().process_bind_param(monday, connection.dialect) for _, monday, _ in weeks}
    rows = [(guild_id, mondays[monday], member_id, *week) for (guild_id, monday, member_id), week in weeks.items()]
    await connection.exec_driver_sql(_ADD.format(", ".join(parameters(connection, len(_COLUMNS)))), rows)
    await _tidy(connection, fewer)


async def _tidy(connection: AsyncConnection, weeks: Collection[tuple[int, date, int]]) -> None:
    """Of a day nothing more can be taken off than there was, and a week without a message is none."""
    if not weeks:
        return
    names = ("of_guild", "of_week", "of_member")
    keys = (_activity.guild_id, _activity.week_on, _activity.member_id)
    chosen = [column == bindparam(name) for column, name in zip(keys, names, strict=True)]
    rows = [dict(zip(names, key, strict=True)) for key in sorted(weeks)]
    if rows:
        at_least_none = {column.name: case((column < 0, 0), else_=column) for column in _DAYS}
        await connection.execute(update(tables.activity).where(*chosen).values(at_least_none), rows)
        await connection.execute(delete(tables.activity).where(*chosen, _EMPTY), rows)


async def forget_before(connection: AsyncConnection, guild_id: int, day: date) -> int:
    """Delete the days before a local day; returns how many rows that concerned."""
    here, week_on = _activity.guild_id == guild_id, monday_of(day)
    rows = (await connection.execute(delete(tables.activity).where(here, _activity.week_on < week_on))).rowcount
    before = _DAYS[: day.weekday()]
    if before:
        cut = (here, _activity.week_on == week_on)
        wrote = or_(*(column > 0 for column in before))
        emptied = update(tables.activity).where(*cut, wrote).values({column.name: 0 for column in before})
        rows += (await connection.execute(emptied)).rowcount
        await connection.execute(delete(tables.activity).where(*cut, _EMPTY))
    return int(rows)


@lru_cache(_PERIODS)
def within(first_on: date, last_on: date) -> ColumnElement[bool]:
    """The condition that somebody wrote from `first_on` to `last_on`, both included."""
    return and_(_activity.week_on.between(monday_of(first_on), last_on), *_cut(first_on, last_on))


@lru_cache(_PERIODS)
def weeks_within(first_on: date, last_on: date) -> ColumnElement[bool]:
    """The same condition for a few people and a few weeks, each of which is looked up."""
    mondays = [monday_of(first_on)]
    while mondays[-1] + _WEEK <= last_on:
        mondays.append(mondays[-1] + _WEEK)
    return and_(_activity.week_on.in_(mondays), *_cut(first_on, last_on))


def _cut(first_on: date, last_on: date) -> tuple[ColumnElement[bool], ...]:
    """The condition on the days of a row where not every row of the weeks has one of them."""
    if first_on.weekday() == 0 and last_on.weekday() == len(_DAYS) - 1:
        return ()
    return (or_(*(and_(column > 0, held) for column, held in _held(first_on, last_on))),)


@lru_cache(_PERIODS)
def number_within(first_on: date, last_on: date) -> ColumnElement[int]:
    """On how many days of a row somebody wrote from `first_on` to `last_on`, both included."""
    days = [case((and_(column > 0, held), 1), else_=0) for column, held in _held(first_on, last_on)]
    return sum(days[1:], start=days[0])


@lru_cache(_PERIODS)
def newest_within(last_on: date) -> ColumnElement[date]:
    """The newest day of a row on which somebody wrote, up to and including `last_on`; NULL if there is none."""
    week = type_coerce(_activity.week_on, Integer)
    held = [
        (and_(column > 0, _activity.week_on <= last_on - timedelta(days=number)), week + number)
        for number, column in enumerate(_DAYS)
    ]
    return type_coerce(case(*reversed(held)), DayNumber())


def weeks_of(guild_id: int, first_on: date, last_on: date) -> Select[tuple[date]]:
    """A subquery for the Mondays from the week of `first_on` to the week of `last_on` of which anything is on record.

    With them a person's weeks are found one by one, since weeks come before people in the table.
    """
    later = tables.activity.alias("later").c
    first_of = func.min(later.week_on, type_=later.week_on.type)
    first = select(first_of.label("week_on")).where(later.guild_id == guild_id, later.week_on >= monday_of(first_on))
    week = first.cte("week", recursive=True, nesting=True)
    after = select(first_of).where(later.guild_id == guild_id, later.week_on > week.c.week_on).correlate(week)
    every = week.union_all(select(after.scalar_subquery()).where(week.c.week_on < last_on))
    return select(every.c.week_on).where(every.c.week_on <= last_on)


def of_guild(guild_id: int, first_on: date = date.min, last_on: date = date.max) -> tuple[ColumnElement[bool], ...]:
    """The conditions that a row is one of a guild's weeks; with one on `member_id` they find it without a search."""
    return _activity.guild_id == guild_id, _activity.week_on.in_(weeks_of(guild_id, first_on, last_on))


def days(week: RowMapping | Mapping[str, Any]) -> Iterator[tuple[date, int]]:
    """The days of a row with messages, oldest first, each with their number."""
    for number, name in enumerate(tables.WEEKDAYS):
        if week[name] > 0:
            yield week["week_on"] + timedelta(days=number), week[name]


def _held(first_on: date, last_on: date) -> Iterator[tuple[ColumnElement[int], ColumnElement[bool]]]:
    """The columns of the days, each with the condition that its day lies from `first_on` to `last_on`."""
    for number, column in enumerate(_DAYS):
        back = timedelta(days=number)
        yield column, _activity.week_on.between(first_on - back, last_on - back)
