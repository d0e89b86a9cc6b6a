"""`spade check`: whether everything is in place to start the bot."""

import asyncio
import importlib.util
import os
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from bot.bot_token import TOKEN_VARIABLE, bot_token
from bot.cli.failure import Failure
from bot.cli.options import ConfigOption, DatabaseOption, settings_of
from bot.config import Settings, existing_path, given_keys
from bot.config_error import ConfigError
from bot.database_url import database_file
from bot.redaction import has_token_shape, redact
from bot.store.backup import require_usable
from bot.store.database_file import lost_before
from bot.store.error import StoreError
from bot.store.sqlite_file import is_sqlite
from bot.store.writer_lock import WriterLock


def check(
    config: ConfigOption = None,
    database: DatabaseOption = None,
    *,
    deep: Annotated[
        bool, typer.Option("--deep", help="Sum up again what is kept of past weeks, and compare; this takes a while.")
    ] = False,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Drop what is kept of past weeks: it is summed up anew when it is needed.")
    ] = False,
) -> None:
    """Check that everything is in place to start the bot.

    It checks the configuration, the token and the database, and does not use the network. It writes nothing, except
    that --rebuild drops what is kept of past weeks, which can all be worked out again.
    """
    settings = settings_of(config, database)
    path = existing_path(config)
    print(f"configuration  {path.absolute() if path else 'none: what is not told here has its default'}")
    for key, value in given_keys(config, database=database).items():
        print(f"               {key}: {redact(str(value))}")
    if path is not None and _shows_password(path, settings.database):
        print(f"               others can read the password in it; prevent that with: chmod 600 {path}")
    problems = []
    try:
        _check_token(bot_token())
        print(f"token          {TOKEN_VARIABLE} is set and has the shape of a token")
    except (ConfigError, Failure) as error:
        problems.append(str(error))
    try:
        print(f"database       {_database_state(settings.database)}")
        if deep or rebuild:
            problems += asyncio.run(_sums(settings, compare=deep, drop=rebuild))
    except Failure as failure:
        problems.append(failure.message)
    except StoreError as error:
        problems.append(str(error))
    if problems:
        raise Failure("\n".join(problems))


async def _sums(settings: Settings, *, compare: bool, drop: bool) -> list[str]:
    """Look at what is kept of past weeks, or drop it; returns what is wrong. StoreError."""
    # Imported here, since a plain check needs none of it.
    from bot.services.digest.sums import differences  # noqa: PLC0415
    from bot.store import summaries  # noqa: PLC0415
    from bot.store.database import open_database  # noqa: PLC0415

    opened = await open_database(settings.database, write=drop)
    try:
        if drop:
            async with opened.writing() as connection:
                dropped = await summaries.drop_all(connection)
            print(f"past weeks     {dropped:,} sums were dropped; they are worked out again when they are needed")
        if not compare:
            return []
        async with opened.reading() as connection:
            found = await differences(connection, settings.domain_rules())
            kept = await summaries.number(connection)
        if not found:
            print(f"past weeks     {kept:,} sums are kept, and all are what their facts come to")
        return list(found)
    finally:
        await opened.close()


def _shows_password(path: Path, database: str) -> bool:
    password = urlsplit(database).password if database_file(database) is None else None
    if not password or password not in path.read_text(encoding="utf-8"):
        return False
    return os.name == "posix" and path.stat().st_mode & 0o077 != 0


def _check_token(token: str) -> None:
    """Raise Failure if the text does not have the shape of a bot token. Only Discord can tell whether it is valid."""
    if has_token_shape(token):
        return
    raise Failure(
        f"{TOKEN_VARIABLE} does not have the shape of a bot token, three parts joined by dots; "
        "copy it from the page Bot of your application (the application id, the public key and the client secret "
        "are something else)"
    )


def _database_state(url: str) -> str:
    """Where the database is and how large; Failure or StoreError if it cannot be used. Nothing is written beside it."""
    file = database_file(url)
    if file is None:
        if importlib.util.find_spec("asyncpg") is None:
            raise Failure("for PostgreSQL the package asyncpg is missing; install spade[postgres]")
        return f"{redact(url)} (not asked: that would need the network)"
    file = file.absolute()
    if not file.parent.is_dir():
        raise Failure(f"the folder {file.parent} for the database does not exist; make it: mkdir -p {file.parent}")
    if not os.access(file.parent, os.W_OK | os.X_OK):
        raise Failure(
            f"the folder {file.parent} is not writable; SQLite keeps files beside the database and must write there"
        )
    return _file_state(file)


def _file_state(file: Path) -> str:
    """The same of a SQLite file, whose folder is as it should be."""
    if not file.exists() or file.stat().st_size == 0:
        missing = lost_before(file, abandoned=WriterLock(file.with_name(f"{file.name}.lock")).look())
        if missing is not None:
            raise Failure(missing)
    if not file.exists():
        return f"{file} (will be made at the first start)"
    if not file.is_file():
        raise Failure(f"the database {file} is not a file; name another one")
    if not os.access(file, os.R_OK | os.W_OK):
        raise Failure(f"the database {file} cannot be read and written by this user; change its owner or mode")
    if file.stat().st_size > 0:
        if not is_sqlite(file):
            raise Failure(f"{file} is not a SQLite database; name another file, or restore a backup")
        require_usable(file)
    return f"{file} ({file.stat().st_size:,} bytes)"
