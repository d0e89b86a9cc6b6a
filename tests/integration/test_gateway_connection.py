"""The bot's gateway connection outlives handshakes that fail, whenever and however they do."""

import asyncio
import logging
from datetime import UTC, datetime
from pathlib import Path

import discord
import pytest

from bot.clock import DrivenClock
from bot.discord_io.connection import gateway
from bot.discord_io.connection.gateway import Backoff
from bot.discord_io.connection.reading_pace import ReadingPace
from bot.sandbox import Sandbox
from bot.sandbox.gateway.gateway import HandshakeMoment
from bot.store import spans
from tests.support.patience import PATIENCE
from tests.support.stage import connected

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
FAILURES = [
    (HandshakeMoment.REQUEST, 503),
    (HandshakeMoment.REQUEST, 429),
    *(
        (moment, code)
        for moment in (HandshakeMoment.BEFORE_HELLO, HandshakeMoment.BEFORE_READY, HandshakeMoment.AFTER_READY)
        for code in (1000, 1001, 1011, 4000)
    ),
]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "FIRST_DELAY_SECONDS", 0.01)
    monkeypatch.setattr(gateway, "LONGEST_DELAY_SECONDS", 0.05)


async def outlived(sandbox: Sandbox, failures: int = 8) -> None:
    """Wait until so many handshakes failed, then let the next ones succeed."""
    seen = sandbox.gateway.handshakes_failed
    await sandbox.until(lambda: sandbox.gateway.handshakes_failed >= seen + failures)
    sandbox.faults.gateway.accept_handshakes()


@pytest.mark.parametrize(("moment", "code"), FAILURES)
async def test_the_first_handshake_may_fail_in_any_way(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, moment: HandshakeMoment, code: int
) -> None:
    clock = DrivenClock(START)
    async with Sandbox(now=clock.now) as sandbox:
        guild = sandbox.world.guilds.add("Town")
        sandbox.world.channels.add(guild, "square")
        sandbox.faults.gateway.fail_handshakes(moment, code)
        outliving = asyncio.create_task(outlived(sandbox))
        with caplog.at_level(logging.INFO):
            async with connected(sandbox, clock, tmp_path / "spade.db") as app:
                await outliving
                assert app.bot.is_ready()
    told = [record for record in caplog.records if record.name == gateway.__name__]
    assert [record.levelname for record in told if record.levelno > logging.INFO] == ["WARNING"]
    assert "Connected to Discord; servers: 1" in caplog.text
    assert not any(record.exc_info for record in caplog.records)


async def test_a_session_that_goes_on_after_an_outage_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line when the connection is lost, one when it is back."""
    clock = DrivenClock(START)
    monkeypatch.setattr(gateway, "FIRST_DELAY_SECONDS", 1.0)
    monkeypatch.setattr(gateway, "LONGEST_DELAY_SECONDS", 1.0)
    async with Sandbox(now=clock.now) as sandbox:
        sandbox.world.channels.add(sandbox.world.guilds.add("Town"), "square")
        async with connected(sandbox, clock, tmp_path / "spade.db"):
            caplog.set_level(logging.INFO, logger=gateway.__name__)
            sandbox.faults.gateway.fail_handshakes(HandshakeMoment.REQUEST, 503)
            sandbox.faults.gateway.drop()
            await sandbox.until(lambda: "Not connected to Discord" in caplog.text)
            sandbox.faults.gateway.accept_handshakes()
            await sandbox.until(lambda: "Connected to Discord again" in caplog.text)
    assert len(caplog.records) == 2


@pytest.mark.parametrize(("moment", "code"), FAILURES)
async def test_a_later_handshake_may_fail_in_any_way_and_nothing_is_lost(
    tmp_path: Path, moment: HandshakeMoment, code: int
) -> None:
    clock = DrivenClock(START)
    async with Sandbox(now=clock.now) as sandbox:
        world = sandbox.world
        guild = world.guilds.add("Town")
        square, ann = world.channels.add(guild, "square"), world.users.add("ann")
        world.members.add(guild, ann)
        async with connected(sandbox, clock, tmp_path / "spade.db") as app:
            sandbox.faults.gateway.fail_handshakes(moment, code)
            sandbox.faults.gateway.drop()
            missed = world.messages.post(square, ann, "Is anybody there?").id
            await outlived(sandbox)

            async def recorded() -> int:
                await app.follower.settle()
                async with app.database.reading() as connection:
                    found = await connection.exec_driver_sql("SELECT max(last_id) FROM span")
                return found.scalar_one() or 0

            async with asyncio.timeout(PATIENCE):
                while await recorded() < missed:
                    await asyncio.sleep(0.02)


@pytest.mark.parametrize("code", [4010, 4011, 4012, 4013])
async def test_what_no_further_try_can_mend_ends_the_connection(tmp_path: Path, code: int) -> None:
    clock = DrivenClock(START)
    async with Sandbox(now=clock.now) as sandbox:
        sandbox.faults.gateway.fail_handshakes(HandshakeMoment.BEFORE_READY, code)
        with pytest.raises(discord.ConnectionClosed):
            async with connected(sandbox, clock, tmp_path / "spade.db"):
                pass
        assert sandbox.gateway.handshakes_failed == 1


def test_delays_double_up_to_a_minute_and_begin_again_once_stable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "FIRST_DELAY_SECONDS", 1.0)
    monkeypatch.setattr(gateway, "LONGEST_DELAY_SECONDS", 60.0)
    backoff = Backoff(lambda: 1.0)
    assert [backoff.next() for _ in range(9)] == [0, 1, 2, 4, 8, 16, 32, 60, 60]
    assert [backoff.next() for _ in range(10_000)][-1] == 60
    backoff.reset()
    assert [backoff.next(), backoff.next()] == [0, 1]
    assert all(0.5 <= delay <= 60 for delay in (Backoff().next() or 1 for _ in range(100)))


async def test_a_burst_waits_at_the_other_end_instead_of_being_left_to_the_history(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read in turns, as there is room for it."""
    monkeypatch.setattr("bot.services.record.buffer.BUFFER_LIMIT", 20)
    paces: list[ReadingPace] = []

    class Pace(ReadingPace):
        def __init__(self, transport: asyncio.Transport | None, seconds: float) -> None:
            super().__init__(transport, seconds)
            assert transport is not None
            assert not transport.is_closing()
            paces.append(self)

    monkeypatch.setattr(gateway, "ReadingPace", Pace)
    clock = DrivenClock(START)
    async with Sandbox(now=clock.now) as sandbox:
        guild = sandbox.world.guilds.add("Town")
        square, mia = sandbox.world.channels.add(guild, "square"), sandbox.world.users.add("mia")
        sandbox.world.members.add(guild, mia)
        async with connected(sandbox, clock, tmp_path / "spade.db") as app:
            await app.follower.settle()
            for _ in range(300):
                last = sandbox.world.messages.post(square, mia, "words")
            await sandbox.until(lambda: app.follower.newest_received_id == last.id)
            await app.follower.settle()
            async with app.database.reading() as connection:
                assert (await spans.of_channel(connection, square.id))[-1].last_id >= last.id
    assert "left to its history" not in caplog.text
    assert len(paces) == 1
