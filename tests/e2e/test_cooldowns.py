"""Whoever hammers Spade is told when to try again; nobody else notices."""

from datetime import UTC, datetime
from pathlib import Path

from bot.discord_io.interactions.cooldowns import Cost
from bot.sandbox import Channel, Response, User
from tests.support.moderators import moderators
from tests.support.stage import Stage, stage

BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)
TOO_FAST = "That was faster than I can follow. Try again in "


async def ask(on: Stage, who: User, channel: Channel, name: str, *path: str, **options: object) -> Response:
    answer = await on.sandbox.people.run_command(who, channel, name, options, subcommands=path)
    return await answer.wait()


async def test_whoever_hammers_is_told_when_to_try_again_and_nobody_else_notices(tmp_path: Path) -> None:
    async with stage(tmp_path / "spade.db", BEGAN) as on:
        world, people = on.sandbox.world, on.sandbox.people
        owner, mia, noor, rafa = (world.users.add(name) for name in ("olga", "mia", "noor", "rafa"))
        guild = world.guilds.add("Gardeners", owner=owner)
        general = world.channels.add(guild, "general")
        for user in (mia, noor, rafa):
            world.members.add(guild, user)
        moderators(world, guild, mia, noor)
        await on.sandbox.until(lambda: on.sandbox.commands.available(guild.id))
        for manager in (mia, noor):
            await ask(on, owner, general, "setup", manager=manager, time_zone="UTC")

        for _ in range(Cost.LIGHT.value.person.uses):
            assert "Spade" in str((await ask(on, rafa, general, "privacy", "show")).original.embeds)
        refused = await ask(on, rafa, general, "privacy", "show")
        assert refused.text.startswith(TOO_FAST)
        assert refused.text.endswith((" second.", " seconds."))
        assert refused.original.ephemeral
        assert not (await ask(on, mia, general, "privacy", "show")).text.startswith(TOO_FAST)
        assert (await ask(on, rafa, general, "privacy", "opt-in")).text.startswith("You had not opted out")

        twice = [await people.run_command(mia, general, "digest") for _ in range(2)]
        texts = [(await answer.wait()).text for answer in twice]
        assert sorted(text.startswith("I am still working on") for text in texts) == [False, True]
        assert "still working" not in (await ask(on, noor, general, "digest")).text
        assert "still working" not in (await ask(on, mia, general, "digest")).text
