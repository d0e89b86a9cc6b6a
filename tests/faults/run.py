"""One seeded run: the bot is killed, disconnected and given faulty answers during traffic; then it may recover."""

from __future__ import annotations

import asyncio
import math
import shutil
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from bot.sandbox import Permission, Sandbox
from bot.store import guilds, managers
from bot.store.database import open_database
from tests.faults.child import IN_STEP
from tests.faults.expectation import Difference, alone, compare
from tests.faults.interruptions import Interruptions
from tests.faults.process import BotProcess
from tests.faults.recorded import SPANS, outside
from tests.faults.town import Deletion, Town

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.sandbox import Channel, PostedMessage

MESSAGES = 150
SECONDS_BETWEEN = 0.018
SETTLED_WITHIN = 60.0
"""How long a bot may take to catch up, and to be in step, on a busy machine. One that never is fails the run."""
NEVER_SETTLED = frozenset({"hidden-followed", "resume-ignored", "permission-not-asked"})
"""The planted defects with which messages stay out of the record, so that it is not waited for them."""
MISSED = 8
"""How many messages are posted while no session of the last process is open."""
LIFETIME = 4.0
"""For how many seconds the last process lives at least in the storm; in runs that `hide`, nothing else goes wrong."""


FAULTS = frozenset(
    {
        *(f"{kind}, {how}" for kind in ("drop", "op 7", "op 9", "close") for how in ("resumed", "refused")),
        *("429", "5xx", "hang", "lose", "cut", "meanwhile", "duplicate", "reorder"),
        *("delete heard", "delete unheard"),
    }
)
"""The faults of every run."""
HIDINGS = frozenset({"out of sight", "history closed", "back without history", "outage"})
"""The faults of runs that `hide`, in addition: permissions are taken and given back, guilds become unavailable."""


@dataclass(slots=True)
class Outcome:
    """The result of a run, and how often each fault happened."""

    seed: int
    kills: int = 0
    seconds: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    difference: Difference = field(default_factory=Difference)


class FaultRun:
    """A run in its own folder, from an empty database.

    The seed determines all decisions, but not their timing.
    """

    def __init__(
        self, seed: int, kills: int, folder: Path, empty: Path, defect: str | None = None, *, hide: bool = False
    ) -> None:
        self._hides = hide
        self.random = Random(seed)
        self.outcome = Outcome(seed)
        self._kills = kills
        self._folder = folder
        self._empty = empty
        self._database = folder / "spade.db"
        self._defect = defect
        self._settled_within = 5.0 if defect in NEVER_SETTLED else SETTLED_WITHIN
        self._interruptions = Interruptions(self._database)
        self._storm, self._steady = True, False
        self._quiet, self._quiet_since = False, 0.0
        self._repairs: list[tuple[float, Callable[[], object]]] = []

    async def play(self) -> Outcome:
        """Play the whole run, and compare the database with the world."""
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
        self._sandbox.faults.gateway.duplicate(0.1)
        self._sandbox.faults.gateway.reorder(0.15)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._talk())
            group.create_task(self._disturb())
            if self._hides:
                group.create_task(self._hide())
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
                started = time.monotonic()
                await self._until(lambda: self._sandbox.gateway.live, SETTLED_WITHIN)
                # A bot that took long to connect takes long to catch up and to write, too: kills are to hit that.
                await asyncio.sleep(random.uniform(0.0, max(1.6, 2 * (time.monotonic() - started))))
            else:
                await asyncio.sleep(random.uniform(0.0, 0.8))
            self._interruptions.note()
            await self._bot.kill()
            self.outcome.kills += 1
            await asyncio.sleep(random.choice((0.0, random.uniform(0.0, 0.7))))
            self._bot.start()
        # A missed message is noticed only if the process lives on: each new one catches up and so fetches it anyway.
        self._steady = self._hides
        if not self._hides:
            await self._until(lambda: self._sandbox.gateway.live, SETTLED_WITHIN)
            await asyncio.sleep(LIFETIME / 2)
            self._interruptions.note()
            self.outcome.faults["drop, refused"] += self._sandbox.faults.gateway.drop(resume=False)
            for _ in range(MISSED):
                self._town.something_is_said()
        await asyncio.sleep(LIFETIME)

    async def _disturb(self) -> None:
        """Disturb the gateway and the requests at random."""
        random, faults = self.random, self._sandbox.faults
        gateway: dict[str, Callable[[bool], int]] = {
            "drop": lambda resume: faults.gateway.drop(resume=resume),
            "op 7": lambda resume: faults.gateway.request_reconnect(resume=resume),
            "op 9": lambda resume: faults.gateway.invalidate(resumable=resume),
            "close": lambda resume: faults.gateway.close(4000, resume=resume),
        }
        while self._storm:
            await asyncio.sleep(random.uniform(0.1, 0.7))
            if self._steady or not self._bot.running:
                continue
            if random.random() < 0.4:
                resume = random.random() < 0.5
                if not resume:
                    self._interruptions.note()
                kind = random.choice(sorted(gateway))
                struck = gateway[kind](resume)
                self.outcome.faults[f"{kind}, {'resumed' if resume else 'refused'}"] += struck
                continue
            where = {"method": "GET", "route": random.choice(("/messages", "/messages", "/messages/{", "/threads"))}
            turn = random.randrange(6)
            if turn == 0:
                faults.requests.rate_limit(
                    random.uniform(0.02, 0.2), everywhere=random.random() < 0.3, times=2, **where
                )
            elif turn == 1:
                faults.requests.server_error(random.choice((500, 502, 503)), times=random.randint(1, 7), **where)
            elif turn == 2:
                faults.requests.hang(**where)
            elif turn == 3:
                faults.requests.lose_reply(**where)
            elif turn == 4:
                faults.requests.lose_request(**where)
            else:
                faults.requests.meanwhile(self._delete_some, method="GET", route="/messages")

    async def _hide(self) -> None:
        """Hide something repeatedly, and show it again."""
        while self._storm:
            await asyncio.sleep(self.random.uniform(0.1, 0.5))
            self._repair()
            self._take_out_of_sight()

    def _take_out_of_sight(self) -> None:
        """Hide one channel, its history alone, the channel and for longer its history, or the whole guild."""
        random, town, world = self.random, self._town, self._sandbox.world
        until = time.monotonic() + random.uniform(0.05, 0.8)
        kinds = ["out of sight", "out of sight", "history closed", "back without history"]
        kind = random.choice(kinds if self._steady else [*kinds, "outage"])
        self.outcome.faults[kind] += 1
        if kind == "outage":
            if not town.guild.unavailable:
                world.guilds.take_down(town.guild)
                self._repairs.append((until, lambda: world.guilds.bring_back(town.guild)))
            return
        room = random.choice([*town.rooms, town.forum])
        if kind != "history closed":
            self._deny(room, Permission.VIEW_CHANNEL, until)
        if kind != "out of sight":
            # A channel that is visible again catches up, while its history is still an empty page.
            self._deny(room, Permission.READ_MESSAGE_HISTORY, until + (kind != "history closed") * 0.5)

    def _deny(self, room: Channel, permission: Permission, until: float) -> None:
        world = self._sandbox.world
        world.channels.deny_bot(room, permission)
        self._repairs.append((until, lambda: world.channels.allow_bot(room, permission)))

    def _repair(self, moment: float | None = None) -> None:
        """Undo what was to last until `moment`; None for now."""
        now = time.monotonic() if moment is None else moment
        due = [one for one in self._repairs if one[0] <= now]
        self._repairs = [one for one in self._repairs if one[0] > now]
        for _, undo in due:
            undo()

    def _hears(self, place: Channel) -> bool:
        """Whether the bot receives the events of a channel or thread now."""
        world, town = self._sandbox.world, self._town
        room = world.state.channels[place.parent_id] if place.is_thread else place
        return (
            bool(self._sandbox.gateway.live)
            and not town.guild.unavailable
            and world.state.bot_may(room, Permission.VIEW_CHANNEL)
        )

    def _delete_some(self) -> None:
        """Delete one message or several, if the facts of all others are the same without them."""
        town, random = self._town, self.random
        place = random.choice(town.places)
        last = [message for message in place.log.newest(random.choice((3, 12))) if town.may_go(message)]
        chosen = random.sample(last, min(len(last), random.choice((1, 1, 3))))
        if chosen and alone(town, chosen):
            counted = {message.id for message in chosen if self._quiet or self._on_record([message])}
            town.delete(chosen, counted=counted, heard=self._hears(place))

    # And after it

    async def _calm(self) -> None:
        """End the faults. What is deleted from here on must be counted, and must leave no facts."""
        self._note_faults()
        self._sandbox.faults.calm()
        self._repair(math.inf)
        await self._settle()
        # A message that is deleted before a new session has received it cannot be counted.
        settled_at = time.time()
        await self._until(lambda: self._in_step_since(settled_at), self._settled_within)
        self._quiet, self._quiet_since = True, time.time()
        for _ in range(12):
            self._town.something_is_said()
            if self.random.random() < 0.5:
                self._delete_some()
            await asyncio.sleep(0.01)
        await self._settle()
        gone = self._town.deletions
        uncertain = {one.message.id for one in gone if self._may_be_unheard(one)}
        uncounted = {one.message.id for one in gone if not one.counted}
        self.outcome.faults["delete heard"] = len(gone) - len(uncertain)
        self.outcome.faults["delete unheard"] = len(uncertain)
        for patience in (0.0,) if self._defect else (0.0, 0.5, 1.0, 2.0, 4.0):
            await asyncio.sleep(patience)
            self.outcome.difference = compare(self._town, self._database, uncertain, uncounted)
            if not self._in_step_since(self._quiet_since):
                self.outcome.difference.note("the bot is not in step, so it sends nothing", 1, 0)
            if not self.outcome.difference.lines:
                return

    def _note_faults(self) -> None:
        faults = self._sandbox.faults
        for fault in faults.requests.planned:
            self.outcome.faults[fault.kind] += fault.hits
        self.outcome.faults["duplicate"] = faults.gateway.duplicated
        self.outcome.faults["reorder"] = faults.gateway.reordered

    def _in_step_since(self, moment: float) -> bool:
        """Whether the bot had caught up, and looked for due work, after a moment of the file system's clock."""
        mark = self._folder / IN_STEP
        return mark.exists() and mark.stat().st_mtime > moment

    def _may_be_unheard(self, one: Deletion) -> bool:
        return not one.heard or self._interruptions.hit(one.message.id, one.at)

    async def _settle(self) -> None:
        """Wait until everything that can be read is on record. A bot that has ended is started again."""
        until = time.monotonic() + self._settled_within
        while time.monotonic() < until:
            await asyncio.sleep(0.1)
            if not self._bot.running:
                self._bot.start()
            if self._on_record(self._town.messages):
                await asyncio.sleep(1.0)
                return

    def _on_record(self, messages: list[PostedMessage]) -> bool:
        """Whether all of these messages lie within spans."""
        return not outside(self._database, messages, SPANS)

    async def _until(self, condition: Callable[[], object], seconds: float) -> None:
        end = time.monotonic() + seconds
        while not condition() and time.monotonic() < end:
            await asyncio.sleep(0.01)
