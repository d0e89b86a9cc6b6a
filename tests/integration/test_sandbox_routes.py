"""The rest of the sandbox's REST API: each route is one Discord describes, and works for a stock client."""

from __future__ import annotations

import io

import discord
import pytest

from bot.sandbox import Intent, Permission
from bot.sandbox.rest import ROUTES
from tests import openapi
from tests.integration.test_sandbox_client import START, WITH_DMS, connected, town
from tests.integration.test_sandbox_messages import send_raw

EVERYTHING = Permission.ADMINISTRATOR


def test_every_route_is_one_of_discords() -> None:
    description = openapi.required()
    unknown = [f"{route.method} {route.template}" for route in ROUTES if not description.describes(route)]
    assert unknown == []


async def test_guild_roles_and_users_are_fetched() -> None:
    async with town() as t, connected(t.sandbox) as client:
        guild = await client.fetch_guild(t.guild.id)
        assert (guild.name, guild.approximate_member_count) == ("Town", 4)
        assert [g.name async for g in client.fetch_guilds()] == ["Town"]
        crew = t.world.roles.add(t.guild, "crew", color=0xFF0000)
        assert [role.name for role in await guild.fetch_roles()] == ["@everyone", "spade", "crew"]
        assert (await guild.fetch_role(crew.id)).color.value == 0xFF0000
        assert (await client.fetch_user(t.ann.id)).name == "ann"
        await client.user.edit(username="spade two")
        assert t.world.state.bot.name == "spade two"
        assert (await send_raw(t, "GET", f"/guilds/{t.guild.id}/roles/5"))[1]["code"] == 10011
        status, gateway = await send_raw(t, "GET", "/gateway")
        assert (status, gateway["url"]) == (200, t.sandbox.gateway_url)
        assert (await send_raw(t, "GET", "/gateway/bot"))[1]["shards"] == 1


async def test_members_are_searched_listed_and_given_roles() -> None:
    intents = discord.Intents(guilds=True, members=True)
    async with town(granted=Intent.GUILD_MEMBERS) as t, connected(t.sandbox, intents) as client:
        path = f"/guilds/{t.guild.id}/members"
        _, found = await send_raw(t, "GET", f"{path}/search?query=a&limit=5")
        assert [member["user"]["username"] for member in found] == ["ann"]
        guild = client.guilds[0]
        assert {m.name async for m in guild.fetch_members()} == {"owner", "spade", "ann", "ben"}
        crew = t.world.roles.add(t.guild, "crew")
        member = await guild.fetch_member(t.ann.id)
        with pytest.raises(discord.Forbidden):
            await member.add_roles(discord.Object(crew.id))
        chief = t.world.roles.add(t.guild, "chief", permissions=Permission.MANAGE_ROLES)
        t.world.roles.give(chief, t.world.state.bot)
        await member.add_roles(discord.Object(crew.id))
        assert t.world.state.member(t.guild, t.ann).roles == [crew.id]
        await member.remove_roles(discord.Object(crew.id))
        assert t.world.state.member(t.guild, t.ann).roles == []
        await guild.me.edit(nick="Spade")
        assert t.world.state.member(t.guild, t.world.state.bot).nick == "Spade"
        assert (await send_raw(t, "GET", f"{path}/7"))[1]["code"] == 10013
    async with town() as t:
        assert (await send_raw(t, "GET", f"/guilds/{t.guild.id}/members?limit=5"))[1]["code"] == 50001


async def test_channels_are_made_changed_and_deleted() -> None:
    async with town() as t, connected(t.sandbox) as client:
        guild = client.guilds[0]
        with pytest.raises(discord.Forbidden):
            await client.get_channel(t.square.id).edit(name="plaza")
        chief = t.world.roles.add(t.guild, "chief", permissions=EVERYTHING)
        t.world.roles.give(chief, t.world.state.bot)
        made = await guild.create_text_channel("fresh", topic="news")
        assert t.world.state.channel(made.id).topic == "news"
        await made.edit(name="fresher")
        assert t.world.state.channel(made.id).name == "fresher"
        await made.delete()
        assert made.id not in t.world.state.channels
        thread = t.world.threads.start(t.square, "side", t.ann)
        await t.sandbox.until(lambda: guild.get_thread(thread.id))
        await guild.get_thread(thread.id).edit(name="aside", auto_archive_duration=60, locked=True)
        assert (thread.name, thread.auto_archive_minutes, thread.locked) == ("aside", 60, True)
        await guild.get_thread(thread.id).delete()
        assert thread.id not in t.world.state.channels
        await guild.leave()
        await t.sandbox.until(lambda: client.count("guild_remove"))


async def test_threads_are_joined_and_left() -> None:
    async with town() as t, connected(t.sandbox) as client:
        made = t.world.threads.start(t.square, "side", t.ann)
        await t.sandbox.until(lambda: client.guilds[0].get_thread(made.id))
        thread = client.guilds[0].get_thread(made.id)
        await thread.join()
        await thread.add_user(discord.Object(t.ben.id))
        assert set(made.joined) == {t.ann.id, t.ben.id, t.world.state.bot.id}
        assert (await thread.fetch_member(t.ben.id)).id == t.ben.id
        await thread.remove_user(discord.Object(t.ben.id))
        await thread.leave()
        assert set(made.joined) == {t.ann.id}
        with pytest.raises(discord.NotFound):
            await thread.fetch_member(t.ben.id)
        assert (await send_raw(t, "GET", f"/channels/{t.square.id}/thread-members"))[1]["code"] == 50024
        secret = t.world.threads.start(t.square, "secret", t.ann, private=True)
        with pytest.raises(discord.Forbidden):
            await client.fetch_channel(secret.id)
        t.world.threads.join(secret, t.world.state.bot)
        await t.sandbox.until(lambda: client.guilds[0].get_thread(secret.id))
        t.world.messages.post(secret, t.ann, "between us")
        await t.sandbox.until(lambda: client.heard)
        t.world.archive.add(secret)
        channel = client.get_channel(t.square.id)
        joined = [thread.id async for thread in channel.archived_threads(private=True, joined=True)]
        assert joined == [secret.id]
        again = t.world.messages.post(t.square, t.ann, "start on me")
        t.world.threads.start(t.square, "on it", t.ann, message=again)
        with pytest.raises(discord.HTTPException) as refused:
            await (await channel.fetch_message(again.id)).create_thread(name="twice")
        assert refused.value.code == 160004


async def test_moderating_messages() -> None:
    async with town() as t, connected(t.sandbox) as client:
        chief = t.world.roles.add(t.guild, "chief", permissions=EVERYTHING)
        t.world.roles.give(chief, t.world.state.bot)
        posted = t.world.messages.post(t.square, t.ann, "hello")
        for emoji in ("👍", "🎉", "wave:77"):
            t.world.reactions.add(posted, t.ben, emoji)
        channel = client.get_channel(t.square.id)
        message = await channel.fetch_message(posted.id)
        await message.pin()
        assert [pin.id async for pin in channel.pins()] == [posted.id]
        assert (await send_raw(t, "GET", f"/channels/{t.square.id}/pins"))[1][0]["pinned"] is True
        await message.unpin()
        await message.remove_reaction("👍", discord.Object(t.ben.id))
        await message.clear_reaction("🎉")
        assert list(posted.reactions) == ["wave:77"]
        await message.clear_reactions()
        assert posted.reactions == {}
        with pytest.raises(discord.NotFound):
            await message.add_reaction("nonsense")
        await t.sandbox.until(lambda: client.count("raw_reaction_clear"))
        await message.delete()
        assert t.square.messages == []


async def test_commands_one_by_one() -> None:
    async with town() as t:
        base = f"/applications/{t.world.state.application_id}/commands"
        status, made = await send_raw(t, "POST", base, json={"name": "one", "description": "first"})
        assert status == 201
        status, again = await send_raw(t, "POST", base, json={"name": "one", "description": "second"})
        assert (status, again["id"], again["description"]) == (200, made["id"], "second")
        path = f"{base}/{made['id']}"
        assert (await send_raw(t, "PATCH", path, json={"description": "third"}))[1]["description"] == "third"
        assert (await send_raw(t, "GET", path))[1]["description"] == "third"
        assert (await send_raw(t, "DELETE", path))[0] == 204
        assert (await send_raw(t, "GET", path))[1]["code"] == 10063
        twins = [{"name": "two", "description": "x"}] * 2
        assert (await send_raw(t, "PUT", base, json=twins))[1]["code"] == 50035
        assert (await send_raw(t, "GET", "/applications/5/commands"))[1]["code"] == 10002


async def test_dm_details() -> None:
    async with town() as t, connected(t.sandbox, WITH_DMS) as client:
        user = await client.fetch_user(t.ann.id)
        channel = await user.create_dm()
        await channel.typing()
        theirs = t.sandbox.people.write(t.ann, "hello bot")
        await t.sandbox.until(lambda: client.heard)
        with pytest.raises(discord.Forbidden):
            await client.heard[0].delete()
        reply = await client.heard[0].reply("hello ann", file=discord.File(io.BytesIO(b"1"), "one.txt"))
        reference = t.sandbox.dms(t.ann)[1].reference
        assert reference is not None
        assert reference.message_id == theirs.id
        t.world.reactions.add(theirs, t.ann, "👍")
        await reply.delete()
        t.world.dms.close(t.ann)
        with pytest.raises(discord.Forbidden):
            await channel.typing()
        robot = t.world.users.add("robot", bot=True)
        for recipient, code in ((robot.id, 50007), (5, 10013)):
            assert (await send_raw(t, "POST", "/users/@me/channels", json={"recipient_id": recipient}))[1][
                "code"
            ] == code
        assert (await send_raw(t, "DELETE", f"/channels/{channel.id}"))[0] == 200


async def test_where_nothing_can_be_sent() -> None:
    async with town() as t:
        forum = t.world.channels.add(t.guild, "help", kind="forum")
        body = {"content": "x"}
        assert (await send_raw(t, "POST", f"/channels/{forum.id}/messages", json=body))[1]["code"] == 50008
        thread = t.world.threads.start(t.square, "done", t.ann)
        t.world.archive.add(thread, locked=True)
        assert (await send_raw(t, "POST", f"/channels/{thread.id}/messages", json=body))[1]["code"] == 50083
        t.world.channels.deny_bot(t.square, Permission.EMBED_LINKS | Permission.ATTACH_FILES)
        embed = {"embeds": [{"title": "x"}]}
        assert (await send_raw(t, "POST", f"/channels/{t.square.id}/messages", json=embed))[1]["embeds"] == []


async def test_a_layout_of_the_second_kind() -> None:
    async with town() as t, connected(t.sandbox) as client:
        view = discord.ui.LayoutView()
        section: discord.ui.Section[discord.ui.LayoutView] = discord.ui.Section(
            "text", accessory=discord.ui.Button(label="Press", custom_id="press")
        )
        view.add_item(discord.ui.Container(section, discord.ui.Separator(), discord.ui.TextDisplay("more")))
        view.add_item(discord.ui.ActionRow(discord.ui.Button(label="Two", custom_id="two")))
        await client.get_channel(t.square.id).send(view=view)
        sent = t.square.messages[0]
        assert [item["label"] for item in sent.controls()] == ["Press", "Two"]
        body = {"flags": 1 << 15, "content": "x", "components": [{"type": 10, "content": "t"}]}
        assert (await send_raw(t, "POST", f"/channels/{t.square.id}/messages", json=body))[0] == 400


async def test_people_and_places_that_are_not_there() -> None:
    async with town() as t:
        world = t.world
        for look in (world.state.user, world.state.guild, world.state.channel):
            with pytest.raises(LookupError):
                look(5)
        with pytest.raises(LookupError):
            world.state.message(t.square, 5)
        with pytest.raises(LookupError):
            world.state.member(t.guild, world.users.add("stranger"))
        with pytest.raises(LookupError):
            world.threads.start(world.dms.channel_with(t.ann), "no", t.ann)
        message = world.messages.post(t.square, t.ann, "once", message_id=77)
        assert message.created_at < START
        with pytest.raises(ValueError, match="already"):
            world.messages.post(t.square, t.ann, "twice", message_id=77)
        world.messages.delete(message)
        with pytest.raises(LookupError):
            world.messages.delete(message)
        with pytest.raises(LookupError):
            await t.sandbox.people.press(t.ann, message, "nothing")
