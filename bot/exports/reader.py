"""Reads the bytes of an export for a JSON parser, and rejects input that would hang or crash the parser."""

import os
import re
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from types import TracebackType
from typing import Self

from bot.exports.error import ExportError
from bot.exports.nesting import Nesting

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_START_LENGTH = 512
_OTHER_MARKS = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
    # without a mark, but with zeros around its first bracket
    (b"\x00\x00\x00{", "UTF-32"),
    (b"{\x00\x00\x00", "UTF-32"),
    (b"\x00{", "UTF-16"),
    (b"{\x00", "UTF-16"),
)
_FIRST_KEY = re.compile(rb'(\xff\xfe|\xfe\xff)?\s*\{\s*"(guild|channel|dateRange|exportedAt|messages|messageCount)"')
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
        self.path = path
        self._nesting = Nesting()
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


def begins_as_export(path: Path) -> bool:
    """Whether a file begins with one of the keys of an export, in UTF-8 or UTF-16, be it broken or not.

    Raises:
        ExportError: The file cannot be read.
    """
    try:
        with path.open("rb") as file:
            start = file.read(_START_LENGTH)
    except OSError as error:
        raise unreadable(error) from None
    return _FIRST_KEY.match(start.removeprefix(_BYTE_ORDER_MARK).replace(b"\x00", b"")) is not None


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
    for mark, encoding in _OTHER_MARKS:
        if start.startswith(mark):
            raise ExportError(f"The file is {encoding}: save it as UTF-8, or export it again.")
    if start.startswith(b"<"):
        raise ExportError(_NOT_JSON.format("HTML"))
    if start.replace(b'"', b"").startswith(b"AuthorID,"):
        raise ExportError(_NOT_JSON.format("CSV"))
    if start.startswith(b"=====") and b"Guild:" in start:
        raise ExportError(_NOT_JSON.format("text"))
    if start.startswith((b"PK\x03\x04", b"\x1f\x8b", b"7z\xbc\xaf", b"\x28\xb5\x2f\xfd")):
        raise ExportError("The file is packed: unpack it first.")
