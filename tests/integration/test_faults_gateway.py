"""Outages of the gateway, a few of each; `make outages` plays all of them a hundred times."""

import pytest

from tests.faults_gateway.hostile import Moment
from tests.faults_gateway.run import BACK_WITHIN, play
from tests.faults_gateway.ways import EVERYTHING, WAYS


def outcomes(*names: str, moment: Moment, defect: str, times: int = 1):
    ways = [way for way in WAYS if way.name in names] * times
    assert ways
    return play([(way, moment) for way in ways], 1, defect=defect)[0]


def test_the_bot_lives_and_is_back_within_a_minute() -> None:
    """Every seventh of all ways and moments, so each moment in many ways."""
    found, astray = play(EVERYTHING[::7], 1)
    assert {outcome.moment for outcome in found} == set(Moment)
    assert [(one.way, one.moment, one.told(), one.lines, one.tracebacks) for one in found if one.failed] == []
    assert astray == []


@pytest.mark.filterwarnings("ignore")  # what the planted defects leave behind is not ours
def test_planted_defects_are_found() -> None:
    """The loop of discord.py, delays without a bound, and a READY that is waited for without one."""
    own = outcomes("http-503", "json-null", moment=Moment.BEFORE_HELLO, defect="own-loop")
    assert all(outcome.ended for outcome in own)
    unbounded = outcomes("http-503", moment=Moment.LATER, defect="unbounded", times=8)
    assert max(outcome.back for outcome in unbounded) > BACK_WITHIN
    assert all(
        one.never_back for one in outcomes("acknowledgements-only", moment=Moment.BEFORE_READY, defect="patient")
    )
