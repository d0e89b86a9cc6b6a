"""A stock discord.py client logs in to the sandbox and keeps a session."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
import discord
import pytest
import yarl
from discord import app_commands

from bot.sandbox import Intent, Permission, Sandbox, SandboxFailure
from tests import openapi

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from bot.sandbox import Channel, Guild, User

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
PLAIN = discord.Intents(guilds=True, guild_messages=True, guild_reactions=True)
WITH_DMS = discord.Intents(guilds=True, guild_messages=True, guild_reactions=True, dm_messages=True)


class Clock:
    """A clock that stands still until told otherwise."""

    def __init__(self, start: datetime = START) -> None:
        self.time = start

    def __call__(self) -> datetime:
        return self.time

    def advance(self, **span: float) -> None:
        self.time += timedelta(**span)


@dataclass
class Town:
    """A sandbox with one guild, one channel and two people, and the clock it runs by."""

    sandbox: Sandbox
    clock: Clock
    guild: Guild
    square: Channel
    ann: User
    ben: User

    @property
    def world(self) -> Any:
        return self.sandbox.world


@asynccontextmanager
async def town(**options: Any) -> AsyncIterator[Town]:
    """Open a sandbox whose exchanges are checked against Discord's description where it is at hand."""
    clock = Clock()
    async with Sandbox(now=clock, **options) as sandbox:
        openapi.watch(sandbox)
        world = sandbox.world
        guild = world.guilds.add("Town")
        square = world.channels.add(guild, "square")
        ann, ben = world.users.add("ann"), world.users.add("ben")
        world.members.add(guild, ann)
        world.members.add(guild, ben)
        yield Town(sandbox, clock, guild, square, ann, ben)


class Client(discord.Client):
    """A stock client that writes down what it is told."""

    def __init__(self, intents: discord.Intents, prepare: Callable[[Client], object] | None = None) -> None:
        super().__init__(intents=intents, max_messages=None, guild_ready_timeout=0.05)
        self.tree = app_commands.CommandTree(self)
        self.heard: list[discord.Message] = []
        self.events: list[tuple[str, Any]] = []
        self._prepare = prepare

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Identify at once; discord.py would wait five seconds."""

    async def setup_hook(self) -> None:
        if self._prepare is not None:
            self._prepare(self)
            await self.tree.sync()

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        if event == "message":
            self.heard.append(args[0])
        self.events.append((event, args))
        super().dispatch(event, *args, **kwargs)

    def count(self, event: str) -> int:
        return sum(name == event for name, _ in self.events)

    def last(self, event: str) -> Any:
        return [args for name, args in self.events if name == event][-1]


@asynccontextmanager
async def connected(
    sandbox: Sandbox,
    intents: discord.Intents = PLAIN,
    prepare: Callable[[Client], object] | None = None,
) -> AsyncIterator[Any]:
    """Run a `Client` against a sandbox; discord.py's addresses are put back afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(discord.http.Route, "BASE", sandbox.api_url)
        patch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(sandbox.gateway_url))
        client = Client(intents, prepare)
        async with client:
            running = asyncio.create_task(client.start(sandbox.token))
            ready = asyncio.create_task(client.wait_until_ready())
            try:
                await asyncio.wait({running, ready}, timeout=10, return_when=asyncio.FIRST_COMPLETED)
                if running.done():
                    running.result()
                yield client
            finally:
                ready.cancel()
                await client.close()
                await asyncio.gather(running, return_exceptions=True)


@asynccontextmanager
async def ask(t: Town, method: str, path: str, **options: Any) -> AsyncIterator[aiohttp.ClientResponse]:
    """Make one plain request with the bot's token."""
    headers = {"Authorization": f"Bot {t.sandbox.token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.request(method, t.sandbox.api_url + path, **options) as response,
    ):
        yield response


@pytest.fixture
def restored() -> Iterator[None]:
    before = discord.http.Route.BASE
    yield
    assert before == discord.http.Route.BASE


async def test_login_brings_the_guild_with_its_channels(restored: None) -> None:
    async with town() as t:
        t.world.channels.add(t.guild, "news", kind="news")
        t.world.channels.add(t.guild, "voice", kind="voice")
        t.world.channels.add(t.guild, "section", kind="category")
        forum = t.world.channels.add(t.guild, "help", kind="forum", tags=["solved"])
        async with connected(t.sandbox) as client:
            guild = client.guilds[0]
            assert guild.name == "Town"
            assert guild.member_count == 4
            assert [c.name for c in guild.channels] == ["square", "news", "voice", "section", "help"]
            assert [tag.name for tag in guild.get_channel(forum.id).available_tags] == ["solved"]
            assert guild.me.guild_permissions.read_message_history
            assert guild.me.roles[-1].name == "spade"
            assert [member.id for member in guild.members] == [client.user.id]
            assert (await client.application_info()).id == t.world.state.application_id


async def test_json_answers_have_exactly_discords_content_type() -> None:
    async with town() as t, ask(t, "GET", "/users/@me") as response:
        assert response.headers["Content-Type"] == "application/json"
        assert response.headers["X-RateLimit-Bucket"]


async def test_wrong_token_is_refused_by_rest_and_gateway() -> None:
    async with town() as t:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(discord.http.Route, "BASE", t.sandbox.api_url)
            async with discord.Client(intents=PLAIN) as client:
                with pytest.raises(discord.LoginFailure):
                    await client.login("wrong")
        async with aiohttp.ClientSession() as session, session.ws_connect(t.sandbox.gateway_url) as socket:
            assert (await socket.receive_json())["op"] == 10
            await socket.send_json({"op": 2, "d": {"token": "wrong", "intents": 1, "properties": {}}})
            await socket.receive()
            assert socket.close_code == 4004


async def test_privileged_intents_must_be_granted() -> None:
    intents = discord.Intents(guilds=True, members=True)
    async with town() as t:
        with pytest.raises(discord.PrivilegedIntentsRequired):
            async with connected(t.sandbox, intents):
                pass
    async with town(granted=Intent.GUILD_MEMBERS) as t, connected(t.sandbox, intents) as client:
        assert {member.name for member in client.guilds[0].members} == {"owner", "spade", "ann", "ben"}


async def test_an_unknown_route_fails_loudly() -> None:
    async def ask_for_the_moon() -> None:
        async with town() as t, ask(t, "GET", "/moon") as response:
            assert response.status == 404
            assert "the sandbox has no" in (await response.json())["message"]

    with pytest.raises(SandboxFailure, match="no GET /api/v10/moon"):
        await ask_for_the_moon()
    async with town(strict=False) as t:
        async with ask(t, "PUT", "/users/@me/channels"):
            pass
        assert t.sandbox.failures == ["the sandbox has no PUT /api/v10/users/@me/channels"]


async def test_what_an_observer_objects_to_is_a_failure() -> None:
    def object_to(_exchange: object) -> None:
        raise AssertionError("not like this")

    async def be_watched() -> None:
        async with town() as t:
            t.sandbox.observe(object_to)
            async with ask(t, "GET", "/users/@me") as response:
                assert response.status == 200

    with pytest.raises(SandboxFailure, match="not like this"):
        await be_watched()


async def test_dropped_connection_is_resumed_with_replay() -> None:
    async with town() as t, connected(t.sandbox) as client:
        t.world.messages.post(t.square, t.ann, "before")
        await t.sandbox.until(lambda: client.heard)
        assert t.sandbox.faults.gateway.drop() == 1
        t.world.messages.post(t.square, t.ann, "while away")
        await t.sandbox.until(lambda: len(client.heard) == 2)
        assert t.sandbox.gateway.resumed == 1
        assert t.sandbox.gateway.identified == 1
        assert client.count("ready") == 1
        assert client.count("resumed") == 1


async def test_refused_resume_loses_the_gap() -> None:
    async with town() as t, connected(t.sandbox) as client:
        t.sandbox.faults.gateway.drop(resume=False)
        t.world.messages.post(t.square, t.ann, "lost")
        await t.sandbox.until(lambda: client.count("ready") == 2)
        t.world.messages.post(t.square, t.ann, "after")
        await t.sandbox.until(lambda: client.heard)
        assert len(client.heard) == 1
        assert t.sandbox.gateway.resumed == 0
        assert t.sandbox.gateway.identified == 2


async def test_op_7_and_op_9() -> None:
    async with town() as t, connected(t.sandbox) as client:
        t.sandbox.faults.gateway.request_reconnect()
        await t.sandbox.until(lambda: t.sandbox.gateway.resumed == 1)
        t.sandbox.faults.gateway.invalidate(resumable=True)
        await t.sandbox.until(lambda: t.sandbox.gateway.resumed == 2)
        t.sandbox.faults.gateway.invalidate(resumable=False)
        await t.sandbox.until(lambda: client.count("ready") == 2)
        t.world.messages.post(t.square, t.ann, "still here")
        await t.sandbox.until(lambda: client.heard)


async def test_a_closed_gateway_and_several_clients_in_a_row() -> None:
    async with town() as t:
        async with connected(t.sandbox) as client:
            t.sandbox.faults.gateway.close(4000)
            await t.sandbox.until(lambda: t.sandbox.gateway.resumed == 1)
            assert client.count("ready") == 1
        await t.sandbox.until(lambda: not t.sandbox.gateway.live)
        async with connected(t.sandbox) as client:
            t.world.messages.post(t.square, t.ann, "again")
            await t.sandbox.until(lambda: client.heard)


async def test_heartbeats_are_acknowledged() -> None:
    async with town(heartbeat_seconds=0.1) as t, connected(t.sandbox) as client:
        await t.sandbox.until(lambda: client.latency < 1)


async def test_without_compression_and_with_zstd_the_gateway_speaks_too() -> None:
    async with town() as t, aiohttp.ClientSession() as session:
        async with session.ws_connect(t.sandbox.gateway_url) as socket:
            assert (await socket.receive_json())["d"]["heartbeat_interval"] == 41250
            await socket.send_json({"op": 1, "d": None})
            assert (await socket.receive_json())["op"] == 11
            await socket.send_json({"op": 3, "d": {}})
            await socket.receive()
            assert socket.close_code == 4003
        async with session.ws_connect(t.sandbox.gateway_url + "?compress=zstd-stream") as socket:
            frame = (await socket.receive()).data
            assert frame[:6] == b"\x28\xb5\x2f\xfd\x00\x68"
            assert int.from_bytes(frame[6:9], "little") >> 3 == len(frame) - 9
            assert frame[9:].startswith(b'{"op":10')


async def dialogue(t: Town, *commands: dict[str, Any]) -> int | None:
    """Say things to the gateway and return the code it closes with."""
    async with aiohttp.ClientSession() as session, session.ws_connect(t.sandbox.gateway_url) as socket:
        for command in commands:
            await socket.send_json(command)
        while (await socket.receive()).type is aiohttp.WSMsgType.TEXT:
            pass
        return socket.close_code


async def test_the_gateway_closes_with_discords_codes() -> None:
    async with town(strict=False) as t:
        data = {"token": t.sandbox.token, "intents": 1, "properties": {}}
        identify = {"op": 2, "d": data}
        assert await dialogue(t, {"nonsense": 1}) == 4002
        assert await dialogue(t, {"op": 3, "d": {}}) == 4003
        assert await dialogue(t, identify, identify) == 4005
        assert await dialogue(t, {"op": 2, "d": data | {"intents": 1 << 40}}) == 4013
        assert await dialogue(t, identify, {"op": 77, "d": None}) == 4001
        assert await dialogue(t, {"op": 6, "d": {"token": "wrong", "session_id": "x", "seq": 1}}) == 4004
        assert t.sandbox.failures == ["gateway: a client sent op 77, which the sandbox does not know"]


async def test_a_resume_from_nowhere_is_refused() -> None:
    async with town() as t, aiohttp.ClientSession() as session, session.ws_connect(t.sandbox.gateway_url) as socket:
        await socket.receive_json()
        for seq, session_id in ((1, "unknown"), (None, None)):
            resume = {"token": t.sandbox.token, "session_id": session_id, "seq": seq}
            await socket.send_json({"op": 6, "d": resume})
            assert (await socket.receive_json()) == {"op": 9, "d": False, "s": None, "t": None}


async def test_outage_and_return_kick_and_invitation() -> None:
    async with town() as t, connected(t.sandbox) as client:
        t.world.guilds.take_down(t.guild)
        await t.sandbox.until(lambda: client.count("guild_unavailable"))
        t.world.messages.post(t.square, t.ann, "nobody hears")
        t.world.guilds.bring_back(t.guild)
        await t.sandbox.until(lambda: client.count("guild_available"))
        assert not client.heard
        t.world.guilds.kick_bot(t.guild)
        await t.sandbox.until(lambda: client.count("guild_remove"))
        with pytest.raises(discord.Forbidden) as refused:
            await client.fetch_channel(t.square.id)
        assert refused.value.code == 50001
        t.world.guilds.invite_bot(t.guild)
        await t.sandbox.until(lambda: client.count("guild_join"))
        t.world.messages.post(t.square, t.ann, "hello again")
        await t.sandbox.until(lambda: client.heard)


async def test_members_and_roles() -> None:
    async with town() as t, connected(t.sandbox) as client:
        guild = client.guilds[0]
        role = t.world.roles.add(t.guild, "crew", mentionable=True)
        t.world.roles.give(role, t.ann)
        member = await guild.fetch_member(t.ann.id)
        assert [r.name for r in member.roles] == ["@everyone", "crew"]
        assert [m.id for m in await guild.query_members("an")] == [t.ann.id]
        assert [m.id for m in await guild.query_members(user_ids=[t.ben.id])] == [t.ben.id]
        t.world.members.remove(t.guild, t.ann)
        with pytest.raises(discord.NotFound) as gone:
            await guild.fetch_member(t.ann.id)
        assert gone.value.code == 10007
        assert client.count("member_join") == 0
        t.world.roles.edit(role, name="team")
        await t.sandbox.until(lambda: client.count("guild_role_update"))
        t.world.roles.remove(role)
        await t.sandbox.until(lambda: client.count("guild_role_delete"))


async def test_permissions_taken_and_given_back() -> None:
    async with town() as t, connected(t.sandbox) as client:
        thread = t.world.threads.start(t.square, "side", t.ann)
        t.world.channels.deny_bot(t.square, Permission.VIEW_CHANNEL)
        t.world.messages.post(t.square, t.ann, "unseen")
        await t.sandbox.until(lambda: client.count("guild_channel_update"))
        channel = client.get_channel(t.square.id)
        assert not channel.permissions_for(channel.guild.me).read_messages
        for work in (channel.send("x"), client.fetch_channel(t.square.id), channel.fetch_message(1)):
            with pytest.raises(discord.Forbidden) as refused:
                await work
            assert refused.value.code == 50001
        t.world.channels.allow_bot(t.square, Permission.VIEW_CHANNEL)
        await t.sandbox.until(lambda: client.count("guild_channel_update") == 2)
        t.world.messages.post(t.square, t.ann, "seen")
        await t.sandbox.until(lambda: [m for m in client.heard if m.type is discord.MessageType.default])
        assert client.guilds[0].get_thread(thread.id) is not None
        t.world.channels.deny_bot(t.square, Permission.SEND_MESSAGES)
        with pytest.raises(discord.Forbidden) as refused:
            await channel.send("x")
        assert refused.value.code == 50013


async def test_a_role_that_opens_a_channel_brings_its_threads() -> None:
    async with town() as t, connected(t.sandbox) as client:
        key = t.world.roles.add(t.guild, "key")
        vault = t.world.channels.add(t.guild, "vault")
        t.world.channels.set_overwrite(vault, t.guild.roles[t.guild.id], deny=Permission.VIEW_CHANNEL)
        t.world.channels.set_overwrite(vault, key, allow=Permission.VIEW_CHANNEL)
        thread = t.world.threads.start(vault, "inside", t.ann)
        await t.sandbox.until(lambda: client.get_channel(vault.id))
        assert client.guilds[0].get_thread(thread.id) is None
        t.world.roles.give(key, t.world.state.bot)
        await t.sandbox.until(lambda: client.guilds[0].get_thread(thread.id))
        t.world.roles.take(key, t.world.state.bot)
        t.world.messages.post(thread, t.ann, "unheard")
        t.world.messages.post(t.square, t.ann, "heard")
        await t.sandbox.until(lambda: client.heard)
        assert [message.channel.id for message in client.heard] == [t.square.id]


async def test_a_sandbox_that_was_stopped_comes_back_at_the_same_place() -> None:
    async with town() as t, connected(t.sandbox) as client:
        before = t.sandbox.url
        await t.sandbox.stop()
        await t.sandbox.start()
        assert t.sandbox.url == before
        t.world.messages.post(t.square, t.ann, "back")
        await t.sandbox.until(lambda: client.heard)
        assert t.sandbox.gateway.resumed == 1


async def test_the_description_is_really_consulted() -> None:
    description = openapi.required()
    before = description.checked
    async with town() as t, connected(t.sandbox) as client:
        await client.get_channel(t.square.id).send("checked")
    assert description.checked > before

    async def answer_wrongly() -> None:
        async with town() as t, ask(t, "GET", "/users/@me"):
            pass

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.sandbox.rest.users.own_user_payload", lambda _state: {"id": 7})
        with pytest.raises(SandboxFailure, match="the answer 200 to GET /users/@me"):
            await answer_wrongly()

    async def ask_wrongly() -> None:
        async with town() as t, ask(t, "POST", "/users/@me/channels", json={"recipient_id": [t.ann.id]}):
            pass

    with pytest.raises(SandboxFailure):
        await ask_wrongly()


async def asked_for_members(t: Town, intents: int = 1, **data: Any) -> list[dict[str, Any]]:
    """The events that answer Request Guild Members, up to the answer to a heartbeat."""
    async with aiohttp.ClientSession() as session, session.ws_connect(t.sandbox.gateway_url) as socket:
        identify = {"token": t.sandbox.token, "intents": intents, "properties": {}}
        for command in ({"op": 2, "d": identify}, {"op": 8, "d": data}, {"op": 1, "d": None}):
            await socket.send_json(command)
        found = []
        while (event := await socket.receive_json())["op"] != 11:
            if event["t"] == "GUILD_MEMBERS_CHUNK":
                found.append(event["d"])
        return found


async def test_members_are_listed_as_discords_reference_says() -> None:
    async with town() as t:
        people = [t.world.users.add(f"p{number}") for number in range(1200)]
        for person in people:
            t.world.members.add(t.guild, person)
        gone, guild_id = t.world.users.add("gone"), str(t.guild.id)
        ids = [str(person.id) for person in people]
        (chunk,) = await asked_for_members(t, guild_id=guild_id, user_ids=[ids[0], str(gone.id)], nonce="n", limit=0)
        assert [member["user"]["id"] for member in chunk["members"]] == [ids[0]]
        assert (chunk["not_found"], chunk["nonce"]) == ([str(gone.id)], "n")
        assert (chunk["chunk_index"], chunk["chunk_count"]) == (0, 1)
        (chunk,) = await asked_for_members(t, guild_id=t.guild.id, user_ids=ids[:101], presences=True, nonce="n" * 33)
        assert [member["user"]["id"] for member in chunk["members"]] == ids[:100]
        assert not chunk.keys() & {"nonce", "not_found", "presences"}
        (chunk,) = await asked_for_members(t, guild_id=guild_id, user_ids=int(ids[7]))
        assert [member["user"]["id"] for member in chunk["members"]] == [ids[7]]
        (chunk,) = await asked_for_members(t, guild_id=guild_id, query="p", limit=0)
        assert len(chunk["members"]) == 100
        assert await asked_for_members(t, guild_id=guild_id, query="", limit=0) == []
        assert await asked_for_members(t, guild_id=guild_id, query="", limit=5) == []
        assert await asked_for_members(t, guild_id=str(t.guild.id + 1), user_ids=ids[:1]) == []
        t.world.state.granted |= Intent.GUILD_MEMBERS
        chunks = await asked_for_members(t, int(Intent.GUILD_MEMBERS), guild_id=guild_id, query="", limit=0)
        assert [len(chunk["members"]) for chunk in chunks] == [1000, len(t.guild.members) - 1000]
        assert [chunk["chunk_count"] for chunk in chunks] == [2, 2]


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        {"guild_id": "1"},
        {"guild_id": "1", "user_ids": ["x"]},
        {"guild_id": None, "user_ids": ["1"]},
        {"guild_id": "1", "user_ids": ["1"], "query": "a", "limit": 1},
        {"guild_id": "1", "query": "a"},
    ],
)
async def test_a_question_for_members_that_makes_no_sense_is_a_failure(data: object) -> None:
    async with town(strict=False) as t:
        identify = {"op": 2, "d": {"token": t.sandbox.token, "intents": 1, "properties": {}}}
        assert await dialogue(t, identify, {"op": 8, "d": data}) == 4002
        assert len(t.sandbox.failures) == 1


async def test_too_many_frames_in_a_minute_end_the_connection() -> None:
    async with town() as t:
        assert await dialogue(t, *({"op": 1, "d": None} for _ in range(121))) == 4008
