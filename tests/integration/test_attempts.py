"""Due work that fails is isolated, logged and tried again later and later."""

import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import pairwise

import pytest

from bot.clock import DrivenClock
from bot.domain.due_work import Cause, FailedWork, Piece
from bot.schedule import Schedule
from bot.services.delivery import attempts
from bot.services.delivery.attempts import Attempts
from bot.services.delivery.messenger import DiscordUnreachableError, RefusedError
from bot.store.error import StoreError
from tests.support.messages import moment
from tests.support.patience import PATIENCE

DIGEST = Piece("digest", 1)


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
            assert not await pieces.attempt(DIGEST, work)
    gaps = [(later - earlier) // timedelta(minutes=1) for earlier, later in pairwise(tried)]
    assert gaps[:7] == [1, 2, 4, 8, 16, 32, 60]
    assert set(gaps[7:]) == {60}
    assert "digest of server 1 failed; it is tried again at" in caplog.text
    broken = False
    clock.set(moment(500))
    assert await pieces.attempt(DIGEST, work)
    broken = True
    clock.set(moment(501))
    await pieces.attempt(DIGEST, work)
    clock.set(moment(502))
    count = len(tried)
    await pieces.attempt(DIGEST, work)
    assert len(tried) == count + 1


async def test_one_piece_of_work_hinders_no_other_and_none_goes_on_for_ever(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(attempts, "DEADLINE_SECONDS", 0.01)
    pieces = Attempts(DrivenClock(moment(0)).now)

    async def hangs() -> bool:
        await asyncio.sleep(3600)
        return True

    async def gives_up() -> bool:
        raise TimeoutError  # of its own: it did not take long

    async def works() -> bool:
        return True

    with caplog.at_level(logging.ERROR):
        assert not await pieces.attempt(Piece("nudge", 1), hangs)
        assert not await pieces.attempt(Piece("digest", 1), gives_up)
    assert "nudge of server 1 took over 0 s" in caplog.text
    assert "digest of server 1 failed" in caplog.text
    assert await pieces.attempt(Piece("nudge", 2), works)


async def test_a_stop_is_no_failure() -> None:
    pieces = Attempts(DrivenClock(moment(0)).now)

    async def stopped() -> bool:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await pieces.attempt(Piece("nudge", 1), stopped)


async def test_a_slow_piece_goes_on_in_the_background_and_is_not_begun_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "PATIENCE_SECONDS", 0.01)
    pieces = Attempts(DrivenClock(moment(0)).now)
    begun: list[int] = []
    release = asyncio.Event()

    async def slow() -> bool:
        begun.append(len(begun))
        await release.wait()
        return True

    async def quick() -> bool:
        return True

    # More hang than are waited for at the same time.
    slow_ones = [Piece("nudge", number) for number in range(2 * attempts.AT_ONCE)]
    async with asyncio.timeout(PATIENCE):
        done = await asyncio.gather(
            *(pieces.attempt(piece, slow) for piece in slow_ones), pieces.attempt(Piece("nudge", 999), quick)
        )
    assert done == [False] * len(slow_ones) + [True]
    assert not await pieces.attempt(slow_ones[0], quick)
    assert len(begun) == len(slow_ones)
    release.set()
    await asyncio.sleep(0.01)
    assert await pieces.attempt(slow_ones[0], quick)


async def test_what_fails_is_told_to_its_guild_with_the_cause_until_it_is_not_tried_any_more() -> None:
    clock = DrivenClock(moment(0))
    pieces = Attempts(clock.now)

    def failing(error: Exception) -> Callable[[], Awaitable[bool]]:
        async def work() -> bool:
            raise error

        return work

    await pieces.attempt(Piece("digest", 1), failing(RefusedError("Missing Access")))
    await pieces.attempt(Piece("nudge", 1, 6), failing(DiscordUnreachableError("no word of the server 1")))
    await pieces.attempt(Piece("nudge", 1, 5), failing(StoreError("/a/path is full.")))
    await pieces.attempt(Piece("nudge", 2, 5), failing(ValueError("of another server")))
    await pieces.attempt(Piece("gaps"), failing(ValueError("words")))
    clock.set(moment(1))
    await pieces.attempt(Piece("digest", 1), failing(RefusedError("Missing Access")))
    told = {failed.piece: (failed.cause, failed.reason, failed.count) for failed in pieces.failing(1)}
    assert told == {
        Piece("digest", 1): (Cause.DISCORD, "Missing Access", 2),
        Piece("nudge", 1, 6): (Cause.UNANSWERED, None, 1),
        Piece("nudge", 1, 5): (Cause.DATABASE, None, 1),
        Piece("gaps"): (Cause.FAULT, None, 1),
    }
    digest = pieces.failing(1)[0]
    assert (digest.since, digest.again_at) == (moment(0), moment(3))
    clock.set(moment(61))
    assert {failed.piece for failed in pieces.failing(1)} == {*told}
    clock.set(moment(62))
    assert [failed.piece for failed in pieces.failing(1)] == [Piece("digest", 1)]
    clock.set(moment(64))
    assert pieces.failing(1) == ()


async def test_failures_of_guilds_and_managers_that_are_gone_take_no_memory(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)  # what is logged is kept by the test
    clock = DrivenClock(moment(0))
    pieces = Attempts(clock.now)

    async def work() -> bool:
        raise RefusedError("no")

    for hour in range(20):
        clock.set(moment(120 * hour))
        for manager_id in range(50):
            await pieces.attempt(Piece("nudge", hour, manager_id), work)
    assert len(pieces.failing(19)) == 50
    assert pieces.failing(18) == ()
    gc.collect()
    assert sum(isinstance(one, FailedWork) for one in gc.get_objects()) == 50


async def test_a_pause_ends_when_what_it_depended_on_changes_or_the_clock_is_set_back() -> None:
    clock = DrivenClock(moment(100_000))
    pieces = Attempts(clock.now)
    tried: list[object] = []

    async def work() -> bool:
        tried.append(clock.now())
        raise ValueError("no")

    for channel_id in (1, 1, 2, 2):
        await pieces.attempt(Piece("digest", 1), work, depends_on=channel_id)
    assert len(tried) == 2
    clock.set(moment(0), back=True)
    await pieces.attempt(Piece("digest", 1), work, depends_on=2)
    assert len(tried) == 3


async def test_a_piece_that_still_runs_is_cancelled_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "PATIENCE_SECONDS", 0.01)
    pieces = Attempts(DrivenClock(moment(0)).now)
    ended: list[bool] = []

    async def hangs() -> bool:
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append(True)
        return True

    await pieces.attempt(Piece("gaps"), hangs, limited=False)
    assert not ended
    await pieces.stop()
    assert ended


async def test_a_tick_gets_to_all_work_whatever_hangs_or_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "PATIENCE_SECONDS", 0.01)
    clock = DrivenClock(moment(0))
    pieces = Attempts(clock.now)
    called: list[str] = []

    async def ready() -> bool:
        return True

    async def hangs() -> None:
        called.append("hangs")
        await asyncio.sleep(3600)

    async def fails() -> None:
        called.append("fails")
        raise ValueError("no")

    async def works() -> None:
        called.append("works")

    schedule = Schedule(3600, ready, pieces)
    for name, work in (("hangs", hangs), ("fails", fails), ("works", works)):
        schedule.add(name, work)
    async with asyncio.timeout(PATIENCE):
        await schedule.tick()
        await schedule.tick()
    assert called == ["hangs", "fails", "works", "works"]
    clock.set(moment(1))
    await schedule.tick()
    assert called[4:] == ["fails", "works"]
    await pieces.stop()
