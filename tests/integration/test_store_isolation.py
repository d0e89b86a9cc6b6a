"""Every question to the store that names a server, and every change: others, servers and people, are left alone."""

import importlib
import inspect
import pkgutil
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Column, insert

import bot.store
from bot.domain.calendar import period_of_days
from bot.domain.delivery import DeliveryKind, DeliveryState
from bot.domain.evidence import Ends
from bot.domain.forgetting import Objection, Scope
from bot.domain.guild import GuildSettings, ManagerSettings
from bot.domain.history_job import JobKind, LeftOut, Unread
from bot.domain.message import MessageKind
from bot.domain.nudge import OfferedMember, Reason
from bot.domain.snowflake import first_id_at
from bot.domain.span import Span
from bot.domain.touch import TouchKind
from bot.store import nudges, tables
from bot.store.columns import Day, DayNumber, Moment, Truth
from bot.store.database import Database
from bot.store.forgetting import PERSON_COLUMNS
from bot.store.summaries import Editions, Question, Summary
from tests.support.rows import rows

pytestmark = pytest.mark.usefixtures("sqlite_without_threads")

GUILD, ELSEWHERE = 1, 2
ANN, BEN, CAT = 21, 22, 23
MANAGER = 100
"""What is added to a member's id for their manager's."""
MANAGERS = {"manager_id", "from_manager_id", "colleague_id"}
AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
EVENTS = {"opted_out_at", "left_at", "removed_at", "finished_at", "cancelled_at", "refused_at", "closed_at", "action"}
"""What may have happened to whoever a row is about, or not."""
WORDS = {
    ("delivery", "kind"): DeliveryKind.NUDGE.value,
    ("history_job", "kind"): JobKind.BACKFILL.value,
    ("delivery", "state"): DeliveryState.SENT.value,
    ("touch", "kind"): TouchKind.REPLY.value,
    ("nudge_member", "reason"): Reason.WAITING.value,
    ("nudge_member", "action"): "done",
    ("guild", "time_zone"): "UTC",
    ("manager", "time_zone"): "UTC",
    ("manager", "nudge_weekdays"): "0,1",
    ("digest", "figures"): '{"managers": []}',
    ("imported_message", "kind"): MessageKind.DEFAULT.value,
}
OF_ANN = {
    ("history_job", "kind"): JobKind.READ_AGAIN.value,
    ("history_job", "listed"): True,
    ("history_job_channel", "left_out"): LeftOut.FORBIDDEN.value,
}
"""What stands in the rows about Ann; in those about the others it is False or nothing, unless WORDS has a word."""
BEFORE = {("delivery", "state"): DeliveryState.PENDING.value, ("touch", "kind"): TouchKind.LOGGED.value}
"""The words where nothing happened."""
MOMENTS = {"offered_at": AT - timedelta(hours=1), "until_at": AT + timedelta(days=2)}
"""The times that are to lie before or after the others."""
LAYOUTS = (
    (True, frozenset[str]()),
    (False, frozenset({"ignored", "excluded_channel"})),
    (False, frozenset({"ignored", "excluded_channel", "touch", "snooze", "manager"})),
)
"""Whether the events happened, and of which tables nothing is there: what each question needs is there once."""
WRITTEN = {"add_touches", "add_waiting", "add_members"}
"""What writes rows that name their server themselves."""
NUMBERED = {"remember", "return_at", "note_objection", "add", "add_reading_again"}
"""What writes a mark or a number that is not the same twice."""
QUESTION = Question("asked", AT.date(), AT)
TO_BE_EMPTY = {"digests.freeze", "summaries.known"}
"""Questions to which these rows are no answer."""


def identity(guild_id: int, person_id: int) -> int:
    """The id of a message, channel, role or anything else of one person in one server."""
    return first_id_at(AT) + guild_id * 1000 + person_id


def value(column: Column[Any], guild_id: int, person_id: int, *, happened: bool) -> object:
    """What stands in a row about a person."""
    whole_name = (column.table.name, column.name)
    if whole_name in OF_ANN and (person_id == ANN or whole_name not in WORDS):
        return OF_ANN[whole_name] if person_id == ANN else None if column.nullable else False
    special = {**WORDS, **({} if happened else BEFORE)}
    by_name: dict[str, object] = {
        **dict.fromkeys(PERSON_COLUMNS, person_id),
        **dict.fromkeys(MANAGERS, person_id + MANAGER),
        **MOMENTS,
        "guild_id": guild_id,
        "mentions": f" {person_id} ",
        "week_on": date(2026, 3, 2) + timedelta(weeks=person_id - ANN),
    }
    by_type = {Truth: person_id == BEN, Moment: AT, Day: AT.date(), DayNumber: AT.date()}
    if column.name in EVENTS and not happened:
        return None
    if whole_name in special or column.name in by_name:
        return special.get(whole_name, by_name.get(column.name))
    text = f"{guild_id} {person_id}" if column.type.python_type is str else None
    return by_type.get(type(column.type), text or identity(guild_id, person_id))


async def fill(connection: Any, guild_id: int, people: Sequence[int], layout: tuple[bool, frozenset[str]]) -> None:
    """A row about each of some people in every table that is not left out."""
    happened, without = layout
    for table in tables.metadata.sorted_tables:
        if table is not tables.installation and table.name not in without:
            whom = people[:1] if table is tables.guild else people
            made = [{c.name: value(c, guild_id, one, happened=happened) for c in table.c} for one in whom]
            await connection.execute(insert(table), made)


ARGUMENTS: dict[str, Any] = {
    **dict.fromkeys(("member_id", "person_id"), ANN),
    "manager_id": ANN + MANAGER,
    "people_ids": [ANN],
    "manager_ids": [ANN + MANAGER],
    **dict.fromkeys(("at", "by", "now", "newest_at"), AT + timedelta(hours=1)),
    **dict.fromkeys(("week_on", "due_on", "on", "until_on"), AT.date()),
    **{name: [identity(GUILD, ANN)] for name in ("channel_ids", "role_ids")},
    "people": [ANN, BEN, CAT],
    "receivers": [BEN + MANAGER],
    "to_manager_id": CAT + MANAGER,
    "by_role_id": None,
    "message_ids": [identity(guild, person) for guild in (GUILD, ELSEWHERE) for person in (ANN, BEN, CAT)],
    "message_id": identity(GUILD, ANN),
    "channel_id": identity(GUILD, ANN),
    "gap": Span(identity(GUILD, CAT), identity(GUILD, CAT) + 5),
    "reason": "gone",
    "job_id": identity(GUILD, ANN),
    "found": [Unread(identity(GUILD, CAT), None, (Span(1, 2),))],
    "channels": 1,
    "span": Span(identity(GUILD, ANN), identity(GUILD, CAT)),
    "still": [],
    "delivery_id": "new",
    "figures": "{}",
    "kinds": tuple(TouchKind),
    "since": AT - timedelta(days=1),
    "after": AT - timedelta(days=1),
    "longest": timedelta(days=30),
    "zone": None,
    "since_on": AT.date() - timedelta(days=1),
    "until": AT + timedelta(days=1),
    "first_on": AT.date() - timedelta(days=1),
    "last_on": AT.date() + timedelta(days=1),
    "day": AT.date() + timedelta(days=1),
    "moment": AT + timedelta(days=1),
    "at_least": 1,
    "offset": 0,
    "limit": 50,
    "nudges": 5,
    "state": DeliveryState.SENT,
    "objection": Objection(AT),
    "scope": Scope.MEMBER,
    "sent_since": AT - timedelta(days=8),
    "proxied": True,
    "counted": True,
    "parent_id": None,
    "as_manager": True,
    "first_id": first_id_at(AT + timedelta(days=1)),
    "messages": {AT.date(): {ANN: 1}},
    "questions": [QUESTION],
    "summaries": [Summary(QUESTION, 0, "{}")],
    "documents": True,
    "as_of": Editions(),
    "among": [ANN],
    "gone": [],
    "ends": {ANN: Ends(*[identity(GUILD, ANN) + 5] * 4)},
}


PERIOD = period_of_days(AT.date() - timedelta(days=1), AT.date() + timedelta(days=1), ZoneInfo("UTC"))
OF_PERIODS: dict[str, Any] = {
    "period": PERIOD,
    "periods": [PERIOD],
    "whose": [None, ANN + MANAGER],
    "gap": timedelta(hours=1),
    "expires": timedelta(days=14),
    "days": [(AT.date(), AT - timedelta(days=1))],
    "end_at": AT + timedelta(days=1),
    "at_least": timedelta(0),
    "within": timedelta(days=14),
}
"""What is asked about periods."""
ONE_PERSONS = {"person_id", "member_id", "manager_id", "manager_ids", "people_ids"}


def argument(module: str, name: str) -> object:
    if name == "kind":
        return JobKind.BACKFILL if module == "history_jobs" else DeliveryKind.NUDGE
    if name == "settings":
        zone = ZoneInfo("Europe/Berlin")
        return ManagerSettings(GUILD, ANN + MANAGER, zone=zone) if module == "managers" else GuildSettings(GUILD, zone)
    if name == "found" and module == "record":
        return Ends(*[identity(GUILD, ANN) + 5] * 4)
    if name in OF_PERIODS and (module in {"attention", "stays"} or name not in ARGUMENTS):
        return OF_PERIODS[name]
    return ARGUMENTS[name]


@dataclass(frozen=True)
class Asked:
    """A function of the store that names a server."""

    module: str
    name: str
    function: Callable[..., Any]

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"

    @property
    def names(self) -> set[str]:
        return set(inspect.signature(self.function).parameters)

    async def ask(self, connection: Any) -> object:
        """The answer, whatever its kind, as something that can be compared."""
        given: dict[str, Any] = {}
        for name in self.names - {"connection", "guild_id", "offered"}:
            given[name] = argument(self.module, name)
        if "guild_id" in self.names:
            given["guild_id"] = GUILD
        if "offered" in self.names:
            members: tuple[OfferedMember, ...] = await nudges.members_of(connection, f"{GUILD} {ANN}")
            given["offered"] = members[0]
        answer = self.function(connection=connection, **given)
        return [one async for one in answer] if isinstance(answer, AsyncIterator) else await answer


def everything_asked() -> list[Asked]:
    found = []
    for module in pkgutil.iter_modules(bot.store.__path__):
        if module.name == "migrations":
            continue
        loaded = importlib.import_module(f"bot.store.{module.name}")
        for name, function in vars(loaded).items():
            own = inspect.isfunction(function) and function.__module__ == loaded.__name__ and not name.startswith("_")
            if own and (inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)):
                names = set(inspect.signature(function).parameters)
                if "connection" in names and names & {"guild_id", "settings"} and name not in WRITTEN:
                    found.append(Asked(module.name, name, function))
    return found


Table = dict[str, list[tuple[Any, ...]]]


def _columns(table: Any) -> list[str]:
    """The names of what `rows` tells."""
    return ["guild_id", "member_id", "day", "messages"] if table is tables.activity else list(table.c.keys())


def of(found: Table, guild_id: int) -> Table:
    """The rows of a server. Those of `waiting_for` are known by their message."""
    kept: Table = {}
    messages = {identity(guild_id, person_id) for person_id in (ANN, BEN, CAT)}
    for table in tables.metadata.sorted_tables:
        columns = _columns(table)
        for row in found[table.name]:
            named = dict(zip(columns, row, strict=True))
            if named.get("guild_id", guild_id if named.get("message_id") in messages else None) == guild_id:
                kept.setdefault(table.name, []).append(row)
    return kept


def about(found: Table, person_id: int) -> Table:
    """The rows that name a person."""
    kept: Table = {}
    for table in tables.metadata.sorted_tables:
        people = [number for number, name in enumerate(_columns(table)) if name in PERSON_COLUMNS]
        kept[table.name] = [row for row in found[table.name] if person_id in [row[number] for number in people]]
    return kept


async def asked(
    database: Database, what: Asked, layout: tuple[bool, frozenset[str]], *guilds: int
) -> tuple[object, Table, Table]:
    """The answer in a database that knows some servers, and all rows before and after it. Nothing of it stays."""
    async with database.writing() as connection:
        for guild_id in guilds:
            await fill(connection, guild_id, (ANN, BEN) if guild_id == GUILD else (ANN, BEN, CAT), layout)
    before = await rows(database, *tables.metadata.sorted_tables)
    async with database.writing() as connection:
        answer = await what.ask(connection)
    after = await rows(database, *tables.metadata.sorted_tables)
    async with database.writing() as connection:
        for table in (*reversed(tables.metadata.sorted_tables), tables.fact_change):  # each deletion is counted there
            await connection.execute(table.delete())
    return answer, before, after


@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
@pytest.mark.parametrize("what", everything_asked(), ids=str)
async def test_one_servers_rows_are_nothing_to_another(database: Database, what: Asked) -> None:
    """The answer and what is changed are the same whether the database knows other servers or not; those stay."""
    answers: list[object] = []
    for layout in LAYOUTS:
        alone, _, then = await asked(database, what, layout, GUILD)
        beside, before, after = await asked(database, what, layout, GUILD, ELSEWHERE)
        assert of(after, ELSEWHERE) == of(before, ELSEWHERE)
        if what.name not in NUMBERED:
            assert beside == alone
            assert of(after, GUILD) == of(then, GUILD)
        answers += [alone, after != before]
    assert any(answers) or str(what) in TO_BE_EMPTY


@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
@pytest.mark.parametrize("what", [one for one in everything_asked() if one.names & ONE_PERSONS], ids=str)
async def test_one_persons_rows_are_nothing_to_another(database: Database, what: Asked) -> None:
    for layout in LAYOUTS:
        _, before, after = await asked(database, what, layout, GUILD)
        assert about(after, BEN) == about(before, BEN)
        assert about(after, BEN + MANAGER) == about(before, BEN + MANAGER)
