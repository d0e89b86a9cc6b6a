"""The loop in which waiting takes no time."""

import asyncio
import time
from unittest import mock

import aiosqlite
from aiosqlite import core

from tests.support.fast_loop import FastLoop
from tests.support.sqlite_in_the_loop import sqlite_in_the_loop


def test_no_time_passes_while_a_database_is_opened_asked_and_closed_on_a_busy_machine() -> None:
    work = core._connection_worker_thread

    def slow(*given: object) -> None:
        time.sleep(0.05)
        work(*given)

    async def ask() -> tuple[object, float]:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(3600):
            async with aiosqlite.connect(":memory:") as database, database.execute("SELECT 7") as cursor:
                found = await cursor.fetchone()
        return found, loop.time()

    with (
        mock.patch.object(core, "_connection_worker_thread", slow),
        sqlite_in_the_loop(),
        asyncio.Runner(loop_factory=lambda: FastLoop(step=float("inf"))) as runner,
    ):
        assert runner.run(ask()) == ((7,), 0.0)
