"""Spans: which positions of a channel are on record, bounds included (docs/rules.md#spans)."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """All positions from `first_id` to `last_id`, both included. Raises ValueError if they are out of order."""

    first_id: int
    last_id: int

    def __post_init__(self) -> None:
        if self.first_id > self.last_id:
            raise ValueError(f"a span cannot end ({self.last_id}) before it begins ({self.first_id})")

    def holds(self, position: int) -> bool:
        """Whether a position lies in the span."""
        return self.first_id <= position <= self.last_id


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same positions as disjoint spans in order. Overlapping and adjoining spans are joined."""
    result: list[Span] = []
    for span in sorted(spans):
        if result and span.first_id <= result[-1].last_id + 1:
            result[-1] = Span(result[-1].first_id, max(result[-1].last_id, span.last_id))
        else:
            result.append(span)
    return tuple(result)


def unrecorded(wanted: Span, recorded: Iterable[Span]) -> tuple[Span, ...]:
    """The parts of `wanted` that are in none of `recorded`, in order."""
    gaps = []
    position = wanted.first_id
    for span in merged(recorded):
        if span.last_id < position:
            continue
        if span.first_id > wanted.last_id:
            break
        if span.first_id > position:
            gaps.append(Span(position, span.first_id - 1))
        position = span.last_id + 1
    if position <= wanted.last_id:
        gaps.append(Span(position, wanted.last_id))
    return tuple(gaps)


def common(one: Iterable[Span], other: Iterable[Span]) -> tuple[Span, ...]:
    """The positions that are in both, as disjoint spans in order."""
    return tuple(
        Span(max(mine.first_id, yours.first_id), min(mine.last_id, yours.last_id))
        for mine in merged(one)
        for yours in merged(other)
        if mine.first_id <= yours.last_id and yours.first_id <= mine.last_id
    )
