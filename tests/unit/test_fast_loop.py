"""The loop in which waiting takes no time."""

import asyncio
import time
from pathlib import Path
from unittest import mock

import aiosqlite
from aiosqlite import core

from bot.store.sqlite_engine import sqlite_engine
from tests.support.fast_loop import FastLoop
from tests.support.sqlite_in_the_loop import sqlite_in_the_loop

_work = core._connection_worker_thread


def _slow(*given: object) -> None:
    """A connection's thread that gets its turn late."""
    time.sleep(0.05)
    _work(*given)


def test_no_time_passes_while_a_database_is_opened_asked_and_closed_on_a_busy_machine() -> None:
    async def ask() -> tuple[object, float]:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(3600):
            async with aiosqlite.connect(":memory:") as database, database.execute("SELECT 7") as cursor:
                found = await cursor.fetchone()
        return found, loop.time()

    with (
        mock.patch.object(core, "_connection_worker_thread", _slow),
        sqlite_in_the_loop(),
        asyncio.Runner(loop_factory=lambda: FastLoop(step=float("inf"))) as runner,
    ):
        assert runner.run(ask()) == ((7,), 0.0)


def test_no_time_passes_while_an_engine_makes_a_connection_on_a_busy_machine(tmp_path: Path) -> None:
    async def ask() -> float:
        engine = sqlite_engine(tmp_path / "spade.db", pool_size=1, begin="BEGIN", read_only=False)
        async with asyncio.timeout(3600), engine.connect() as connection:
            assert (await connection.exec_driver_sql("SELECT 7")).scalar_one() == 7
        await engine.dispose()
        return asyncio.get_running_loop().time()

    with (
        mock.patch.object(core, "_connection_worker_thread", _slow),
        sqlite_in_the_loop(),
        asyncio.Runner(loop_factory=lambda: FastLoop(step=float("inf"))) as runner,
    ):
        assert runner.run(ask()) == 0.0
