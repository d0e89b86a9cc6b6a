"""`/waiting`: who waits for a manager, over a real connection."""

import re
from pathlib import Path

from bot.sandbox import Response
from bot.views.members.waiting import PAGE_SIZE
from tests.support.team import Team, labels, restarted, team


def lines(answer: Response) -> list[str]:
    """The list, a line each, without the links."""
    assert answer.original is not None
    text = str(answer.original.embeds[0].get("description", ""))
    return [re.sub(r" \[.*\)$", "", line).replace("**", "") for line in text.splitlines()]


def title(answer: Response) -> str:
    assert answer.original is not None
    return str(answer.original.embeds[0]["title"])


async def look_again(on: Team, answer: Response, label: str = "Look again") -> None:
    """Press a button of the list, and wait until the list is there anew."""
    assert answer.original is not None
    pressed = await on.press(answer.user, answer.original, label)
    await pressed.until(lambda now: now.edits)


async def test_who_waits_for_a_manager_and_for_the_team_and_what_ends_it(tmp_path: Path) -> None:
    async with team(tmp_path, on=()) as on:
        empty = await on.run(on.ann, "waiting")
        assert title(empty) == "Nobody waits"
        assert empty.ephemeral

        to_ann = await on.says(on.max, f"<@{on.ann.id}> could you look?")
        on.clock.set(on.clock.now().replace(hour=9))
        await on.says(on.ned, f"<@{on.bea.id}> and you?")
        post = on.sandbox.world.threads.open_post(
            on.sandbox.world.channels.add(on.guild, "help", kind="forum"), "Where is it?", on.ned, "I lost it."
        )
        await on.says(on.max, f"<@{on.ann.id}> once more")

        # A manager sees what is addressed to them and what is addressed to nobody, who waits longest first.
        mine = await on.run(on.ann, "waiting")
        assert title(mine) == "2 people wait for you or the team"
        assert lines(mine) == [
            "Max has waited 4 h for you, with 2 messages.",
            "Ned has waited under a minute for the team.",
        ]
        assert mine.original is not None
        assert f"/channels/{on.guild.id}/{on.room.id}/{to_ann.id}" in mine.original.embeds[0]["description"]
        assert f"/{post.id}/{post.id})" in mine.original.embeds[0]["description"]
        assert labels(mine.original) == ["Look again"]

        # Everybody else's answer ends it too; looking again shows it.
        answer = await on.says(on.bea, "Here it is.", reply_to=to_ann)
        assert answer.id
        await look_again(on, mine)
        assert lines(mine) == ["Ned has waited under a minute for the team."]

        # So does a manager's reaction, and a member who left does not wait.
        theirs = await on.run(on.bea, "waiting")
        assert len(lines(theirs)) == 1
        on.sandbox.world.members.remove(on.guild, on.ned)
        await on.later(minutes=6)  # for five minutes it is remembered who is there
        await look_again(on, theirs)
        assert title(theirs) == "Nobody waits"


async def test_a_reaction_sets_aside(tmp_path: Path) -> None:
    async with team(tmp_path, on=()) as on:
        asked = await on.says(on.max, f"<@{on.ann.id}> could you look?")
        mine = await on.run(on.ann, "waiting")
        assert title(mine) == "One person waits for you or the team"
        on.sandbox.world.reactions.add(asked, on.ann, "👍")
        await on.sandbox.drained()
        for _ in range(50):
            await look_again(on, mine)
            if title(mine) == "Nobody waits":
                break
        assert title(mine) == "Nobody waits"


async def test_pages_and_somebody_who_stopped_being_a_manager(tmp_path: Path) -> None:
    async with team(tmp_path, on=()) as on:
        world = on.sandbox.world
        many = PAGE_SIZE + 3
        for number in range(many):
            member = world.users.add(f"m{number}", display_name=f"*M{number}*")
            world.members.add(on.guild, member)
            await on.says(member, f"<@{on.ann.id}> hello")
        mine = await on.run(on.ann, "waiting")
        assert mine.original is not None
        assert title(mine) == f"{many} people wait for you or the team"
        assert len(lines(mine)) == PAGE_SIZE
        assert lines(mine)[0].startswith(r"\*M0\* has waited")
        assert labels(mine.original) == ["Next", "Look again"]
        assert "Page 1 of 2" in mine.original.embeds[0]["footer"]["text"]
        await look_again(on, mine, "Next")
        assert len(lines(mine)) == 3
        assert labels(mine.original) == ["Previous", "Look again"]
        await look_again(on, mine, "Previous")
        assert len(lines(mine)) == PAGE_SIZE

        owner = world.state.user(on.guild.owner_id)
        await on.run(owner, "setup", remove_manager=on.ann)
        pressed = await on.press(on.ann, mine.original, "Next")
        await pressed.until(lambda now: now.messages)
        assert "manager list" in pressed.messages[-1].content
        assert len(lines(mine)) == PAGE_SIZE


async def test_a_list_from_before_a_restart_is_looked_at_again_and_again(tmp_path: Path) -> None:
    async with team(tmp_path, on=()) as before:
        await before.says(before.max, mentions=[before.ann])
        mine = await before.run(before.ann, "waiting")
        async with restarted(before) as on:
            await on.says(on.ned, mentions=[on.ann])
            await look_again(on, mine)
            assert title(mine) == "2 people wait for you or the team"
            await on.says(on.max, mentions=[on.ann])
            await look_again(on, mine)  # the message was edited since
            assert lines(mine)[0].endswith("with 2 messages.")
