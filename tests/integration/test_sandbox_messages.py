"""Messages through the sandbox, as a stock discord.py client sees, fetches and sends them."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import aiohttp
import discord
import pytest

from bot.sandbox import Intent, Permission
from tests.integration.test_sandbox_client import WITH_DMS, Town, ask, connected, town


async def send_raw(t: Town, method: str, path: str, **options: Any) -> tuple[int, Any]:
    async with ask(t, method, path, **options) as response:
        return response.status, await response.json() if response.content_type == "application/json" else None


async def test_a_reply_carries_its_target_in_three_ways() -> None:
    async with town() as t, connected(t.sandbox) as client:
        target = t.world.messages.post(t.square, t.ann, "question")
        t.world.messages.post(t.square, t.ben, "answer", reply_to=target)
        t.world.messages.post(t.square, t.ben, "to nobody", reply_to=target.id - 1)
        t.world.messages.post(t.square, t.ben, "unknown", reply_to=target, hides_reference=True, ping_reply=False)
        await t.sandbox.until(lambda: len(client.heard) == 4)
        _, found, deleted, absent = (message.reference for message in client.heard)
        assert found.resolved.author.id == t.ann.id
        assert isinstance(deleted.resolved, discord.DeletedReferencedMessage)
        assert absent.resolved is None
        assert [message.mentions for message in client.heard][2:] == [[], []]
        assert [m.id for m in client.heard[1].mentions] == [t.ann.id]
        assert isinstance(client.heard[0].author, discord.Member)
        # In history the same three, and an object turns into null once its target is gone.
        pages = [m async for m in client.get_channel(t.square.id).history(oldest_first=True)]
        assert pages[1].reference.resolved.id == target.id
        assert isinstance(pages[2].reference.resolved, discord.DeletedReferencedMessage)
        assert pages[3].reference.resolved is None
        t.world.messages.delete(target)
        pages = [m async for m in client.get_channel(t.square.id).history(oldest_first=True)]
        assert isinstance(pages[0].reference.resolved, discord.DeletedReferencedMessage)


async def test_mentions_are_read_from_the_text_or_given() -> None:
    async with town() as t, connected(t.sandbox) as client:
        role = t.world.roles.add(t.guild, "crew")
        t.world.messages.post(t.square, t.ann, f"hi <@{t.ben.id}> and <@&{role.id}> @here")
        t.world.messages.post(t.square, t.ann, "hi", mentions=[t.ben], mention_everyone=True, mention_roles=[role.id])
        await t.sandbox.until(lambda: len(client.heard) == 2)
        for message in client.heard:
            assert [user.id for user in message.mentions] == [t.ben.id]
            assert [named.id for named in message.role_mentions] == [role.id]
            assert message.mention_everyone
            assert isinstance(message.mentions[0], discord.Member)


async def test_other_kinds_of_messages() -> None:
    async with town() as t, connected(t.sandbox) as client:
        hook, robot = t.world.users.add_webhook("feed"), t.world.users.add("robot", bot=True)
        source = t.world.messages.post(t.square, t.ann, "news")
        t.world.messages.post(t.square, hook, "from a webhook")
        t.world.messages.post(t.square, robot, "from a bot")
        t.world.messages.post(t.square, t.ben, forward=source)
        t.world.messages.post(t.square, t.ben, type=7)
        await t.sandbox.until(lambda: len(client.heard) == 5)
        _, webhook, bot, forward, join = client.heard
        assert webhook.webhook_id == hook.id
        assert bot.author.bot
        assert forward.reference.type is discord.MessageReferenceType.forward
        assert forward.message_snapshots[0].created_at == source.created_at
        assert forward.type is discord.MessageType.default
        assert join.type is discord.MessageType.new_member


async def test_threads_and_posts() -> None:
    async with town() as t, connected(t.sandbox) as client:
        forum = t.world.channels.add(t.guild, "help", kind="forum")
        started_on = t.world.messages.post(t.square, t.ann, "long story")
        on_message = t.world.threads.start(t.square, "story", t.ben, message=started_on)
        alone = t.world.threads.start(t.square, "side", t.ben)
        private = t.world.threads.start(t.square, "secret", t.ben, private=True)
        post = t.world.threads.open_post(forum, "How?", t.ann, "Please help")
        t.world.messages.post(private, t.ben, "unheard")
        t.world.messages.post(post, t.ben, "like this")
        await t.sandbox.until(lambda: len(client.heard) == 5)
        first, repeat, notice, opening, answer = client.heard
        assert first.id == on_message.id == repeat.id
        assert repeat.type is discord.MessageType.thread_starter_message
        assert repeat.author.id == t.ann.id
        assert repeat.reference.channel_id == t.square.id
        assert repeat.reference.resolved.content == ""
        assert notice.type is discord.MessageType.thread_created
        assert notice.id == alone.id
        assert opening.id == post.id == opening.channel.id
        assert answer.channel.parent.name == "help"
        assert answer.channel.owner_id == t.ann.id
        assert on_message.owner_id == t.ben.id
        guild = client.guilds[0]
        assert {thread.id for thread in guild.threads} == {on_message.id, alone.id, post.id}
        assert (await client.get_channel(t.square.id).fetch_message(first.id)).thread.id == on_message.id
        t.world.threads.names_starter = True
        again = t.world.threads.start(t.square, "again", t.ben, message=t.world.messages.post(t.square, t.ann, "more"))
        await t.sandbox.until(lambda: len(client.heard) == 7)
        assert (client.heard[-1].channel.id, client.heard[-1].author.id) == (again.id, t.ben.id)


async def test_archive_and_active_threads() -> None:
    async with town() as t, connected(t.sandbox) as client:
        threads = []
        for number in range(5):
            t.clock.advance(minutes=1)
            threads.append(t.world.threads.start(t.square, f"thread {number}", t.ann))
        for thread in (threads[3], threads[0], threads[1]):
            t.clock.advance(minutes=1)
            t.world.archive.add(thread)
        channel = client.get_channel(t.square.id)
        archived = [thread.id async for thread in channel.archived_threads(limit=None)]
        assert archived == [threads[1].id, threads[0].id, threads[3].id]
        page = await send_raw(t, "GET", f"/channels/{t.square.id}/threads/archived/public?limit=2")
        assert page[1]["has_more"] is True
        assert {thread.id for thread in await client.guilds[0].active_threads()} == {threads[2].id, threads[4].id}
        await t.sandbox.until(lambda: client.count("raw_thread_update") == 3)
        # Writing wakes a thread up.
        t.world.messages.post(threads[0], t.ann, "still there?")
        await t.sandbox.until(lambda: client.count("raw_thread_update") == 4)
        assert not threads[0].archived
        member_ids = [member.id for member in await client.guilds[0].get_thread(threads[0].id).fetch_members()]
        assert member_ids == [t.ann.id]
        t.world.channels.delete(threads[4])
        await t.sandbox.until(lambda: client.count("raw_thread_delete"))
        t.world.channels.delete(t.square)
        await t.sandbox.until(lambda: client.count("guild_channel_delete"))
        with pytest.raises(discord.NotFound):
            await client.fetch_channel(threads[2].id)


async def test_a_long_archive_is_paged() -> None:
    async with town() as t, connected(t.sandbox) as client:
        made = []
        for number in range(120):
            t.clock.advance(minutes=1)
            made.append(t.world.threads.load(t.square, f"{number}", t.ann, archived_at=t.clock()))
        channel = client.get_channel(t.square.id)
        found = [thread.id async for thread in channel.archived_threads(limit=None)]
        assert found == [thread.id for thread in reversed(made)]
        assert t.sandbox.requests.count("GET", "/channels/{channel_id}/threads/archived/public") == 2
        with pytest.raises(discord.Forbidden):
            [thread async for thread in channel.archived_threads(private=True)]


async def test_news_and_voice_channels_have_messages_too() -> None:
    async with town() as t, connected(t.sandbox) as client:
        for kind in ("news", "voice"):
            channel = t.world.channels.add(t.guild, kind, kind=kind)
            message = t.world.messages.post(channel, t.ann, kind)
            await t.sandbox.until(lambda: len(client.heard) == len(t.guild.channels) - 1)
            assert [m.id async for m in client.get_channel(channel.id).history()] == [message.id]
        news = client.heard[0].channel
        thread = t.world.threads.start(news.id, "story", t.ben)
        await t.sandbox.until(lambda: client.guilds[0].get_thread(thread.id))
        assert client.guilds[0].get_thread(thread.id).type is discord.ChannelType.news_thread
        section = t.world.channels.add(t.guild, "section", kind="category")
        assert (await send_raw(t, "GET", f"/channels/{section.id}/messages"))[0] == 400


async def test_the_bot_starts_threads_and_posts() -> None:
    async with town() as t, connected(t.sandbox) as client:
        forum = t.world.channels.add(t.guild, "help", kind="forum")
        channel = client.get_channel(t.square.id)
        message = await channel.send("start here")
        thread = await message.create_thread(name="on it")
        assert thread.id == message.id
        other = await channel.create_thread(name="alone", type=discord.ChannelType.public_thread)
        await other.send("hello")
        await t.sandbox.until(lambda: client.get_channel(forum.id))
        made = await client.get_channel(forum.id).create_thread(name="a post", content="text")
        assert made.message.id == made.thread.id
        await made.thread.edit(archived=True)
        assert t.world.state.channel(made.thread.id).archived


async def test_history_pages_in_both_directions() -> None:
    async with town() as t, connected(t.sandbox) as client:
        ids = []
        for number in range(257):
            t.clock.advance(seconds=1)
            ids.append(t.world.messages.draft(t.square, t.ann, str(number)))
        assert t.world.messages.load(t.square, ids) == 257
        wanted = [message.id for message in ids]
        channel = client.get_channel(t.square.id)
        route = "/channels/{channel_id}/messages"
        everything = discord.Object(0)
        assert [m.id async for m in channel.history(limit=None, after=everything)] == wanted
        assert t.sandbox.requests.count("GET", route) == 3
        assert [m.id async for m in channel.history(limit=None)] == wanted[::-1]
        assert [m.id async for m in channel.history(limit=150, before=discord.Object(wanted[200]))] == (
            wanted[50:200][::-1]
        )
        assert [m.id async for m in channel.history(limit=120, after=discord.Object(wanted[9]))] == wanted[10:130]
        around = [m.id async for m in channel.history(limit=11, around=discord.Object(wanted[100]))]
        assert sorted(around) == wanted[95:106]
        # `after` gives the ones just above the cursor, newest first.
        _, page = await send_raw(t, "GET", f"/channels/{t.square.id}/messages?after={wanted[0]}&limit=3")
        assert [int(item["id"]) for item in page] == wanted[1:4][::-1]
        status, error = await send_raw(t, "GET", f"/channels/{t.square.id}/messages?limit=101")
        assert (status, error["code"]) == (400, 50035)
        assert not client.heard


async def test_without_read_message_history_pages_are_empty() -> None:
    async with town() as t, connected(t.sandbox) as client:
        message = t.world.messages.post(t.square, t.ann, "hidden past")
        t.world.channels.deny_bot(t.square, Permission.READ_MESSAGE_HISTORY)
        channel = client.get_channel(t.square.id)
        assert [m async for m in channel.history()] == []
        with pytest.raises(discord.Forbidden):
            await channel.fetch_message(message.id)


async def test_content_needs_the_intent_except_where_it_concerns_the_bot() -> None:
    async with town() as t, connected(t.sandbox, WITH_DMS) as client:
        t.world.messages.post(t.square, t.ann, "private matter", embeds=[{"type": "rich", "title": "x"}])
        t.world.messages.post(t.square, t.ann, f"hey <@{client.user.id}>")
        await client.get_channel(t.square.id).send("my own")
        t.sandbox.people.write(t.ann, "in a DM")
        await t.sandbox.until(lambda: len(client.heard) == 4)
        texts = [message.content for message in client.heard]
        assert texts == ["", f"hey <@{client.user.id}>", "my own", "in a DM"]
        assert client.heard[0].embeds == []
        assert client.heard[3].guild is None
        history = [m.content async for m in client.get_channel(t.square.id).history(oldest_first=True)]
        assert history == texts[:3]
    full = discord.Intents(guilds=True, guild_messages=True, message_content=True)
    async with town(granted=Intent.MESSAGE_CONTENT) as t, connected(t.sandbox, full) as client:
        t.world.messages.post(t.square, t.ann, "open matter")
        await t.sandbox.until(lambda: client.heard)
        assert client.heard[0].content == "open matter"


async def test_events_need_their_intents() -> None:
    async with town() as t, connected(t.sandbox, discord.Intents(guilds=True)) as client:
        message = t.world.messages.post(t.square, t.ann, "unheard")
        t.world.reactions.add(message, t.ben, "👍")
        t.sandbox.people.write(t.ann, "unheard too")
        t.world.guilds.rename(t.guild, "City")
        await t.sandbox.until(lambda: client.count("guild_update"))
        assert client.heard == []
        assert client.count("raw_reaction_add") == 0


async def test_edits_deletes_and_reactions() -> None:
    async with town() as t, connected(t.sandbox) as client:
        messages = [t.world.messages.post(t.square, t.ann, str(number)) for number in range(4)]
        t.world.messages.edit(messages[0], "new")
        t.world.messages.delete(messages[1])
        t.world.messages.delete_many(messages[2:])
        t.world.reactions.add(messages[0], t.ben, "👍")
        t.world.reactions.remove(messages[0], t.ben, "👍")
        t.world.messages.pin(messages[0])
        await t.sandbox.until(lambda: client.count("guild_channel_pins_update"))
        assert client.last("raw_message_edit")[0].message.edited_at is not None
        assert client.last("raw_message_delete")[0].message_id == messages[1].id
        assert client.last("raw_bulk_message_delete")[0].message_ids == {m.id for m in messages[2:]}
        added = client.last("raw_reaction_add")[0]
        assert (added.user_id, str(added.emoji), added.message_id) == (t.ben.id, "👍", messages[0].id)
        assert client.last("raw_reaction_remove")[0].user_id == t.ben.id
        with pytest.raises(discord.NotFound) as gone:
            await client.get_channel(t.square.id).fetch_message(messages[1].id)
        assert gone.value.code == 10008


async def test_the_bot_edits_deletes_reacts_and_pins() -> None:
    async with town() as t, connected(t.sandbox) as client:
        channel = client.get_channel(t.square.id)
        other = t.world.messages.post(t.square, t.ann, "hello")
        message = await channel.send("first")
        await message.edit(content="second")
        assert t.world.state.message(t.square, message.id).content == "second"
        found = await channel.fetch_message(other.id)
        await found.add_reaction("👍")
        t.world.reactions.add(other, t.ben, "👍")
        found = await channel.fetch_message(other.id)
        assert [(str(r.emoji), r.count, r.me) for r in found.reactions] == [("👍", 2, True)]
        assert {u.id async for u in found.reactions[0].users()} == {client.user.id, t.ben.id}
        await found.remove_reaction("👍", client.user)
        for refused in (found.edit(content="mine"), found.delete(), found.pin(), found.clear_reactions()):
            with pytest.raises(discord.Forbidden):
                await refused
        await message.delete()
        assert t.world.state.message(t.square, other.id).reactions == {"👍": [t.ben.id]}
        assert message.id not in t.square.log
        assert [m async for m in channel.pins()] == []
        async with channel.typing():
            pass


async def test_a_dm_with_embed_file_and_buttons() -> None:
    async with town() as t, connected(t.sandbox, WITH_DMS) as client:
        user = await client.fetch_user(t.ann.id)
        view = discord.ui.View(timeout=None)
        view.add_item(discord.ui.Button(label="Open", url="https://example.org/"))
        view.add_item(discord.ui.Button(label="Done", custom_id="done:1"))
        embed = discord.Embed(title="Title", description="Text").add_field(name="a", value="b", inline=False)
        embed.set_image(url="attachment://figure.png")
        files = [discord.File(io.BytesIO(b"\x89PNG"), "figure.png"), discord.File(io.BytesIO(b"x,y"), "a.csv")]
        sent = await user.send("Hello", embed=embed, files=files, view=view)
        message = t.sandbox.dms(t.ann)[0]
        assert message.content == "Hello"
        assert message.embeds[0]["fields"] == [{"name": "a", "value": "b", "inline": False}]
        assert [item["filename"] for item in message.attachments] == ["a.csv"]
        assert t.sandbox.file(message.attachments[0]) == b"x,y"
        assert message.button("Done")["custom_id"] == "done:1"
        assert [b["label"] for b in message.controls()] == ["Open", "Done"]
        image = message.embeds[0]["image"]["url"]
        async with aiohttp.ClientSession() as session, session.get(image) as response:
            assert response.headers["Content-Type"] == "image/png"
            assert await response.read() == b"\x89PNG"
        assert await sent.attachments[0].read() == b"x,y"
        # Read back from the DM's history.
        channel = await client.create_dm(user)
        history = [m async for m in channel.history()]
        assert history[0].id == sent.id
        assert history[0].components[0].children[1].custom_id == "done:1"
        await sent.edit(content="Edited", attachments=[], view=None)
        assert (message.content, message.attachments, message.components) == ("Edited", [], [])


async def test_closed_dms() -> None:
    async with town() as t, connected(t.sandbox) as client:
        user, stranger = await client.fetch_user(t.ann.id), t.world.users.add("stranger")
        t.world.dms.close(t.ann)
        for who in (user, await client.fetch_user(stranger.id)):
            with pytest.raises(discord.Forbidden) as refused:
                await who.send("knock")
            assert refused.value.code == 50007
        t.world.dms.open(t.ann)
        await user.send("knock")
        assert [message.content for message in t.sandbox.dms(t.ann)] == ["knock"]


async def test_a_repeated_nonce_brings_back_the_first_message() -> None:
    async with town() as t:
        path = f"/channels/{t.square.id}/messages"
        body = {"content": "once", "nonce": "delivery-1", "enforce_nonce": True}
        first = await send_raw(t, "POST", path, json=body)
        again = await send_raw(t, "POST", path, json=body | {"content": "twice"})
        assert first[1]["id"] == again[1]["id"]
        assert again[1]["content"] == "once"
        assert len(t.square.messages) == 1
        t.clock.time += timedelta(minutes=6)
        later = await send_raw(t, "POST", path, json=body)
        assert later[1]["id"] != first[1]["id"]
        loose = await send_raw(t, "POST", path, json=body | {"enforce_nonce": False})
        assert loose[1]["id"] != later[1]["id"]


async def test_allowed_mentions_decide_who_is_pinged() -> None:
    async with town() as t, connected(t.sandbox) as client:
        channel = client.get_channel(t.square.id)
        crew = t.world.roles.add(t.guild, "crew", mentionable=True)
        text = f"<@{t.ann.id}> <@{t.ben.id}> <@&{crew.id}> @everyone"
        target = t.world.messages.post(t.square, t.ann, "question")
        await channel.send(text, allowed_mentions=discord.AllowedMentions.none())
        await channel.send(text)
        await channel.send(text, allowed_mentions=discord.AllowedMentions(users=[t.ben], roles=False))
        reply = discord.MessageReference(message_id=target.id, channel_id=t.square.id)
        await channel.send("yes", reference=reply, allowed_mentions=discord.AllowedMentions(replied_user=False))
        await channel.send("yes", reference=reply)
        silent, loud, some, quiet_reply, loud_reply = t.square.messages[1:]
        assert not silent.pings
        assert loud.pings.users == {t.ann.id, t.ben.id}
        assert loud.pings.roles == {crew.id}
        assert not loud.pings.everyone, "the bot may not mention everyone"
        assert some.pings.users == {t.ben.id}
        assert not quiet_reply.pings
        assert loud_reply.pings.users == {t.ann.id}


async def test_ids_are_taken_as_texts_and_as_numbers() -> None:
    async with town() as t:
        for recipient in (t.ann.id, str(t.ann.id)):
            status, channel = await send_raw(t, "POST", "/users/@me/channels", json={"recipient_id": recipient})
            assert status == 200
            assert channel["recipients"][0]["id"] == str(t.ann.id)
            assert "guild_id" not in channel
        message = t.world.messages.post(t.square, t.ann, "target")
        for target in (message.id, str(message.id)):
            body = {"content": "reply", "message_reference": {"message_id": target}}
            status, made = await send_raw(t, "POST", f"/channels/{t.square.id}/messages", json=body)
            assert made["referenced_message"]["id"] == str(message.id)
        body = {"content": "reply", "message_reference": {"message_id": 1}}
        status, error = await send_raw(t, "POST", f"/channels/{t.square.id}/messages", json=body)
        assert (status, error["code"]) == (400, 50035)


async def test_payloads_omit_rather_than_null() -> None:
    async with town() as t, connected(t.sandbox, WITH_DMS):
        role = t.world.roles.add(t.guild, "crew")
        t.world.roles.give(role, t.ann)
        _, channels = await send_raw(t, "GET", f"/guilds/{t.guild.id}/channels")
        assert [channel["position"] for channel in channels] == [0]
        _, member = await send_raw(t, "GET", f"/guilds/{t.guild.id}/members/{t.ann.id}")
        assert member["roles"] == [str(role.id)], "without @everyone"
        message = t.sandbox.people.write(t.ann, "hi")
        _, shown = await send_raw(t, "GET", f"/channels/{message.channel_id}/messages/{message.id}")
        assert not {"guild_id", "thread", "referenced_message", "nonce"} & shown.keys()


async def test_the_bot_forwards_and_replies_to_what_is_gone() -> None:
    async with town() as t, connected(t.sandbox) as client:
        source = t.world.messages.post(t.square, t.ann, "news")
        channel = client.get_channel(t.square.id)
        await (await channel.fetch_message(source.id)).forward(channel)
        forward = t.square.messages[1]
        assert forward.snapshot is not None
        assert forward.snapshot["content"] == "news"
        gone = discord.MessageReference(message_id=5, channel_id=t.square.id, fail_if_not_exists=False)
        await channel.send("anyway", reference=gone)
        assert t.square.messages[2].reference is None


async def test_an_attachment_that_is_not_there_is_refused() -> None:
    async with town() as t:
        body = {"content": "x", "attachments": [{"id": 0, "filename": "a.txt"}]}
        assert (await send_raw(t, "POST", f"/channels/{t.square.id}/messages", json=body))[1]["code"] == 50035
        address = f"{t.sandbox.url}/attachments/1/2/a.txt"
        async with aiohttp.ClientSession() as session, session.get(address) as response:
            assert response.status == 404
