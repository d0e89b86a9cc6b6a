"""Where the backups of a database are: beside it, named after it and the time."""

from datetime import datetime
from pathlib import Path

STAMP = "%Y%m%dT%H%M%SZ"


def backup_path(database: Path, at: datetime) -> Path:
    """The path of a backup made at a time (UTC), beside the database."""
    return database.with_name(f"{database.name}.backup-{at:{STAMP}}")


def backups_of(database: Path) -> tuple[Path, ...]:
    """The backups beside a database, newest first."""
    found = database.parent.glob(f"{database.name}.backup-*")
    return tuple(sorted((path for path in found if path.suffix != ".part"), reverse=True))
