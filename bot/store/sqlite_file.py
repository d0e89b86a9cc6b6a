"""Whether a file is one of SQLite's, by its first bytes."""

from pathlib import Path

_HEADER = b"SQLite format 3\x00"


def is_sqlite(path: Path) -> bool:
    """Whether a file begins as SQLite's do. OSError when it cannot be read."""
    with path.open("rb") as file:
        return file.read(len(_HEADER)) == _HEADER
