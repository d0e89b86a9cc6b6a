"""The frame of reports for a terminal of 80 columns, and bars made of text."""

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

_WIDTH = 80
_BLOCKS = " ▏▎▍▌▋▊▉█"


def framed(title: str, parts: list[RenderableType]) -> RenderableType:
    """A panel with a title around the parts of a report."""
    return Panel(Group(*parts), title=Text(title), title_align="left", box=box.ROUNDED, padding=(1, 2), width=_WIDTH)


def indented(sentence: str) -> Padding:
    """A sentence under a heading."""
    return Padding(Text(sentence), (0, 0, 0, 4))


def bar(share: float, width: int) -> str:
    """A share from 0 to 1 as a bar of `width` columns, to an eighth of a column."""
    eighths = round(min(max(share, 0.0), 1.0) * width * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_BLOCKS[rest] if rest else "")).ljust(width)
