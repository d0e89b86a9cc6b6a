"""Newcomers who stay: the estimates against lifelines, and who is counted in which group."""

import warnings
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.rules import Rules
from bot.domain.survival import NewcomerStay, Spell, stayers, staying

NOW = date(2026, 6, 1)
DAYS = (30, 60)
RULES = Rules()


def theirs(spells, days):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lifelines import KaplanMeierFitter  # noqa: PLC0415 - takes a second, which not every process needs

        fitter = KaplanMeierFitter().fit([spell.days for spell in spells], [spell.gone for spell in spells])
        shares = fitter.survival_function_at_times(days)
        bounds = fitter.confidence_interval_survival_function_.sort_index()
    result = []
    for day in days:
        low, high = bounds.loc[:day].iloc[-1]
        result.append((float(shares.loc[day]), float(low), float(high)))
    return result


@settings(max_examples=60, deadline=None)
@given(st.lists(st.builds(Spell, st.integers(1, 90), st.booleans()), min_size=1, max_size=60))
def test_estimates_and_intervals_equal_those_of_lifelines(spells):
    for mine, (share, low, high) in zip(staying(spells, DAYS), theirs(spells, DAYS), strict=True):
        assert mine.share == pytest.approx(share, abs=1e-9)
        if mine.low is None:
            assert mine.share in (0.0, 1.0)
        else:
            assert mine.low == pytest.approx(low, abs=1e-9)
            assert mine.high == pytest.approx(high, abs=1e-9)


def newcomer(first_days_ago, last_days_ago, *, touched=True):
    return NewcomerStay(NOW - timedelta(days=first_days_ago), NOW - timedelta(days=last_days_ago), touched)


@pytest.mark.parametrize(
    ("first", "last", "counted"),
    [(60, 0, 1), (59, 0, 0), (180, 0, 1), (181, 0, 0), (100, 93, 1), (100, 94, 0)],
)
def test_who_is_counted(first, last, counted):
    found = stayers([(newcomer(first, last), 1)], NOW, RULES)
    assert found.touched.members == counted
    assert found.others.members == 0


def test_silent_for_thirty_days_is_gone_on_the_day_of_the_last_message():
    groups = [(newcomer(100, 70), 10), (newcomer(100, 29), 10), (newcomer(100, 30), 5)]
    found = stayers(groups, NOW, RULES)
    (day30, day60) = found.touched.staying
    assert day30.share == pytest.approx(15 / 25)
    assert day60.share == pytest.approx(15 / 25)
    later = stayers(groups, NOW, Rules(stay_first_day=69, stay_second_day=70))
    assert [one.share for one in later.touched.staying] == pytest.approx([15 / 25, 10 / 25])


def test_too_few_in_a_group_have_no_estimate():
    found = stayers(
        [(newcomer(100, 0), 20), (newcomer(100, 0, touched=False), 19)],
        NOW,
        RULES,
    )
    assert found.can_say
    assert found.others.members == 19
    assert found.others.staying == ()
    assert [(one.share, one.low) for one in found.touched.staying] == [(1.0, None), (1.0, None)]
    assert not stayers([], NOW, RULES).can_say
