"""A few dozen processes that end in the middle of sending; `make faults KILLS=1000` is the long form."""

from pathlib import Path

import pytest

from tests.faults_outbox.run import DEFECTS, OutboxFaults


async def test_no_nudge_is_sent_twice_or_left_open(tmp_path: Path) -> None:
    outcome = await OutboxFaults(24, 3, tmp_path).play()
    assert outcome.problems == []
    assert (outcome.sent_twice, outcome.unsettled, outcome.not_sent) == (0, 0, 0)
    assert outcome.kills >= 24
    assert len(outcome.by_point) >= 9


@pytest.mark.parametrize("defect", DEFECTS)
async def test_a_bot_that_does_not_look_or_forgets_its_nonce_is_found_out(tmp_path: Path, defect: str) -> None:
    assert (await OutboxFaults(3, 3, tmp_path, defect=defect).play()).sent_twice > 0
