"""One seeded run against a hostile Discord: towns talk while events and answers come that are not well formed."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from bot.sandbox import Sandbox
from bot.store import guilds, managers
from bot.store.database import open_database
from tests.faults.child import IN_STEP
from tests.faults.expectation import Difference, alone, compare
from tests.faults.foreign_events import foreign_events
from tests.faults.hostility import STRUCTURE, Hostility
from tests.faults.interruptions import WRITTEN_WITHIN, Interruptions
from tests.faults.process import BotProcess
from tests.faults.recorded import GAPS, SPANS, outside
from tests.faults.specimens import furnish
from tests.faults.town import Deletion, Town, is_person
from tests.faults.used_fields import ONE_MESSAGE, PAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from bot.sandbox import Channel, PostedMessage
    from tests.faults.plan import Plan

A_SECOND = 30.0
"""How many mutations are tried in a second, if Spade keeps up."""
WAITING_AT_MOST = 12
"""How many mutations of one kind wait for something to happen; more are left to later."""
BEHIND_AT_MOST = 250
"""How many messages may be neither on record nor known to be missing before the run waits."""
NOTHING_FITS_AFTER = 20.0
"""For how many seconds a run goes on although nothing happens that a mutation fits."""
BACK_WITHIN = 40.0
SETTLED_WITHIN = 40.0
TALKING = timedelta(minutes=10)
MANY_THREADS, MANY_EXTRAS = 25, 6
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("status",),
    ("waiting",),
    ("unmet",),
    ("nudges", "on"),
    ("nudges", "now"),
    ("nudges", "status"),
    ("nudges", "preview"),
    ("privacy", "show"),
    ("privacy", "export"),
    ("export",),
)


@dataclass(slots=True)
class HostileOutcome:
    """What came of a run. `ended`: how often the process ended by itself, and after which mutations."""

    mutations: int = 0
    distinct: int = 0
    by_side: Counter[str] = field(default_factory=Counter)
    ended: list[str] = field(default_factory=list)
    tracebacks: list[str] = field(default_factory=list)
    unreadable: int = 0
    unaccounted: list[str] = field(default_factory=list)
    difference: Difference = field(default_factory=Difference)
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        """Whether anything is not as it should be."""
        return bool(self.ended or self.tracebacks or self.unaccounted or self.difference.lines)


class HostileRun:
    """A run in its own folder, from an empty database. The seed determines all decisions, but not their timing.

    Of the towns, messages are altered in the first two, everything else in the third, and nothing in the fourth.
    """

    def __init__(
        self,
        seed: int,
        plan: Plan,
        folder: Path,
        empty: Path,
        defect: str | None = None,
        *,
        a_second: float = A_SECOND,
    ) -> None:
        self.random = Random(seed)
        self.outcome = HostileOutcome()
        self._seed = seed
        self._plan = plan
        self._a_second = a_second
        self._folder = folder
        self._empty = empty
        self._database = folder / "spade.db"
        self._defect = defect
        self._settled_within = SETTLED_WITHIN if defect is None else 3.0
        self._interruptions = Interruptions(self._database)
        self._extras: list[Channel] = []
        self._storm = True

    async def play(self) -> HostileOutcome:
        """Play the whole run, and compare the database with the world."""
        begun = time.monotonic()
        async with Sandbox(now=lambda: datetime.now(UTC), seed=self._seed) as sandbox:
            self._sandbox = sandbox
            self._bot = BotProcess(sandbox, self._folder, self._defect)
            self._towns = [Town(sandbox.world, Random(self._seed + number)) for number in range(4)]
            for town in self._towns:
                town.build()
                furnish(town)
            self._talking, self._moving, self._quiet = self._towns[:2], self._towns[2], self._towns[3]
            self._hostility = Hostility(sandbox, self._plan, self._towns, Random(self._seed + 2))
            await self._set_up()
            self._bot.start()
            try:
                await sandbox.connected(30)
                # Until then the history brings whatever an event does not tell.
                await self._until((self._folder / IN_STEP).exists, BACK_WITHIN)
                await self._weather()
                await self._calm()
            finally:
                await self._bot.kill()
        self.outcome.seconds = time.monotonic() - begun
        return self.outcome

    async def _set_up(self) -> None:
        """Spade has been in the guilds since before anything was made there."""
        shutil.copyfile(self._empty, self._database)
        database = await open_database(f"sqlite:///{self._database}", write=True)
        try:
            async with database.writing() as connection:
                for town in self._towns:
                    await guilds.watch(connection, town.guild.id, datetime.now(UTC) - timedelta(hours=1))
                    await managers.add(connection, town.guild.id, [one.id for one in town.managers])
        finally:
            await database.close()

    # The storm

    async def _weather(self) -> None:
        self._hostility.begin()
        async with asyncio.TaskGroup() as group:
            for work in (self._talk, self._reconnect, self._watch):
                group.create_task(work())
            await self._provoke_everything()
            self._storm = False

    async def _talk(self) -> None:
        """What happens in every town, whoever listens."""
        random = self.random
        while self._storm:
            town = random.choice(self._towns)
            town.something_is_said()
            turn = random.random()
            if turn < 0.02 and len(town.threads) < MANY_THREADS:
                town.a_thread_begins()
            elif turn < 0.04:
                town.a_thread_falls_asleep()
            elif turn < 0.08:
                self._delete_some(random.choice((*self._talking, self._quiet)), 1)
            await asyncio.sleep(random.uniform(0.02, 0.15))

    async def _provoke_everything(self) -> None:
        plan, wanted = self._plan, self._hostility.wanted
        made, made_at = 0, time.monotonic()
        while not plan.done(self._hostility.pending) and time.monotonic() - made_at < NOTHING_FITS_AFTER:
            mutation = plan.next()
            if mutation is None:
                return
            if wanted[mutation.where] < WAITING_AT_MOST:
                self._hostility.want(mutation)
            else:
                plan.later(mutation)
            await self._provoke(mutation.where)
            await asyncio.sleep(self.random.uniform(0, 2) / self._a_second)
            if len(plan.made) > made:
                made, made_at = len(plan.made), time.monotonic()
                if made % 50 == 0:
                    await self._until(lambda: len(self._unknown()) < BEHIND_AT_MOST, 20)

    async def _provoke(self, where: str) -> None:
        """Have something happen that makes Discord send an event, or Spade ask."""
        random, world = self.random, self._sandbox.world
        town = random.choice(self._talking)
        if where == "MESSAGE_CREATE":
            town.something_is_said()
        elif where == "MESSAGE_UPDATE":
            world.messages.edit(random.choice(random.choice(town.places).messages or town.messages), "other words")
        elif where in {"MESSAGE_DELETE", "MESSAGE_DELETE_BULK"}:
            self._delete_some(town, 1 if where == "MESSAGE_DELETE" else 2)
        elif where in {"READY", "RESUMED", "GET /gateway"}:
            pass  # see _reconnect
        elif where == PAGE or "threads/archived" in where:
            self._fail_for_a_moment(town)
        elif where == ONE_MESSAGE:
            room = random.choice(town.rooms)
            recent = [one for one in room.log.newest(8) if one.type in {0, 19}]
            if recent:
                target = random.choice(recent)
                world.messages.post(room, random.choice(town.managers), reply_to=target, hides_reference=True)
        elif where == "INTERACTION_CREATE" or " " in where:
            await self._command(random.choice(self._towns))
        elif not self._move(where):
            self._inject(where)

    def _fail_for_a_moment(self, town: Town) -> None:
        """A guild is unavailable while somebody says something there."""
        self._sandbox.world.guilds.take_down(town.guild)
        for _ in range(self.random.choice((1, 3, 6))):
            town.something_is_said()
        self._sandbox.world.guilds.bring_back(town.guild)

    async def _command(self, town: Town) -> None:
        random, people = self.random, self._sandbox.people
        who, room = random.choice(town.managers), random.choice(town.rooms)
        with suppress(LookupError):  # not registered yet, not offered to them, or nothing was said there
            turn = random.randrange(len(COMMANDS) + 3)
            if turn < len(COMMANDS):
                name, *path = COMMANDS[turn]
                await people.run_command(who, room, name, subcommands=path)
            elif turn == len(COMMANDS):
                await people.run_command(who, room, "member", {"user": random.choice(town.members)})
            elif turn == len(COMMANDS) + 1:
                await people.run_context_menu(who, room, "Relationship", random.choice(town.members))
            else:
                await people.run_context_menu(who, room, "Mark answered", random.choice(room.messages))

    def _inject(self, where: str) -> None:
        """Send an altered event that nothing in the world makes."""
        town = self._moving if where.startswith(STRUCTURE) else self.random.choice(self._talking)
        room = self.random.choice(town.rooms)
        message = next((one for one in reversed(room.messages) if one.author in town.members), None)
        if message is None or not self._sandbox.gateway.live:
            return
        events = foreign_events(self._sandbox.world.state, town.guild, room, self.random.choice(town.threads), message)
        self._hostility.inject(where, events[where])

    def _move(self, where: str) -> bool:
        """Change the third town as an event says; returns whether there is such a change."""
        random, world, town = self.random, self._sandbox.world, self._moving
        room, thread = random.choice(town.rooms), random.choice(town.threads)
        if where in {"GUILD_CREATE", "GUILD_DELETE"}:
            self._fail_for_a_moment(town)
        elif where == "GUILD_UPDATE":
            world.guilds.rename(town.guild, f"Town {random.randrange(9)}")
        elif where in {"GUILD_ROLE_CREATE", "GUILD_ROLE_UPDATE", "GUILD_ROLE_DELETE"}:
            role = world.roles.add(town.guild, "extra")
            world.roles.edit(role, name="words")
            world.roles.remove(role)
        elif where == "GUILD_MEMBER_UPDATE":
            role = next(one for one in town.guild.roles.values() if one.name == "gardeners")
            world.roles.give(role, world.state.bot)
            world.roles.take(role, world.state.bot)
        elif where in {"CHANNEL_CREATE", "CHANNEL_DELETE"}:
            kind = random.choice(("text", "news", "forum", "voice", "category"))
            self._extras.append(world.channels.add(town.guild, "extra", kind=kind))
            if len(self._extras) > MANY_EXTRAS:
                world.channels.delete(self._extras.pop(0))
        elif where == "CHANNEL_UPDATE":
            world.channels.edit(random.choice([room, town.forum, *self._extras]), topic="words")
        elif where == "THREAD_CREATE" and len(town.threads) < MANY_THREADS:
            town.a_thread_begins()
        elif where == "THREAD_CREATE":
            world.threads.announce(thread)
        elif where == "THREAD_UPDATE":
            town.a_thread_falls_asleep()
            world.channels.edit(thread, name="words")
        elif where == "THREAD_DELETE":
            world.channels.delete(world.threads.start(room, "extra", town.others[0]))
        else:
            return False
        return True

    def _delete_some(self, town: Town, count: int) -> None:
        """Delete messages, if the facts of all others are the same without them."""
        place = self.random.choice(town.places)
        last = [one for one in place.log.newest(12) if town.may_go(one) and one.id not in town.spoiled]
        chosen = self.random.sample(last, min(len(last), count))
        if chosen and not town.guild.unavailable and alone(town, chosen):
            unknown = outside(self._database, chosen, SPANS)
            counted = {one.id for one in chosen if one.id not in unknown}
            town.delete(chosen, counted=counted, heard=bool(self._sandbox.gateway.live))

    async def _reconnect(self) -> None:
        """Begin or resume sessions for as long as their first events are to be altered."""
        wanted = self._hostility.wanted
        while self._storm:
            await asyncio.sleep(0.1)
            anew = wanted["READY"] > 0 or wanted["GET /gateway"] > 0
            if anew or wanted["RESUMED"] > 0:
                self._interruptions.note()
                self._sandbox.faults.gateway.drop(resume=not anew)
                await self._come_back()

    async def _come_back(self) -> None:
        """Wait until Spade records again what is said in the town that nothing is altered in."""
        made = [*(one for one in self._plan.made[-60:] if one.where in {"READY", "RESUMED"})][-2:]
        await self._until(lambda: self._sandbox.gateway.live, BACK_WITHIN)
        message = self._quiet.world.messages.post(self._quiet.rooms[0], self._quiet.members[0], "words")
        await self._until(lambda: not outside(self._database, [message], SPANS), BACK_WITHIN)
        self._interruptions.note()
        if outside(self._database, [message], SPANS):
            after = ", ".join(map(str, made))
            behind = [len(outside(self._database, town.messages, SPANS)) for town in self._towns]
            what = f"not back after {BACK_WITHIN:.0f} s, at {datetime.now(UTC):%X}, {behind} messages behind; {after}"
            self.outcome.difference.note(what, 1, 0)
            self._sandbox.faults.gateway.drop(resume=False)

    async def _watch(self) -> None:
        """Start the process again if it ends by itself, and note after what it did."""
        while self._storm:
            await asyncio.sleep(0.05)
            self._start_if_ended()

    def _start_if_ended(self) -> None:
        if not self._bot.running:
            self._interruptions.note()
            self.outcome.ended.append("; ".join(map(str, self._plan.made[-3:])))
            self._bot.start()

    # And after it

    async def _calm(self) -> None:
        """End the mutations, show the third town as it is, and compare everything."""
        self._hostility.calm()
        self._sandbox.faults.gateway.calm()
        outcome = self.outcome
        outcome.mutations, outcome.by_side = len(self._plan.made), self._plan.by_side
        outcome.distinct = self._plan.distinct
        self._fail_for_a_moment(self._moving)
        await self._settle()
        for town in self._towns:
            for _ in range(5):
                town.something_is_said()
        await self._settle()
        earlier = list(outcome.difference.lines)
        lost = outcome.difference.lost
        for patience in (0.0,) if self._defect else (0.0, 0.5, 1.0, 2.0, 4.0, 8.0):
            await asyncio.sleep(patience)
            self._start_if_ended()
            outcome.difference = Difference(lost, 0, list(earlier))
            self._compare()
            if len(outcome.difference.lines) == len(earlier) and not outcome.unaccounted:
                break
        outcome.tracebacks = _errors((self._folder / "bot.log").read_text(errors="replace"))

    def _compare(self) -> None:
        outcome, log = self.outcome, (self._folder / "bot.log").read_text(errors="replace")
        outcome.unreadable, outcome.unaccounted = 0, []
        for town in self._towns:
            unread = set(outside(self._database, town.messages, SPANS)) & self._may_be_unread()
            gone = town.deletions
            unheard = {one.message.id for one in gone if self._may_be_unheard(one)}
            uncounted = {one.message.id for one in gone if not one.counted}
            undecided = set(outside(self._database, town.messages, SPANS)) & undecidable(town, self._may_be_unread())
            found = compare(town, self._database, unheard, uncounted, unread, undecided)
            outcome.difference.lost += found.lost
            outcome.difference.doubled += found.doubled
            outcome.difference.lines += found.lines
            outcome.unreadable += len(unread)
            nowhere = [one for one in outside(self._database, town.messages, SPANS, GAPS) if str(one) not in log]
            outcome.unaccounted += [f"message {one} is neither on record nor known to be missing" for one in nowhere]
            for one in self._hostility.needlessly(unread - undecided):
                spoiled = self._hostility.spoiled[one]
                outcome.difference.note(f"message {one} was not read, but all that is used was there: {spoiled}", 1, 0)

    def _may_be_unheard(self, one: Deletion) -> bool:
        lost = one.message.id in self._hostility.lost_deletes
        return lost or not one.heard or self._interruptions.hit(one.message.id, one.at)

    async def _settle(self) -> None:
        """Wait until everything is on record that can be read."""
        until = time.monotonic() + self._settled_within
        while time.monotonic() < until:
            await asyncio.sleep(0.2)
            self._start_if_ended()
            spoiled = self._may_be_unread()
            if not self._unread() - spoiled - {one for town in self._towns for one in undecidable(town, spoiled)}:
                await asyncio.sleep(WRITTEN_WITHIN)
                return

    def _may_be_unread(self) -> set[int]:
        """Messages whose history is spoiled, and replies to them that do not carry whom they reply to."""
        spoiled = self._hostility.spoiled
        return {
            one.id
            for town in self._towns
            for one in town.messages
            if one.id in spoiled
            or (one.hides_reference and one.reference is not None and one.reference.message_id in spoiled)
        }

    def _unread(self) -> set[int]:
        return {one for town in self._towns for one in outside(self._database, town.messages, SPANS)}

    def _unknown(self) -> list[int]:
        return [one for town in self._towns for one in outside(self._database, town.messages, SPANS, GAPS)]

    async def _until(self, condition: Callable[[], object], seconds: float) -> None:
        end = time.monotonic() + seconds
        while not condition() and time.monotonic() < end:
            await asyncio.sleep(0.1)


def undecidable(town: Town, spoiled: Collection[int]) -> set[int]:
    """The messages that may have to be judged without others whose history is spoiled: by `answer`, `thread` or (c).

    They follow such a one in their channel, within the time in which people count as talking; in a thread, at any. Who
    opened a thread cannot be asked for where the message is spoiled that it was started on.
    """
    managers = {manager.id for manager in town.managers}
    found: set[int] = set()
    for place in town.world.state.channels.values():
        if place.guild_id != town.guild.id:
            continue
        before: list[PostedMessage] = []
        read = False
        for one in sorted(place.log, key=lambda one: one.id):
            near = any(place.is_thread or one.created_at - other.created_at <= TALKING for other in before)
            told = one.type == 0 and one.author.id in managers and not one.mentions
            if (told and (near or place.id in spoiled)) or (place.is_thread and not read):
                found.add(one.id)
            if one.id in spoiled:
                before.append(one)
            read = read or (one.id not in spoiled and is_person(one.author) and one.type in {0, 19})
    return found


def _errors(log: str) -> list[str]:
    """The last line of each traceback in a log."""
    found: list[str] = []
    inside = False
    for line in log.splitlines():
        if line.startswith("Traceback "):
            inside = True
        elif inside and line and not line.startswith((" ", "\t")):
            found.append(line[:200])
            inside = False
    return found
