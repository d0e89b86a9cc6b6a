"""Backups of a SQLite database: made while the bot runs, checked, and restored."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError

from bot.store.backup_files import STAMP, backup_path, backups_of
from bot.store.damage import damaged, is_damage
from bot.store.error import LostDatabaseError, StoreError
from bot.store.migration import SchemaState, current_revision, schema_state
from bot.store.sqlite_file import is_sqlite
from bot.store.writer_lock import WriterLock

_PAGES_AT_ONCE = 256


def make_backup(database: Path, target: Path, *, force: bool = False) -> None:
    """Copy a consistent state of a database, even while it is written to, and check the copy.

    An existing backup at `target` is replaced atomically, with `force` any other file, too, but for databases in use.

    Raises:
        StoreError: The copy failed, the database is damaged, or `target` is not a backup; `target` is unchanged.
    """
    if not database.exists():
        raise StoreError(f"There is no database at {database}, so there is nothing to back up.")
    part = target.with_name(f"{target.name}.part")
    if not target.parent.is_dir():
        raise StoreError(f"There is no folder {target.parent} to put the backup into: make it first.")
    with _as_store_error(f"The backup {target} could not be made"):
        if not is_sqlite(database):
            raise StoreError(f"{database} is not a SQLite database, so there is nothing to back up.")
        _require_writable_target(target, database, force=force)
        try:
            finding = _copied(database, part)
            if finding != "ok":
                raise LostDatabaseError(damaged(str(database), finding))
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)


def drop_expired(database: Path, now: datetime, keep: timedelta) -> tuple[Path, ...]:
    """Delete the backups beside a database, and the copies that a restore or a migration put aside, older than `keep`.

    Returns the deleted paths. StoreError if one cannot be deleted.
    """
    oldest = backup_path(database, now - keep).name
    aside = sorted(database.parent.glob(f"{database.name}.before-*"))
    expired = [
        *(path for path in backups_of(database) if path.name < oldest),
        *(path for path in aside if datetime.fromtimestamp(path.stat().st_mtime, UTC) < now - keep),
    ]
    for path in expired:
        with _as_store_error(f"The expired copy {path} cannot be deleted"):
            path.unlink()
    return tuple(expired)


@contextmanager
def others_kept_out(database: Path) -> Iterator[None]:
    """Hold the writer's lock of a database file; StoreError if another process has it.

    At the end the file counts as checked, even if its last writer was killed.
    """
    lock = WriterLock(database.with_name(database.name + ".lock"))
    with _as_store_error(f"{database} cannot be replaced"):
        taken = lock.acquire()
    if not taken:
        raise StoreError(f"Spade is writing to {database} (process {lock.holder()}): stop it first.")
    try:
        yield
        lock.abandoned = False  # the file that is there now was checked
    finally:
        lock.release()


@contextmanager
def laid_out(database: Path, backup: Path) -> Iterator[Path]:
    """A checked copy of a backup, beside the database and with mode 0600; deleted at the end unless it was moved.

    Raises:
        StoreError: The backup cannot be used; nothing was changed.
    """
    _require_sound(backup)
    part = database.with_name(f"{database.name}.part")
    try:
        with _as_store_error(f"The backup could not be copied to {part}"):
            _copy(reading_address(backup), part)
        yield part
    finally:
        for suffix in ("", ".lock", "-wal", "-shm"):
            part.with_name(part.name + suffix).unlink(missing_ok=True)


def put_in_place(part: Path, database: Path, at: datetime) -> Path | None:
    """Move `part` to the path of the database. A file there is moved aside, and its new path is returned."""
    aside = database.with_name(f"{database.name}.before-restore-{at:{STAMP}}")
    with _as_store_error(f"The backup could not be put in the place of {database}"):
        there = database.exists()
        # The log of a database that is gone is no log of the one that comes.
        for suffix in ("", "-wal", "-shm"):
            beside = database.with_name(database.name + suffix)
            if beside.exists():
                kept = beside.replace(aside.with_name(aside.name + suffix))
                os.utime(kept, (at.timestamp(), at.timestamp()))  # drop_expired goes by this time
        part.replace(database)
    return aside if there else None


def reading_address(database: Path) -> str:
    """SQLite's URI of a file that is not being written to, for reading, even in a folder that is read-only."""
    address = f"{database.absolute().as_uri()}?mode=ro"
    beside = database.with_name(f"{database.name}-wal")
    return address if beside.exists() else f"{address}&immutable=1"


def _copy(address: str, target: Path) -> str:
    """Copy the database at a SQLite URI; returns the result of `quick_check` on the copy, "ok" if it is sound."""
    target.unlink(missing_ok=True)
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    with (
        closing(sqlite3.connect(address, uri=True)) as original,
        closing(sqlite3.connect(target)) as copy,
    ):
        original.backup(copy, pages=_PAGES_AT_ONCE)
        return str(copy.execute("PRAGMA quick_check(1)").fetchone()[0])


def _copied(database: Path, part: Path) -> str:
    try:
        return _copy(f"{database.absolute().as_uri()}?mode=ro", part)
    except sqlite3.Error as error:
        if is_damage(error):
            raise LostDatabaseError(damaged(str(database), str(error))) from error
        raise


def _require_writable_target(target: Path, database: Path, *, force: bool) -> None:
    if target.is_dir():
        raise StoreError(f"{target} is a folder: name a file in it for the backup.")
    if not target.exists():
        return
    if target.samefile(database):
        raise StoreError(f"{target} is the database itself: name another file for the backup.")
    if not target.is_file():
        raise StoreError(f"{target} is no file that can be written over: name another.")
    if target.with_name(f"{target.name}.lock").exists():
        raise StoreError(f"{target} is a database that Spade writes to: name another file for the backup.")
    if not force and not _is_spades(target):
        raise StoreError(f"{target} is there already and is no backup: name another file, or add --force.")


def _is_spades(path: Path) -> bool:
    """Whether a file is a sound database of any version of Spade's."""
    try:
        return is_sqlite(path) and examined(path)[1] not in {SchemaState.EMPTY, SchemaState.FOREIGN}
    except sqlite3.Error:
        return False


def examined(database: Path) -> tuple[str, SchemaState]:
    """What `quick_check` finds in a SQLite file, "ok" if it is sound, and its schema. Nothing is written beside it.

    Raises sqlite3.Error, and OSError.
    """
    address = reading_address(database)
    with closing(sqlite3.connect(address, uri=True)) as connection:
        finding = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(address, uri=True))
    try:
        with engine.connect() as opened:
            return finding, schema_state(current_revision(opened))
    except DBAPIError as error:
        raise error.orig or error from error
    finally:
        engine.dispose()


def require_usable(database: Path) -> None:
    """Raise StoreError if a SQLite file is damaged, or not a database of Spade's. All of it is read."""
    try:
        finding, state = examined(database)
    except sqlite3.Error as error:
        if not is_damage(error):
            raise StoreError(f"The database {database} cannot be used: {error}.") from error
        finding, state = str(error), SchemaState.CURRENT
    if finding != "ok":
        raise LostDatabaseError(damaged(str(database), finding))
    if state in {SchemaState.EMPTY, SchemaState.FOREIGN}:
        raise StoreError(f"{database} is a database, but not one of Spade's: name another file.")
    if state is SchemaState.NEWER:
        raise StoreError(f"The database {database} was written by a newer Spade: update Spade.")


def _require_sound(backup: Path) -> None:
    if not backup.is_file():
        raise StoreError(f"There is no backup at {backup}.")
    with _as_store_error(f"{backup} cannot be used as a backup"):
        finding, state = examined(backup)
    if finding != "ok":
        raise StoreError(f"{backup} is damaged ({finding}): name another backup.")
    if state in {SchemaState.EMPTY, SchemaState.FOREIGN}:
        raise StoreError(f"{backup} is not a database of Spade's: name another file.")
    if state is SchemaState.NEWER:
        raise StoreError(f"{backup} was written by a newer Spade: update Spade first.")


@contextmanager
def _as_store_error(failure: str) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"{failure}: {getattr(error, 'strerror', None) or error}.") from error
