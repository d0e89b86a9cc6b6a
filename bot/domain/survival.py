"""Newcomers who stay (R10): Kaplan-Meier estimates of two groups, told apart by whether a manager met them early.

Days are whole local dates, counted from the day of a member's first message. That somebody was met and that they
stayed go together or not; neither is the other's cause.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from statistics import NormalDist

from bot.domain.rules import Rules

_Z = NormalDist().inv_cdf(0.975)
"""The 95 % interval's two sides."""


@dataclass(frozen=True, slots=True)
class NewcomerStay:
    """A member by the days of their first and last message, and whether a manager touched them soon after the first."""

    first_on: date
    last_on: date
    touched: bool


@dataclass(frozen=True, slots=True)
class Spell:
    """How many days a member has been there: until they fell silent (`gone`), or at least until now."""

    days: int
    gone: bool


@dataclass(frozen=True, slots=True)
class Staying:
    """The share still there on a day, with its 95 % interval; without one where everybody or nobody is."""

    day: int
    share: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Group:
    """One group of newcomers; too few of them have no estimates."""

    members: int
    staying: tuple[Staying, ...]


@dataclass(frozen=True, slots=True)
class Stayers:
    """Both groups."""

    touched: Group
    others: Group

    @property
    def can_say(self) -> bool:
        """Whether there is anything to say of either."""
        return bool(self.touched.staying or self.others.staying)


def stayers(newcomers: Iterable[NewcomerStay], now_on: date, rules: Rules) -> Stayers:
    """R10 as it looks on a day. Newcomers of any age may be given; those it is not about are left out."""
    spells: Mapping[bool, list[Spell]] = {True: [], False: []}
    for newcomer in newcomers:
        age = now_on - newcomer.first_on
        if rules.stay_from <= age <= rules.stay_until and newcomer.last_on - newcomer.first_on >= rules.stay_greeted:
            gone = now_on - newcomer.last_on >= rules.stay_silent
            until_on = newcomer.last_on if gone else now_on
            spells[newcomer.touched].append(Spell((until_on - newcomer.first_on).days, gone))
    return Stayers(_group(spells[True], rules), _group(spells[False], rules))


def staying(spells: Iterable[Spell], days: Iterable[int]) -> tuple[Staying, ...]:
    """The Kaplan-Meier estimate on each of some days.

    The interval is Greenwood's on the scale of log(-log S), which keeps it between 0 and 1 (Kalbfleisch and
    Prentice, 1980).
    """
    known = list(spells)
    ends = Counter(spell.days for spell in known)
    departures = Counter(spell.days for spell in known if spell.gone)
    return tuple(_staying(day, ends, departures) for day in days)


def _group(spells: list[Spell], rules: Rules) -> Group:
    enough = len(spells) >= rules.stay_needs_members
    days = (rules.stay_first_day, rules.stay_second_day)
    return Group(len(spells), staying(spells, days) if enough else ())


def _staying(day: int, ends: Counter[int], departures: Counter[int]) -> Staying:
    share, variance = 1.0, 0.0
    at_risk = ends.total()
    for end in sorted(ends):
        if end > day:
            break
        gone = departures[end]
        if gone == at_risk:
            return Staying(day, 0.0, None, None)
        share *= 1 - gone / at_risk
        variance += gone / (at_risk * (at_risk - gone))
        at_risk -= ends[end]
    if share == 1.0:
        return Staying(day, share, None, None)
    log = math.log(share)
    middle, reach = math.log(-log), _Z * math.sqrt(variance) / log
    return Staying(day, share, math.exp(-math.exp(middle - reach)), math.exp(-math.exp(middle + reach)))
