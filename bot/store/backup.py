"""Copies of a SQLite database: made while the bot runs, checked, and put back in its place."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import create_engine

from bot.store.error import StoreError
from bot.store.migration import SchemaState, current_revision, schema_state
from bot.store.writer_lock import WriterLock

_STAMP = "%Y%m%dT%H%M%SZ"
_PAGES_AT_ONCE = 256


def backup_path(database: Path, at: datetime) -> Path:
    """Where a backup made at a moment (UTC) stands: beside the database."""
    return database.with_name(f"{database.name}.backup-{at:{_STAMP}}")


def backups_of(database: Path) -> tuple[Path, ...]:
    """The backups beside a database, the newest first."""
    found = database.parent.glob(f"{database.name}.backup-*")
    return tuple(sorted((path for path in found if path.suffix != ".part"), reverse=True))


def make_backup(database: Path, target: Path) -> None:
    """Copy a database as it is at one moment, whoever writes to it meanwhile, and check the copy.

    Raises StoreError; then there is no `target`.
    """
    if not database.exists():
        raise StoreError(f"There is no database at {database}, so there is nothing to back up.")
    part = target.with_name(f"{target.name}.part")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600))
        with (
            closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(part)) as copy,
        ):
            source.backup(copy, pages=_PAGES_AT_ONCE)
            finding = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
        if finding != "ok":
            raise StoreError(f"The database {database} is damaged ({finding}), so the backup was not kept.")
        part.replace(target)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"The backup {target} could not be made: {error}.") from error
    finally:
        part.unlink(missing_ok=True)


def drop_expired(database: Path, now: datetime, keep: timedelta) -> tuple[Path, ...]:
    """Delete the backups that are older than `keep`; returns which."""
    oldest = backup_path(database, now - keep).name
    expired = tuple(path for path in backups_of(database) if path.name < oldest)
    for path in expired:
        path.unlink()
    return expired


def restore_backup(database: Path, backup: Path, at: datetime) -> Path | None:
    """Put a backup in the place of a database; what stood there is moved aside, and the path of it returned.

    Raises StoreError and changes nothing when the backup is not sound, or when Spade is writing to the database.
    """
    lock = WriterLock(database.with_name(database.name + ".lock"))
    if not lock.acquire():
        raise StoreError(f"Spade is writing to {database} (process {lock.holder()}): stop it first.")
    try:
        _require_sound(backup)
        aside = None
        with _sentence(f"The backup could not be put in the place of {database}"):
            part = database.with_name(f"{database.name}.part")
            shutil.copyfile(backup, part)
            part.chmod(0o600)
            if database.exists():
                aside = database.with_name(f"{database.name}.before-restore-{at:{_STAMP}}")
                database.replace(aside)
                for suffix in ("-wal", "-shm"):
                    beside = database.with_name(database.name + suffix)
                    if beside.exists():
                        beside.replace(aside.with_name(aside.name + suffix))
            part.replace(database)
        lock.abandoned = False  # what stands there now was looked at
        return aside
    finally:
        lock.release()


def _require_sound(backup: Path) -> None:
    if not backup.is_file():
        raise StoreError(f"There is no backup at {backup}.")
    with _sentence(f"{backup} cannot be used as a backup"):
        with closing(sqlite3.connect(f"{backup.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            finding = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        engine = create_engine(f"sqlite:///{backup}")
        try:
            with engine.connect() as connection:
                state = schema_state(current_revision(connection))
        finally:
            engine.dispose()
    if finding != "ok":
        raise StoreError(f"{backup} is damaged ({finding}): name another backup.")
    if state is SchemaState.EMPTY:
        raise StoreError(f"{backup} is not a database of Spade's: name another file.")
    if state is SchemaState.NEWER:
        raise StoreError(f"{backup} was written by a newer Spade: update Spade first.")


@contextmanager
def _sentence(failure: str) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"{failure}: {error}.") from error
