"""A server in German, over a real connection: answers, nudges and digests alike; names of commands for everybody."""

from datetime import timedelta
from pathlib import Path

from tests.support.team import MONDAY, team, text_of


async def test_a_server_is_spoken_to_in_its_language(tmp_path: Path) -> None:
    async with team(tmp_path, on=("ann",)) as on:
        owner = on.sandbox.world.state.user(on.guild.owner_id)
        answer = await on.run(owner, "settings", "language", language="de")
        assert answer.original is not None
        empty = await on.run(on.ann, "waiting")
        assert empty.original is not None
        assert empty.original.embeds[0]["title"] == "Niemand wartet"

        hello = await on.says(on.max)
        await on.says(on.ann, "hello", reply_to=hello)
        await on.says(on.ned, f"<@{on.ann.id}> could you look?")
        on.clock.set(MONDAY + timedelta(days=7, hours=4, minutes=1))
        await on.tick()
        await on.sandbox.until(lambda: any("Deine Woche" in str(dm.embeds) for dm in on.dms(on.ann)), 20)
        own = next(dm for dm in on.dms(on.ann) if "Deine Woche" in str(dm.embeds))
        assert "Zu ruhig für ein Urteil" in text_of(own)
        assert "**Ned** wartet schon" in text_of(own)
        await on.tick()
        assert sum("Deine Woche" in str(dm.embeds) for dm in on.dms(on.ann)) == 1

        asked = await on.run(on.ann, "digest", mine=True)
        assert asked.original is not None
        assert "Deine Woche" in str(asked.original.embeds)
