"""Recognises a SQLite file by its header."""

from pathlib import Path

_HEADER = b"SQLite format 3\x00"


def is_sqlite(path: Path) -> bool:
    """Whether a file begins with SQLite's header; OSError if it cannot be read."""
    with path.open("rb") as file:
        return file.read(len(_HEADER)) == _HEADER
