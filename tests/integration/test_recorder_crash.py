"""SIGKILL before every statement of recording, one after the other: nothing is lost, nothing counts twice."""

import asyncio
import multiprocessing
import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.store.database import open_database
from tests.faults.boundaries import (
    ANN,
    BEN,
    CAT,
    COLLEAGUE,
    GENERAL,
    MANAGER,
    STRETCHES,
    THREAD,
    at,
    prepare,
    record_everything,
    record_until,
)
from tests.support.days import DAYS

TABLES = ("activity", "member", "touch", "waiting", "waiting_for", "span")
AT_ONCE = 4
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.faults.boundaries"])


def tables(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    with closing(sqlite3.connect(path)) as connection:
        queries = {table: DAYS if table == "activity" else f"SELECT * FROM {table}" for table in TABLES}
        return {table: sorted(connection.execute(query), key=repr) for table, query in queries.items()}


async def recorded(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """What is on record after everything was recorded by a process that nothing happens to."""
    database = await open_database(f"sqlite:///{path}", write=True)
    try:
        await record_everything(database)
    finally:
        await database.close()
    return tables(path)


async def killed(path: Path, boundary: int) -> bool:
    """Whether the process reached that boundary, and so ended there; otherwise it ended by itself."""
    process = FORKS.Process(target=record_until, args=(str(path), boundary))
    process.start()
    while process.is_alive():
        await asyncio.sleep(0.005)
    assert process.exitcode in {0, -signal.SIGKILL}, process.exitcode
    return process.exitcode != 0


@pytest.mark.timeout(120)
async def test_killed_before_every_statement(tmp_path: Path) -> None:
    empty = tmp_path / "empty.db"
    await prepare(str(empty))
    shutil.copyfile(empty, tmp_path / "whole.db")
    wanted = await recorded(tmp_path / "whole.db")
    check_by_hand(wanted)
    statements, seen = 0, set()
    first = 1
    while True:
        boundaries = range(first, first + AT_ONCE)
        paths = [tmp_path / f"{boundary}.db" for boundary in boundaries]
        for path in paths:
            shutil.copyfile(empty, path)
        ended = await asyncio.gather(
            *(killed(path, boundary) for path, boundary in zip(paths, boundaries, strict=True))
        )
        for path, early in zip(paths, ended, strict=True):
            statements += early
            seen.add(len(tables(path)["span"]))
            assert await recorded(path) == wanted, f"killed before statement {path.stem}"
        if not all(ended):
            break
        first += AT_ONCE
    print(f"recording: stretches={len(STRETCHES)} boundaries={statements} lost=0 doubled=0")
    assert statements > 40
    assert seen >= {0, 1, 2, 3}  # killed with nothing, something and everything on record


def check_by_hand(found: dict[str, list[tuple[Any, ...]]]) -> None:
    """The record that all of them must come to, without asking the code."""
    activity = {(row[1], row[2]): row[3] for row in found["activity"]}
    assert activity == {
        (ANN, "2026-03-02"): 2,
        (BEN, "2026-03-02"): 1,
        (CAT, "2026-03-02"): 2,
        (CAT, "2026-03-03"): 1,
        (MANAGER, "2026-03-02"): 2,
        (COLLEAGUE, "2026-03-02"): 2,
    }
    touches = {(row[0], row[1], row[2], row[5]) for row in found["touch"]}
    assert touches == {
        (at(1), ANN, MANAGER, "reply"),
        (at(6), CAT, MANAGER, "reply"),
        (at(6.5), CAT, COLLEAGUE, "thread"),
    }
    assert {row[0] for row in found["waiting"]} == {at(2), at(4), at(5.5)}
    assert sorted(found["waiting_for"]) == [(at(2), MANAGER), (at(4), MANAGER), (at(4), COLLEAGUE)]
    assert {(row[0], *row[1:3]) for row in found["span"]} == {
        (GENERAL, GENERAL, at(8)),
        (THREAD, THREAD, at(24 * 60)),
    }
