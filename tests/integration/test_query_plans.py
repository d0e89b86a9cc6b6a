"""No list and no figure reads a whole table that grows with history, nor all that such a table has of a guild.

What SQLite plans is looked at, which has no statistics and so plans the same on every database. PostgreSQL plans by how
many rows there are: on the few of a test it reads every table whole, and what it would do with many, only many tell.
"""

import re
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, event, select

from bot.domain.calendar import period_of_days
from bot.domain.coverage import PeriodChoice
from bot.domain.guild import GuildSettings
from bot.domain.nudge_time import NudgeSchedule
from bot.services.nudge.schedule import schedule_of
from bot.store import guilds, tables
from bot.store.database import Connection, Database, open_database
from tests.bench.answers import Asked
from tests.bench.guild import LARGE, part_of
from tests.integration.test_summaries import NOON
from tests.integration.test_sums_of_periods import MONDAY, TEAM, ZONE, made
from tests.support.messages import GUILD

GROWING = frozenset(
    {
        *("activity", "member", "touch", "waiting", "waiting_for", "nudge_member", "delivery", "digest"),
        *("span", "imported_channel", "imported_message"),
    }
)
FEW = frozenset({"ix_member_opted_out", "ix_member_proxied"})
"""Indexes of few rows, however many people there are."""
MONDAYS = [MONDAY - timedelta(weeks=back) for back in range(4)]

_STEP = re.compile(
    r"(SCAN|SEARCH) (\w+)(?: USING (?:(?:AUTOMATIC|COVERING|INDEX|PARTIAL) )*([\w ]*\w)(?: (\(.*\)))?)?.*"
)
Asking = Callable[[Asked, GuildSettings, NudgeSchedule], Awaitable[object]]

ANSWERS: dict[str, Asking] = {
    "week": lambda on, guild, manager: on.reporter.week(GUILD, MONDAYS[1]),
    "running week": lambda on, guild, manager: on.reporter.week(GUILD, MONDAY),
    "digest": lambda on, guild, manager: on.reporter.draft(guild, MONDAYS[1], "", NOON),
    "own digest": lambda on, guild, manager: on.reporter.personal(manager, MONDAYS[1], "", NOON),
    "some days": lambda on, guild, manager: on.reporter.figures(
        guild, period_of_days(MONDAYS[2] + timedelta(days=2), MONDAY, ZONE)
    ),
    "coverage": lambda on, guild, manager: on.coverage.of(GUILD, TEAM[0], PeriodChoice.TWELVE_WEEKS),
    "unmet": lambda on, guild, manager: on.unmet.page(GUILD, 1, 10),
    "waiting": lambda on, guild, manager: on.waiting.page(GUILD, TEAM[0], 1, 10),
    "member": lambda on, guild, manager: on.relationships.of(GUILD, 5),
    "preview": lambda on, guild, manager: on.previews.preview(GUILD, TEAM[0]),
    "why": lambda on, guild, manager: on.previews.why(GUILD, TEAM[0], 5),
    "export": lambda on, guild, manager: on.export.of(GUILD),
}


@contextmanager
def asked() -> Iterator[list[tuple[str, Any]]]:
    """What any database is asked meanwhile, with the parameters."""
    found: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: object, *_others: object) -> None:
        if statement.startswith(("SELECT", "WITH")):
            found.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def too_much(path: Path, statements: list[tuple[str, Any]]) -> set[str]:
    """Which steps of SQLite's plans read a growing table whole, or everything of a guild."""
    found: set[str] = set()
    with closing(sqlite3.connect(path)) as database:
        for statement, parameters in statements:
            names = {alias: table for table, alias in re.findall(r'(\w+) AS "?(\w+)"?', statement)}
            for *_, step in database.execute(f"EXPLAIN QUERY PLAN {statement}", parameters):
                told = _STEP.fullmatch(step)
                if told is None or names.get(told[2], told[2]) not in GROWING:
                    continue
                first_of_all = statement.startswith("SELECT min(") and " min(" not in statement[8:]
                whole = told[1] == "SCAN" or (told[4] == "(guild_id=?)" and told[3] not in FEW)
                if whole and not (told[1] == "SEARCH" and first_of_all):
                    found.add(f"{step}: {statement}")
    return found


@pytest.fixture
async def known(tmp_path: Path, sqlite_template: Path) -> Path:
    path = tmp_path / "spade.db"
    path.write_bytes(sqlite_template.read_bytes())
    database = await open_database(f"sqlite:///{path}", write=True)
    try:
        async with database.writing() as connection:
            await made(connection, Random(1))
    finally:
        await database.close()
    return path


async def plans_of(path: Path, ask: Callable[[Database], Awaitable[object]]) -> set[str]:
    database = await open_database(f"sqlite:///{path}", write=True)
    try:
        with asked() as statements:
            assert await ask(database) is not None
        return too_much(path, statements)
    finally:
        await database.close()


@pytest.mark.parametrize("name", ANSWERS)
async def test_no_answer_reads_a_growing_table_whole(known: Path, name: str) -> None:
    async def ask(database: Database) -> object:
        async with database.reading() as connection:
            guild = await guilds.settings_of(connection, GUILD)
            manager = await schedule_of(connection, GUILD, TEAM[0])
        assert guild is not None
        assert manager is not None
        on = Asked(database, part_of(LARGE, 20_000), guild, NOON)
        return await ANSWERS[name](on, guild, manager)

    assert await plans_of(known, ask) == set()


async def everything_of_a_guild(connection: Connection) -> object:
    query = select(tables.touch.c.member_id).where(tables.touch.c.guild_id == GUILD, tables.touch.c.kind == "reply")
    return (await connection.execute(query)).all()


async def everything(connection: Connection) -> object:
    return (await connection.execute(select(tables.span.c.channel_id).where(tables.span.c.last_id > 5))).all()


@pytest.mark.parametrize("defect", [everything, everything_of_a_guild])
async def test_a_statement_that_reads_a_whole_table_is_found(
    known: Path, defect: Callable[[Connection], Awaitable[object]]
) -> None:
    async def ask(database: Database) -> object:
        async with database.reading() as connection:
            return await defect(connection)

    assert len(await plans_of(known, ask)) == 1
