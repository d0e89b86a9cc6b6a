"""What ended periods came to, kept in numbers until a fact that they rest on changes.

Triggers of SQLite count every change of a fact in the transaction that makes it (`fact_change`), so no writer can
forget to. A summary says how many changes were counted when it was summed up, and holds as long as that number is the
same: so what a snapshot comes to may be kept later, whatever was written meanwhile. On PostgreSQL nothing is kept.
"""

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate

from sqlalchemy import delete, func, select, text

from bot.domain.calendar import monday_of
from bot.store import tables
from bot.store.engine import AsyncConnection
from bot.store.insertion import insert_into

MOST = 600
"""How many summaries of a guild are kept, of the newest periods."""

TRIGGERS = frozenset(
    f"{table}_{event}"
    for events, of in {
        ("added", "changed", "deleted"): "touch waiting activity member opt_out ignored imported_channel span",
        ("added", "deleted"): "waiting_for manager excluded_channel",
    }.items()
    for table in of.split()
    for event in events
)
"""What counts the changes."""

_summary = tables.summary.c
_change = tables.fact_change.c
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about a guild's record, and which facts the answer rests on.

    These are activity up to the local day `last_on`, and touches, entries and first messages before `until_at`.
    """

    text: str
    last_on: date
    until_at: datetime


@dataclass(frozen=True, slots=True)
class _Changes:
    """Days in ascending order, and how many changes there were up to each."""

    days: Sequence[date] = ()
    sums: Sequence[int] = ()

    def up_to(self, day: date) -> int:
        place = bisect_right(self.days, day)
        return self.sums[place - 1] if place else 0

    def after(self, day: date) -> bool:
        return bool(self.days) and self.days[-1] > day


@dataclass(frozen=True, slots=True)
class Editions:
    """How often the facts of a guild changed, as of a snapshot; None where that is not counted."""

    by_kind: Mapping[str, _Changes] | None = field(default_factory=dict)

    def of(self, question: Question) -> int | None:
        """How often the facts changed on which an answer rests; None if that is unknown."""
        if self.by_kind is None:
            return None
        return sum(self._changes(kind).up_to(day) for kind, day in self._last_days(question))

    def go_beyond(self, question: Question) -> bool:
        """Whether there are facts from after those: then what was asked about is over."""
        return any(self._changes(kind).after(day) for kind, day in self._last_days(question))

    def _changes(self, kind: str) -> _Changes:
        return (self.by_kind or {}).get(kind, _NONE)

    @staticmethod
    def _last_days(question: Question) -> tuple[tuple[str, date], ...]:
        before = (question.until_at - _MILLISECOND).astimezone(UTC).date()
        return ("everything", date.max), ("message", before), ("activity", monday_of(question.last_on))


_NONE = _Changes()


@dataclass(frozen=True, slots=True)
class Summary:
    """An answer, a JSON text, and the edition of the facts for which it holds."""

    question: Question
    edition: int
    document: str


async def editions(connection: AsyncConnection, guild_id: int) -> Editions:
    """How often the facts of a guild changed so far."""
    if connection.dialect.name != "sqlite":
        return Editions(None)
    query = select(_change.kind, _change.day, _change.edition).where(_change.guild_id == guild_id).order_by(_change.day)
    found: dict[str, dict[date, int]] = {}
    for row in await connection.execute(query):
        found.setdefault(row.kind, {})[row.day] = row.edition
    return Editions({kind: _Changes(tuple(days), tuple(accumulate(days.values()))) for kind, days in found.items()})


async def known(
    connection: AsyncConnection, guild_id: int, questions: Collection[Question], as_of: Editions
) -> dict[Question, str]:
    """The answers that are kept and hold, as of the same snapshot as the editions."""
    asked = {question.text: question for question in questions}
    query = select(_summary.question, _summary.edition, _summary.document).where(
        _summary.guild_id == guild_id, _summary.question.in_(sorted(asked))
    )
    if as_of.by_kind is None or not asked:
        return {}
    return {
        asked[row.question]: row.document
        for row in await connection.execute(query)
        if row.edition == as_of.of(asked[row.question])
    }


async def keep(connection: AsyncConnection, guild_id: int, summaries: Collection[Summary]) -> None:
    """Keep answers that still hold, and no more of those that do not."""
    now = await editions(connection, guild_id)
    for known_one in await of_guild(connection, guild_id):
        if known_one.edition != now.of(known_one.question):
            await _drop(connection, guild_id, known_one.question)
    rows = [
        {
            "guild_id": guild_id,
            "question": one.question.text,
            "last_on": one.question.last_on,
            "until_at": one.question.until_at,
            "edition": one.edition,
            "document": one.document,
        }
        for one in summaries
        if one.edition == now.of(one.question)
    ]
    if rows:
        await connection.execute(insert_into(connection, tables.summary).on_conflict_do_nothing(), rows)
    newest = select(_summary.question).where(_summary.guild_id == guild_id).order_by(_summary.until_at.desc())
    for question in (await connection.scalars(newest.offset(MOST).limit(MOST))).all():
        await connection.execute(
            delete(tables.summary).where(_summary.guild_id == guild_id, _summary.question == question)
        )


async def _drop(connection: AsyncConnection, guild_id: int, question: Question) -> None:
    await connection.execute(
        delete(tables.summary).where(_summary.guild_id == guild_id, _summary.question == question.text)
    )


async def of_guild(connection: AsyncConnection, guild_id: int, *, documents: bool = False) -> tuple[Summary, ...]:
    """What is kept of a guild, whether it holds or not; the documents only if asked for."""
    columns = (_summary.question, _summary.last_on, _summary.until_at, _summary.edition)
    query = select(*columns, *([_summary.document] if documents else [])).where(_summary.guild_id == guild_id)
    return tuple(
        Summary(Question(row.question, row.last_on, row.until_at), row.edition, row.document if documents else "")
        for row in await connection.execute(query.order_by(_summary.question))
    )


async def guilds(connection: AsyncConnection) -> tuple[int, ...]:
    """The guilds of which anything is kept."""
    return tuple(await connection.scalars(select(_summary.guild_id).distinct().order_by(_summary.guild_id)))


async def number(connection: AsyncConnection) -> int:
    """How many summaries are kept, of all guilds."""
    return (await connection.execute(select(func.count()).select_from(tables.summary))).scalar_one()


async def drop_all(connection: AsyncConnection) -> int:
    """Keep nothing any more; returns how many there were. What is asked next is summed up anew."""
    return int((await connection.execute(delete(tables.summary))).rowcount)


async def missing_triggers(connection: AsyncConnection) -> tuple[str, ...]:
    """The triggers that a SQLite database lacks; without them a change of facts would go unnoticed."""
    if connection.dialect.name != "sqlite":
        return ()
    there = await connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
    return tuple(sorted(TRIGGERS.difference(there)))
