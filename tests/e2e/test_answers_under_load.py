"""Discord waits three seconds for an answer, also while a thousand messages a second arrive."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from bot.sandbox import Sandbox
from tests.e2e.test_process import spade

PER_SECOND = 1000
SECONDS = 5
STEP = 0.02


async def test_answers_come_within_three_seconds_while_a_thousand_messages_a_second_arrive(tmp_path: Path) -> None:
    async with Sandbox(now=lambda: datetime.now(UTC)) as sandbox:
        world, people = sandbox.world, sandbox.people
        guild = world.guilds.add("Gardeners", owner=world.users.add("olga"))
        channels = [world.channels.add(guild, f"channel{number}") for number in range(10)]
        crowd = [world.users.add(f"person{number}") for number in range(300)]
        for person in crowd:
            world.members.add(guild, person)
        owner = world.state.user(guild.owner_id)
        async with spade(tmp_path, "run", "--discord-url", sandbox.url, token=sandbox.token):
            await sandbox.connected()
            await sandbox.until(lambda: sandbox.commands.available(guild.id))
            await (await people.run_command(owner, channels[0], "setup", {"manager": owner, "time_zone": "UTC"})).wait()
            loop = asyncio.get_running_loop()
            began = loop.time()
            sent = 0

            async def chatter() -> None:
                nonlocal sent
                while loop.time() - began < SECONDS:
                    due = int((loop.time() - began) * PER_SECOND)
                    while sent < due:
                        world.messages.post(channels[sent % len(channels)], crowd[sent % len(crowd)], "Hello")
                        sent += 1
                    await asyncio.sleep(STEP)

            writing = asyncio.create_task(chatter())
            took: list[tuple[float, str]] = []
            asked = [("waiting",), ("unmet",), ("status",), ("settings", "show"), ("privacy", "show"), ("setup",)]
            number = 0
            while not writing.done():
                path = asked[number % len(asked)]
                number += 1
                started = loop.time()
                answer = await people.run_command(owner, channels[0], path[0], subcommands=path[1:])
                await answer.until(lambda answer: answer.responded or answer.error)
                took.append((loop.time() - started, " ".join(path)))
                assert answer.error is None, path
                await asyncio.sleep(0.1)
            await writing
            elapsed = loop.time() - began
        worst, name = max(took)
        rate = sent / elapsed
        print(f"{sent} messages at {rate:.0f}/s; {len(took)} commands, slowest first answer {worst:.2f} s ({name})")
        assert rate > PER_SECOND * 0.8, "the sandbox could not write as fast as the test asks for"
        assert worst < 3
