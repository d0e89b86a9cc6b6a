"""Counts how long newcomers stayed (docs/rules.md#newcomers-who-stay)."""

from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Integer, case, cast, func, literal, null, select, type_coerce

from bot.domain.calendar import monday_of
from bot.domain.snowflake import first_id_at
from bot.domain.survival import NewcomerStay
from bot.domain.touch import TouchKind
from bot.store import tables
from bot.store.columns import DayNumber, made_at
from bot.store.engine import AsyncConnection
from bot.store.people import is_member
from bot.store.touches import was_met
from bot.store.written_days import newest_within

_member = tables.member.c
_activity = tables.activity.c
_MILLISECOND = timedelta(milliseconds=1)
_DAY = timedelta(days=1)
_DAY_MS = _DAY // _MILLISECOND
_ZONES = timedelta(days=3)
"""More than the hours by which two dates can be apart, of which one is told in another zone than the other."""


async def of_newcomers(
    connection: AsyncConnection,
    guild_id: int,
    days: Sequence[tuple[date, datetime]],
    end_at: datetime,
    last_on: date,
    *,
    at_least: timedelta,
    kinds: Collection[TouchKind],
) -> list[tuple[NewcomerStay, int]]:
    """How long members stayed whose first counted message is of one of these days, each with how many did so.

    `days` are consecutive, each with its start, and `end_at` is the end of the last. A member stayed until the last day
    on which they wrote, up to and including `last_on`. Many who stayed for less than `at_least` are left out. Touched
    are those whom a manager touched within `at_least` of that message.
    """
    first_at, spent = made_at(_member.first_message_id), at_least // _MILLISECOND
    met = was_met(_member.member_id, guild_id, first_at + spent + 1, kinds, since=first_at)
    newcomer = (
        select(
            _day_number(days, end_at).label("first_number"),
            _last_on(guild_id, monday_of(days[0][0] - _DAY), last_on).label("last_on"),
            case((met, 1), else_=0).label("touched"),
        )
        .where(
            _member.guild_id == guild_id,
            _member.first_message_id >= first_id_at(days[0][1]),
            _member.first_message_id < first_id_at(end_at),
            made_at(_member.last_message_id) - first_at >= (at_least - _ZONES) // _MILLISECOND,
            is_member(_member.member_id, guild_id),
        )
        .cte("newcomer")
        .prefix_with("MATERIALIZED")  # or SQLite works out each column once for every place where it is named
    )
    stay = (newcomer.c.first_number, newcomer.c.last_on, newcomer.c.touched)
    query = select(*stay, func.count().label("members")).where(newcomer.c.last_on.is_not(None)).group_by(*stay)
    return [
        (NewcomerStay(days[row.first_number][0], row.last_on, bool(row.touched)), row.members)
        for row in await connection.execute(query)
    ]


def _day_number(days: Sequence[tuple[date, datetime]], end_at: datetime) -> ColumnElement[int]:
    """The number of the day on which a first message was written, counted from the first of `days`."""
    at = made_at(_member.first_message_id)
    runs = []
    for first, last, end in _runs(days, end_at):
        passed = (at - _milliseconds(days[first][1])) // _DAY_MS if last > first else literal(0)
        runs.append((_member.first_message_id < first_id_at(end), cast(passed, Integer) + first))
    return case(*runs)


def _runs(days: Sequence[tuple[date, datetime]], end_at: datetime) -> Iterator[tuple[int, int, datetime]]:
    """The days divided where a clock change makes one shorter or longer: number of the first and last day, and end."""
    ends = [start for _, start in days[1:]] + [end_at]
    usual = [end - start == _DAY for (_, start), end in zip(days, ends, strict=True)]
    first = 0
    for number in range(len(days)):
        if number + 1 == len(days) or not (usual[number] and usual[number + 1]):
            yield first, number, ends[number]
            first = number + 1


def _last_on(guild_id: int, since_on: date, last_on: date) -> ColumnElement[date]:
    """The last day on which a member wrote, up to and including `last_on`. It is looked for where they wrote last."""
    number = cast(made_at(_member.last_message_id) // _DAY_MS, Integer)

    def newest(week_on: date | ColumnElement[date]) -> ColumnElement[date]:
        row = (_activity.guild_id == guild_id, _activity.week_on == week_on, _activity.member_id == _member.member_id)
        return select(newest_within(last_on)).where(*row).correlate(tables.member).scalar_subquery()

    def week_of(day: ColumnElement[int]) -> ColumnElement[date]:
        return type_coerce(day - (day + 3) % 7, DayNumber())  # the first day of 1970 was a Thursday

    weeks = [monday_of(last_on)]
    while weeks[-1] > since_on:
        weeks.append(weeks[-1] - timedelta(weeks=1))
    return case(
        (type_coerce(number, DayNumber()) < last_on, func.coalesce(*(newest(week_of(number + by)) for by in (1, -1)))),
        # Who went on writing afterwards mostly wrote not long before: the first week with a day ends the search.
        else_=func.coalesce(*map(newest, weeks), null()),
    )


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
