"""Finds the export files under the given paths."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR

from bot.exports.error import ExportError
from bot.exports.reader import regular_file, unreadable

_ASSETS_SUFFIX = ".json_Files"
"""The folder beside an export into which DiscordChatExporter puts attachments, among them JSON files."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file to read, with its size in bytes."""

    path: Path
    size: int


@dataclass(frozen=True, slots=True)
class BrokenFile:
    """A path that cannot be used, with the reason as one sentence for people."""

    path: Path
    reason: str


def find_exports(paths: Iterable[Path]) -> Iterator[FoundFile | BrokenFile]:
    """The given files, and every `.json` file under the given folders in sorted order, each file once.

    Hidden files and folders and the folders of attachments are skipped; links to folders are not followed. A path that
    does not exist, cannot be read or is not a regular file is yielded as a BrokenFile. No file is opened.
    """
    seen: set[tuple[int, int]] = set()
    for path in paths:
        for found in _under(path) if _is_folder(path) else (path,):
            if isinstance(found, BrokenFile):
                yield found
                continue
            try:
                state = regular_file(found)
            except ExportError as error:
                yield BrokenFile(found, str(error))
                continue
            if (state.st_dev, state.st_ino) not in seen:
                seen.add((state.st_dev, state.st_ino))
                yield FoundFile(found, state.st_size)


def _is_folder(path: Path) -> bool:
    try:
        return S_ISDIR(path.stat().st_mode)
    except OSError:  # treated as a file, for which the reason is found below
        return False


def _under(folder: Path) -> Iterator[Path | BrokenFile]:
    refusals: list[OSError] = []
    empty = True
    for place, folders, names in os.walk(folder, onerror=refusals.append):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and not name.endswith(_ASSETS_SUFFIX))
        for name in sorted(names):
            if name.lower().endswith(".json") and not name.startswith("."):
                empty = False
                yield Path(place, name)
    for error in refusals:
        yield BrokenFile(Path(str(error.filename)), str(unreadable(error)))
    if empty and not refusals:
        yield BrokenFile(folder, "There are no .json files in this folder: choose JSON as the format of the export.")
