"""A few guilds in trouble beside one that is not; `make guilds` has fifty of them, for weeks."""

import asyncio
from pathlib import Path

from bot.sandbox import Sandbox
from tests.faults_guilds.country import MONDAY, LoopClock
from tests.faults_guilds.run import play
from tests.support.fast_loop import FastLoop
from tests.support.sqlite_in_the_loop import sqlite_in_the_loop
from tests.support.stage import connected


def test_guilds_in_trouble_hinder_no_other_and_get_theirs_once_it_is_over(tmp_path: Path) -> None:
    outcome = play(tmp_path, guilds=6, begins_on=3, ends_on=7, days=9)
    assert outcome.problems == []
    assert (outcome.troubled, outcome.late, outcome.missed, outcome.doubled) == (5, 0, 0, 0)
    assert outcome.nudges >= 5
    assert outcome.digests >= 2


def test_a_guild_that_is_never_answered_keeps_no_other_from_catching_up(tmp_path: Path) -> None:
    async def reconnect() -> None:
        clock = LoopClock(MONDAY)
        async with Sandbox(now=clock.now) as sandbox:
            world = sandbox.world
            guilds = [world.guilds.add(name) for name in ("Silent", "Answered")]
            rooms = [world.channels.add(guild, "general") for guild in guilds]
            ann = world.users.add("ann")
            for guild in guilds:
                world.members.add(guild, ann)
            async with connected(sandbox, clock, tmp_path / "spade.db") as app:
                sandbox.faults.requests.hang(times=None, channel=rooms[0])
                for room in rooms:
                    world.messages.post(room, ann, "words")
                sandbox.faults.gateway.drop(resume=False)
                for room in rooms:
                    world.messages.post(room, ann, "words")
                await sandbox.until(lambda: sandbox.gateway.identified == 2)
                await asyncio.sleep(10.0)
                assert [app.follower.guild_caught_up(guild.id) for guild in guilds] == [False, True]

    with sqlite_in_the_loop(), asyncio.Runner(loop_factory=lambda: FastLoop(idle=0.0002, step=1.0)) as runner:
        runner.run(reconnect())
