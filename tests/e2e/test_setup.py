"""The guided `/setup` through the sandbox: every list, button and form of it, to the end."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import text

from bot.domain.guild import GuildSettings
from bot.domain.snowflake import first_id_at
from bot.sandbox import Permission, PostedMessage, Response
from bot.store import guilds, managers, spans
from bot.views.guild.setup import Guide, finished
from bot.views.guild.setup_summary import Setup
from tests.support.moderators import moderators
from tests.support.stage import stage
from tests.support.team import team

BEGAN = datetime(2026, 3, 4, 9, tzinfo=UTC)


def description(message: PostedMessage | None) -> str:
    assert message is not None
    return str(message.embeds[0]["description"]) if message.embeds else message.content


async def test_the_guide_leads_to_a_server_that_is_set_up(tmp_path: Path) -> None:
    async with stage(tmp_path / "spade.db", BEGAN) as on:
        world, people = on.sandbox.world, on.sandbox.people
        owner, mia, noor, rafa = (
            world.users.add(name, display_name=name.title()) for name in ("olga", "mia", "noor", "rafa")
        )
        helper_bot = world.users.add("helper", bot=True)
        guild = world.guilds.add("Gardeners", owner=owner, guild_id=first_id_at(BEGAN - timedelta(days=10)))
        team = world.roles.add(guild, "Team")
        general = world.channels.add(guild, "general", channel_id=first_id_at(BEGAN - timedelta(days=9)))
        digest, offtopic = (world.channels.add(guild, name) for name in ("digest", "offtopic"))
        for user in (mia, rafa, helper_bot):
            world.members.add(guild, user)
        world.members.add(guild, noor, roles=[team])
        world.channels.deny_bot(digest, Permission.EMBED_LINKS | Permission.ATTACH_FILES)
        long_ago = BEGAN - timedelta(days=5)
        early = world.messages.post(general, rafa, "Hello", message_id=first_id_at(long_ago))
        world.messages.post(general, mia, "Hi", reply_to=early, message_id=first_id_at(long_ago) + 1)
        await on.sandbox.until(lambda: on.sandbox.commands.available(guild.id))

        opened = await (await people.run_command(owner, general, "setup")).wait()
        page = opened.original
        assert page is not None

        async def after(answer: Response, words: str) -> None:
            await on.sandbox.until(lambda: answer.error or words in str(page.embeds) or words in answer.text)
            assert answer.error is None

        async def choose(field: str, *values: object) -> Response:
            return await people.select(owner, page, values, custom_id=f"spade:setup:set:{field}")

        assert "1 of 3" in str(page.embeds)
        await after(await choose("managers", mia, team, helper_bot), "Bots cannot be managers")
        assert "Not everybody you named has the permission Manage Messages" in description(page)
        assert "Server Settings, Integrations, Spade" in description(page)
        moderators(world, guild, mia)
        world.roles.edit(team, permissions=int(Permission.MANAGE_MESSAGES))
        assert (await choose("managers", mia, team)).error is None
        await on.sandbox.until(lambda: "Manage Messages" not in description(page))
        await after(await choose("digest", digest), "I am missing: Embed Links and Attach Files")
        excluded = await choose("exclude", offtopic)
        await excluded.wait()
        await after(await people.press(owner, page, "Next"), "2 of 3")
        await after(await choose("weekday", "Tuesday"), "Tuesday from 09:00")
        await after(await choose("hour", "17:00"), "Tuesday from 17:00")
        form = await (await people.press(owner, page, "Change the time zone")).wait()
        await after(await form.submit({"Time zone": "Atlantis"}), "I know no time zone Atlantis")
        form = await (await people.press(owner, page, "Change the time zone")).wait()
        await after(await form.submit({"Time zone": "berlin"}), "Europe/Berlin")
        await (await choose("language", "de")).wait()
        await (await choose("language", "en")).wait()
        await after(await people.press(owner, page, "spade:setup:go:history"), "3 of 3")
        await after(await choose("history", "The last 30 days"), "Reading: The last 30 days")
        for job in on.app.reader.progress(guild.id):
            await on.app.reader.wait(job.job)
        await after(await people.press(owner, page, "Back"), "2 of 3")
        await after(await people.press(owner, page, "spade:setup:go:who"), "1 of 3")
        world.channels.allow_bot(digest, Permission.EMBED_LINKS | Permission.ATTACH_FILES)
        done = await (await people.press(owner, page, "Next")).wait()
        assert done
        await after(await people.press(owner, page, "spade:setup:go:history"), "3 of 3")
        end = await (await people.press(owner, page, "Finish")).wait()
        for words in (
            "Spade is set up",
            "Mia",
            f"<#{digest.id}>, Tuesday from 17:00",
            "Integrations",
            "last week would have",
        ):
            assert words in end.text, (words, end.text)
        assert end.original is not None
        assert len(end.original.embeds) == 1
        async with on.app.database.reading() as connection:
            settings = await guilds.settings_of(connection, guild.id)
            assert settings is not None
            assert (settings.zone.key, settings.digest_weekday, settings.digest_hour) == ("Europe/Berlin", 1, 17)
            assert (settings.digest_channel_id, settings.language) == (digest.id, "en")
            assert await guilds.excluded_channels(connection, guild.id) == {offtopic.id}
            assert await managers.people(connection, guild.id) == {mia.id}
            assert await managers.roles(connection, guild.id) == {team.id}

        # Nothing is kept in memory: the same message goes on working, and choosing anew replaces.
        await after(await people.press(owner, page, "spade:setup:go:when"), "2 of 3")
        await after(await people.press(owner, page, "spade:setup:go:who"), "1 of 3")
        await (await choose("managers", noor)).wait()
        await (await choose("digest")).wait()
        await (await choose("exclude")).wait()
        async with on.app.database.reading() as connection:
            assert await managers.people(connection, guild.id) == {noor.id}
            assert await managers.roles(connection, guild.id) == set()
            assert await guilds.excluded_channels(connection, guild.id) == set()
            settings = await guilds.settings_of(connection, guild.id)
            assert settings is not None
            assert settings.digest_channel_id is None
        named = await (await people.run_command(owner, general, "setup", {"manager": rafa})).wait()
        assert "Managers: Noor and Rafa." in named.text
        assert "Not everybody you named has the permission Manage Messages" in named.text


async def test_an_unknown_time_zone_is_the_trouble_of_one_server_until_it_is_mended(tmp_path: Path) -> None:
    async with team(tmp_path) as one:
        async with one.app.database.writing() as connection:
            await connection.execute(text("UPDATE guild SET time_zone = 'Area/Renamed'"))
        owner, world = one.sandbox.world.state.user(one.guild.owner_id), one.sandbox.world
        said = await one.says(one.max)  # goes on record
        other = world.guilds.add("Gardeners")
        room = world.channels.add(other, "general")
        answer = await one.sandbox.people.run_command(other.owner_id, room, "setup", {"manager": other.owner_id})
        assert "Managers" in (await answer.wait()).text
        for command in (("status",), ("setup",), ("settings", "show")):
            told = (await one.run(owner, *command)).text
            assert "time zone on record, Area/Renamed, is none that I know" in told, (command, told)
        await one.on(1)
        assert one.nudges(one.ann) == []
        refused = (await one.run(owner, "settings", "time-zone", zone="localtime")).text
        assert "I know no time zone localtime" in refused
        assert "Asia/Tokyo" in (await one.run(owner, "settings", "time-zone", zone="asia/tokyo")).text
        assert "UTC" not in (await one.run(owner, "status")).text
        async with one.app.database.reading() as connection:
            assert said.id in [span.last_id for span in (await spans.extents(connection, one.guild.id)).values()]


def test_the_end_of_the_guide_shows_no_week_of_which_nothing_is_on_record() -> None:
    guide = Guide(GuildSettings(1, ZoneInfo("UTC")), Setup(["Mia"], "UTC"))
    letter = finished(guide, None).letter
    assert "Nothing of last week is on record yet" in str(letter.content)
    assert "would have looked" not in str(letter.content)
