"""What people type and call themselves: names, days and times, weekdays, time zones."""

import re
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from bot.domain.logged import LONGEST_AGO, WhenProblem, moment_of_day
from bot.domain.zones import zones_like
from bot.views.digest import about
from bot.views.members import privacy, relationship, unmet, waiting
from bot.views.nudge import direct_message, presses, welcome
from bot.views.words.names import NAME_LIMIT, plain_name, safe_name
from bot.views.words.text import length
from bot.views.words.weekdays import weekday_suggestions, weekdays_from
from tests.unit.test_views_hostile_names import require_that_nothing_acts
from tests.unit.test_views_names import NASTY, is_harmless

_NOW = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
_ZONES = ("UTC", "Pacific/Kiritimati", "America/St_Johns", "Europe/Berlin", "Africa/Monrovia")
_PIECES = ("2026-03-", "29", "02:30", "T", " ", "Z", "+01:00", "9999-12-31", "0001-01-01", "W", "Europe/", "..", "/")
_CUSTOM = ("spade:", "nudge:", ":", "1", "٣", "9" * 40, "-1", "done", "hand_over", "erase", "\n", "page", "a" * 90)
_PATTERNS = [
    value.pattern if isinstance(value, re.Pattern) else value
    for module in (about, direct_message, presses, privacy, relationship, unmet, waiting, welcome)
    for name, value in vars(module).items()
    if name.endswith("_PATTERN")
]


def fuzz_names(rng: Random, folder: Path) -> None:
    """No name acts, hides, pings or overflows."""
    name = _text(rng, NASTY)
    limit = rng.randrange(1, 100)
    shown = plain_name(name, limit)
    assert shown, ascii(name)
    assert is_harmless(shown), ascii(name)
    assert length(shown) <= limit or shown == "a member", ascii(name)
    assert plain_name(plain_name(name)) == plain_name(name), ascii(name)
    safe = safe_name(name)
    assert is_harmless(safe), ascii(name)
    assert length(safe) <= 2 * NAME_LIMIT, ascii(name)


def fuzz_answers(rng: Random, folder: Path) -> None:
    """In no answer does a name act, and none breaks a limit of Discord's."""
    require_that_nothing_acts([_text(rng, NASTY) for _ in range(6)])


def fuzz_options(rng: Random, folder: Path) -> None:
    """What is typed into a command is understood, or refused for a reason."""
    typed = _text(rng, (*_PIECES, *NASTY))
    meant = moment_of_day(typed, ZoneInfo(rng.choice(_ZONES)), _NOW)
    assert isinstance(meant, WhenProblem) or _NOW - LONGEST_AGO <= meant <= _NOW, ascii(typed)
    days = weekdays_from(typed)
    assert days is None or days <= set(range(7)), ascii(typed)
    for suggestion in (*weekday_suggestions(typed), *zones_like(typed)):
        assert 0 < len(suggestion) <= 100, ascii(typed)


def fuzz_buttons(rng: Random, folder: Path) -> None:
    """A button's id that is understood holds nothing the database cannot take."""
    custom_id = _text(rng, _CUSTOM) if rng.random() < 0.5 else _from_pattern(rng)
    for pattern in _PATTERNS:
        found = re.fullmatch(pattern, custom_id)
        for name, value in found.groupdict().items() if found else ():
            if value is not None and value.isdecimal() and name != "delivery_id":
                assert int(value) < 2**63, (pattern, ascii(custom_id))


def _from_pattern(rng: Random) -> str:
    """One of Spade's own ids with other numbers in it."""
    number = rng.choice(("1", "0", "9" * rng.randrange(1, 30), "٣" * 5, "18446744073709551615"))
    return re.sub(r"\\d\+|\\d\{[^}]*\}|\[0-9\]\S", number, re.sub(r"\(\?P<\w+>|\)", "", rng.choice(_PATTERNS)))


def _text(rng: Random, pieces: tuple[str, ...] | list[str]) -> str:
    return "".join(
        rng.choice(pieces) if rng.random() < 0.7 else chr(rng.randrange(0x110000)) for _ in range(rng.randrange(12))
    )
