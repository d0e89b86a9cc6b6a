"""Erasing a person: no table, no byte of the database file or its log holds the id, and nothing brings it back."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import BigInteger

from bot.domain.forgetting import Forgotten, Objection, mark_of
from bot.sandbox import Channel, Response, User
from bot.services.members.privacy import LOOK_AGAIN_AFTER
from bot.store import forgetting, tables
from tests.support.moderators import moderators
from tests.support.stage import Stage, stage

BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)

OTHER_IDS = frozenset(
    [
        "guild_id",
        "channel_id",
        "digest_channel_id",
        "parent_id",
        "role_id",
        "by_role_id",
        "message_id",
        "first_message_id",
        "last_message_id",
        "first_channel_id",
        "last_channel_id",
        "reply_to_id",
        "replied_to_id",
        "first_id",
        "last_id",
        "delivery_id",
        "job_id",
    ]
)


def test_every_id_column_is_known_to_name_a_person_or_not() -> None:
    """A column somebody adds has to be looked at here, or an erasure would miss it."""
    ids = {
        (table.name, column.name)
        for table in tables.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, BigInteger) or column.name.endswith("_id")
    }
    assert {(table, name) for table, name in ids if name not in forgetting.PERSON_COLUMNS | OTHER_IDS} == set()


def test_a_mark_tells_guilds_and_people_apart_and_needs_the_key() -> None:
    key = bytes(range(32))
    marks = {mark_of(key, 1, 2), mark_of(key, 2, 1), mark_of(key, 1, 12), mark_of(bytes(32), 1, 2)}
    assert len(marks) == 4
    known = Forgotten(1, key, {mark_of(key, 1, 2): Objection()})
    assert (2 in known, 1 in known, "2" in known, 2 in Forgotten(1)) == (True, False, False, False)


def traces(database: Path, person_id: int) -> dict[str, int]:
    """How often an id stands in the files of a database, as text and as the integer that SQLite writes."""
    found = {}
    for path in sorted(database.parent.glob(database.name + "*")):
        content = path.read_bytes()
        as_text, as_integer = str(person_id).encode(), person_id.to_bytes(8, "big")
        found[path.name] = content.count(as_text) + content.count(as_integer) + content.count(as_integer[::-1])
    return found


async def ask(on: Stage, who: User, channel: Channel, name: str, *path: str, **options: object) -> Response:
    answer = await on.sandbox.people.run_command(who, channel, name, options, subcommands=path)
    return await answer.wait()


async def test_after_an_erasure_no_byte_holds_the_id_and_a_backfill_does_not_bring_it_back(tmp_path: Path) -> None:
    path = tmp_path / "spade.db"
    async with stage(path, BEGAN) as on:
        world, people = on.sandbox.world, on.sandbox.people
        owner, mia, noor = (world.users.add(name) for name in ("olga", "mia", "noor"))
        crowd = [world.users.add(f"person{number}") for number in range(40)]
        rafa = crowd[7]
        guild = world.guilds.add("Gardeners", owner=owner)
        general, team = world.channels.add(guild, "general"), world.channels.add(guild, "team")
        for user in (mia, noor, *crowd):
            world.members.add(guild, user)
        moderators(world, guild, mia, noor)
        await on.sandbox.until(lambda: on.sandbox.commands.available(guild.id))
        for manager in (mia, noor):
            await ask(on, owner, team, "setup", manager=manager, digest_channel=team, time_zone="UTC")
        await ask(on, mia, team, "nudges", "on")
        newest = 0
        for day in range(9):
            for hour in range(6):
                on.clock.set(BEGAN + timedelta(days=day, hours=hour))
                for number, person in enumerate(crowd):
                    if (day + hour + number) % 3 == 0 or person is rafa:
                        question = world.messages.post(
                            general, person, "Hello", mentions=[mia] if person is rafa else ()
                        )
                        if (number + hour) % 2:
                            newest = world.messages.post(general, mia, "Welcome", reply_to=question).id
                newest = max(newest, question.id)
            on.clock.set(BEGAN + timedelta(days=day, hours=8))
            newest = world.messages.post(general, rafa, "Anybody?", mentions=[mia, noor]).id
            await on.heard(newest)
            on.clock.set(BEGAN + timedelta(days=day, hours=14))
            await on.tick()
        dms = [message for message in on.sandbox.dms(mia) if "person7" in str(message.embeds)]
        nudges = [
            message for message in dms if any(item.get("label") == "Snooze 7 days" for item in message.controls())
        ]
        assert nudges, "a nudge should have named them"
        await people.press(mia, nudges[-1], "Snooze 7 days")
        await on.app.follower.settle()
        shown = await ask(on, rafa, general, "privacy", "show")
        assert "messages you wrote" in shown.original.embeds[0]["description"]
        export = await ask(on, rafa, general, "privacy", "export")
        document = json.loads(on.sandbox.file(export.original.attachments[0]))
        assert document["person_id"] == str(rafa.id)
        assert {"activity", "member", "touch", "waiting", "nudge_member"} <= document["facts"].keys()
        with closing(sqlite3.connect(path)) as beside:
            beside.execute("PRAGMA wal_checkpoint(PASSIVE)")
        before = traces(path, rafa.id)
        print("before", before)
        assert min(before["spade.db"], before["spade.db-wal"]) > 50
        asked = await ask(on, rafa, general, "privacy", "erase")
        done = await (await asked.press("Erase everything about me")).wait()
        assert "Erased" in done.text
        assert await facts(on, guild.id, rafa.id) == set()
        await on.tick()
        after = traces(path, rafa.id)
        print("after", after)
        assert set(after.values()) == {0}
        assert (await people.press(rafa, asked.original, "Erase everything about me")) is not None

        # What they write from now on, and everything they ever wrote, stays out.
        on.clock.set(BEGAN + timedelta(days=9, hours=1))
        newest = world.messages.post(general, rafa, "Still here", mentions=[mia]).id
        newest = world.messages.post(general, mia, "Hello", reply_to=newest).id
        await on.heard(newest)
        async with on.app.database.writing() as connection:
            for table in (tables.span, tables.activity):
                await connection.execute(table.delete())
        started = await ask(on, owner, general, "backfill", "start", since="2026-01-01")
        await started.until(lambda answer: "Done" in answer.text)
        assert await count(on, tables.activity) > 0
        assert set(traces(path, rafa.id).values()) == {0}

        # Not even the owner brings them back as a manager; they themselves do.
        await ask(on, owner, team, "setup", manager=rafa)
        assert set(traces(path, rafa.id).values()) == {0}
        back = await ask(on, rafa, general, "privacy", "opt-in")
        assert "Welcome back" in back.text
        on.clock.set(BEGAN + timedelta(days=9, hours=2))
        await on.heard(world.messages.post(general, rafa, "Count me in").id)
        assert sum(traces(path, rafa.id).values()) > 0


async def test_a_manager_who_is_erased_is_gone_from_what_was_posted_as_well(tmp_path: Path) -> None:
    path = tmp_path / "spade.db"
    async with stage(path, BEGAN) as on:
        world = on.sandbox.world
        owner, mia, noor, rafa = (world.users.add(name) for name in ("olga", "mia", "noor", "rafa"))
        guild = world.guilds.add("Gardeners", owner=owner)
        role = world.roles.add(guild, "Team")
        general = world.channels.add(guild, "general")
        world.members.add(guild, mia, roles=[role])
        for user in (noor, rafa):
            world.members.add(guild, user)
        moderators(world, guild, mia, noor)
        await on.sandbox.until(lambda: on.sandbox.commands.available(guild.id))
        await ask(on, owner, general, "setup", manager=noor, manager_role=role, digest_channel=general, time_zone="UTC")
        question = world.messages.post(general, rafa, "Hello", mentions=[noor])
        await on.heard(world.messages.post(general, mia, "Hi").id)
        await on.heard(world.messages.post(general, mia, "Hi", reply_to=question).id)
        await ask(on, mia, general, "nudges", "on")
        on.clock.set(BEGAN + timedelta(days=8))
        await on.tick()
        async with on.app.database.reading() as connection:
            (figures,) = await connection.scalars(tables.digest.select().with_only_columns(tables.digest.c.figures))
        assert str(mia.id) in figures
        assert sum(traces(path, mia.id).values()) > 0
        asked = await ask(on, mia, general, "privacy", "erase")
        assert "manager list" in asked.text
        await (await asked.press("Erase everything about me")).wait()
        await on.tick()
        assert set(traces(path, mia.id).values()) == {0}
        # Their role does not put them back on the list.
        await on.heard(world.messages.post(general, mia, "Hi again", reply_to=question).id)
        on.clock.set(on.clock.now() + LOOK_AGAIN_AFTER)
        await on.tick()
        assert set(traces(path, mia.id).values()) == {0}


async def test_opting_out_deletes_and_keeps_out_until_opting_in(tmp_path: Path) -> None:
    async with stage(tmp_path / "spade.db", BEGAN) as on:
        world = on.sandbox.world
        owner, mia, rafa = (world.users.add(name) for name in ("olga", "mia", "rafa"))
        guild = world.guilds.add("Gardeners", owner=owner)
        general = world.channels.add(guild, "general")
        for user in (mia, rafa):
            world.members.add(guild, user)
        await on.sandbox.until(lambda: on.sandbox.commands.available(guild.id))
        await ask(on, owner, general, "setup", manager=mia, time_zone="UTC")
        question = world.messages.post(general, rafa, "Hello", mentions=[mia])
        await on.heard(world.messages.post(general, mia, "Hi", reply_to=question).id)
        assert await facts(on, guild.id, rafa.id) == {"activity", "member", "touch", "waiting"}
        asked = await ask(on, rafa, general, "privacy", "opt-out")
        assert "cannot be brought back" in asked.text
        assert "manager list" not in asked.text
        assert await facts(on, guild.id, rafa.id) == {"activity", "member", "touch", "waiting"}, "it only asks"
        left = (await (await asked.press("Delete it and do not record me")).wait()).text
        assert left.startswith("Done. What was recorded about you as a member of Gardeners is deleted")
        assert "manager list" not in left
        assert await facts(on, guild.id, rafa.id) == {"member"}
        question = world.messages.post(general, rafa, "Hello", mentions=[mia])
        await on.heard(world.messages.post(general, mia, "Hi", reply_to=question).id)
        assert await facts(on, guild.id, rafa.id) == {"member"}
        assert "Welcome back" in (await ask(on, rafa, general, "privacy", "opt-in")).text
        assert "nothing changes" in (await ask(on, rafa, general, "privacy", "opt-in")).text
        on.clock.set(BEGAN + timedelta(minutes=1))
        question = world.messages.post(general, rafa, "Hello", mentions=[mia])
        await on.heard(question.id)
        assert await facts(on, guild.id, rafa.id) == {"activity", "member", "waiting"}
        shown = await ask(on, mia, general, "privacy", "show")
        asked = await (await shown.press("Do not record me")).wait()
        for answer in (asked, await (await asked.press("Delete it and do not record me")).wait()):
            assert "still on this server's manager list" in answer.text
        await on.heard(world.messages.post(general, mia, "Hi", reply_to=question).id)
        assert await facts(on, guild.id, rafa.id) == {"activity", "member", "touch", "waiting"}
        assert "activity" not in await facts(on, guild.id, mia.id)


async def facts(on: Stage, guild_id: int, person_id: int) -> set[str]:
    async with on.app.database.reading() as connection:
        return set(await forgetting.facts_about(connection, guild_id, person_id))


async def count(on: Stage, table) -> int:
    async with on.app.database.reading() as connection:
        return len((await connection.execute(table.select())).all())
