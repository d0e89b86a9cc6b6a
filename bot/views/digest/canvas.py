"""Draws the digest's picture with matplotlib, with the font it bundles and without a display.

Discord shows an embedded picture 400 points wide and scales it down on phones, so everything is set large: at
1,600 pixels the smallest letters come out at about ten pixels there.
"""

import io
import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, get_font
from matplotlib.patches import FancyBboxPatch
from matplotlib.text import Text

from bot.views.digest.picture import Bin, PictureFacts, RecordExtent, Trend
from bot.views.kit.palette import CARD, FAINT, INK, MUTED, REACH, SPREAD
from bot.views.words.names import plain_guild
from bot.views.words.text import clusters, cut

_FONTS = Path(mpl.get_data_path()) / "fonts" / "ttf"
_REGULAR = _FONTS / "DejaVuSans.ttf"
_BOLD = _FONTS / "DejaVuSans-Bold.ttf"

_SIZE = (8.0, 6.0)
_DOTS_PER_INCH = 200
_LEFT, _SECOND, _RIGHT = 0.055, 0.53, 0.945
_LEAST, _SMALL, _BODY, _FIGURE, _HEADLINE = 10.0, 12.0, 14.0, 25.0, 31.0
_TOWERS = 3
_FEWEST_WEEKS = 4
"""A course is at least this many weeks wide, so that two weeks do not fill the whole width."""
_UNDER = -0.14
"""Where the weeks are named, below a course of height 1."""


def draw_digest(facts: PictureFacts) -> bytes:
    """The picture as a PNG of 1,600 by 1,200 pixels. The same facts always give the same bytes."""
    figure = Figure(figsize=_SIZE, dpi=_DOTS_PER_INCH, facecolor="none")
    FigureCanvasAgg(figure)
    figure.add_artist(
        FancyBboxPatch(
            (0.004, 0.005),
            0.992,
            0.99,
            boxstyle="round,pad=0,rounding_size=0.022",
            mutation_aspect=_SIZE[0] / _SIZE[1],
            transform=figure.transFigure,
            facecolor=CARD,
            edgecolor="none",
            zorder=-1,
        )
    )
    _heading(figure, facts)
    _trend(figure, facts, facts.reach, REACH, _LEFT)
    _bands(_trend(figure, facts, facts.spread, SPREAD, _SECOND), facts)
    _members(figure, facts)
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=_DOTS_PER_INCH, metadata={"Software": "spade"})
    return png.getvalue()


def _heading(figure: Figure, facts: PictureFacts) -> None:
    week = _text(figure, _RIGHT, 0.945, facts.week, _BODY, MUTED, right=True)
    taken = _width(figure, week)
    guild = drawable(plain_guild(facts.guild_name))
    if guild:
        _fitting(figure, _LEFT, 0.945, guild, _BODY, INK, _RIGHT - _LEFT - taken - 0.04)
    _fitting(figure, _LEFT, 0.885, facts.headline, _HEADLINE, facts.colour, _RIGHT - _LEFT, bold=True)
    _fitting(figure, _LEFT, 0.782, facts.subtitle, _BODY, MUTED, _RIGHT - _LEFT)


def _trend(figure: Figure, facts: PictureFacts, trend: Trend, colour: str, left: float) -> Axes:
    """One share over up to twelve weeks: the newest in large letters, its course below, on a scale from 0 to 100%."""
    width = _RIGHT - _SECOND
    number = _text(figure, left, 0.70, trend.figure, _FIGURE, colour, bold=True)
    beside = left + _width(figure, number) + 0.015
    room = (_RIGHT if left + width >= _RIGHT else _SECOND - 0.015) - beside
    _fitting(figure, beside, 0.694, trend.title, _BODY, INK, room, bold=True)
    _fitting(figure, beside, 0.653, trend.note, _SMALL, MUTED, room)

    axes = figure.add_axes((left + 0.065, 0.415, width - 0.065, 0.195), facecolor="none")
    span = _span(trend.values)
    axes.set_xlim(-0.5, span - 0.5)
    axes.set_ylim(-0.03, 1.03)
    axes.set_xticks([])
    axes.set_yticks([0, 0.5, 1])
    axes.set_yticklabels(["0", "50", "100"])
    axes.grid(visible=True, axis="y", color=FAINT, linewidth=1)
    places = [span - len(trend.values) + position for position in range(len(trend.values))]
    _quiet(axes)
    _weeks(axes, facts, places[0] - 0.5, span)
    for kind, gap in _gaps(facts.extents):
        middle = places[gap[0]] + (len(gap) - 1) / 2
        axes.axvspan(places[gap[0]] - 0.5, places[gap[-1]] + 0.5, color=FAINT, linewidth=0, zorder=1)
        label = facts.gap if kind is RecordExtent.GAP else facts.no_record
        known = [value for value in trend.values[gap[0] : gap[-1] + 1] if value is not None]
        free = 0.61 if not known else 0.68 if sum(known) / len(known) < 0.5 else 0.24
        words = axes.text(middle, free, label, ha="center", va="center", color=MUTED, rotation=90)
        _dress(words, _SMALL - 2)
    values = list(zip(trend.values, facts.extents, strict=True))
    course = [math.nan if value is None or extent is RecordExtent.GAP else value for value, extent in values]
    doubtful = [math.nan if value is None or extent is not RecordExtent.GAP else value for value, extent in values]
    axes.plot(places, doubtful, "o", markersize=6, markerfacecolor=CARD, markeredgecolor=colour, clip_on=False)
    axes.plot(places, course, color=colour, linewidth=3.2, solid_capstyle="round", solid_joinstyle="round")
    lonely = [
        (place, value)
        for position, (place, value) in enumerate(zip(places, course, strict=True))
        if not math.isnan(value) and position < len(places) - 1 and _alone(course, position)
    ]
    axes.plot(*(list(zip(*lonely, strict=True)) or ([], [])), "o", color=colour, markersize=4.5)
    if not math.isnan(course[-1]):
        axes.plot(places[-1:], course[-1:], "o", color=colour, markersize=10, clip_on=False, zorder=5)
    return axes


def _span(values: Sequence[float | None]) -> int:
    """How many weeks wide a course is."""
    return max(len(values), _FEWEST_WEEKS)


def _weeks(axes: Axes, facts: PictureFacts, begins: float, ends: int) -> None:
    """Label a course below: the Mondays of its first and last week, at its ends, and the number of weeks between."""
    last = axes.text(ends - 0.5, _UNDER, facts.week_labels[-1], ha="right", va="top", color=MUTED)
    _dress(last, _SMALL)
    if len(facts.week_labels) < _FEWEST_WEEKS:
        return
    first = axes.text(begins, _UNDER, facts.week_labels[0], ha="left", va="top", color=MUTED)
    _dress(first, _SMALL)
    count = axes.text((begins + ends - 0.5) / 2, _UNDER, facts.weeks, ha="center", va="top", color=MUTED, alpha=0.8)
    _dress(count, _SMALL)


def _bands(axes: Axes, facts: PictureFacts) -> None:
    """Shade the named parts of the scale, each with its name where the course and the gaps leave most room."""
    span = _span(facts.spread.values)
    before = span - len(facts.spread.values)
    values = (None,) * before + facts.spread.values
    recorded = (True,) * before + tuple(extent is RecordExtent.WHOLE for extent in facts.extents)
    for band in facts.bands:
        axes.axhspan(band.low, band.high, color=SPREAD, alpha=0.11, linewidth=0, zorder=0)
        upper = band.high == 1
        label = axes.text(
            0, band.high - 0.04 if upper else band.low + 0.05, band.label, va="top" if upper else "bottom"
        )
        label.set(color=SPREAD, alpha=0.85, zorder=2)
        _dress(label, _SMALL - 1)
        wide = label.get_window_extent().width / axes.get_window_extent().width * span
        label.set_x(_freest(values, recorded, 1 if upper else 0, wide))


def _freest(values: Sequence[float | None], recorded: Sequence[bool], edge: int, wide: float) -> float:
    """Where a label begins, in weeks from the left, so that it keeps clear of gaps and of the course.

    `edge` is the end of the scale that it stands at, 0 or 1; `wide` is its width in weeks. If several places are
    equally free, the leftmost.
    """
    span, margin = len(values), 0.02 * len(values)

    def room(begins: float) -> float:
        covered = [min(begins + wide, week + 0.5) - max(begins, week - 0.5) for week in range(span)]
        near = [value for value, part in zip(values, covered, strict=True) if part > 0 and value is not None]
        free = min((abs(edge - value) for value in near), default=0.25)
        gaps = sum(max(part, 0) for part, known in zip(covered, recorded, strict=True) if not known)
        return min(free, 0.25) - 0.3 * gaps

    last = max(0.0, span - wide - 2 * margin)
    steps = [last * step / 24 for step in range(25)]
    return max(steps, key=lambda step: (room(step - 0.5 + margin), -step)) - 0.5 + margin


def _members(figure: Figure, facts: PictureFacts) -> None:
    """This week's conversations, one bar for each member reached, the most-addressed first."""
    note = _text(figure, _RIGHT, 0.325, facts.members_note, _BODY, SPREAD, right=True)
    _fitting(
        figure, _LEFT, 0.325, facts.members_title, _BODY, INK, _RIGHT - _LEFT - _width(figure, note) - 0.03, bold=True
    )
    _fitting(figure, _LEFT + 0.065, 0.062, facts.members_caption, _SMALL, MUTED, _RIGHT - _LEFT - 0.065)
    axes = figure.add_axes((_LEFT + 0.065, 0.082, _RIGHT - _LEFT - 0.065, 0.19), facecolor="none")
    axes.set_xticks([])
    axes.axhline(0, color=MUTED, linewidth=1.2)
    if facts.bins:
        _binned(axes, facts.bins)
    else:
        _bars(axes, sorted(facts.conversations, reverse=True), towers=bool(facts.members_note))
    _quiet(axes)


def _bars(axes: Axes, counts: Sequence[int], *, towers: bool) -> None:
    """A bar for each member."""
    highest = max(counts, default=0)
    axes.set_ylim(0, max(highest, 2) * 1.06)
    axes.set_yticks(_whole_steps(highest))
    axes.grid(visible=True, axis="y", color=FAINT, linewidth=1)
    axes.set_xlim(-0.5, max(len(counts), 8) - 0.5)
    colours = [SPREAD if place < _TOWERS and towers else REACH for place in range(len(counts))]
    axes.bar(range(len(counts)), counts, width=0.78, color=colours, linewidth=0, zorder=3)


def _binned(axes: Axes, bins: Sequence[Bin]) -> None:
    """Bars for many members: how many had how many conversations. Each has its number, and a least height."""
    highest = max(one.members for one in bins)
    heights = [0 if not one.members else max(one.members, 0.02 * highest) for one in bins]
    axes.set_ylim(-0.2 * highest, highest * 1.2)
    axes.set_yticks([])
    axes.set_xlim(-0.6, max(len(bins), 5) - 0.4)
    axes.bar(range(len(bins)), heights, width=0.78, color=REACH, linewidth=0, zorder=3)
    for place, (one, height) in enumerate(zip(bins, heights, strict=True)):
        figure = axes.text(place, height + 0.03 * highest, one.figure, ha="center", va="bottom", color=INK)
        _dress(figure, _SMALL)
        label = axes.text(place, -0.04 * highest, one.label, ha="center", va="top", color=MUTED)
        _dress(label, _SMALL - 1)


def drawable(name: str) -> str:
    """The part of a name that the bundled font can draw; empty if that is less than half of its letters."""
    font = get_font(str(_REGULAR))
    kept = "".join(
        cluster for cluster in clusters(name) if all(font.get_char_index(ord(character)) for character in cluster)
    )
    kept = " ".join(kept.split())
    letters = sum(character.isalnum() for character in name)
    return kept if 2 * sum(character.isalnum() for character in kept) >= max(letters, 1) else ""


def _quiet(axes: Axes) -> None:
    """Remove the frame and the tick marks, and set the labels small."""
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, pad=6, colors=MUTED)
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        _dress(label, _SMALL)


def _text(
    figure: Figure,
    x: float,
    y: float,
    words: str,
    size: float,
    colour: str,
    *,
    bold: bool = False,
    right: bool = False,
) -> Text:
    text = figure.text(x, y, words, color=colour, ha="right" if right else "left", va="top")
    _dress(text, size, bold=bold)
    return text


def _dress(text: Text, size: float, *, bold: bool = False) -> None:
    """Set the bundled font, and draw a dollar sign as one: matplotlib would read a formula."""
    text.set_fontproperties(FontProperties(fname=str(_BOLD if bold else _REGULAR), size=size))
    text.set_parse_math(False)


def _fitting(
    figure: Figure, x: float, y: float, words: str, size: float, colour: str, room: float, *, bold: bool = False
) -> Text:
    """Text that is set smaller, then cut, until it fits into `room`."""
    text = _text(figure, x, y, words, size, colour, bold=bold)
    while _width(figure, text) > room and size > _LEAST:
        size -= 0.5
        _dress(text, size, bold=bold)
    limit = len(words)
    while _width(figure, text) > room and limit > 1:
        limit -= max(1, limit // 20)
        text.set_text(cut(words, limit))
    return text


def _width(figure: Figure, text: Text) -> float:
    """A text's width as a share of the picture's."""
    return float(text.get_window_extent().width) / float(figure.bbox.width)


def _gaps(extents: Sequence[RecordExtent]) -> Iterator[tuple[RecordExtent, list[int]]]:
    """Runs of weeks that are not, or not completely, on record, as positions."""
    for kind, run in groupby(range(len(extents)), key=lambda position: extents[position]):
        if kind is not RecordExtent.WHOLE:
            yield kind, list(run)


def _alone(course: Sequence[float], position: int) -> bool:
    """Whether a point has no neighbours, so that no line shows it."""
    before = course[position - 1] if position else math.nan
    return math.isnan(before) and math.isnan(course[position + 1])


def _whole_steps(highest: int) -> list[int]:
    """Two or three whole numbers to label a scale of counts with."""
    if highest <= 3:
        return list(range(max(highest, 1) + 1))
    magnitude = 10 ** math.floor(math.log10(highest / 2))
    step = max(factor * magnitude for factor in (1, 2, 5) if factor * magnitude <= highest / 2)
    return list(range(0, highest + 1, step))
