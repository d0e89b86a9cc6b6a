"""Finds out what makes a file that is no valid JSON unusable, so that a person can mend it."""

import codecs
import re
from pathlib import Path

from bot.exports.error import ExportError
from bot.exports.nesting import Nesting
from bot.exports.reader import unreadable

_READ_SIZE = 1024 * 1024
_ESCAPE = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)
_LONGEST_ESCAPE = 6
_HIGH, _LOW = range(0xD800, 0xDC00), range(0xDC00, 0xE000)


def invalid_json(path: Path, *, surrogates: bool) -> ExportError:
    """The error to raise for a file that the JSON parser refused, with `surrogates` for its escapes.

    The file is read once more. The sentence gives lines and bytes, counted from 1, and quotes nothing.
    """
    try:
        return _finding(path, _Escapes() if surrogates else _Text(), _HALF if surrogates else _NOT_UTF8)
    except OSError as error:
        return unreadable(error)


def _finding(path: Path, search: "_Escapes | _Text", sentence: str) -> ExportError:
    nesting, lines = Nesting(), _Lines()
    with path.open("rb") as file:
        while chunk := file.read(_READ_SIZE):
            position = search.follow(chunk)
            if position is not None:
                return ExportError(sentence.format(line=lines.at(position, chunk), byte=position + 1))
            nesting.follow(chunk)
            lines.follow(chunk)
    if nesting.open:
        return ExportError("The export broke off, although its end was written: export it again.")
    return ExportError("The file is not valid JSON.")


_NOT_UTF8 = "The file is not UTF-8 text (line {line}, byte {byte} of the file): save it as UTF-8, or export it again."
_HALF = "Line {line} has half a character, a lone surrogate (byte {byte} of the file): take it out, or export it again."


class _Lines:
    """Counts lines over consecutive pieces of a file."""

    def __init__(self) -> None:
        self._before, self._breaks = 0, 0

    def follow(self, chunk: bytes) -> None:
        """Take the next piece."""
        self._before += len(chunk)
        self._breaks += chunk.count(b"\n")

    def at(self, position: int, chunk: bytes) -> int:
        """The line of a position in `chunk`, the piece that follows, or of one shortly before it."""
        return self._breaks + chunk.count(b"\n", 0, max(0, position - self._before)) + 1


class _Text:
    """Looks for bytes that are not UTF-8 in consecutive pieces."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._read = 0

    def follow(self, chunk: bytes) -> int | None:
        """Take the next piece; returns the position of the first byte that is not UTF-8, if there is one."""
        kept = len(self._decoder.getstate()[0])
        try:
            self._decoder.decode(chunk)
        except UnicodeDecodeError as error:
            return self._read - kept + error.start
        self._read += len(chunk)
        return None


class _Escapes:
    """Looks for escaped surrogates without their other half in consecutive pieces."""

    def __init__(self) -> None:
        self._left = b""
        self._read = 0
        self._high_at: int | None = None

    def follow(self, chunk: bytes) -> int | None:
        """Take the next piece; returns the position of the first lone one, if there is one."""
        piece, begins_at = self._left + chunk, self._read - len(self._left)
        done = 0
        for escape in _ESCAPE.finditer(piece):
            if escape.start() > len(piece) - _LONGEST_ESCAPE:
                break
            done = escape.end()
            lone = self._lone(begins_at + escape.start(), int(escape[1], 16) if escape[1] else 0)
            if lone is not None:
                return lone
        self._read += len(chunk)
        self._left = piece[max(done, len(piece) - _LONGEST_ESCAPE) :]
        return None

    def _lone(self, position: int, code: int) -> int | None:
        high_at, self._high_at = self._high_at, position if code in _HIGH else None
        if high_at is not None and not (code in _LOW and position == high_at + _LONGEST_ESCAPE):
            return high_at
        return position if high_at is None and code in _LOW else None
