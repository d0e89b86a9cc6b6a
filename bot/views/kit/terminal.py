"""What reports for a terminal of 80 columns have in common: the frame, and bars made of text."""

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

_WIDTH = 80


_BLOCKS = " ▏▎▍▌▋▊▉█"


def _framed(title: str, parts: list[RenderableType]) -> RenderableType:
    return Panel(Group(*parts), title=Text(title), title_align="left", box=box.ROUNDED, padding=(1, 2), width=_WIDTH)


def _indented(sentence: str) -> Padding:
    return Padding(Text(sentence), (0, 0, 0, 4))


def bar(share: float, width: int) -> str:
    """A share as a bar of text, to an eighth of a column."""
    eighths = round(min(max(share, 0.0), 1.0) * width * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_BLOCKS[rest] if rest else "")).ljust(width)
