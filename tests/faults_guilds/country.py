"""Many guilds on one Discord, and what people do there; the clock is the event loop's, with the idle hours left out."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from bot.app import App
from bot.domain.guild import GuildSettings, ManagerSettings
from bot.sandbox import Channel, Guild, PostedMessage, Response, Sandbox, User
from bot.store import guilds, managers
from bot.store.database import open_database
from tests.support.moderators import moderators

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
ZONES = (ZoneInfo("UTC"), ZoneInfo("Europe/Berlin"))
FEW = 10
"""So many guilds are in one time zone, and stay connected all the time, which is quicker to play."""
KINDS = ("faulty", "unwritable", "unanswered", "failing", "shut")
"""The troubles that the first guilds are in, as `Trouble` begins and ends them."""
HOUR = 9
"""At this hour of the guild's, everything is due: all nudges, and on Mondays all digests, the managers' own, too."""


class LoopClock:
    """The time: that of the event loop, and what was skipped."""

    def __init__(self, start: datetime) -> None:
        self._start = start

    @property
    def sure(self) -> bool:
        return True

    @property
    def unsure_for(self) -> timedelta:
        return timedelta()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=asyncio.get_running_loop().time())

    def sure_now(self) -> datetime:
        return self.now()

    def skip_to(self, moment: datetime) -> None:
        """Skip the time until a moment, without waiting for it; not back."""
        self._start += max(moment - self.now(), timedelta())

    def hear(self, moment: datetime, counted_at: datetime | None = None) -> None:
        """Ignored."""

    def hear_id(self, made_at: datetime) -> None:
        """Ignored."""

    def doubt(self) -> None:
        """Ignored."""


@dataclass
class Town:
    """A guild, its people, and who asked which manager on which evening, by the day of the nudge."""

    guild: Guild
    room: Channel
    board: Channel
    managers: list[User]
    zone: ZoneInfo
    trouble: str | None
    asked: dict[tuple[int, date], str] = field(default_factory=dict)
    open: list[tuple[User, PostedMessage]] = field(default_factory=list)

    def due_at(self, day: date) -> datetime:
        """When the day's nudges and digests are due."""
        return datetime(day.year, day.month, day.day, HOUR, tzinfo=self.zone)


class Country:
    """All guilds. The first ones are those in trouble."""

    def __init__(self, sandbox: Sandbox, size: int, random: Random) -> None:
        self.sandbox = sandbox
        self.random = random
        zones = ZONES if size > FEW else ZONES[:1]
        self.towns = [self._found(number, zones[number % len(zones)]) for number in range(size)]
        self._members = 0

    def _found(self, number: int, zone: ZoneInfo) -> Town:
        world = self.sandbox.world
        guild = world.guilds.add(f"Town {number}", owner=world.users.add(f"owner-{number}"))
        room, board = world.channels.add(guild, "general"), world.channels.add(guild, "board")
        team = [world.users.add(f"manager-{number}-{one}") for one in range(2 + number % 2)]
        for manager in team:
            world.members.add(guild, manager)
        moderators(world, guild, *team)
        return Town(guild, room, board, team, zone, KINDS[number] if number < len(KINDS) else None)

    async def set_up(self, url: str) -> None:
        """Write down the settings, before the bot starts."""
        database = await open_database(url, write=True)
        async with database.writing() as connection:
            for town in self.towns:
                guild_id = town.guild.id
                await guilds.save(
                    connection,
                    GuildSettings(
                        guild_id,
                        town.zone,
                        digest_channel_id=town.board.id,
                        digest_from_at=MONDAY + timedelta(hours=12),
                    ),
                )
                await managers.add(connection, guild_id, [manager.id for manager in town.managers])
                for manager in town.managers:
                    await managers.save(connection, ManagerSettings(guild_id, manager.id, enrolled_at=MONDAY))
        await database.close()

    def people_ask(self, tomorrow: date) -> None:
        """In the evening most managers are asked something, each by somebody new."""
        world = self.sandbox.world
        for town in self.towns:
            for manager in town.managers:
                if self.random.random() < 0.8:
                    self._members += 1
                    member = world.users.add(f"member-{self._members:05}")
                    world.members.add(town.guild, member)
                    question = world.messages.post(town.room, member, "words", mentions=[manager])
                    town.asked[manager.id, tomorrow] = member.name
                    town.open.append((manager, question))

    def managers_answer(self) -> None:
        """In the morning every manager answers everybody who asked."""
        for town in self.towns:
            for manager, question in town.open:
                self.sandbox.world.messages.post(town.room, manager, "words", reply_to=question)
            town.open.clear()


async def tick_from(app: App, clock: LoopClock, begin: datetime, seconds: float) -> None:
    """Look for due work every 20 s from a moment on, as the schedule does: one tick does not begin during another."""
    clock.skip_to(begin)
    time = asyncio.get_running_loop().time
    until = time() + seconds
    while time() < until:
        began_at = time()
        await app.schedule.tick()
        await asyncio.sleep(max(began_at + 20.0 - time(), 0.0))


async def settled(answer: Response) -> Response:
    """Wait until a command is answered, without looking for it every few milliseconds; at most ten minutes."""
    async with asyncio.timeout(600.0):
        while not answer.settled:
            await asyncio.sleep(0.5)
    return await answer.wait()
