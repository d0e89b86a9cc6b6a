"""Settings, status, export and failures through the sandbox: what people get to see."""

import csv
import io
from datetime import timedelta
from pathlib import Path

import bot
from bot.client import SpadeBot
from bot.sandbox import Permission
from bot.store import guilds, ignoring, tables
from bot.views.guild.export import safe_cell
from tests.support.town import BEGAN, Town, card, town


async def test_settings_are_shown_and_changed_one_by_one(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        world = here.on.sandbox.world
        staff = world.roles.add(here.guild, "Staff")
        quiet = world.channels.add(here.guild, "quiet")
        shown = await here.ask(here.owner, "settings", "show")
        for words in ("Mia", "UTC", "without limit", "Ignored: nobody", "verdict: yes"):
            assert words in shown.text, words
        changed = await here.ask(
            here.owner, "settings", "digest", channel=here.general, weekday=4, hour=18, verdict=False
        )
        assert "Friday from 18:00" in changed.text
        assert "verdict: no" in changed.text
        assert "Name what to change" in (await here.ask(here.owner, "settings", "digest")).text
        assert "no channel chosen" in (await here.ask(here.owner, "settings", "digest", off=True)).text
        assert "Europe/Berlin" in (await here.ask(here.owner, "settings", "time-zone", zone="Europe/Berlin")).text
        assert "no time zone" in (await here.ask(here.owner, "settings", "time-zone", zone="Atlantis")).text
        suggested = await here.on.sandbox.people.autocomplete(
            here.owner, here.general, "settings", "zone", "berl", subcommands=("time-zone",)
        )
        assert (await suggested.wait()).choices == [{"name": "Europe/Berlin", "value": "Europe/Berlin"}]
        assert (
            f"<#{quiet.id}> does not count" in (await here.ask(here.owner, "settings", "exclude", channel=quiet)).text
        )
        assert "counts again" in (await here.ask(here.owner, "settings", "include", channel=quiet)).text
        ignored = await here.ask(here.owner, "settings", "ignore", person=here.rafa, role=staff)
        assert "Staff" in ignored.text
        assert "Rafa" in ignored.text
        assert "ignore list" in (await here.ask(here.mia, "member", user=here.rafa)).text
        assert (
            "Ignored: nobody" in (await here.ask(here.owner, "settings", "unignore", person=here.rafa, role=staff)).text
        )
        assert "12 months" in (await here.ask(here.owner, "settings", "keep", months=12)).text
        assert "Deutsch" in (await here.ask(here.owner, "settings", "language", language="de")).text


async def test_an_ignored_role_takes_effect_when_its_bearer_is_seen_and_ends_with_it(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        world = here.on.sandbox.world
        staff = world.roles.add(here.guild, "Staff")
        world.roles.give(staff, here.rafa)
        await here.ask(here.owner, "settings", "ignore", role=staff)
        await here.on.heard(world.messages.post(here.general, here.rafa, "Hello", mentions=[here.mia]).id)
        await here.on.sandbox.drained()
        await here.on.heard(world.messages.post(here.general, here.noor, "Hello").id)
        assert "Nobody waits" in card(await here.ask(here.mia, "waiting"))
        async with here.on.app.database.reading() as connection:
            assert await ignoring.people_by_role(connection, here.guild.id) == {here.rafa.id}
        world.roles.take(staff, here.rafa)
        await here.on.heard(world.messages.post(here.general, here.rafa, "Hello again").id)
        await here.on.heard(world.messages.post(here.general, here.noor, "Hello").id)
        assert "One person waits" in card(await here.ask(here.mia, "waiting"))


async def test_what_is_too_old_is_forgotten_once_a_day(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        world, clock = here.on.sandbox.world, here.on.clock
        await here.on.heard(world.messages.post(here.general, here.rafa, "Hello", mentions=[here.mia]).id)
        await here.ask(here.owner, "settings", "keep", months=3)
        clock.set(BEGAN + timedelta(days=80))
        await here.on.heard(world.messages.post(here.general, here.noor, "Hello").id)
        await here.on.tick()
        assert await rows(here) == {"activity": 2, "waiting": 1, "waiting_for": 1, "member": 2}
        clock.set(BEGAN + timedelta(days=95))
        await here.on.tick()
        assert await rows(here) == {"activity": 1, "waiting": 0, "waiting_for": 0, "member": 1}


async def rows(here: Town) -> dict[str, int]:
    async with here.on.app.database.reading() as connection:
        return {
            table.name: len((await connection.execute(table.select())).all())
            for table in (tables.activity, tables.waiting, tables.waiting_for, tables.member)
        }


async def test_the_status_says_what_is_in_order_and_what_is_not(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        world = here.on.sandbox.world
        await here.on.heard(world.messages.post(here.general, here.rafa, "Hello").id)
        fine = card(await here.ask(here.mia, "status"))
        for words in ("Everything is in order", "Connected since", "Recorded up to", "nudges are off", bot.__version__):
            assert words in fine, words
        world.channels.deny_bot(here.general, Permission.READ_MESSAGE_HISTORY | Permission.EMBED_LINKS)
        await here.ask(here.owner, "settings", "digest", channel=here.general)
        world.dms.close(here.noor)
        await here.ask(here.noor, "nudges", "on")
        trouble = card(await here.ask(here.owner, "status"))
        for words in ("something to look at", "Embed Links and Read Message History", "do not reach Noor"):
            assert words in trouble, (words, trouble)


async def test_an_export_opens_in_a_spreadsheet_without_a_formula(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        world = here.on.sandbox.world
        trickster = world.users.add("calc", display_name='=HYPERLINK("http://x.example","y")')
        world.members.add(here.guild, trickster)
        question = world.messages.post(here.general, trickster, "Hello")
        await here.on.heard(world.messages.post(here.general, here.mia, "Hi", reply_to=question).id)
        exported = await here.ask(here.mia, "export")
        assert exported.original is not None
        files = {
            one["filename"]: here.on.sandbox.file(one).decode("utf-8-sig") for one in exported.original.attachments
        }
        people = list(csv.DictReader(io.StringIO(files["relationships.csv"])))
        assert [(row["member_id"], row["conversations"]) for row in people] == [(str(trickster.id), "1")]
        assert people[0]["name"].startswith("'=")
        weeks = list(csv.DictReader(io.StringIO(files["weeks.csv"])))
        assert {row["manager_id"] for row in weeks} == {"", str(here.mia.id), str(here.noor.id)}
        assert [row["conversations"] for row in weeks if not row["manager_id"]] == ["1"]


def test_no_cell_begins_like_a_formula() -> None:
    for text in ("=1", "+1", "-1", "@x", "\t=1", "\r=1"):
        assert safe_cell(text) == "'" + text
    assert [safe_cell(value) for value in ("a=1", "", 5, -1)] == ["a=1", "", 5, -1]


async def test_whatever_fails_is_answered_with_a_reference_that_stands_in_the_log(
    tmp_path: Path, monkeypatch, caplog
) -> None:
    async with town(tmp_path) as here:
        people = here.on.sandbox.people
        first = await here.ask(here.mia, "unmet")

        async def fail(*_args: object) -> None:
            raise ZeroDivisionError("on purpose")

        monkeypatch.setattr("bot.services.members.unmet.UnmetList.page", fail)
        command = await here.ask(here.mia, "unmet")
        button = await (await people.press(here.mia, first.original, "Look again")).wait()
        said = [message.content for answer in (command, button) for message in answer.messages]
        for text in said:
            assert "Something went wrong" in text
            assert text.split("`")[1] in caplog.text
        assert len(said) == 2
        assert "Traceback" not in str(said)
        unknown = {"component_type": 2, "custom_id": "spade:of:old", "id": 9}
        stale = await people.sender.send(3, here.mia, here.general, unknown, source=first.original).wait()
        assert "Nothing happened" in stale.messages[0].content
        assert isinstance(here.on.app.bot, SpadeBot)
        caplog.clear()


async def test_settings_of_one_server_are_not_those_of_another(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        world = here.on.sandbox.world
        other = world.guilds.add("Cooks", owner=here.owner)
        kitchen = world.channels.add(other, "kitchen")
        await here.on.sandbox.until(lambda: here.on.sandbox.commands.available(other.id))
        answer = await here.on.sandbox.people.run_command(
            here.owner, kitchen, "settings", {"zone": "Asia/Tokyo"}, subcommands=("time-zone",)
        )
        await answer.wait()
        async with here.on.app.database.reading() as connection:
            zones = {one.guild_id: one.zone.key for one in await guilds.all_settings(connection)}
        assert zones == {here.guild.id: "UTC", other.id: "Asia/Tokyo"}
