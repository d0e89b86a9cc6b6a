"""Counts the brackets of a JSON text without parsing it."""

from bot.exports.error import ExportError

DEEPEST_NESTING = 100
"""The largest depth of brackets. Real exports stay under 15; the parser's memory grows with the square of the depth."""

_BRACKETS_AND_QUOTES = b'[]{}"'
_EVERYTHING_ELSE = bytes(byte for byte in range(256) if byte not in _BRACKETS_AND_QUOTES)


class Nesting:
    """Counts the open brackets over consecutive pieces of a JSON text."""

    def __init__(self) -> None:
        self._depth = 0
        self._in_string = False
        self._backslash = b""

    @property
    def open(self) -> bool:
        """Whether a bracket or a quote has not been closed yet."""
        return self._depth > 0 or self._in_string

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
