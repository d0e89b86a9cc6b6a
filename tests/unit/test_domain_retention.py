"""How far back the record is kept."""

from datetime import date

import pytest

from bot.domain.retention import KEEP_CHOICES, kept_from


@pytest.mark.parametrize(
    ("today", "months", "first_on"),
    [
        (date(2026, 3, 15), 3, date(2025, 12, 15)),
        (date(2026, 3, 31), 1, date(2026, 2, 28)),
        (date(2024, 3, 30), 1, date(2024, 2, 29)),
        (date(2026, 5, 31), 3, date(2026, 2, 28)),
        (date(2026, 1, 1), 12, date(2025, 1, 1)),
        (date(2026, 12, 31), 24, date(2024, 12, 31)),
        (date(2028, 2, 29), 36, date(2025, 2, 28)),
    ],
)
def test_the_same_day_of_an_earlier_month_or_that_months_last(today: date, months: int, first_on: date) -> None:
    assert kept_from(today, months) == first_on


def test_the_choices_are_whole_months_in_order() -> None:
    assert list(KEEP_CHOICES) == sorted(set(KEEP_CHOICES))
    assert min(KEEP_CHOICES) > 0
