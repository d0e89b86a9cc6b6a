"""Lays out the digest's picture.

Discord shows an embedded picture 400 points wide and scales it down on phones, so everything is set large: at
1,600 pixels the smallest letters come out at about seven points there, and most of them at eight or more.
"""

import math
from collections.abc import Iterator, Sequence

from bot.views.digest.picture import Bin, PictureFacts
from bot.views.digest.shapes import (
    BODY,
    LEAST,
    LINE,
    SMALL,
    Anchor,
    Block,
    Box,
    Shape,
    Words,
    below_digits,
    fitted,
    svg,
)
from bot.views.digest.trend import INDENT, WIDTH, draw_trend
from bot.views.digest.typeface import typeface
from bot.views.kit.palette import CARD, FAINT, INK, MUTED, REACH, SPREAD
from bot.views.words.text import clusters

PICTURE_WIDTH, PICTURE_HEIGHT = 1600, 1200

_LEFT, _RIGHT = 88, 1512
_SECOND = _RIGHT - WIDTH
_BETWEEN = 24
"""The least space between the two trends, or between two texts on a line."""
_HEADLINE, _LABEL = 86, 31
_NAME_LINE, _HEADLINE_LINE, _SUBTITLE_LINE, _MEMBERS_LINE, _CAPTION_LINE = 96, 204, 292, 840, 1151
_FIELD = Box(_LEFT + INDENT, 874, _RIGHT, 1102)
"""Where the bars stand."""
_EDGE = 40
"""Left of it there are no words."""
_BAR = 0.78
"""How much of its place a bar takes."""
_TOWERS = 3


def draw_digest(facts: PictureFacts) -> str:
    """The picture as SVG, 1,600 by 1,200 pixels, for `bot.drawing.rasterised`. The same facts give the same text."""
    return svg(digest_shapes(facts), PICTURE_WIDTH, PICTURE_HEIGHT)


def digest_shapes(facts: PictureFacts) -> Iterator[Shape]:
    """The picture's shapes, from back to front."""
    yield Block(Box(6, 6, PICTURE_WIDTH - 6, PICTURE_HEIGHT - 6), CARD, radius=35)
    yield from _heading(facts)
    yield from draw_trend(facts, facts.reach, REACH, _LEFT, _SECOND - _BETWEEN - _LEFT)
    yield from draw_trend(facts, facts.spread, SPREAD, _SECOND, WIDTH, facts.bands)
    yield from _members(facts)


def _heading(facts: PictureFacts) -> Iterator[Shape]:
    week = Words(_RIGHT, _NAME_LINE, facts.week, BODY, MUTED, anchor=Anchor.END)
    yield week
    guild = drawable(facts.guild_name)
    if guild:
        yield fitted(Words(_LEFT, _NAME_LINE, guild, BODY, INK), week.box.left - 2 * _BETWEEN - _LEFT, LEAST)
    room = _RIGHT - _LEFT
    yield fitted(Words(_LEFT, _HEADLINE_LINE, facts.headline, _HEADLINE, facts.colour, bold=True), room, LEAST)
    yield fitted(Words(_LEFT, _SUBTITLE_LINE, facts.subtitle, BODY, MUTED), room, LEAST)


def _members(facts: PictureFacts) -> Iterator[Shape]:
    """This week's conversations, one bar for each member reached, the most-addressed first."""
    note = Words(_RIGHT, _MEMBERS_LINE, facts.members_note, BODY, SPREAD, anchor=Anchor.END)
    yield note
    title = Words(_LEFT, _MEMBERS_LINE, facts.members_title, BODY, INK, bold=True)
    yield fitted(title, note.box.left - 2 * _BETWEEN - _LEFT, LEAST)
    caption = Words(_FIELD.left, _CAPTION_LINE, facts.members_caption, SMALL, MUTED)
    yield fitted(caption, _RIGHT - _FIELD.left, LEAST)
    if facts.bins:
        yield from _binned(facts.bins)
    else:
        yield from _bars(sorted(facts.conversations, reverse=True), towers=bool(facts.members_note))


def _bars(counts: Sequence[int], *, towers: bool) -> Iterator[Shape]:
    """A bar for each member."""
    highest = max(counts, default=0)
    one = (_FIELD.bottom - _FIELD.top) / (max(highest, 2) * 1.06)
    for step in _whole_steps(highest):
        height = _FIELD.bottom - step * one
        if step:
            yield Block(Box(_FIELD.left, round(height) - 1, _FIELD.right, round(height) - 1 + LINE), FAINT)
        label = Words(_FIELD.left - 17, height + below_digits(SMALL), str(step), SMALL, MUTED, anchor=Anchor.END)
        yield fitted(label, _FIELD.left - 17 - _EDGE, LEAST)
    yield _base(_FIELD.bottom)
    for place, (left, right) in enumerate(_places(len(counts), max(len(counts), 8), begins=-0.5)):
        colour = SPREAD if place < _TOWERS and towers else REACH
        yield Block(Box(left, round(_FIELD.bottom - counts[place] * one), right, _FIELD.bottom), colour)


def _binned(bins: Sequence[Bin]) -> Iterator[Shape]:
    """Bars for many members: how many had how many conversations. Each has its number, and a least height."""
    highest = max(one.members for one in bins)
    scale = (_FIELD.bottom - _FIELD.top) / 1.4
    ground = round(_FIELD.bottom - 0.2 * scale)
    yield _base(ground)
    for one, (left, right) in zip(bins, _places(len(bins), max(len(bins), 5) + 0.2, begins=-0.6), strict=True):
        share = max(one.members / highest, 0.02) if one.members else 0
        top, middle = round(ground - share * scale), (left + right) / 2
        yield Block(Box(left, top, right, ground), REACH)
        yield Words(middle, top - 12, one.figure, SMALL, INK, anchor=Anchor.MIDDLE)
        yield Words(middle, ground + 29, one.label, _LABEL, MUTED, anchor=Anchor.MIDDLE)


def _base(height: float) -> Block:
    """The line that bars stand on."""
    return Block(Box(_FIELD.left, height, _FIELD.right, height + LINE), MUTED)


def _places(bars: int, span: float, *, begins: float) -> Iterator[tuple[float, float]]:
    """Left and right edges of bars, at whole pixels, in a field of `span` places that begins left of the first one."""
    wide = (_FIELD.right - _FIELD.left) / span
    for place in range(bars):
        middle = _FIELD.left + (place - begins) * wide
        left = round(middle - _BAR / 2 * wide)
        yield left, max(round(middle + _BAR / 2 * wide), left + 1)


def drawable(name: str) -> str:
    """The part of a name that the bundled font can draw; empty if that is less than half of its letters."""
    face = typeface(bold=False)
    kept = "".join(cluster for cluster in clusters(name) if all(map(face.has, cluster)))
    kept = " ".join(kept.split())
    letters = sum(character.isalnum() for character in name)
    return kept if 2 * sum(character.isalnum() for character in kept) >= max(letters, 1) else ""


def _whole_steps(highest: int) -> list[int]:
    """Two or three whole numbers to label a scale of counts with."""
    if highest <= 3:
        return list(range(max(highest, 1) + 1))
    magnitude = 10 ** math.floor(math.log10(highest / 2))
    step = max(factor * magnitude for factor in (1, 2, 5) if factor * magnitude <= highest / 2)
    return list(range(0, highest + 1, step))
