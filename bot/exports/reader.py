"""Reads the bytes of an export for a JSON parser, and rejects input that would hang or crash the parser."""

import os
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from types import TracebackType
from typing import Self

from bot.exports.error import ExportError

DEEPEST_NESTING = 100
"""The largest depth of brackets. Real exports stay under 15; the parser's memory grows with the square of the depth."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_START_LENGTH = 512
_BRACKETS_AND_QUOTES = b'[]{}"'
_EVERYTHING_ELSE = bytes(byte for byte in range(256) if byte not in _BRACKETS_AND_QUOTES)

_NOT_JSON = "This is a {} export: choose JSON as the format in DiscordChatExporter and export it again."


class ExportReader:
    """An open export, without its byte order mark; a context manager.

    Opening it rejects what can be recognised by the first bytes: an empty file, another format of the same tool, a
    compressed file. While reading, it limits the depth of the brackets, and checks nothing else.
    """

    def __init__(self, path: Path) -> None:
        """Open `path`.

        Raises:
            ExportError: The file cannot be read, or is clearly not JSON.
        """
        regular_file(path)
        self._nesting = _Nesting()
        self.position = 0
        """The number of bytes read so far."""
        self.exhausted = False
        """Whether the end was reached: if the parser fails after that, the file is cut off."""
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise unreadable(error) from None
        try:
            self._skip_byte_order_mark()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes, at most `size`; empty at the end of the file.

        Raises:
            ExportError: The file can no longer be read, or its brackets nest too deep.
        """
        if size == 0:  # the parser reads 0 bytes to learn whether it gets bytes or text
            return b""
        try:
            chunk = self._file.read(size)
            self.position = self._file.tell()
        except OSError as error:
            raise unreadable(error) from None
        if chunk:
            self._nesting.follow(chunk)
        else:
            self.exhausted = True
        return chunk

    def _skip_byte_order_mark(self) -> None:
        try:
            start = self._file.read(_START_LENGTH)
            mark = len(_BYTE_ORDER_MARK) if start.startswith(_BYTE_ORDER_MARK) else 0
            self._file.seek(mark)
        except OSError as error:
            raise unreadable(error) from None
        _refuse_other_formats(start[mark:].lstrip())


class _Nesting:
    """Counts the open brackets over consecutive pieces of a JSON text."""

    def __init__(self) -> None:
        self._depth = 0
        self._in_string = False
        self._backslash = b""

    def follow(self, chunk: bytes) -> None:
        """Take the next piece; raise ExportError if the brackets nest too deep."""
        # Every step is one pass of a built-in over the bytes: a Python loop would take longer than the parser.
        # Escapes are removed first, since an escaped quote would seem to end its string.
        text = (self._backslash + chunk).replace(rb"\\", b"").replace(rb"\"", b"")
        self._backslash = b"\\" if text.endswith(b"\\") else b""
        # Two adjacent quotes do not change which brackets are inside a string.
        marks = text.translate(None, _EVERYTHING_ELSE).replace(b'""', b"")
        parts = marks.split(b'"')
        brackets = b"".join(parts[self._in_string :: 2])
        self._in_string ^= len(parts) % 2 == 0
        for _ in range(DEEPEST_NESTING):
            fewer = brackets.replace(b"[]", b"").replace(b"{}", b"")
            if len(fewer) == len(brackets):
                break
            brackets = fewer
        else:
            raise _too_deep()
        opened = brackets.count(b"[") + brackets.count(b"{")
        self._depth = max(0, self._depth - (len(brackets) - opened)) + opened
        if self._depth > DEEPEST_NESTING:
            raise _too_deep()


def _too_deep() -> ExportError:
    return ExportError("The file is not an export of DiscordChatExporter: its brackets nest too deep.")


def regular_file(path: Path) -> os.stat_result:
    """The status of a regular file.

    Raises:
        ExportError: The path does not exist or is not a regular file (reading a pipe would block).
    """
    try:
        state = path.stat()
    except OSError as error:
        raise unreadable(error) from None
    if S_ISDIR(state.st_mode):
        raise ExportError("This is a folder, not a file.")
    if not S_ISREG(state.st_mode):
        raise ExportError("This is not a regular file.")
    return state


def unreadable(error: OSError) -> ExportError:
    """The error to raise for an OSError."""
    if isinstance(error, FileNotFoundError):
        return ExportError("There is no such file or folder.")
    if isinstance(error, PermissionError):
        return ExportError("It cannot be read: permission denied.")
    return ExportError(f"It cannot be read: {(error.strerror or 'unknown error').lower()}.")


def _refuse_other_formats(start: bytes) -> None:
    if not start:
        raise ExportError("The file is empty.")
    if start.startswith(b"<"):
        raise ExportError(_NOT_JSON.format("HTML"))
    if start.replace(b'"', b"").startswith(b"AuthorID,"):
        raise ExportError(_NOT_JSON.format("CSV"))
    if start.startswith(b"=====") and b"Guild:" in start:
        raise ExportError(_NOT_JSON.format("text"))
    if start.startswith((b"PK\x03\x04", b"\x1f\x8b", b"7z\xbc\xaf", b"\x28\xb5\x2f\xfd")):
        raise ExportError("The file is packed: unpack it first.")
