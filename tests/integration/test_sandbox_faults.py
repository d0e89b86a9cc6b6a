"""Faults between the bot and the sandbox: seeded, scripted, counted."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import discord
import pytest

from bot.sandbox import Sandbox
from tests.integration.test_sandbox_client import Clock, connected, town
from tests.integration.test_sandbox_messages import send_raw

MESSAGES = "/channels/{channel_id}/messages"


async def test_a_limited_bucket_is_waited_for() -> None:
    async with town() as t, connected(t.sandbox) as client:
        fault = t.sandbox.faults.requests.rate_limit(0.05, method="POST", route="/messages")
        await client.get_channel(t.square.id).send("patient")
        assert fault.hits == 1
        assert t.sandbox.requests.count("POST", MESSAGES, 429) == 1
        assert t.sandbox.requests.count("POST", MESSAGES, 200) == 1


async def test_a_global_limit_says_so_and_names_its_way() -> None:
    async with town() as t:
        t.sandbox.faults.requests.rate_limit(0.05, everywhere=True)
        async with aiohttp.ClientSession() as session, session.get(f"{t.sandbox.api_url}/gateway") as response:
            assert response.status == 429
            assert response.headers["Via"]
            assert response.headers["Retry-After"] == "0.050"
            assert response.headers["X-RateLimit-Global"] == "true"
            assert (await response.json())["global"] is True


async def test_real_limits_keep_a_client_under_them() -> None:
    async with town(rate_limits=True) as t, connected(t.sandbox) as client:
        message = t.world.messages.post(t.square, t.ann)
        channel = client.get_channel(t.square.id)
        begun = time.monotonic()
        for _ in range(7):
            assert [m.id async for m in channel.history()] == [message.id]
        assert time.monotonic() - begun > 0.9
        assert t.sandbox.requests.count(status=429) == 0
        await asyncio.sleep(1)
        now = time.monotonic()
        t.sandbox._dispatcher.buckets._clock = lambda: now  # the six come within a second
        codes = [(await send_raw(t, "GET", f"/channels/{t.square.id}/messages"))[0] for _ in range(6)]
        assert codes == [200] * 5 + [429]


async def test_server_errors_are_retried_except_503() -> None:
    async with town() as t, connected(t.sandbox) as client:
        channel = client.get_channel(t.square.id)
        t.sandbox.faults.requests.server_error(502, method="POST")
        await channel.send("after a retry")
        t.sandbox.faults.requests.server_error(503, method="POST")
        with pytest.raises(discord.DiscordServerError):
            await channel.send("not retried")
        assert [message.content for message in t.square.messages] == ["after a retry"]


async def test_a_request_that_hangs_once() -> None:
    async with town() as t, connected(t.sandbox) as client:
        channel = client.get_channel(t.square.id)
        fault = t.sandbox.faults.requests.hang(method="POST", channel=t.square)
        hanging = asyncio.create_task(channel.send("hangs"))
        await t.sandbox.until(lambda: fault.hits)
        assert await asyncio.wait({hanging}, timeout=0.2) == (set(), {hanging})
        hanging.cancel()
        await channel.send("arrives")
        assert [message.content for message in t.square.messages] == ["arrives"]


async def test_a_hanging_request_does_not_hold_up_the_end() -> None:
    begun = time.monotonic()
    async with town() as t, aiohttp.ClientSession() as session:
        t.sandbox.faults.requests.hang()
        waiting = asyncio.create_task(session.get(f"{t.sandbox.api_url}/gateway"))
        await t.sandbox.until(lambda: t.sandbox.requests.count(status=0))
        waiting.cancel()
    assert time.monotonic() - begun < 30  # aiohttp would wait for a minute


async def test_a_lost_reply_leaves_a_message_behind_and_a_lost_request_none() -> None:
    async with town() as t, connected(t.sandbox) as client:
        channel = client.get_channel(t.square.id)
        t.sandbox.faults.requests.lose_reply(method="POST")
        with pytest.raises(aiohttp.ClientError):
            await channel.send("arrived unheard")
        t.sandbox.faults.requests.lose_request(method="POST")
        with pytest.raises(aiohttp.ClientError):
            await channel.send("never arrived")
        assert [message.content for message in t.square.messages] == ["arrived unheard"]


async def test_a_channel_that_forbids() -> None:
    async with town() as t, connected(t.sandbox) as client:
        other = t.world.channels.add(t.guild, "other")
        fault = t.sandbox.faults.requests.forbid(t.square)
        with pytest.raises(discord.Forbidden) as refused:
            await client.fetch_channel(t.square.id)
        assert refused.value.code == 50001
        await client.fetch_channel(other.id)
        fault.lift()
        await client.fetch_channel(t.square.id)


async def test_history_changes_while_it_is_paged() -> None:
    async with town() as t, connected(t.sandbox) as client:
        messages = []
        for _ in range(150):
            t.clock.advance(seconds=1)
            messages.append(t.world.messages.draft(t.square, t.ann))
        t.world.messages.load(t.square, messages)
        t.sandbox.faults.requests.meanwhile(
            lambda: t.world.messages.delete(messages[120]), method="GET", route="/messages"
        )
        after = discord.Object(0)
        found = [m.id async for m in client.get_channel(t.square.id).history(limit=None, after=after)]
        assert len(found) == 149


async def test_faults_with_a_probability_are_the_same_for_the_same_seed() -> None:
    runs: list[list[int]] = []
    for seed in (1, 1, 2):
        async with town(seed=seed) as t:
            t.sandbox.faults.requests.server_error(500, probability=0.5, times=None)
            runs.append([(await send_raw(t, "GET", "/users/@me"))[0] for _ in range(12)])
            t.sandbox.faults.calm()
            assert (await send_raw(t, "GET", "/users/@me"))[0] == 200
    assert runs[0] == runs[1] != runs[2]
    assert set(runs[0]) == {200, 500}


async def test_events_arrive_twice() -> None:
    async with town() as t, connected(t.sandbox) as client:
        t.sandbox.faults.gateway.duplicate(1.0)
        message = t.world.messages.post(t.square, t.ann, "again and again")
        t.world.messages.delete(message)
        await t.sandbox.until(lambda: client.count("raw_message_delete") == 2)
        assert [m.id for m in client.heard] == [message.id] * 2
        assert t.sandbox.faults.gateway.duplicated == 2


async def test_neighbours_change_places_within_a_second() -> None:
    async with town() as t, connected(t.sandbox) as client:
        t.sandbox.faults.gateway.reorder(1.0)
        first, second = t.world.messages.post(t.square, t.ann, "1"), t.world.messages.post(t.square, t.ann, "2")
        await t.sandbox.until(lambda: len(client.heard) == 2)
        assert [m.id for m in client.heard] == [second.id, first.id]
        third = t.world.messages.post(t.square, t.ann, "3")
        t.clock.advance(seconds=2)
        fourth = t.world.messages.post(t.square, t.ann, "4")
        await t.sandbox.until(lambda: len(client.heard) == 4)
        assert [m.id for m in client.heard[2:]] == [third.id, fourth.id]
        alone = t.world.messages.post(t.square, t.ann, "5")
        await t.sandbox.until(lambda: len(client.heard) == 5)
        t.world.messages.post(t.square, t.ann, "6")
        t.world.messages.delete(alone)
        await t.sandbox.until(lambda: client.count("raw_message_delete"))
        assert len(client.heard) == 6
        assert t.sandbox.faults.gateway.reordered == 1


async def test_a_connection_whose_heartbeats_are_ignored_is_left() -> None:
    async with town(heartbeat_seconds=0.1) as t, connected(t.sandbox) as client:
        assert t.sandbox.faults.gateway.ignore_heartbeats() == 1
        client.ws._keep_alive.heartbeat_timeout = 0.1
        await t.sandbox.until(lambda: t.sandbox.gateway.resumed == 1)


async def test_thousands_of_messages_a_second() -> None:
    async with town() as t, connected(t.sandbox) as client:
        begun = time.process_time()
        for _ in range(3000):
            t.world.messages.post(t.square, t.ann, mentions=[t.ben])
        await t.sandbox.until(lambda: len(client.heard) == 3000)
        await t.sandbox.drained()
        assert time.process_time() - begun < 10
        assert len({message.id for message in client.heard}) == 3000


async def test_a_long_past_in_many_channels_is_paged_in_steady_time() -> None:
    async with Sandbox(now=Clock()) as sandbox:
        world = sandbox.world
        guild, ann = world.guilds.add("Town"), world.users.add("ann")
        channels = [world.channels.add(guild, f"channel-{number}") for number in range(60)]
        for channel in channels:
            world.messages.load(channel, [world.messages.draft(channel, ann) for _ in range(1667)])
        async with aiohttp.ClientSession(headers={"Authorization": f"Bot {sandbox.token}"}) as session:
            begun = time.process_time()
            cursor, count = 0, 0
            while True:
                query = f"after={cursor}&limit=100"
                url = f"{sandbox.api_url}/channels/{channels[30].id}/messages?{query}"
                async with session.get(url) as response:
                    page = await response.json()
                if not page:
                    break
                count += len(page)
                cursor = page[0]["id"]
            assert count == 1667
            assert time.process_time() - begun < 5
        assert sum(len(channel.log) for channel in channels) == 100_020


async def test_a_reply_is_altered_garbled_or_cut_short() -> None:
    async with town() as t, aiohttp.ClientSession() as session:
        faults, gateway = t.sandbox.faults.requests, f"{t.sandbox.api_url}/gateway"
        faults.alter(lambda body: body | {"url": None}, route="/gateway")
        faults.garble("<html>", route="/gateway")
        faults.garble(content_type="application/json", route="/gateway")
        replies = []
        for _ in range(4):
            async with session.get(gateway) as response:
                replies.append((response.status, response.headers["Content-Type"], await response.text()))
        whole = replies[3][2]
        assert replies[0] == (200, "text/html", "<html>")
        assert replies[1][1] == "application/json"
        assert 0 < len(replies[1][2]) < len(whole)
        assert '"url":null' in replies[2][2]


async def test_events_are_altered_and_made_up() -> None:
    async with town() as t, connected(t.sandbox) as client:
        gateway = t.sandbox.faults.gateway
        message = t.world.messages.post(t.square, t.ann)
        gateway.alter(lambda payload: payload | {"d": payload["d"] | {"id": "7"}})
        t.world.messages.delete(message)
        gateway.calm()
        assert gateway.send_text('{"op":11}') == 1
        gateway.send_event("MESSAGE_DELETE", {"id": "8", "channel_id": str(t.square.id), "guild_id": str(t.guild.id)})
        await t.sandbox.until(lambda: client.count("raw_message_delete") == 2)
        deleted = [args[0].message_id for name, args in client.events if name == "raw_message_delete"]
        assert deleted == [7, 8]
