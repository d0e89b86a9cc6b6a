"""A server in German, over a real connection: answers, nudges and digests alike; names of commands for everybody."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.views.words import refusals
from bot.views.words.sentence import speaking
from tests.support.team import MONDAY, team, text_of, told
from tests.support.town import card, town


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
        await on.sandbox.until(lambda: any("Deine Woche" in str(dm.embeds) for dm in on.dms(on.ann)))
        own = next(dm for dm in on.dms(on.ann) if "Deine Woche" in str(dm.embeds))
        assert "Zu ruhig für ein Urteil" in text_of(own)
        assert "**Ned** wartet schon" in text_of(own)
        await on.tick()
        assert sum("Deine Woche" in str(dm.embeds) for dm in on.dms(on.ann)) == 1

        asked = await on.run(on.ann, "digest", mine=True)
        assert asked.original is not None
        assert "Deine Woche" in str(asked.original.embeds)


async def test_everything_an_interaction_can_start_speaks_the_servers_language(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Refusals, suggestions, presses, forms, failures, and what no cog takes."""
    with speaking("de"):
        no_manager, not_allowed = refusals.not_a_manager_yet(), refusals.not_allowed()
        nothing, failed = refusals.nothing_happened(), refusals.unexpected_error("x").partition("`")[0]
    async with town(tmp_path) as here:
        people = here.on.sandbox.people
        await here.ask(here.owner, "settings", "language", language="de")

        typing = await people.autocomplete(here.mia, here.general, "nudges", "days", "Mo", subcommands=("days",))
        assert "Montag" in str((await typing.wait()).choices)
        shown = await here.ask(here.mia, "waiting")
        assert "Niemand wartet" in card(shown)
        again = await people.press(here.mia, shown.original, "spade:waiting:1:again")
        assert "Niemand wartet" in card(await again.wait())
        unknown = {"type": 2, "custom_id": "spade:of:old", "id": 9}
        assert await told(people._component(here.mia, shown.original, unknown, {})) == nothing

        guide = await here.ask(here.noor, "setup")
        await (await people.press(here.noor, guide.original, "spade:setup:go:when")).wait()
        opened = await (await people.press(here.noor, guide.original, "spade:setup:zone")).wait()
        sent = await people.submit_modal(opened, {"zone": "Europe/Berlin"})
        assert "Europe/Berlin" in card(await sent.wait())
        assert "einrichten, 2 von 3" in card(sent)

        async def fail(*_: object) -> None:
            raise ZeroDivisionError("on purpose")

        with monkeypatch.context() as failing:
            failing.setattr("bot.services.guild.settings.SettingsService.state", fail)
            failing.setattr("bot.services.members.waiting.WaitingList.page", fail)
            for answer in (
                await here.ask(here.mia, "waiting"),
                await people.press(here.mia, shown.original, "spade:waiting:1:again"),
                await people.submit_modal(opened, {"zone": "UTC"}),
            ):
                words = await told(answer)
                assert words.startswith(failed)
                assert words.split("`")[1] in caplog.text
            failing.setattr("bot.services.guild.access.Access.is_manager", fail)  # before the callback
            for answer in (
                await here.ask(here.mia, "waiting"),
                await people.press(here.mia, shown.original, "spade:waiting:1:again"),
            ):
                assert (await told(answer)).startswith(failed)
        caplog.clear()

        here.on.sandbox.world.roles.take(here.team, here.noor)
        assert await told(await people.submit_modal(opened, {"zone": "UTC"})) == not_allowed
        await here.ask(here.owner, "setup", remove_manager=here.mia)
        assert await told(await people.press(here.mia, shown.original, "spade:waiting:1:again")) == no_manager
        assert (await here.ask(here.mia, "unmet")).text == no_manager
        typing = await people.autocomplete(here.mia, here.general, "nudges", "days", "Mo", subcommands=("days",))
        assert (await typing.wait()).choices == [], "nothing is suggested for what somebody may not use"
