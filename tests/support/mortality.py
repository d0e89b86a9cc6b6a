"""Ending a story as SIGKILL would: from some transaction on nothing is committed any more, and the process is gone."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from unittest import mock

from bot.store.database import Connection, Database


async def killed_after(database: Database, commits: int, story: Awaitable[object]) -> bool:
    """Run a story until it has committed so many transactions and wants one more; whether it came to that."""
    writing, fatal, left = database.writing, asyncio.Event(), commits

    @asynccontextmanager
    async def mortal() -> AsyncIterator[Connection]:
        nonlocal left
        if left == 0:
            fatal.set()
            await asyncio.Event().wait()
        left -= 1
        async with writing() as connection:
            yield connection

    with mock.patch.object(database, "writing", mortal):
        living, death = asyncio.ensure_future(story), asyncio.ensure_future(fatal.wait())
        await asyncio.wait((living, death), return_when=asyncio.FIRST_COMPLETED)
        died = not living.done()
        living.cancel()
        death.cancel()
        outcome, _ = await asyncio.gather(living, death, return_exceptions=True)
    if isinstance(outcome, Exception):
        raise outcome
    return died
