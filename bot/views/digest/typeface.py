"""How wide text is in the font of the digest's picture, DejaVu Sans, which comes with Spade: no system font is needed.

A width is the sum of the letters' own. Shaping (kerning, ligatures, joined letters) changes it a little, so leave room
where it matters.
"""

import struct
import sys
from array import array
from bisect import bisect_right
from functools import cache
from pathlib import Path

FAMILY = "DejaVu Sans"
_FOLDER = Path(__file__).parent / "fonts"
REGULAR = _FOLDER / "DejaVuSans.ttf"
BOLD = _FOLDER / "DejaVuSans-Bold.ttf"

_WHOLE_UNICODE = (3, 10)
"""The platform and the encoding of the table that has every character."""


class Typeface:
    """Which letters a TrueType file has, and how wide they are.

    Reads the tables that the two bundled files have; others may lack them.
    """

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        (tables,) = struct.unpack_from(">H", data, 4)
        begins = {tag: offset for tag, _, offset, _ in struct.iter_unpack(">4sIII", data[12 : 12 + 16 * tables])}
        self._em: int = struct.unpack_from(">H", data, begins[b"head"] + 18)[0]
        (count,) = struct.unpack_from(">H", data, begins[b"hhea"] + 34)
        self._widths = array("H", data[begins[b"hmtx"] : begins[b"hmtx"] + 4 * count])[::2]
        if sys.byteorder == "little":
            self._widths.byteswap()
        self._runs = _runs_of_characters(data, begins[b"cmap"])
        self._firsts = [first for first, _, _ in self._runs]

    def has(self, character: str) -> bool:
        """Whether the font can draw a character."""
        return self._glyph(character) != 0

    def width(self, words: str, size: float) -> float:
        """How wide words are, in the unit of the size."""
        last = len(self._widths) - 1  # the glyphs after it are as wide
        return sum(self._widths[min(self._glyph(character), last)] for character in words) / self._em * size

    def _glyph(self, character: str) -> int:
        """The number of a character's glyph; 0 is the empty box for those that the font does not have."""
        point = ord(character)
        first, end, glyph = self._runs[bisect_right(self._firsts, point) - 1]
        return glyph + point - first if first <= point <= end else 0


@cache
def typeface(*, bold: bool) -> Typeface:
    """The bundled font in one of its two weights. Read when it is first needed."""
    return Typeface(BOLD if bold else REGULAR)


def _runs_of_characters(data: bytes, cmap: int) -> list[tuple[int, int, int]]:
    """Runs of characters, by code point, whose glyphs follow each other: first and last character, first glyph."""
    (tables,) = struct.unpack_from(">H", data, cmap + 2)
    offsets = {
        (platform, encoding): offset
        for platform, encoding, offset in struct.iter_unpack(">HHI", data[cmap + 4 : cmap + 4 + 8 * tables])
    }
    table = cmap + offsets[_WHOLE_UNICODE]
    (count,) = struct.unpack_from(">I", data, table + 12)
    return list(struct.iter_unpack(">III", data[table + 16 : table + 16 + 12 * count]))
