"""Finds the export files under the given paths."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR

from bot.exports.error import ExportError
from bot.exports.reader import regular_file, unreadable

_ASSETS_SUFFIX = ".json_Files"
"""The folder beside an export into which DiscordChatExporter puts attachments, among them JSON files."""
_ASSET = re.compile(r".*-[0-9A-Fa-f]{5}(\.[^.]*)?")
"""Each name in the folder of the tool's option --media-dir: it ends with five digits of a hash, before its suffix."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file to read, with its size in bytes. `among_media`: its folder holds nothing but what looks like media."""

    path: Path
    size: int
    among_media: bool = False


@dataclass(frozen=True, slots=True)
class BrokenFile:
    """A path that cannot be used, with the reason as one sentence for people."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class _Named:
    path: Path
    among_media: bool = False


def find_exports(paths: Iterable[Path]) -> Iterator[FoundFile | BrokenFile]:
    """The given files, and every `.json` file under the given folders in sorted order, each file once.

    Hidden files and folders and the folders of attachments are skipped; links to folders are not followed. A path that
    does not exist, cannot be read or is not a regular file is yielded as a BrokenFile. No file is opened, so that JSON
    files in a folder of media, whose name can be any, are yielded with all others.
    """
    seen: set[tuple[int, int]] = set()
    for path in paths:
        for found in _under(path) if _is_folder(path) else (_Named(path),):
            if isinstance(found, BrokenFile):
                yield found
                continue
            try:
                state = regular_file(found.path)
            except ExportError as error:
                yield BrokenFile(found.path, str(error))
                continue
            if (state.st_dev, state.st_ino) not in seen:
                seen.add((state.st_dev, state.st_ino))
                yield FoundFile(found.path, state.st_size, found.among_media)


def _is_folder(path: Path) -> bool:
    try:
        return S_ISDIR(path.stat().st_mode)
    except OSError:  # treated as a file, for which the reason is found below
        return False


def _under(folder: Path) -> Iterator[_Named | BrokenFile]:
    refusals: list[OSError] = []
    empty = True
    for place, folders, names in os.walk(folder, onerror=refusals.append):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and not name.endswith(_ASSETS_SUFFIX))
        shown = sorted(name for name in names if not name.startswith("."))
        among_media = all(_ASSET.fullmatch(name) for name in shown)
        for name in shown:
            if name.lower().endswith(".json"):
                empty = False
                yield _Named(Path(place, name), among_media)
    for error in refusals:
        yield BrokenFile(Path(str(error.filename)), str(unreadable(error)))
    if empty and not refusals:
        yield BrokenFile(folder, "There are no .json files in this folder: choose JSON as the format of the export.")
