"""The shapes that a picture is made of, from back to front, and the same as SVG.

Lengths are pixels from the top left corner. Colours are written as in `bot.views.kit.palette`.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from html import escape

from bot.views.digest.typeface import FAMILY, typeface
from bot.views.words.text import cut

LEAST, SMALL, BODY = 28, 33, 39
"""The sizes of most letters. `LEAST` is the smallest that words are set in so that they fit."""
LINE = 3
"""The thickness of a line of a scale."""
_ASCENT, _DESCENT, _DIGITS = 0.76, 0.236, 0.729
"""How far letters reach above and below their line, and how high digits are, as shares of the size."""

_NAMESPACE = "http://www.w3.org/2000/svg"
_RIGHT_TO_LEFT, _END_OF_DIRECTION = "\u202b", "\u202c"


class Anchor(Enum):
    """Which point of a text is given: its first, its middle or its last."""

    START = "start"
    MIDDLE = "middle"
    END = "end"


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle by its edges."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: "Box") -> bool:
        """Whether the two have more than an edge in common."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )


@dataclass(frozen=True, slots=True)
class Block:
    """A filled rectangle."""

    box: Box
    colour: str
    opacity: float = 1
    radius: float = 0
    """Of its round corners."""

    def svg(self) -> str:
        """The element."""
        box = self.box
        return _element(
            "rect",
            x=box.left,
            y=box.top,
            width=box.right - box.left,
            height=box.bottom - box.top,
            rx=self.radius or None,
            fill=self.colour,
            opacity=_faded(self.opacity),
        )


@dataclass(frozen=True, slots=True)
class Course:
    """A line through points, with round ends."""

    points: tuple[tuple[float, float], ...]
    colour: str
    thickness: float

    def svg(self) -> str:
        """The element."""
        return _element(
            "polyline",
            points=" ".join(f"{_short(x)},{_short(y)}" for x, y in self.points),
            fill="none",
            stroke=self.colour,
            stroke_width=self.thickness,
            stroke_linecap="round",
            stroke_linejoin="round",
        )


@dataclass(frozen=True, slots=True)
class Dot:
    """A disc; with an edge, `edge` is its colour."""

    x: float
    y: float
    radius: float
    colour: str
    edge: str | None = None
    thickness: float = 0

    @property
    def box(self) -> Box:
        """What it covers."""
        reach = self.radius + self.thickness / 2
        return Box(self.x - reach, self.y - reach, self.x + reach, self.y + reach)

    def svg(self) -> str:
        """The element."""
        return _element(
            "circle",
            cx=self.x,
            cy=self.y,
            r=self.radius,
            fill=self.colour,
            stroke=self.edge,
            stroke_width=self.thickness if self.edge else None,
        )


@dataclass(frozen=True, slots=True)
class Words:
    """A line of text, standing on `y`. An upright one is read upwards and stands on `x`."""

    x: float
    y: float
    text: str
    size: float
    colour: str
    bold: bool = False
    anchor: Anchor = Anchor.START
    opacity: float = 1
    upright: bool = False

    @property
    def width(self) -> float:
        """How long the line is."""
        return typeface(bold=self.bold).width(self.text, self.size)

    @property
    def box(self) -> Box:
        """What it covers."""
        before = {Anchor.START: 0.0, Anchor.MIDDLE: 0.5, Anchor.END: 1.0}[self.anchor] * self.width
        after = self.width - before
        above, below = _ASCENT * self.size, _DESCENT * self.size
        if self.upright:
            return Box(self.x - above, self.y - after, self.x + below, self.y + before)
        return Box(self.x - before, self.y - above, self.x + after, self.y + below)

    def svg(self) -> str:
        """The element. What begins from right to left is read so as a whole."""
        return _element(
            "text",
            escape(_directed(self.text), quote=False),
            x=self.x,
            y=self.y,
            font_size=self.size,
            font_weight="bold" if self.bold else None,
            text_anchor=self.anchor.value,
            transform=f"rotate(-90 {_short(self.x)} {_short(self.y)})" if self.upright else None,
            fill=self.colour,
            opacity=_faded(self.opacity),
        )


def fitted(words: Words, room: float, least: float) -> Words:
    """The same words in `room`: set smaller, down to the size `least`, and then cut."""
    if words.width <= room:
        return words
    words = replace(words, size=max(least, words.size * room / words.width))
    if words.width <= room * (1 + 1e-9):
        return words
    fits, too_long = 0, len(words.text)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if replace(words, text=cut(words.text, middle)).width <= room:
            fits = middle
        else:
            too_long = middle
    return replace(words, text=cut(words.text, fits))


Shape = Block | Course | Dot | Words


def svg(shapes: Iterable[Shape], width: int, height: int) -> str:
    """A picture as SVG, for a renderer that has the font of `bot.views.digest.typeface`."""
    body = "\n".join(shape.svg() for shape in shapes)
    return _element("svg", body, xmlns=_NAMESPACE, width=width, height=height, font_family=FAMILY)


def above_line(size: float) -> float:
    """How far letters of a size reach above their line."""
    return _ASCENT * size


def below_middle(size: float) -> float:
    """How far below the middle of its letters a text's line is."""
    return (_ASCENT - _DESCENT) / 2 * size


def below_digits(size: float) -> float:
    """How far below the middle of its digits a number's line is."""
    return _DIGITS / 2 * size


def _short(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")


def _faded(opacity: float) -> float | None:
    return opacity if opacity < 1 else None


def _element(name: str, content: str = "", **attributes: str | float | None) -> str:
    """An element of SVG, without the attributes that are None. An underscore in an attribute's name is a dash."""
    written = "".join(
        f' {key.replace("_", "-")}="{value if isinstance(value, str) else _short(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{written}>{content}</{name}>"


def _directed(words: str) -> str:
    """The words, embedded if their first letter is of a script that is read from right to left."""
    directions = (unicodedata.bidirectional(character) for character in words)
    first = next((direction for direction in directions if direction in {"L", "R", "AL"}), "L")
    return words if first == "L" else f"{_RIGHT_TO_LEFT}{words}{_END_OF_DIRECTION}"
