"""Erasing somebody: what is on its way meanwhile, and what is left in the file, on SQLite and PostgreSQL."""

import random
import resource
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from bot.clock import DrivenClock
from bot.services.members.privacy import PrivacyService
from bot.services.members.roster import Roster
from bot.services.members.scrubbing import REWRITE_EVERY
from bot.store import scrubbing, tables, written_days
from bot.store.database import Database, open_database
from bot.store.scrubbing import Remains
from tests.support.days import a_day
from tests.support.messages import GUILD, MIA, NOAH, moment
from tests.support.rows import rows

TICK = timedelta(seconds=20)
CROWD = [1473332032706332132 + 7919 * number for number in range(30)]


def service(database: Database, clock: DrivenClock) -> PrivacyService:
    return PrivacyService(database, Roster(database, clock), clock)


@pytest.fixture
def rewritten(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """Grows with each time that a database is rewritten."""
    rewrite, times = Database.rewrite, list[None]()

    async def noted(self: Database) -> None:
        times.append(None)
        await rewrite(self)

    monkeypatch.setattr(Database, "rewrite", noted)
    return times


async def wrote(database: Database, *people: int) -> None:
    """Something about people gets into the record, whatever was said of them before."""
    async with database.writing() as connection:
        for member_id in people:
            await connection.execute(insert(tables.activity).values(a_day(GUILD, member_id, date(2026, 3, 2))))


async def on_record(database: Database) -> set[int]:
    return {row[1] for row in (await rows(database, tables.activity))["activity"]}


async def remains(database: Database) -> Remains | None:
    async with database.reading() as connection:
        return await scrubbing.remains(connection)


async def test_what_was_on_its_way_while_somebody_was_erased_is_erased_a_minute_later(database: Database) -> None:
    """Once; whoever opted in again meanwhile keeps what they wrote since."""
    clock = DrivenClock(moment(0))
    privacy = service(database, clock)
    await wrote(database, MIA, NOAH)
    for person_id in (MIA, NOAH):
        assert await privacy.erase(GUILD, person_id) == 1
    await privacy.opt_in(GUILD, NOAH, clock.now())
    await privacy.finish_due()
    await wrote(database, MIA, NOAH)
    clock.set(clock.now() + timedelta(seconds=59))
    await privacy.finish_due()
    assert (await on_record(database), await remains(database)) == ({MIA, NOAH}, None)
    clock.set(clock.now() + timedelta(seconds=1))
    await privacy.finish_due()
    owed = Remains.IN_FILE if database.dialect == "sqlite" else None
    assert (await on_record(database), await remains(database)) == ({NOAH}, owed)
    await wrote(database, MIA)
    await privacy.finish_due()
    assert await on_record(database) == {MIA, NOAH}


async def test_an_erasure_is_repeated_soon_even_if_the_time_was_taken_for_a_later_one(database: Database) -> None:
    clock = DrivenClock(moment(0) + timedelta(days=40))
    privacy = service(database, clock)
    await privacy.erase(GUILD, MIA)
    clock.set(moment(0), back=True)
    await wrote(database, MIA)
    await privacy.finish_due()
    assert await on_record(database) == set()


@pytest.fixture
async def file(tmp_path: Path, sqlite_template: Path) -> AsyncIterator[Database]:
    """An open SQLite database."""
    (tmp_path / "spade.db").write_bytes(sqlite_template.read_bytes())
    opened = await open_database(f"sqlite:///{tmp_path / 'spade.db'}", write=True)
    try:
        yield opened
    finally:
        await opened.close()


async def crowded(database: Database) -> None:
    """Everybody wrote on each of 90 days, in an order that leaves copies behind where SQLite rebalances its pages."""
    written = [(one, date(2026, 1, 1) + timedelta(day)) for one in CROWD for day in range(90)]
    random.Random(8).shuffle(written)
    async with database.writing() as connection:
        await written_days.add(connection, [(GUILD, one, day, 1) for one, day in written])


def traces(folder: Path, person_id: int) -> int:
    """How often an id stands in the database file and its log, as SQLite writes it."""
    return sum(path.read_bytes().count(person_id.to_bytes(8, "big")) for path in folder.glob("spade.db*"))


async def test_of_many_presses_one_rewrites_the_file_and_none_does_it_itself(
    tmp_path: Path, file: Database, rewritten: list[None]
) -> None:
    """The bytes are gone with the next tick; those of people erased later with the next rewriting."""
    clock = DrivenClock(moment(0))
    privacy = service(file, clock)
    await crowded(file)
    first, *others = CROWD[::3]
    await privacy.erase(GUILD, first)
    assert (rewritten, traces(tmp_path, first) > 0) == ([], True)
    await privacy.finish_due()
    assert (len(rewritten), traces(tmp_path, first)) == (1, 0)
    for one in 4 * others:
        await privacy.erase(GUILD, one)
        clock.set(clock.now() + TICK)
        await privacy.finish_due()
    assert len(rewritten) == 1
    clock.set(moment(0) + REWRITE_EVERY)
    for _ in range(3):
        await privacy.finish_due()
    assert len(rewritten) == 2
    assert sum(traces(tmp_path, one) for one in (first, *others)) == 0


async def test_a_restart_forgets_neither_what_is_owed_nor_when_the_file_was_rewritten(
    file: Database, rewritten: list[None]
) -> None:
    clock = DrivenClock(moment(0))
    await wrote(file, MIA, NOAH)
    await service(file, clock).erase(GUILD, MIA)
    await service(file, clock).finish_due()
    await service(file, clock).erase(GUILD, NOAH)
    clock.set(moment(0) + REWRITE_EVERY - TICK)
    await service(file, clock).finish_due()
    assert (len(rewritten), await remains(file)) == (1, Remains.IN_FILE)
    clock.set(moment(0) + REWRITE_EVERY)
    await service(file, clock).finish_due()
    assert (len(rewritten), await remains(file)) == (2, None)
    clock.set(moment(0) + 3 * REWRITE_EVERY)
    await service(file, clock).finish_due()
    assert len(rewritten) == 2


async def test_a_log_that_somebody_reads_is_emptied_later_and_the_file_not_rewritten_again(
    tmp_path: Path, file: Database, rewritten: list[None]
) -> None:
    privacy = service(file, DrivenClock(moment(0)))
    await wrote(file, MIA)
    with closing(sqlite3.connect(tmp_path / "spade.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM activity").fetchall()
        await privacy.erase(GUILD, MIA)
        for _ in range(2):
            await privacy.finish_due()
            assert (len(rewritten), await remains(file)) == (1, Remains.IN_LOG)
        reader.execute("COMMIT")
    await privacy.finish_due()
    assert (len(rewritten), await remains(file)) == (1, None)
    assert traces(tmp_path, MIA) == 0


async def test_who_is_erased_while_the_file_is_rewritten_is_owed_the_next_time(
    file: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = DrivenClock(moment(0))
    privacy = service(file, clock)
    await wrote(file, MIA, NOAH)
    await privacy.erase(GUILD, MIA)

    async def meanwhile(_self: Database) -> None:
        await privacy.erase(GUILD, NOAH)

    monkeypatch.setattr(Database, "rewrite", meanwhile)
    await privacy.finish_due()
    assert await remains(file) is Remains.IN_FILE


async def test_without_room_for_a_copy_it_is_told_once_and_tried_again_hours_later(
    file: Database, rewritten: list[None], caplog: pytest.LogCaptureFixture
) -> None:
    clock = DrivenClock(moment(0))
    privacy = service(file, clock)
    await crowded(file)
    await privacy.erase(GUILD, CROWD[0])
    assert await file.empty_log()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))  # no file may grow beyond that, as on a full disk
    try:
        for _ in range(3):
            await privacy.finish_due()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert len(rewritten) == 1
    (line,) = caplog.messages
    assert "still has remains" in line
    clock.set(moment(0) + REWRITE_EVERY)
    await privacy.finish_due()
    assert (len(rewritten), await remains(file)) == (2, None)
