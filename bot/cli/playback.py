"""Letting time pass on the demo's stage: playing the record on, and running due work."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from bot.cli.managers import Managers
from bot.cli.stage import PATIENCE_SECONDS, Stage
from bot.sandbox.sample.record import RecordLine

TICK = timedelta(hours=1)
_STEP_SECONDS = 0.25


class Playback:
    """Plays a record from now on: every message through the gateway, and due work once an hour.

    `managers` press the buttons of their nudges meanwhile. After the end of the record time goes on without messages.
    Raises TimeoutError if the bot does not receive the messages in time; the next call continues at that point.
    """

    def __init__(self, on: Stage) -> None:
        self.managers = Managers(on)
        self._on = on
        now = on.clock.now()
        self._lines = deque(line for line in on.player.record.lines if line.sent_at >= now)
        self._next_tick = now + TICK
        self._newest_id = 0
        self._turn = asyncio.Lock()

    def lines_until(self, moment: datetime) -> int:
        """How many messages are left before a moment."""
        return sum(line.sent_at < moment for line in self._lines)

    async def play_until(self, moment: datetime, heard: Callable[[RecordLine], object] = lambda _line: None) -> None:
        """Let time pass up to a moment; `heard` is called with every message."""
        async with self._turn:
            await self._play_until(moment, heard)

    async def forward(self, by: timedelta) -> None:
        """Let an amount of time pass."""
        async with self._turn:
            await self._play_until(self._on.clock.now() + by)

    async def walk(self) -> None:
        """Let time pass at its real speed, until cancelled; it does not add to time that is forwarded."""
        loop = asyncio.get_running_loop()
        before = loop.time()
        while True:
            await asyncio.sleep(_STEP_SECONDS)
            async with self._turn:
                passed = min(loop.time() - before, 4 * _STEP_SECONDS)
                before = loop.time()
                with suppress(TimeoutError):  # the bot is not connected: time stands still until it is
                    await self._play_until(self._on.clock.now() + timedelta(seconds=passed))

    async def _play_until(self, moment: datetime, heard: Callable[[RecordLine], object] = lambda _line: None) -> None:
        while self._lines and self._lines[0].sent_at < moment:
            line = self._lines[0]
            await self._tick_until(line.sent_at)
            self._lines.popleft()
            self._on.clock.set(line.sent_at)
            self._newest_id = self._on.player.play(line).id
            heard(line)
            await asyncio.sleep(0)
        await self._tick_until(moment)
        self._on.clock.set(moment)

    async def _tick_until(self, moment: datetime) -> None:
        while self._next_tick <= moment:
            await self._tick(self._next_tick)
            self._next_tick += TICK

    async def _tick(self, moment: datetime) -> None:
        """Wait until the bot has received every message so far, then run what is due at `moment`."""
        follower = self._on.app.follower
        await self._on.sandbox.until(
            lambda: follower.newest_received_id >= self._newest_id and follower.caught_up, PATIENCE_SECONDS
        )
        self._on.clock.set(moment)
        await self._on.app.schedule.tick()
        await self.managers.look()
