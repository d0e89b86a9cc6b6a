"""The fault runs at a size that fits: `make faults` plays as many as it is asked for."""

import pytest

from tests.faults.__main__ import play, summary


@pytest.mark.timeout(180)
async def test_nothing_is_lost_and_nothing_counts_twice() -> None:
    """Processes killed and cut off while messages flow have the record of one that never was."""
    outcomes = await play([1, 2, 3, 4, 5], kills=15, jobs=5)
    assert summary(outcomes) == "faults: seeds=5 kills=15 lost=0 doubled=0"


@pytest.mark.timeout(180)
@pytest.mark.parametrize(("defect", "shown_by"), [("spans-first", "lost"), ("facts-first", "doubled")])
async def test_a_planted_defect_is_found(defect: str, shown_by: str) -> None:
    """Spans that are committed apart from their facts are just what the runs must not let pass.

    A kill has to hit the moment between the two commits, so a few more seeds may be needed on a busy machine.
    """
    for first in (1, 4, 7, 10, 13):
        outcomes = await play([first, first + 1, first + 2], kills=9, jobs=3, defect=defect)
        if any(getattr(outcome.difference, shown_by) for outcome in outcomes):
            return
    pytest.fail("fifteen seeds let the planted defect pass")
