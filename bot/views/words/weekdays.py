"""Days of the week as people type them."""

import re
from itertools import combinations

from bot.views.words.dates import weekday_name, weekdays_label

WORKDAYS = frozenset(range(5))
EVERY_DAY = frozenset(range(7))
SUGGESTED = (WORKDAYS, EVERY_DAY, frozenset({0, 2, 4}), frozenset({1, 3}), frozenset({0, 3}), frozenset({0}))
_ANY_DAYS = tuple(frozenset(days) for count in range(1, 8) for days in combinations(range(7), count))
_LEAST_LETTERS = 2
_RANGE = re.compile(r"\s*(?:-|–|\bto\b)\s*")  # noqa: RUF001 - people type both dashes
_BETWEEN = re.compile(r"[\s,;+&]+|\band\b")


def weekdays_from(text: str) -> frozenset[int] | None:
    """The days a text names, 0 being Monday: "workdays", "Mon, Wed", "Tuesday to Friday"; None if it names none."""
    wanted = text.strip().lower()
    for days in _ANY_DAYS:
        if weekdays_label(days).lower() == wanted:  # a suggestion, in the language being spoken
            return days
    if wanted in {"workdays", "weekdays", "working days"}:
        return WORKDAYS
    if wanted in {"every day", "everyday", "all", "daily"}:
        return EVERY_DAY
    if wanted in {"weekend", "weekends"}:
        return EVERY_DAY - WORKDAYS
    chosen: set[int] = set()
    for part in _BETWEEN.split(_RANGE.sub("-", wanted)):
        if not part:
            continue
        ends = [_weekday(name) for name in part.split("-")]
        if len(ends) > 2 or None in ends:
            return None
        first, last = ends[0], ends[-1]
        assert first is not None
        assert last is not None
        chosen.update((first + offset) % 7 for offset in range((last - first) % 7 + 1))
    return frozenset(chosen) or None


def _weekday(name: str) -> int | None:
    matching = [day for day in range(7) if weekday_name(day).lower().startswith(name)]
    return matching[0] if len(matching) == 1 and len(name) >= _LEAST_LETTERS else None


def weekday_suggestions(typed: str) -> list[str]:
    """Suggestions for the letters typed so far."""
    wanted = typed.strip().lower()
    labels = [weekdays_label(days) for days in SUGGESTED]
    found = [label for label in labels if wanted in label.lower()]
    meant = weekdays_from(typed)
    exact = [weekdays_label(meant)] if meant is not None else []
    return list(dict.fromkeys([*exact, *found]))
