"""A large server on a sandbox, in which much is said."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from random import Random

from bot.sandbox import PostedMessage, Sandbox

MANAGERS, MEMBERS, ROOMS = 5, 500, 30
_REPLIES, _BY_MANAGERS = 0.3, 0.05
_AT_ONCE = 25
"""After so many messages the sandbox has a turn to send them."""


class Crowd:
    """Three in ten messages are replies, one in twenty is by a manager. The same seed, the same talk."""

    def __init__(self, sandbox: Sandbox) -> None:
        world = sandbox.world
        self._sandbox, self._random = sandbox, Random(4)
        self.owner = world.users.add("owner")
        self.guild = world.guilds.add("A server", owner=self.owner)
        self.managers = [world.users.add(f"manager-{number}") for number in range(MANAGERS)]
        self._members = [world.users.add(f"member-{number}") for number in range(MEMBERS)]
        for user in (*self.managers, *self._members):
            world.members.add(self.guild, user)
        self.rooms = [world.channels.add(self.guild, f"room-{number}") for number in range(ROOMS)]
        self._newest = {room.id: deque[PostedMessage](maxlen=10) for room in self.rooms}

    async def set_up(self) -> None:
        """Set Spade up, as the owner does."""
        commands = self._sandbox.commands
        await self._sandbox.until(lambda: any(one["name"] == "setup" for one in commands.available(self.guild.id)), 60)
        for manager in self.managers:
            options = {"manager": manager, "digest_channel": self.rooms[0], "time_zone": "Europe/Berlin"}
            answer = await self._sandbox.people.run_command(self.owner, self.rooms[0], "setup", options)
            await answer.wait(60)

    def say(self) -> PostedMessage:
        """One message."""
        random = self._random
        room = random.choice(self.rooms)
        newest = self._newest[room.id]
        author = random.choice(self.managers if random.random() < _BY_MANAGERS else self._members)
        target = random.choice(newest) if newest and random.random() < _REPLIES else None
        message = self._sandbox.world.messages.post(room, author, "words " * random.randrange(1, 20), reply_to=target)
        newest.append(message)
        return message

    async def flood(self, messages: int) -> dict[int, int]:
        """So many messages as fast as they can be sent; returns the newest of each room."""
        newest: dict[int, int] = {}
        for number in range(messages):
            said = self.say()
            newest[said.channel_id] = said.id
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
        return newest

    async def talk(self, a_second: int, seconds: float, said: Callable[[PostedMessage], object]) -> int:
        """Keep up a rate for some seconds; `said` is told each message. Returns how many there were."""
        began, sent = time.monotonic(), 0
        while (passed := time.monotonic() - began) < seconds:
            while sent < passed * a_second:
                said(self.say())
                sent += 1
            await asyncio.sleep(1 / a_second)
        return sent
