"""One seeded run: the bot is killed, cut off and lied to while messages flow, then it may settle."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from bot.sandbox import Sandbox
from bot.store import guilds, managers
from bot.store.database import open_database
from tests.faults.expectation import Difference, alone, compare
from tests.faults.process import BotProcess
from tests.faults.town import Town

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.sandbox import Message

MESSAGES = 150
SECONDS_BETWEEN = 0.018
WRITTEN_WITHIN = 3.0
"""A delete that was heard is on record at the latest after this long, if nothing interrupts."""
JUST_BEFORE = 0.5
"""What happened so shortly before an interruption may have got lost with the connection."""
SETTLED_WITHIN = 25.0


@dataclass(slots=True)
class Outcome:
    """What a run came to."""

    seed: int
    kills: int = 0
    seconds: float = 0.0
    difference: Difference = field(default_factory=Difference)


class FaultRun:
    """A run in a folder of its own, from an empty database.

    The same seed decides the same things; the moments are the machine's.
    """

    def __init__(self, seed: int, kills: int, folder: Path, empty: Path, defect: str | None = None) -> None:
        self.random = Random(seed)
        self.outcome = Outcome(seed)
        self._kills = kills
        self._folder = folder
        self._empty = empty
        self._database = folder / "spade.db"
        self._defect = defect
        self._interruptions: list[float] = []
        self._storm = True
        self._quiet = False

    async def play(self) -> Outcome:
        """Play the whole run, and compare."""
        begun = time.monotonic()
        async with Sandbox(now=lambda: datetime.now(UTC), seed=self.outcome.seed) as sandbox:
            self._sandbox = sandbox
            self._bot = BotProcess(sandbox, self._folder, self._defect)
            self._town = Town(sandbox.world, Random(self.outcome.seed + 1))
            self._town.build()
            await self._set_up()
            try:
                await self._weather()
                await self._calm()
            finally:
                await self._bot.kill()
        self.outcome.seconds = time.monotonic() - begun
        return self.outcome

    async def _set_up(self) -> None:
        """Spade has been in the guild since before anything was made there."""
        shutil.copyfile(self._empty, self._database)
        database = await open_database(f"sqlite:///{self._database}", write=True)
        try:
            async with database.writing() as connection:
                await guilds.watch(connection, self._town.guild.id, datetime.now(UTC) - timedelta(hours=1))
                await managers.add(connection, self._town.guild.id, [one.id for one in self._town.managers])
        finally:
            await database.close()

    # The storm

    async def _weather(self) -> None:
        self._sandbox.faults.duplicate(0.1)
        self._sandbox.faults.reorder(0.15)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._talk())
            group.create_task(self._disturb())
            await self._kill_again_and_again()
            self._storm = False

    async def _talk(self) -> None:
        town, random = self._town, self.random
        while self._storm or town.sent < MESSAGES:
            for _ in range(random.choice((1, 1, 1, 4))):
                town.something_is_said()
            turn = random.random()
            if turn < 0.04:
                town.a_thread_begins()
            elif turn < 0.07:
                town.a_thread_falls_asleep()
            elif turn < 0.15:
                self._delete_some()
            await asyncio.sleep(random.uniform(0.3, 1.7) * SECONDS_BETWEEN * 2)

    async def _kill_again_and_again(self) -> None:
        random = self.random
        self._bot.start()
        for _ in range(self._kills):
            if random.random() < 0.8:
                await self._until(lambda: self._sandbox.gateway.live, 10)
                await asyncio.sleep(random.uniform(0.0, 1.6))
            else:
                await asyncio.sleep(random.uniform(0.0, 0.8))
            self._interruptions.append(time.monotonic())
            await self._bot.kill()
            self.outcome.kills += 1
            await asyncio.sleep(random.choice((0.0, random.uniform(0.0, 0.7))))
            self._bot.start()
        await asyncio.sleep(0.5)

    async def _disturb(self) -> None:
        """Cut, refuse and stall, now here, now there."""
        random, faults = self.random, self._sandbox.faults
        gateway: list[Callable[[bool], object]] = [
            lambda resume: faults.drop_gateway(resume=resume),
            lambda resume: faults.request_reconnect(resume=resume),
            lambda resume: faults.invalidate(resumable=resume),
            lambda resume: faults.close_gateway(4000, resume=resume),
        ]
        while self._storm:
            await asyncio.sleep(random.uniform(0.1, 0.7))
            if not self._bot.running:
                continue
            if random.random() < 0.4:
                resume = random.random() < 0.5
                if not resume:
                    self._interruptions.append(time.monotonic())
                random.choice(gateway)(resume)
                continue
            where = {"method": "GET", "route": random.choice(("/messages", "/messages", "/messages/{", "/threads"))}
            turn = random.randrange(6)
            if turn == 0:
                faults.rate_limit(random.uniform(0.02, 0.2), everywhere=random.random() < 0.3, times=2, **where)
            elif turn == 1:
                faults.server_error(random.choice((500, 502, 503)), times=random.randint(1, 7), **where)
            elif turn == 2:
                faults.hang(**where)
            elif turn == 3:
                faults.lose_reply(**where)
            elif turn == 4:
                faults.lose_request(**where)
            else:
                faults.meanwhile(self._delete_some, method="GET", route="/messages")

    def _delete_some(self) -> None:
        """Delete one message or several, if what others said is judged the same without them."""
        town, random = self._town, self.random
        place = random.choice(town.places)
        last = [message for message in place.log.newest(random.choice((3, 12))) if town.may_go(message)]
        chosen = random.sample(last, min(len(last), random.choice((1, 1, 3))))
        if chosen and alone(town, chosen):
            counted = {message.id for message in chosen if self._quiet or self._on_record([message])}
            town.delete(chosen, counted=counted, heard=bool(self._sandbox.gateway.live))

    # And after it

    async def _calm(self) -> None:
        """No more faults: everything settles, and what is deleted now must be counted and leave nothing behind."""
        self._sandbox.faults.calm()
        await self._settle()
        self._quiet = True
        for _ in range(12):
            self._town.something_is_said()
            if self.random.random() < 0.5:
                self._delete_some()
            await asyncio.sleep(0.01)
        await self._settle()
        gone = self._town.deletions
        uncertain = {one.message.id for one in gone if self._may_be_unheard(one.at, heard=one.heard)}
        uncounted = {one.message.id for one in gone if not one.counted}
        for patience in (0.0,) if self._defect else (0.0, 0.5, 1.0, 2.0, 4.0):
            await asyncio.sleep(patience)
            self.outcome.difference = compare(self._town, self._database, uncertain, uncounted)
            if not self.outcome.difference.lines:
                return

    def _may_be_unheard(self, at: float, *, heard: bool) -> bool:
        if not heard:
            return True
        return any(at - JUST_BEFORE <= moment <= at + WRITTEN_WITHIN for moment in self._interruptions)

    async def _settle(self) -> None:
        """Wait until everything that can be read is on record; a bot that gave up is started again."""
        until = time.monotonic() + SETTLED_WITHIN
        while time.monotonic() < until:
            await asyncio.sleep(0.1)
            if not self._bot.running:
                self._bot.start()
            if self._on_record(self._town.messages):
                await asyncio.sleep(1.0)
                return

    def _on_record(self, messages: list[Message]) -> bool:
        """Whether all of these messages lie within spans."""
        if not messages:
            return True
        with closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True)) as connection:
            spans = connection.execute("SELECT channel_id, first_id, last_id FROM span").fetchall()
        by_channel: dict[int, list[tuple[int, int]]] = {}
        for channel_id, first_id, last_id in spans:
            by_channel.setdefault(channel_id, []).append((first_id, last_id))
        return all(
            any(first <= message.id <= last for first, last in by_channel.get(message.channel_id, ()))
            for message in messages
        )

    async def _until(self, condition: Callable[[], object], seconds: float) -> None:
        end = time.monotonic() + seconds
        while not condition() and time.monotonic() < end:
            await asyncio.sleep(0.01)
