"""The database: one writing connection, a pool of read-only ones, transactions, and errors as sentences."""

import asyncio
import logging
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Table, event, make_url, select, text
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bot.store import postgres
from bot.store.backup import make_backup
from bot.store.backup_files import backups_of
from bot.store.damage import damaged, is_damage, is_sqlite_outage
from bot.store.database_file import DatabaseFile, lost_before
from bot.store.engine import AsyncConnection, AsyncEngine
from bot.store.error import LostDatabaseError, OutageError, other_writer
from bot.store.error import StoreError as StoreError  # noqa: PLC0414 - re-exported for callers of open_database
from bot.store.migration import (
    SchemaState,
    current_revision,
    foreign_tables,
    missing_tables,
    newest_revision,
    schema_state,
    upgrade,
)
from bot.store.outage import DatabaseOutage, Transaction
from bot.store.sqlite_engine import BUSY_TIMEOUT_MS, sqlite_engine
from bot.store.sqlite_file import is_sqlite
from bot.store.table_changes import TableChanges
from bot.store.writer_lock import WriterLock

log = logging.getLogger(__name__)

Connection = AsyncConnection
"""The argument of the functions of the store; services pass it on and call nothing on it."""

LOG_PATIENCE_MS = 200
"""How long emptying the log waits for readers, while writing waits for it."""
READERS = 4
LOOK_SECONDS = 1.0
"""How often `Database.lost` looks whether the file is still there."""


class Database:
    """An open database. Created by `open_database`; `close` must be awaited, or the process hangs on exit.

    Writers take turns on one connection, so that no task commits the unfinished work of another. Readers see what was
    committed when their block began. Once it is found damaged, or a file that is open for writing is found deleted or
    replaced, it is *lost*: every block raises the same LostDatabaseError from then on, and nothing more is written.
    """

    def __init__(
        self,
        place: str,
        writer: AsyncEngine,
        readers: AsyncEngine,
        lock: WriterLock | None = None,
        file: DatabaseFile | None = None,
    ) -> None:
        self._place = place
        self._writer = writer
        self._readers = readers
        self._lock = lock
        self._file = file
        self._turn = asyncio.Lock()
        self._changes = TableChanges(writer.sync_engine)
        self.outage = DatabaseOutage(self._look)
        self._lost: LostDatabaseError | None = None
        self._is_lost = asyncio.Event()

    @property
    def writable(self) -> bool:
        """Whether it was opened for writing."""
        return self._writer is not self._readers

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: committed at the end of the block, rolled back if it raises or is cancelled.

        Raises:
            OutageError: The database cannot be written (a full disk, another program's lock); nothing was written.
        """
        self._require_whole()
        with self._using(Transaction.WRITING):
            async with self._turn:
                try:
                    async with self._writer.begin() as connection:
                        yield connection
                        self._require_whole()
                finally:
                    self._changes.end()  # even if it seems to have failed: a commit that is cancelled may succeed

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """One consistent snapshot, in which writing fails. OutageError if the database cannot be read."""
        self._require_whole()
        with self._using(Transaction.READING):
            async with self._readers.connect() as connection:
                yield connection

    @contextmanager
    def _using(self, kind: Transaction) -> Iterator[None]:
        try:
            with self._as_store_errors():
                yield
        except OutageError as error:
            self.outage.failed(kind, error)
            raise
        self.outage.worked(kind)

    async def _look(self, kind: Transaction) -> None:
        """Find out whether a database can be used again; only what is really written finds out about a full disk."""
        if kind is Transaction.READING:
            async with self.reading() as connection:
                await connection.execute(select(1))
        elif self.dialect != "sqlite":
            async with self.writing() as connection:
                await connection.execute(select(1))

    @property
    def ended(self) -> int | None:
        """How many transactions that may have written have ended. What was read at the same number still holds.

        To be asked while writing. None if other processes may write as well.
        """
        return self._changes.ended if self.dialect == "sqlite" else None

    def changed(self, *tables: Table) -> int | None:
        """The number of the last transaction that may have changed one of these tables; 0 if there was none.

        What was read after asking still holds as long as the answer is the same. None if other processes may write as
        well.
        """
        return self._changes.of(tables) if self.dialect == "sqlite" else None

    @property
    def place(self) -> str:
        """The file, or the URL without its password."""
        return self._place

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._writer.dialect.name

    async def rewrite(self) -> None:
        """Rewrite a SQLite file, so that no deleted data is left in it; writing waits, about 7 ms a megabyte.

        The write-ahead log has the old pages until `empty_log`. Raises StoreError, if the disk has no room for a copy.
        """
        if self.dialect == "sqlite":
            await self._run("VACUUM")

    async def empty_log(self) -> bool:
        """Empty a SQLite file's write-ahead log; False if a reader still needs it: then retry."""
        if self.dialect != "sqlite":
            return True
        busy, *_ = await self._run("PRAGMA wal_checkpoint(TRUNCATE)", patience_ms=LOG_PATIENCE_MS)
        return not busy

    async def _run(self, statement: str, *, patience_ms: int = BUSY_TIMEOUT_MS) -> Any:  # noqa: ANN401 - SQLite's row
        """Run a statement of SQLite's own outside of any transaction, and return its first row."""
        self._require_whole()
        with self._as_store_errors():
            async with self._turn, self._writer.connect() as connection:
                driver = (await connection.get_raw_connection()).driver_connection
                assert driver is not None
                try:
                    await _row(driver, f"PRAGMA busy_timeout = {patience_ms}")
                    return await _row(driver, statement)
                except sqlite3.DatabaseError as error:  # as SQLAlchemy raises it, which is passed by here
                    kind = OperationalError if isinstance(error, sqlite3.OperationalError) else DatabaseError
                    raise kind(statement, None, error) from error
                finally:
                    await _row(driver, f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")

    async def lost(self) -> LostDatabaseError:
        """Wait until the database is lost, which is looked for every `LOOK_SECONDS`; returns the error."""
        while self._lost is None:
            with suppress(LostDatabaseError):
                self._require_whole()
                if self._lock is not None and not self._lock.keep():
                    self._lose(str(other_writer(self._place, self._lock.holder())))
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._is_lost.wait()
        return self._lost

    async def salvaged(self, copy: Path) -> str:
        """Save what can be saved of a lost database; returns a sentence about how to go on.

        The log is written into the file, which is all there is to do where the file is in place, or was moved. If it is
        not at its path any more, what it holds is copied to `copy` besides, a new file. Nothing is done about damage.
        """
        if self._file is None or self._file.change() is None:
            return ""
        try:
            async with self._turn, self._writer.connect() as connection:
                driver = (await connection.get_raw_connection()).driver_connection
                assert driver is not None
                await _row(driver, "PRAGMA wal_checkpoint(TRUNCATE)")
                if self._file.in_place:
                    return "What it held was written into the database: start Spade again."
                os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
                await driver.execute("VACUUM INTO ?", (str(copy),))
        except (DBAPIError, sqlite3.Error, OSError) as error:
            return f"What it held could not be saved ({error}): put the file or a backup back, then start Spade again."
        return f"What it held was saved: `spade restore {copy}` puts it back."

    async def close(self) -> None:
        """Close every connection and release the writer's lock."""
        await self.outage.close()
        await self._writer.dispose()
        if self._readers is not self._writer:
            await self._readers.dispose()
        if self._lock is not None:
            # The next one to write has to look through the file, or to notice that there is none.
            self._lock.abandoned = self._lock.abandoned or self._lost is not None
            self._lock.release()

    def _require_whole(self) -> None:
        """Raise LostDatabaseError if the database is lost. It asks the system three times, so it is cheap."""
        if self._lost is None and self._file is not None and (change := self._file.change()) is not None:
            self._lose(f"{change}: nothing was recorded since, and Spade stops.")
        if self._lost is not None:
            raise self._lost

    def _lose(self, sentence: str) -> LostDatabaseError:
        self._lost = LostDatabaseError(sentence)
        self._is_lost.set()
        return self._lost

    @contextmanager
    def _as_store_errors(self) -> Iterator[None]:
        """Turn outages, damage and operational errors into StoreError; let other errors, which are defects, pass."""
        try:
            yield
        except DBAPIError as error:
            if is_damage(error.orig):
                raise self._lose(_explanation(self._place, error)) from error
            if postgres.is_outage(error) or is_sqlite_outage(error):
                raise OutageError(_explanation(self._place, error)) from error
            if isinstance(error, OperationalError):
                raise StoreError(_explanation(self._place, error)) from error
            raise
        except PoolTimeout as error:
            raise OutageError(f"The database {self._place} is too slow: nobody is done with it in time.") from error


async def _row(driver: Any, statement: str) -> Any:  # noqa: ANN401 - the driver's own connection and row
    async with driver.execute(statement) as cursor:  # closed at once: SQLite rewrites no file with statements open
        return await cursor.fetchone()


def _database_path(url: URL) -> Path | None:
    """The file of a SQLite URL; None for PostgreSQL."""
    if url.get_backend_name() != "sqlite":
        return None
    if not url.database or url.database == ":memory:":
        raise StoreError("Spade needs a database file: write for example sqlite:///spade.db.")
    return Path(url.database)


async def open_database(address: str, *, write: bool) -> Database:
    """Open the database at a URL such as `sqlite:///spade.db`.

    With `write`, the file and schema are created or migrated, and other writers are excluded. A SQLite file with an
    older schema is first copied to `….before-schema-…` beside it. Without `write`, the database must exist and have
    this version's schema. A SQLite file whose last writer did not end properly is checked for damage.

    Raises:
        StoreError: One sentence about why the database cannot be used.
    """
    url = make_url(address)
    path = _database_path(url)
    lock = None
    suspect = False
    if path is not None:
        _check_file(path, write=write)
        lock = _lock_for(path) if write else None
        suspect = lock.abandoned if lock else _lock_of(path).look()
        try:
            _require_begun(path, lock, abandoned=suspect)
        except BaseException:
            if lock is not None:
                lock.release()
            raise
    try:
        database = _connect(address, path, lock, write=write)
        try:
            if suspect:
                await _require_sound(database, str(path))
            if lock is not None:
                lock.abandoned = False
            await _ensure_schema(database, path, write=write)
            if write:
                database.outage.announce()
        except BaseException:
            await database.close()
            raise
    except SQLAlchemyError as error:
        kind = LostDatabaseError if is_damage(getattr(error, "orig", None)) else StoreError
        raise kind(_explanation(url.render_as_string() if path is None else str(path), error)) from error
    return database


def _check_file(path: Path, *, write: bool) -> None:
    if not path.exists():
        if write and not path.parent.is_dir():
            raise StoreError(f"The folder {path.parent} for the database does not exist: make it first.")
        return
    try:
        usable = path.stat().st_size == 0 or is_sqlite(path)
    except OSError as error:
        raise StoreError(f"The database {path} cannot be read: {error.strerror}.") from error
    if not usable:
        raise StoreError(f"{path} is not a SQLite database: name another file, or restore a backup.")
    if write and not os.access(path, os.W_OK):
        raise StoreError(f"The database {path} cannot be written: check who owns it.")


def _require_begun(path: Path, lock: WriterLock | None, *, abandoned: bool) -> None:
    """Begin a database where none is, if the lock is held; StoreError if it is not, or if there was one before."""
    if path.exists() and path.stat().st_size > 0:
        return
    missing = lost_before(path, abandoned=abandoned)
    if missing is not None:
        raise LostDatabaseError(missing)
    if lock is None and path.exists():
        return
    if lock is None:
        raise StoreError(f"There is no database at {path}: `spade import` or `spade run` makes one.")
    try:
        # Created here with mode 0600, so that other users can never read it.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise _unmakeable(path, error) from error
    if backups := backups_of(path):
        log.warning(
            "There is no database at %s, so a new one is begun; to go on with the newest backup beside it, stop Spade "
            "and run `spade restore %s`",
            path,
            backups[0],
        )
    else:
        log.info("A new database is begun at %s", path)


def _unmakeable(path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"The database {path} cannot be made in {path.parent.absolute()} ({error.strerror}): "
        "Spade needs a folder it can write to."
    )


def _lock_of(path: Path) -> WriterLock:
    return WriterLock(path.with_name(path.name + ".lock"))


def _lock_for(path: Path) -> WriterLock:
    lock = _lock_of(path)
    try:
        taken = lock.acquire()
    except OSError as error:
        if not path.exists() and not os.path.lexists(f"{path}.lock"):
            raise _unmakeable(path, error) from error
        raise StoreError(f"The lock file {path}.lock cannot be made: {error.strerror}.") from error
    if not taken:
        raise other_writer(path, lock.holder())
    return lock


def _connect(address: str, path: Path | None, lock: WriterLock | None, *, write: bool) -> Database:
    if path is None:
        place = make_url(address).render_as_string()  # without the password
        readers = postgres.reading_engine(address, place, pool_size=READERS)
        return Database(place, postgres.writing_engine(address, place) if write else readers, readers)
    readers = sqlite_engine(path, pool_size=READERS, begin="BEGIN", read_only=True)
    if not write:
        return Database(str(path), readers, readers)
    file = DatabaseFile(path)
    writer = sqlite_engine(path, pool_size=1, begin="BEGIN IMMEDIATE", read_only=False)
    event.listen(writer.sync_engine, "begin", lambda _connection: file.log_opened())
    for ending in ("close", "invalidate"):
        event.listen(writer.sync_engine, ending, lambda *_: file.log_closed())
    return Database(str(path), writer, readers, lock, file)


async def _require_sound(database: Database, place: str) -> None:
    finding = await quick_check(database)
    if finding is not None:
        raise LostDatabaseError(damaged(place, finding))


async def _ensure_schema(database: Database, path: Path | None, *, write: bool) -> None:
    # A file of another program is not even brought into another mode; PostgreSQL has to give out the writer's lock.
    async with database.writing() if write and path is None else database.reading() as connection:
        revision = await connection.run_sync(current_revision)
        foreign, missing = await connection.run_sync(foreign_tables), await connection.run_sync(missing_tables)
    state = schema_state(revision)
    place = database.place
    if state is SchemaState.FOREIGN or (state is SchemaState.EMPTY and foreign):
        raise StoreError(f"The database {place} is another program's: name one of its own for Spade.")
    if state is SchemaState.CURRENT and missing:
        raise LostDatabaseError(damaged(place, f"the table {missing[0]} is missing"))
    if state is SchemaState.NEWER:
        raise StoreError(
            f"The database was written by a newer Spade (schema {revision}; this one knows {newest_revision()}): "
            "update Spade."
        )
    if state is SchemaState.CURRENT:
        return
    if not write and state is SchemaState.EMPTY:
        raise StoreError("There is no record in the database yet: `spade import` or `spade run` begins one.")
    if not write:
        raise StoreError("The database has an older schema: run `spade migrate` once.")
    if path is not None and state is SchemaState.OLDER:
        await asyncio.to_thread(make_backup, path, path.with_name(f"{path.name}.before-schema-{newest_revision()}"))
    async with database.writing() as connection:
        await connection.run_sync(upgrade)


def _explanation(place: str, error: SQLAlchemyError) -> str:
    cause = str(getattr(error, "orig", None) or error)
    if "disk is full" in cause:
        return "The disk is full: nothing is recorded until there is room again."
    if isinstance(error, OperationalError) and "locked" in cause:
        return f"The database {place} is locked by another program: close it and try again."
    if is_damage(getattr(error, "orig", None)):
        return damaged(place, cause)
    return f"The database {place} cannot be used: {cause}."


async def quick_check(database: Database) -> str | None:
    """The first finding of SQLite's `quick_check`; None if there is none, and always None on PostgreSQL."""
    if database.dialect != "sqlite":
        return None
    async with database.reading() as connection:
        finding = (await connection.execute(text("PRAGMA quick_check(1)"))).scalar_one()
    return None if finding == "ok" else str(finding)
