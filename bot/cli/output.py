"""Writes the files that commands are asked for, over nothing that somebody may miss."""

import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.failure import Failure, unwritable
from bot.config import Settings, existing_path
from bot.database_url import database_file
from bot.store.sqlite_file import is_sqlite

ForceOption = Annotated[bool, typer.Option("--force", help="Write over a file that is there, whatever it is.")]

_PARTS = ("", "-wal", "-shm", "-journal", ".lock")
_START_LENGTH = 64 * 1024


@dataclass(frozen=True, slots=True)
class OutputKind:
    """What a command writes: its name in a sentence, and how a file of the kind is recognised.

    A file is of the kind if it begins with `start` and has `mark` within its first 64 KiB. A `private` one can be read
    by its owner alone.
    """

    name: str
    start: bytes
    mark: bytes
    private: bool = False


PAGE = OutputKind("a page of Spade's", b"<!doctype html>", b'<meta name="generator" content="Spade">')
PICTURE = OutputKind("a picture of Spade's", b"\x89PNG\r\n\x1a\n", b"Software\x00spade")


class Outputs:
    """The files that a command may write. The database in use and the configuration are never among them."""

    def __init__(self, settings: Settings, config: Path | None, *, force: bool) -> None:
        file = database_file(settings.database)
        self._database = () if file is None else tuple(file.with_name(file.name + part) for part in _PARTS)
        self._config = existing_path(config)
        self._force = force

    def require_unused(self, path: Path) -> None:
        """Raise Failure for the database in use, what belongs to it, and the configuration."""
        for guarded in self._database:
            if _is_same(path, guarded):
                raise Failure(f"{path} belongs to the database in use: name another file")
        if self._config is not None and _is_same(path, self._config):
            raise Failure(f"{path} is the configuration: name another file")

    def require(self, path: Path, kind: OutputKind) -> None:
        """Raise Failure if a file may not be written."""
        self.require_unused(path)
        try:
            self._require_ours(path, kind)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise unwritable(path, error) from error

    def write(self, path: Path, content: bytes, kind: OutputKind) -> None:
        """Write a file whole or not at all; a pipe is written to. Raises Failure."""
        self.require(path, kind)
        try:
            if _takes_a_stream(path):
                _pour(path, content)
            else:
                replace_file(path, content, private=kind.private)
        except OSError as error:
            raise unwritable(path, error) from error

    def _require_ours(self, path: Path, kind: OutputKind) -> None:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError
        if _takes_a_stream(path):
            return
        if not stat.S_ISREG(mode):
            raise Failure(f"{path} is no file that can be written over: name another")
        require_no_database(path)
        with path.open("rb") as file:
            start = file.read(_START_LENGTH)
        if not start or (start.startswith(kind.start) and kind.mark in start):
            return
        if not self._force:
            raise Failure(f"{path} is there already and is not {kind.name}: name another file, or add --force")


def require_no_database(path: Path) -> None:
    """Raise Failure for a SQLite file and what belongs to one, over which nobody can mean to write; OSError."""
    bases = [path.with_name(path.name.removesuffix(part)) for part in _PARTS if path.name.endswith(part)]
    if any(base.is_file() and is_sqlite(base) for base in bases):
        raise Failure(f"{path} is a database or belongs to one, over which nothing is written: name another file")


def replace_file(path: Path, content: bytes, *, private: bool) -> None:
    """Write a file beside its place and move it there; a link stays, and the file it leads to is replaced.

    A `private` file has mode 0600; another has the mode of the file that was there, if one was. Raises OSError.
    """
    target = Path(os.path.realpath(path))
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o666)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        if target.exists() and not private:
            draft.chmod(stat.S_IMODE(target.stat().st_mode))
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def _is_same(path: Path, other: Path) -> bool:
    """Whether two paths lead to one file, by another name or by a link, or would if it were there."""
    if os.path.realpath(path) == os.path.realpath(other):
        return True
    try:
        return path.samefile(other)
    except OSError:
        return False


def _takes_a_stream(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)


def _pour(path: Path, content: bytes) -> None:
    # Without O_NONBLOCK, a pipe that nobody reads would hold the command up for good.
    descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    os.set_blocking(descriptor, True)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
