"""`spade backup`, `spade restore` and `spade migrate`: maintenance of the database."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.confirmation import confirm
from bot.cli.failure import Failure
from bot.cli.options import ConfigOption, DatabaseOption, settings_of
from bot.cli.output import ForceOption, Outputs
from bot.clock import SystemClock
from bot.config import Settings
from bot.database_url import database_file
from bot.services.guild.restoration import restore as put_back
from bot.store.backup import drop_expired, make_backup
from bot.store.backup_files import backup_path
from bot.store.database import open_database


def backup(
    config: ConfigOption = None,
    database: DatabaseOption = None,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="Where to; without it, beside the database.")
    ] = None,
    keep_days: Annotated[
        int,
        typer.Option(
            "--keep-days",
            metavar="DAYS",
            min=1,
            max=36500,
            help="Delete copies beside the database that are older.",
        ),
    ] = 30,
    *,
    force: ForceOption = False,
) -> None:
    """Copy the database, also while the bot runs, and check the copy.

    Members who erase what is stored about them stay in older backups until those expire.
    """
    settings = settings_of(config, database)
    file = _file(settings)
    now = SystemClock().now()
    target = to or backup_path(file, now)
    Outputs(settings, config, force=force).require_unused(target)
    make_backup(file, target, force=force)
    expired = drop_expired(file, now, timedelta(days=keep_days))
    print(f"Backed up to {target} ({target.stat().st_size:,} bytes, checked).")
    for path in expired:
        print(f"Deleted {path}: older than {keep_days} days.")


def restore(
    backup_file: Annotated[Path, typer.Argument(metavar="BACKUP", help="A file that `spade backup` made.")],
    config: ConfigOption = None,
    database: DatabaseOption = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Put a backup in the place of the database. The database that stood there is kept beside it.

    Who opted out or was erased since the backup stays out, as far as that database can still be read.
    """
    file = _file(settings_of(config, database))
    if not yes:
        confirm(f"Put {backup_file} in the place of {file}?", "restore asks before it replaces a database")
    restored = asyncio.run(put_back(file, backup_file, SystemClock().now()))
    print(f"Restored {file} from {backup_file}." + (f" The former one is {restored.aside}." if restored.aside else ""))
    if restored.left_out:
        print(f"People who asked not to be on record since then were left out: {restored.left_out}.")
    if restored.unreadable:
        print(f"Who opted out or was erased since the backup is on record again: {restored.unreadable}")
    print("What happened on Discord since the backup is fetched at the next start.")


def migrate(config: ConfigOption = None, database: DatabaseOption = None) -> None:
    """Bring the database to this version's schema. `spade run` does it by itself."""
    asyncio.run(_migrate(settings_of(config, database)))
    print("The database is up to date.")


async def _migrate(settings: Settings) -> None:
    database = await open_database(settings.database, write=True)
    await database.close()


def _file(settings: Settings) -> Path:
    file = database_file(settings.database)
    if file is None:
        raise Failure("a PostgreSQL database is backed up with pg_dump and restored with pg_restore", status=2)
    return file
