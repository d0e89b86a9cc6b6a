"""Draws one share over the weeks: the newest in large letters, its course below, on a scale from 0 to 100 %.

No label lies over another, nor over a week's value in a gap: a gap's name that finds no place is left out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from bot.views.digest.picture import Band, PictureFacts, RecordExtent, Trend
from bot.views.digest.shapes import (
    BODY,
    LEAST,
    LINE,
    SMALL,
    Anchor,
    Block,
    Box,
    Course,
    Dot,
    Shape,
    Words,
    above_line,
    below_digits,
    below_middle,
    fitted,
)
from bot.views.kit.palette import CARD, FAINT, INK, MUTED, SPREAD

WIDTH = 664
"""A trend's, with its scale."""
INDENT = 104
"""How much of the width the scale takes."""

_FIGURE, _BAND, _GAP, _LEAST_GAP = 69, 31, 28, 24
_FIGURE_LINE, _TITLE_LINE, _NOTE_LINE, _WEEKS_LINE = 413, 397, 442, 752
_FIGURE_ROOM = 255
"""How wide the figure is at most, so that "under 1 %" leaves the words beside it enough."""
_WHOLE, _NOTHING = 475, 695
"""Where 100 % and 0 % stand."""
_TOP, _BOTTOM = 468, 702
_CLEARANCE = 5
_FEWEST_WEEKS = 4
"""A course is at least this many weeks wide, so that two weeks do not fill the whole width."""


@dataclass(frozen=True, slots=True)
class _Field:
    """Where a course is drawn. The weeks stand side by side, the last one at the right end."""

    left: float
    right: float
    values: Sequence[float | None]
    extents: Sequence[RecordExtent]

    @property
    def span(self) -> int:
        """How many weeks wide it is."""
        return max(len(self.values), _FEWEST_WEEKS)

    @property
    def before(self) -> int:
        """How many weeks are empty, because the record is shorter than the course is wide."""
        return self.span - len(self.values)

    @property
    def week(self) -> float:
        """How wide a week is."""
        return (self.right - self.left) / self.span

    def point(self, week: int, share: float) -> tuple[float, float]:
        """Where a week's share stands."""
        return self.left + (self.before + week + 0.5) * self.week, _NOTHING - share * (_NOTHING - _WHOLE)

    def gaps(self) -> Iterator[tuple[RecordExtent, Box, list[int]]]:
        """Runs of weeks that are not, or not completely, on record; the boxes end at whole pixels."""
        for kind, run in groupby(range(len(self.extents)), key=lambda week: self.extents[week]):
            if kind is not RecordExtent.WHOLE:
                weeks = list(run)
                left, right = (self.left + (self.before + week) * self.week for week in (weeks[0], weeks[-1] + 1))
                yield kind, Box(round(left), _TOP, round(right), _BOTTOM), weeks

    def doubtful(self) -> Iterator[tuple[float, float]]:
        """The values of weeks with a gap."""
        for week, (value, extent) in enumerate(zip(self.values, self.extents, strict=True)):
            if value is not None and extent is RecordExtent.GAP:
                yield self.point(week, value)

    def runs(self) -> Iterator[list[tuple[float, float]]]:
        """The values of the other weeks, as runs of weeks that follow each other."""
        known = [
            None if value is None or extent is RecordExtent.GAP else self.point(week, value)
            for week, (value, extent) in enumerate(zip(self.values, self.extents, strict=True))
        ]
        for is_known, run in groupby(known, key=lambda point: point is not None):
            if is_known:
                yield [point for point in run if point is not None]


def draw_trend(
    facts: PictureFacts, trend: Trend, colour: str, left: float, room: float, bands: Sequence[Band] = ()
) -> Iterator[Shape]:
    """A trend that begins at `left`. `room` is how much its words may take; `bands` are named parts of its scale."""
    figure = fitted(Words(left, _FIGURE_LINE, trend.figure, _FIGURE, colour, bold=True), _FIGURE_ROOM, LEAST)
    beside = left + figure.width + 24
    yield figure
    yield fitted(Words(beside, _TITLE_LINE, trend.title, BODY, INK, bold=True), left + room - beside, LEAST)
    yield fitted(Words(beside, _NOTE_LINE, trend.note, SMALL, MUTED), left + room - beside, LEAST)
    field = _Field(left + INDENT, left + WIDTH, trend.values, facts.extents)
    yield from _ground(field, bands)
    yield from _labels(field, facts, bands)
    yield from _course(field, colour)
    yield from _weeks(field, facts)


def _ground(field: _Field, bands: Sequence[Band]) -> Iterator[Shape]:
    """The scale with its bands and the gaps."""
    for band in bands:
        (_, top), (_, bottom) = field.point(0, band.high), field.point(0, band.low)
        yield Block(Box(field.left, round(top), field.right, round(bottom)), SPREAD, opacity=0.11)
    for share in (0, 0.5, 1):
        _, height = field.point(0, share)
        yield Block(Box(field.left, round(height) - 1, field.right, round(height) - 1 + LINE), FAINT)
        label = str(round(100 * share))
        yield Words(field.left - 17, height + below_digits(SMALL), label, SMALL, MUTED, anchor=Anchor.END)
    for _, box, _ in field.gaps():
        yield Block(box, FAINT)


def _labels(field: _Field, facts: PictureFacts, bands: Sequence[Band]) -> Iterator[Shape]:
    taken = [_dot(x, y, CARD).box for x, y in field.doubtful()]
    for band in bands:
        label = _band_label(field, band)
        taken.append(label.box)
        yield label
    for kind, box, _ in field.gaps():
        name = facts.gap if kind is RecordExtent.GAP else facts.no_record
        yield from _gap_label(box, name, taken)


def _gap_label(gap: Box, name: str, taken: Sequence[Box]) -> Iterator[Words]:
    """The name of a gap, upright, in the longest stretch that nothing else takes; nothing if all are too short."""
    middle = (gap.left + gap.right) / 2
    column = Box(middle - _GAP / 2, gap.top, middle + _GAP / 2, gap.bottom)
    others = sorted((box.top, box.bottom) for box in taken if box.overlaps(column))
    ends = [(gap.top, gap.top), *others, (gap.bottom, gap.bottom)]
    stretches = [(above[1] + _CLEARANCE, below[0] - _CLEARANCE) for above, below in pairwise(ends)]
    top, bottom = max(stretches, key=lambda stretch: stretch[1] - stretch[0])
    label = Words(0, (top + bottom) / 2, name, _GAP, MUTED, anchor=Anchor.MIDDLE, upright=True)
    size = min(_GAP, _GAP * (bottom - top) / label.width)
    if size >= _LEAST_GAP:
        yield replace(label, x=middle + below_middle(size), size=size)


def _band_label(field: _Field, band: Band) -> Words:
    """The name of a band, where the course and the gaps leave most room."""
    upper = band.high == 1
    _, edge = field.point(0, band.high - 0.04 if upper else band.low + 0.05)
    line = edge + above_line(_BAND) if upper else edge - 6
    label = Words(0, line, band.label, _BAND, SPREAD, opacity=0.85)
    label = fitted(label, 0.96 * (field.right - field.left), LEAST)
    begins = _freest(field, 1 if upper else 0, label.width / field.week)
    return replace(label, x=field.left + begins * field.week)


def _freest(field: _Field, edge: int, wide: float) -> float:
    """Where a label begins, in weeks from the left, so that it keeps clear of gaps and of the course.

    `edge` is the end of the scale that it stands at, 0 or 1; `wide` is its width in weeks. If several places are
    equally free, the leftmost.
    """
    span, margin = field.span, 0.02 * field.span
    values = (None,) * field.before + tuple(field.values)
    recorded = (True,) * field.before + tuple(extent is RecordExtent.WHOLE for extent in field.extents)

    def room(begins: float) -> float:
        covered = [min(begins + wide, week + 1) - max(begins, week) for week in range(span)]
        near = [value for value, part in zip(values, covered, strict=True) if part > 0 and value is not None]
        free = min((abs(edge - value) for value in near), default=0.25)
        gaps = sum(max(part, 0) for part, known in zip(covered, recorded, strict=True) if not known)
        return min(free, 0.25) - 0.3 * gaps

    last = max(0.0, span - wide - 2 * margin)
    steps = [margin + last * step / 24 for step in range(25)]
    return max(steps, key=lambda begins: (room(begins), -begins))


def _course(field: _Field, colour: str) -> Iterator[Shape]:
    """The values: a line where weeks follow each other, a ring for one with a gap, a large dot for the last one."""
    yield from (_dot(x, y, colour) for x, y in field.doubtful())
    last = len(field.values) - 1
    for run in field.runs():
        if len(run) > 1:
            yield Course(tuple(run), colour, 9)
        elif run[0] != field.point(last, field.values[last] or 0):
            yield Dot(*run[0], 7.5, colour)
    newest = field.values[last]
    if newest is not None and field.extents[last] is not RecordExtent.GAP:
        yield Dot(*field.point(last, newest), 15, colour)


def _dot(x: float, y: float, colour: str) -> Dot:
    """The ring of a value that may be wrong."""
    return Dot(x, y, 8.5, CARD, edge=colour, thickness=3)


def _weeks(field: _Field, facts: PictureFacts) -> Iterator[Words]:
    """Below a course: the Mondays of its first and last week, at its ends, and the number of weeks between."""
    yield Words(field.right, _WEEKS_LINE, facts.week_labels[-1], SMALL, MUTED, anchor=Anchor.END)
    if not field.before:
        yield Words(field.left, _WEEKS_LINE, facts.week_labels[0], SMALL, MUTED)
        middle = (field.left + field.right) / 2
        yield Words(middle, _WEEKS_LINE, facts.weeks, SMALL, MUTED, anchor=Anchor.MIDDLE, opacity=0.8)
