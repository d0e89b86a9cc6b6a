"""One SQL statement through the store, against one through `sqlite3`."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import select

from bot.store.database import open_database
from bot.store.tables import guild
from tests.bench.counting import counting
from tests.bench.measure import in_turn
from tests.bench.row import Row, alone, at_most, beside
from tests.bench.sizes import Sizes
from tests.bench.ticks import FIRST_GUILD, make

NAME = "one SQL statement"
_GUILDS = 20


def statement(sizes: Sizes, folder: Path) -> Row:
    """CPU and hops of a statement that reads one row by its key, with nothing around it but the transaction."""
    path = folder / "statement.db"
    asyncio.run(make(path, _GUILDS, 1))
    return asyncio.run(_measured(path, sizes))


async def _measured(path: Path, sizes: Sizes) -> Row:
    ids = [FIRST_GUILD + number % _GUILDS for number in range(sizes.statements)]
    with counting() as counter:
        database = await open_database(f"sqlite:///{path}", write=True)
        try:
            before = counter.now()
            async with database.reading() as connection:
                for guild_id in ids:
                    (await connection.execute(select(guild.c.time_zone).where(guild.c.guild_id == guild_id))).all()
            counts = counter.now() - before
        finally:
            await database.close()
    database = await open_database(f"sqlite:///{path}", write=True)

    async def ours() -> None:
        async with database.reading() as connection:
            for guild_id in ids:
                (await connection.execute(select(guild.c.time_zone).where(guild.c.guild_id == guild_id))).all()

    async def theirs() -> None:
        with closing(sqlite3.connect(path)) as plain:
            for guild_id in ids:
                plain.execute("SELECT time_zone FROM guild WHERE guild_id = ?", (guild_id,)).fetchall()

    try:
        took = await in_turn(ours, theirs, sizes.pairs, sizes.seconds)
    finally:
        await database.close()
    each = [tuple(1000 * seconds / len(ids) for seconds in pair) for pair in took]
    return Row(
        NAME,
        (
            beside("CPU", "ms", "sqlite3", [(ours, theirs) for ours, theirs in each]),
            alone("hops from thread to thread", "", [counts.hops / len(ids)], at_most(1.05)),
        ),
    )
