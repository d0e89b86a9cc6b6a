"""The file of an open SQLite database: whether its path still leads to it, and what tells that there was one before.

SQLite itself goes on writing into a file that was deleted or moved, which nobody finds again.
"""

import os
from pathlib import Path

from bot.store.backup_files import backups_of

_BESIDE = ("-wal", "-shm")
_Identity = tuple[int, int]


class DatabaseFile:
    """Compares the files at the path of a database with those that were opened.

    No file is opened for that: closing it would take away SQLite's locks on it. The log and its index are compared only
    between `log_opened` and `log_closed`, since SQLite deletes them with the last connection.
    """

    def __init__(self, path: Path) -> None:
        """Take the file that is at `path` now as the one that is open."""
        self.path = path
        self._place = path.absolute()
        self._opened = _identity(self._place)
        self._log: dict[str, _Identity | None] = {}

    def log_opened(self) -> None:
        """The writing connection is in a transaction, so its log exists."""
        if not self._log:
            self._log = {suffix: _identity(self._beside(suffix)) for suffix in _BESIDE}

    def log_closed(self) -> None:
        """The writing connection is about to be closed."""
        self._log = {}

    @property
    def in_place(self) -> bool:
        """Whether the path still leads to the file itself."""
        return _identity(self._place) == self._opened

    def change(self) -> str | None:
        """What happened to the files since they were opened, as the beginning of a sentence; None if nothing did."""
        if not self.in_place:
            if os.path.lexists(self._place):
                return f"Another file was put in the place of the database {self.path} while Spade was running"
            return f"The database {self.path} was deleted or moved while Spade was running"
        for suffix, opened in self._log.items():
            if _identity(self._beside(suffix)) != opened:
                return f"{self.path}{suffix}, a part of the database, was deleted or replaced while Spade was running"
        return None

    def _beside(self, suffix: str) -> Path:
        return self._place.with_name(self._place.name + suffix)


def lost_before(path: Path, *, abandoned: bool) -> str | None:
    """Why no new database is begun at a path where none is, or an empty file; None if one may be.

    `abandoned`: the last writer there did not end properly.
    """
    log = path.with_name(f"{path.name}-wal")
    if not abandoned and not (log.exists() and log.stat().st_size > 0):
        return None
    trace = f"{path}.lock" if abandoned else str(log)
    backups = backups_of(path)
    restored = f"restore the newest backup with `spade restore {backups[0]}`" if backups else "restore a backup"
    what = "is empty" if path.exists() else "is gone"
    return (
        f"The database {path} {what}, although Spade was writing to it: put it back, or {restored}; to begin a new "
        f"record, delete {trace}."
    )


def _identity(path: Path) -> _Identity | None:
    """The device and number of the file at a path; None if there is none."""
    try:
        state = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return state.st_dev, state.st_ino
