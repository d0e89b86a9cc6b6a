"""Newcomers who stay: Kaplan-Meier estimates of two groups (docs/rules.md#newcomers-who-stay).

The groups differ in whether a manager touched the member early. Days are whole local dates, counted from the day of
the member's first message. The result is an association and says nothing about causes.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from statistics import NormalDist

from bot.domain.rules import Rules

_Z = NormalDist().inv_cdf(0.975)
"""The quantile for a two-sided 95 % interval."""


@dataclass(frozen=True, slots=True)
class NewcomerStay:
    """A member's days of first and last message; `touched` is whether a manager touched them soon after the first."""

    first_on: date
    last_on: date
    touched: bool


@dataclass(frozen=True, slots=True)
class Spell:
    """How many days a member was active: until they fell silent (`gone`), or so far (censored)."""

    days: int
    gone: bool


@dataclass(frozen=True, slots=True)
class Staying:
    """The share still active on a day, with its 95 % interval; no interval if the share is 0 or 1."""

    day: int
    share: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Group:
    """One group of newcomers. `staying` is empty if the group is too small."""

    members: int
    staying: tuple[Staying, ...]


@dataclass(frozen=True, slots=True)
class Stayers:
    """The group that a manager touched early, and the others."""

    touched: Group
    others: Group

    @property
    def can_say(self) -> bool:
        """Whether at least one group has estimates."""
        return bool(self.touched.staying or self.others.staying)


def stayers(newcomers: Iterable[tuple[NewcomerStay, int]], now_on: date, rules: Rules) -> Stayers:
    """The estimates of both groups as of `now_on`, of stays and how many newcomers stayed so.

    Newcomers of any age may be passed; others are left out.
    """
    spells: Mapping[bool, list[Spell]] = {True: [], False: []}
    for newcomer, members in newcomers:
        age = now_on - newcomer.first_on
        if rules.stay_from <= age <= rules.stay_until and newcomer.last_on - newcomer.first_on >= rules.stay_greeted:
            gone = now_on - newcomer.last_on >= rules.stay_silent
            until_on = newcomer.last_on if gone else now_on
            spells[newcomer.touched].extend([Spell((until_on - newcomer.first_on).days, gone)] * members)
    return Stayers(_group(spells[True], rules), _group(spells[False], rules))


def staying(spells: Iterable[Spell], days: Iterable[int]) -> tuple[Staying, ...]:
    """The Kaplan-Meier estimate on each of the given days.

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
