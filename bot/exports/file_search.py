"""Which files the given paths stand for."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR

from bot.exports.error import ExportError
from bot.exports.reader import regular_file, unreadable

_ASSETS_SUFFIX = ".json_Files"
"""DiscordChatExporter puts the files that people attached, JSON too, into a folder beside the export."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file to read, with its size in bytes."""

    path: Path
    size: int


@dataclass(frozen=True, slots=True)
class BrokenFile:
    """A path that cannot be used, and why: one sentence for people."""

    path: Path
    reason: str


def find_exports(paths: Iterable[Path]) -> Iterator[FoundFile | BrokenFile]:
    """Every file named, and every `.json` file under the folders named, in sorted order, each file once.

    Hidden files and folders and the folders of attached files are passed over; links to folders are not followed.
    A path that is not there, cannot be read or stands for no file comes out as broken; nothing is opened.
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
    except OSError:  # asked again for a file, which says why
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
