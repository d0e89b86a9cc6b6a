"""Due work that fails is isolated, logged and tried again later and later."""

import asyncio
import logging
from datetime import timedelta
from itertools import pairwise

import pytest

from bot.clock import DrivenClock
from bot.services.delivery import attempts
from bot.services.delivery.attempts import Attempts
from tests.support.messages import moment


async def test_the_pause_after_a_failure_doubles_up_to_an_hour_and_ends_with_a_success(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = DrivenClock(moment(0))
    tried: list[timedelta] = []
    broken = True

    async def work() -> bool:
        tried.append(clock.now() - moment(0))
        if broken:
            raise ValueError("no")
        return True

    pieces = Attempts(clock.now)
    with caplog.at_level(logging.ERROR):
        for minute in range(400):
            clock.set(moment(minute))
            assert not await pieces.attempt(1, "The digest", work)
    gaps = [(later - earlier) // timedelta(minutes=1) for earlier, later in pairwise(tried)]
    assert gaps[:7] == [1, 2, 4, 8, 16, 32, 60]
    assert set(gaps[7:]) == {60}
    assert "The digest failed; it is tried again in 60 min" in caplog.text
    broken = False
    clock.set(moment(500))
    assert await pieces.attempt(1, "The digest", work)
    broken = True
    clock.set(moment(501))
    await pieces.attempt(1, "The digest", work)
    clock.set(moment(502))
    count = len(tried)
    await pieces.attempt(1, "The digest", work)
    assert len(tried) == count + 1


async def test_one_piece_of_work_hinders_no_other_and_none_goes_on_for_ever(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(attempts, "DEADLINE_SECONDS", 0.01)
    pieces = Attempts(DrivenClock(moment(0)).now)

    async def hangs() -> bool:
        await asyncio.sleep(60)
        return True

    async def gives_up() -> bool:
        raise TimeoutError  # of its own: it did not take long

    async def works() -> bool:
        return True

    with caplog.at_level(logging.ERROR):
        assert not await pieces.attempt("hangs", "The nudge", hangs)
        assert not await pieces.attempt("gives up", "The digest", gives_up)
    assert "The nudge took over 0 s" in caplog.text
    assert "The digest failed" in caplog.text
    assert await pieces.attempt("works", "Another nudge", works)


async def test_a_stop_is_no_failure() -> None:
    pieces = Attempts(DrivenClock(moment(0)).now)

    async def stopped() -> bool:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await pieces.attempt(1, "The nudge", stopped)
