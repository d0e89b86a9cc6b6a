"""Shares, sizes and durations in words."""

from datetime import timedelta

from bot.views.words import regional
from bot.views.words.sentence import mark_count, number, say, say_count, spoken

_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_WEEK = timedelta(weeks=1)
_MONTH = _DAY * 30.4375
_YEAR = _DAY * 365.25
_UNITS = (
    (2 * _HOUR, _MINUTE, mark_count("{count} min", "{count} min")),
    (2 * _DAY, _HOUR, mark_count("{count} h", "{count} h")),
    (4 * _WEEK, _DAY, mark_count("{count} day", "{count} days")),
    (26 * _WEEK, _WEEK, mark_count("{count} week", "{count} weeks")),
    (2 * _YEAR, _MONTH, mark_count("{count} month", "{count} months")),
)
"""Up to which duration a unit is used, the unit, and its words."""


def percent(share: float) -> str:
    """A share (0 to 1) as a whole percentage. Only 0 is shown as 0%, and only 1 as 100%."""
    if 0 < share < 0.01:
        return say("under {percent}", percent=_whole(0.01))
    if 0.99 < share < 1:
        return say("over {percent}", percent=_whole(0.99))
    return _whole(share)


def _whole(share: float) -> str:
    return regional.percentage(round(100 * round(share, 2)), spoken())


def duration(elapsed: timedelta) -> str:
    """How long something has lasted, in whole units and never exaggerated: "25 min", "31 h", "9 days"."""
    if elapsed < _MINUTE:
        return say("under a minute")
    for until, unit, (one, many) in _UNITS:
        if elapsed < until:
            return say_count(one, many, count=elapsed // unit)
    return say_count("{count} year", "{count} years", count=elapsed // _YEAR)


def minutes(count: float) -> str:
    """A measured number of minutes in words, rounded to the nearest unit shown."""
    elapsed = timedelta(minutes=count)
    unit = next((unit for until, unit, *_ in _UNITS if elapsed < until), _YEAR)
    return duration(elapsed if elapsed < _MINUTE else elapsed + unit / 2)


def people(count: float) -> str:
    """An effective number of people, rounded to a whole number, at least one."""
    return number(max(1, round(count)))
