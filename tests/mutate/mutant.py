"""One small change of one module's text."""

from __future__ import annotations

import ast
import difflib
from dataclasses import dataclass


@dataclass(frozen=True, order=True, slots=True)
class Mutant:
    """Replace the bytes from `start` to `end` of the file at `path` (relative to the tree) by `text`.

    `line` and `last_line` are the numbers of the first and last line that change.
    """

    path: str
    start: int
    end: int
    text: str
    operator: str
    line: int
    last_line: int

    def applied(self, source: bytes) -> bytes:
        """The module's text with the defect."""
        return source[: self.start] + self.text.encode() + source[self.end :]

    def parses(self, source: bytes) -> bool:
        """Whether the result is Python, and another program than before."""
        try:
            changed = ast.parse(self.applied(source))
        except (SyntaxError, ValueError):
            return False
        return ast.dump(changed) != ast.dump(ast.parse(source))

    def key(self, source: bytes) -> tuple[str, str, str]:
        """What an equivalent mutant is listed by: the path, the first line that changes, and what it becomes."""
        begin = source.rfind(b"\n", 0, self.start) + 1
        before, after = source[begin:], self.applied(source)[begin:]
        return self.path, _first_line(before), _first_line(after)

    def diff_key(self, source: bytes) -> str:
        """The path and the changed lines, without a line number: the same after changes elsewhere in the module."""
        return "\n".join([self.path, *self.diff(source).splitlines()[1:]])

    def diff(self, source: bytes) -> str:
        """The change for a reader, without the lines around it."""
        before, after = source.decode().splitlines(), self.applied(source).decode().splitlines()
        lines = list(difflib.unified_diff(before, after, n=0, lineterm=""))[3:]
        return "\n".join([f"{self.path}:{self.line}  ({self.operator})", *lines])


def _first_line(text: bytes) -> str:
    return text.partition(b"\n")[0].decode().strip()
