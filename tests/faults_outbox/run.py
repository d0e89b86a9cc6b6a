"""One server, one manager, one nudge a day; and on each day the process that sends it ends at some point."""

import asyncio
import json
import os
import signal
import sqlite3
import sys
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from bot.clock import DrivenClock
from bot.domain.delivery import UNSETTLED
from bot.domain.guild import GuildSettings, ManagerSettings
from bot.sandbox import PostedMessage, Sandbox
from bot.store import guilds, managers
from bot.store.database import open_database
from tests.faults_outbox.points import ACCEPTED, BY_ITSELF, ENDED

STARTS = datetime(2026, 1, 5, 10, tzinfo=UTC)
SEND = "/channels/{channel_id}/messages"
SIGKILL_SHARE = 0.25
ABSENCE = "a long absence"
"""Nothing runs for so long that Discord knows the nonce no more: only the DM's history tells what is there."""
ABSENT = timedelta(minutes=7)
LAG = "history lags"
"""A run to which Discord does not show yet what it has taken: only the nonce keeps it from sending twice."""
DEFECTS = ("history", "nonce")
ROUNDS = 8
"""How often a tick may be needed until everything of a day is settled."""


@dataclass(slots=True)
class Outcome:
    """What came of all days."""

    kills: int = 0
    sigkills: int = 0
    days: int = 0
    sent_twice: int = 0
    unsettled: int = 0
    not_sent: int = 0
    by_point: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


class OutboxFaults:
    """Plays days until as many processes ended as asked for."""

    def __init__(self, kills: int, seed: int, folder: Path, *, defect: str | None = None) -> None:
        self._kills = kills
        self._defect = defect
        self._random = Random(seed)
        self._path = folder / "spade.db"
        self._clock = DrivenClock(STARTS)
        self._outcome = Outcome()
        self._duration = 0.1
        # Every point is reached from a first run and from a run that settles, before chance takes over.
        self._plan = [[ACCEPTED, ABSENCE], [ACCEPTED, LAG], *([point] for point in (*BY_ITSELF[:8], ACCEPTED))]
        self._plan += [[first, point] for first in ("after claim", ACCEPTED) for point in (*BY_ITSELF, ACCEPTED)]

    async def play(self) -> Outcome:
        """Play, and say what came of it."""
        async with Sandbox(now=self._clock.now) as sandbox:
            self._sandbox = sandbox
            world = sandbox.world
            self._guild = world.guilds.add("A server")
            self._room = world.channels.add(self._guild, "general", kind="text")
            self._manager = world.users.add("manager")
            world.members.add(self._guild, self._manager)
            await self._prepare()
            self._worker = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.faults_outbox.worker", stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            try:
                while self._outcome.kills < self._kills:
                    await self._day()
            finally:
                assert self._worker.stdin is not None
                self._worker.stdin.close()
                await self._worker.wait()
        return self._outcome

    async def _prepare(self) -> None:
        database = await open_database(f"sqlite:///{self._path}", write=True)
        try:
            async with database.writing() as connection:
                await guilds.save(connection, GuildSettings(self._guild.id, ZoneInfo("UTC")))
                await managers.add(connection, self._guild.id, [self._manager.id])
                settings = ManagerSettings(self._guild.id, self._manager.id, nudge_weekdays=frozenset(range(7)))
                await managers.save(connection, replace(settings, enrolled_at=STARTS - timedelta(days=1)))
        finally:
            await database.close()

    async def _day(self) -> None:
        """Somebody new waits; the processes end; then they are let be, until all is settled."""
        self._outcome.days += 1
        self._clock.set(STARTS + timedelta(days=self._outcome.days))
        member_id = self._wait()
        before = len(self._sandbox.dms(self._manager))
        points = self._plan.pop(0) if self._plan else self._chance()
        for point in points:
            if point == ABSENCE:
                self._clock.set(self._clock.now() + ABSENT)
                continue
            await self._run(point)
            pauses = (31, 90) if LAG in points else (5, 31, 31, 90)
            self._clock.set(self._clock.now() + timedelta(seconds=self._random.choice(pauses)))
        for _ in range(ROUNDS):
            await self._run(None)
            self._clock.set(self._clock.now() + timedelta(seconds=31))
            if not self._open() and self._sent(member_id):
                break
        self._judge(before, member_id, points)

    def _chance(self) -> list[str]:
        """One to three points, a share of them a SIGKILL at any time; then, now and then, an absence or a lag.

        Never both: what is neither shown nor known by its nonce is sent twice, and nothing can be done about it.
        """
        points = [
            "SIGKILL"
            if self._random.random() < SIGKILL_SHARE
            else self._random.choice((*BY_ITSELF[2:], ACCEPTED, ACCEPTED, "503", "lost reply"))
            for _ in range(self._random.randrange(1, 4))
        ]
        return points + self._random.choice(([], [], [ABSENCE], [LAG]))

    def _wait(self) -> int:
        """A new member has waited five hours for the manager."""
        world = self._sandbox.world
        written_at = self._clock.now() - timedelta(hours=5)
        member = world.users.add(f"member{self._outcome.days}")
        world.members.add(self._guild, member)
        message_id = int(written_at.timestamp() * 1000 - 1_420_070_400_000) << 22
        world.messages.load(self._room, [PostedMessage(message_id, self._room.id, member)])
        with closing(sqlite3.connect(self._path)) as connection, connection:
            connection.execute(
                "INSERT INTO waiting (message_id, guild_id, channel_id, member_id) VALUES (?, ?, ?, ?)",
                (message_id, self._guild.id, self._room.id, member.id),
            )
            connection.execute(
                "INSERT INTO waiting_for (message_id, manager_id) VALUES (?, ?)", (message_id, self._manager.id)
            )
        return member.id

    async def _run(self, point: str | None) -> None:
        """One process, which ends at a point, or is let be."""
        faults, own = self._sandbox.faults, point if point in BY_ITSELF else None
        job = {
            "url": self._sandbox.url,
            "token": self._sandbox.token,
            "database": f"sqlite:///{self._path}",
            "now": self._clock.now().isoformat(),
            "point": own,
            "history_lags": point == LAG,
            "defect": self._defect,
        }
        assert self._worker.stdin is not None
        self._worker.stdin.write(json.dumps(job).encode() + b"\n")
        pid = (await self._line())["pid"]
        if point == ACCEPTED:
            faults.requests.meanwhile(lambda: _kill(pid), method="POST", route=SEND)
        elif point == "503":
            faults.requests.server_error(503, method="POST", route=SEND)
        elif point == "lost reply":
            faults.requests.lose_reply(method="POST", route=SEND)
        started = asyncio.get_running_loop().time()
        ending = asyncio.ensure_future(self._line())
        if point == "SIGKILL":
            await asyncio.wait([ending], timeout=self._random.uniform(0.2, 1.1) * self._duration)
            _kill(pid)
        status = (await ending)["status"]
        faults.calm()
        if point is None:
            self._duration = 0.8 * self._duration + 0.2 * (asyncio.get_running_loop().time() - started)
        if status in {ENDED, -signal.SIGKILL}:
            self._outcome.kills += 1
            self._outcome.sigkills += status == -signal.SIGKILL
            self._outcome.by_point[str(point)] += 1
        elif status != 0:
            self._outcome.problems.append(f"day {self._outcome.days}: a process ended with {status} at {point}")

    async def _line(self) -> dict[str, int]:
        assert self._worker.stdout is not None
        found: dict[str, int] = json.loads(await self._worker.stdout.readline())
        return found

    def _open(self) -> int:
        states = ", ".join(f"'{state.value}'" for state in UNSETTLED)
        return int(self._value(f"SELECT count(*) FROM delivery WHERE state IN ({states})"))

    def _sent(self, member_id: int) -> int:
        return int(
            self._value(
                "SELECT count(*) FROM delivery JOIN nudge_member USING (delivery_id) "
                f"WHERE state = 'sent' AND member_id = {member_id}"
            )
        )

    def _value(self, query: str) -> int:
        with closing(sqlite3.connect(self._path)) as connection:
            return int(connection.execute(query).fetchone()[0])

    def _judge(self, before: int, member_id: int, points: list[str]) -> None:
        arrived = len(self._sandbox.dms(self._manager)) - before
        outcome = self._outcome
        outcome.sent_twice += max(0, arrived - 1)
        outcome.not_sent += arrived == 0
        outcome.unsettled += self._open() + (not self._sent(member_id))
        if arrived != 1 or self._open() or not self._sent(member_id):
            outcome.problems.append(f"day {outcome.days}: {arrived} arrived, {self._open()} open, after {points}")


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
