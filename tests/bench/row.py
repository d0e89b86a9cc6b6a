"""A row of the table: figures, each beside a yardstick that was measured in the same run, and the goal for it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import Any


class Of(StrEnum):
    """What a goal is about."""

    MEASURED = "measured"
    RATIO = "ratio"
    """Measured, divided by the yardstick."""
    MORE = "more"
    """Measured, less the yardstick."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A limit: at most, or with `at_least` at least."""

    of: Of
    limit: float
    at_least: bool = False

    def met(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit


def at_most(limit: float, of: Of = Of.MEASURED) -> Goal:
    return Goal(of, limit)


def at_least(limit: float, of: Of = Of.MEASURED) -> Goal:
    return Goal(of, limit, at_least=True)


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. `ratio` and `more` are medians over the pairs, not made of the two medians.

    Without a yardstick, `beside`, `ratio` and `more` are None.
    """

    what: str
    unit: str
    measured: float
    yardstick: str = ""
    beside: float | None = None
    ratio: float | None = None
    more: float | None = None
    pairs: int = 1
    goal: Goal | None = None

    @property
    def judged(self) -> float | None:
        """What the goal is about; None without a goal, or if it is about a yardstick that there is not."""
        if self.goal is None:
            return None
        return {Of.MEASURED: self.measured, Of.RATIO: self.ratio, Of.MORE: self.more}[self.goal.of]

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None if there is none to be judged."""
        value = self.judged
        return None if value is None or self.goal is None else self.goal.met(value)

    def as_json(self) -> dict[str, Any]:
        """For `latest.json`."""
        goal = self.goal and {"of": self.goal.of.value, "limit": self.goal.limit, "at_least": self.goal.at_least}
        return {
            "what": self.what,
            "unit": self.unit,
            "measured": _rounded(self.measured),
            "yardstick": self.yardstick or None,
            "beside": _rounded(self.beside),
            "ratio": _rounded(self.ratio),
            "pairs": self.pairs,
            "goal": goal,
            "met": self.met,
        }


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table. Without figures, `why` says why it could not be measured."""

    name: str
    figures: tuple[Figure, ...] = ()
    why: str = ""

    def as_json(self) -> dict[str, Any]:
        """For `latest.json`."""
        return {"row": self.name, "figures": [figure.as_json() for figure in self.figures], "why": self.why or None}


def alone(what: str, unit: str, values: Sequence[float], goal: Goal | None = None) -> Figure:
    """A figure with nothing beside it: the median of some tries."""
    return Figure(what, unit, median(values), pairs=len(values), goal=goal)


def beside(
    what: str, unit: str, yardstick: str, pairs: Sequence[tuple[float, float]], goal: Goal | None = None
) -> Figure:
    """A figure beside its yardstick, from pairs that were measured one after the other."""
    return Figure(
        what,
        unit,
        median(ours for ours, _ in pairs),
        yardstick,
        median(theirs for _, theirs in pairs),
        ratio=median(ours / theirs if theirs else math.inf for ours, theirs in pairs),
        more=median(ours - theirs for ours, theirs in pairs),
        pairs=len(pairs),
        goal=goal,
    )


def _rounded(value: float | None) -> float | None:
    """To four digits, which is more than a machine with other things to do can tell."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.4g}")
