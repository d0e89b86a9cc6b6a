"""Numbers and the names of days and months, as a language writes them.

Babel knows them for every language. English does without it: a bot that speaks nothing else, and each command, saves
some three megabytes and the time to load them.
"""

import calendar
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

ENGLISH = "en"


def day_name(weekday: int, language: str) -> str:
    """The name of a day of the week, 0 being Monday."""
    if language == ENGLISH:
        return calendar.day_name[weekday]
    from babel.dates import get_day_names  # noqa: PLC0415 - see above

    return str(get_day_names("wide", context="format", locale=language)[weekday])


def month_name(month: int, language: str) -> str:
    """The name of a month, 1 being January."""
    return calendar.month_name[month] if language == ENGLISH else _months("wide", language)[month]


def short_month(month: int, language: str) -> str:
    """The name of a month, short, where a language has a shorter one."""
    return calendar.month_abbr[month] if language == ENGLISH else _months("abbreviated", language)[month]


def whole_number(count: int, language: str) -> str:
    """A whole number with thousands separators."""
    if language == ENGLISH:
        return f"{count:,}"
    from babel.numbers import format_decimal  # noqa: PLC0415 - see above

    return format_decimal(count, locale=language)


def percentage(hundredths: int, language: str) -> str:
    """A whole number of hundredths as a percentage."""
    if language == ENGLISH:
        return f"{hundredths:,}%"
    from babel.numbers import format_percent  # noqa: PLC0415 - see above

    return format_percent(hundredths / 100, format=None, locale=language)


def _months(width: Literal["wide", "abbreviated"], language: str) -> "Mapping[int, str]":
    from babel.dates import get_month_names  # noqa: PLC0415 - see above

    return get_month_names(width, context="format", locale=language)
