"""What SQLite reports of the world around it: a damaged file, with the sentence about it, or a file out of reach."""

import sqlite3
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from bot.store.backup_files import backups_of

_SHORT_READ = 522
# The driver's own finding has no code.
_NO_TEXT = "Could not decode to UTF-8"
_POSTGRESQL_DAMAGE = ("XX001", "XX002")

_PRIMARY = 0xFF
"""The bits of a result code that are its kind; the others are details."""
_OUTAGES = frozenset(
    {
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
    }
)


def is_damage(cause: BaseException | None) -> bool:
    """Whether an error of the driver (not SQLAlchemy's around it) says that what the database holds is corrupt."""
    code = getattr(cause, "sqlite_errorcode", 0)
    return (
        code & _PRIMARY in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
        or code == _SHORT_READ
        or _NO_TEXT in str(cause)
        or getattr(cause, "sqlstate", None) in _POSTGRESQL_DAMAGE
    )


def is_sqlite_outage(error: DBAPIError) -> bool:
    """Whether the state of the machine (a full disk, a lock, a file that cannot be read) caused an error of SQLite."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    return code is not None and code & _PRIMARY in _OUTAGES


def damaged(place: str, finding: str) -> str:
    """The sentence about a damaged database, with the newest backup if there is one."""
    finding = finding.strip().splitlines()[-1]
    if place.startswith("postgresql:"):
        return f"The database {place} is damaged ({finding}): nothing in it was changed; restore a dump of it."
    backups = backups_of(Path(place))
    remedy = (
        f"put the newest backup in its place with `spade restore {backups[0]}`"
        if backups
        else "there is no backup beside it, so name another database and read the history again with `spade backfill`"
    )
    return f"The database {place} is damaged ({finding}): the file is kept as it is; {remedy}."
