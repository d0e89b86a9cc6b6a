"""Databases that are filled at the schema of `WRITTEN_FOR`, and then migrated to this version's.

So what writes rows here need not know what a later schema makes of them: its migrations do.
"""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from bot.store import migrations
from bot.store.database import open_database

WRITTEN_FOR = "0008"
_SCRIPTS = Path(migrations.__file__).parent


async def make(path: Path, fill: Callable[[sqlite3.Connection], object], plain: Path | None = None) -> None:
    """Make a new SQLite file at `path`. `plain` is a copy of it before the migration: rows in plain tables."""
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(_SCRIPTS))
        config.attributes["connection"] = connection
        command.upgrade(config, WRITTEN_FOR)
    engine.dispose()
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = OFF")
        database.execute("PRAGMA cache_size = -200000")
        fill(database)
        database.commit()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path.chmod(0o600)
    if plain is not None:
        shutil.copyfile(path, plain)
    await (await open_database(f"sqlite:///{path}", write=True)).close()
    for copy in path.parent.glob(f"{path.name}.before-*"):
        copy.unlink()


def insert(database: sqlite3.Connection, table: str, columns: str, rows: object) -> None:
    """Insert rows; of two with one key, the first."""
    places = ", ".join("?" * len(columns.split(",")))
    database.executemany(f"INSERT OR IGNORE INTO {table} ({columns}) VALUES ({places})", rows)
