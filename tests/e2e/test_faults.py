"""The fault runs at a size that fits: `make faults` plays as many as it is asked for."""

import pytest

from tests.faults.__main__ import play, summary


@pytest.mark.timeout(180)
async def test_nothing_is_lost_and_nothing_counts_twice() -> None:
    """Processes killed and cut off while messages flow have the record of one that never was."""
    outcomes = await play([1, 2, 3, 4, 5], kills=15, jobs=5)
    assert summary(outcomes) == "faults: seeds=5 kills=15 lost=0 doubled=0"


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("defect", "kills", "shown_by"),
    [("spans-first", 9, "lost"), ("facts-first", 9, "doubled"), ("hidden-followed", 3, "lost")],
)
async def test_a_planted_defect_is_found(defect: str, kills: int, shown_by: str) -> None:
    """Spans that are committed apart from their facts, or grow over what could not be seen, must not pass.

    A kill has to hit the moment between two commits, so a few more seeds may be needed on a busy machine.
    """
    hide = defect == "hidden-followed"
    for first in (1, 4, 7, 10, 13):
        outcomes = await play([first, first + 1, first + 2], kills=kills, jobs=3, defect=defect, hide=hide)
        if any(getattr(outcome.difference, shown_by) for outcome in outcomes):
            return
    pytest.fail("fifteen seeds let the planted defect pass")
