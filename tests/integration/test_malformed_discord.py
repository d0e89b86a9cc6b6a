"""What Discord sends with a field missing, null or of another type: the bot lives, and the record becomes whole."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import discord
import pytest

from bot.app import App
from bot.clock import DrivenClock
from bot.discord_io.connection import event_socket, gateway, gateway_events, guild_refreshes
from bot.discord_io.record import messages as reading
from bot.domain.snowflake import moment_of
from bot.sandbox import Channel, Guild, Permission, PostedMessage, Sandbox, User
from bot.services.record import gaps, retry
from bot.store import managers
from tests.support.days import DAYS
from tests.support.patience import PATIENCE
from tests.support.stage import connected

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
PAGE_ROUTE = "/channels/{channel_id}/messages"
Change = Callable[[dict[str, Any]], object]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "FIRST_DELAY_SECONDS", 0.01)
    monkeypatch.setattr(gateway, "LONGEST_DELAY_SECONDS", 0.05)
    for name in ("FIRST_DELAY_SECONDS", "LONGEST_DELAY_SECONDS", "INCOMPLETE_DELAY_SECONDS"):
        monkeypatch.setattr(guild_refreshes, name, 0.02)
    monkeypatch.setattr(retry, "RETRY_SECONDS", 0.02)


@dataclass
class Town:
    clock: DrivenClock
    sandbox: Sandbox
    folder: Path
    guild: Guild
    square: Channel
    ann: User

    @property
    def world(self) -> Any:
        return self.sandbox.world

    def bot(self) -> Any:
        return connected(self.sandbox, self.clock, self.folder / "spade.db")

    def says(self, where: Channel | None = None, **details: Any) -> PostedMessage:
        self.clock.set(self.clock.now() + timedelta(seconds=1))
        message: PostedMessage = self.world.messages.post(where or self.square, self.ann, "words", **details)
        return message

    async def query(self, app: App, statement: str) -> Any:
        async with app.database.reading() as connection:
            return (await connection.exec_driver_sql(statement)).scalar_one()

    async def counted(self, app: App, messages: int) -> None:
        """Wait until so many messages are on record."""
        async with asyncio.timeout(PATIENCE):
            while (await self.query(app, f"SELECT coalesce(sum(messages), 0) FROM ({DAYS})")) < messages:
                await asyncio.sleep(0.02)
        await app.follower.settle()
        assert await self.query(app, f"SELECT coalesce(sum(messages), 0) FROM ({DAYS})") == messages

    async def nothing_is_missing(self, app: App) -> None:
        async with asyncio.timeout(PATIENCE):
            while await self.query(app, "SELECT count(*) FROM known_gap"):
                await app.follower.retry_gaps()
                await asyncio.sleep(0.02)


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    clock = DrivenClock(START)
    async with Sandbox(now=clock.now) as sandbox:
        guild = sandbox.world.guilds.add("Town")
        square, ann = sandbox.world.channels.add(guild, "square"), sandbox.world.users.add("ann")
        sandbox.world.members.add(guild, ann)
        yield Town(clock, sandbox, tmp_path, guild, square, ann)


def fields_of(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every field in a payload."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield (*path, key)
        yield from fields_of(one, (*path, key))


def spoilt(payload: dict[str, Any], path: tuple[Any, ...], how: int) -> dict[str, Any]:
    """A payload with one field missing, null or of another type."""
    place: Any = payload
    for step in path[:-1]:
        place = place[step]
    if how == 0:
        del place[path[-1]]
    else:
        place[path[-1]] = None if how == 1 else {"odd": []} if not isinstance(place[path[-1]], dict) else "odd"
    return payload


def once(name: str, change: Change) -> Change:
    """Change the next event of a type, and no other."""
    left = [change]

    def altered(payload: dict[str, Any]) -> object:
        return left.pop()(payload) if payload["t"] == name and left else payload

    return altered


def overlaid(change: dict[str, object], payload: dict[str, Any]) -> dict[str, Any]:
    return payload | change


def spoiling(name: str, *path: Any) -> Change:
    """Make one field of the next event of a type null."""
    return once(name, lambda payload: spoilt(payload, ("d", *path), 1))


def told(caplog: pytest.LogCaptureFixture, *modules: Any) -> list[str]:
    names = {module.__name__ for module in modules}
    return [record.getMessage() for record in caplog.records if record.name in names]


# Live events.


async def test_every_message_is_recorded_whichever_of_its_fields_is_spoilt(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    async with town.bot() as app:
        seen: list[dict[str, Any]] = []
        first = town.says()

        def note(payload: dict[str, Any]) -> object:
            seen.append(payload)
            return payload

        town.sandbox.faults.gateway.alter(note)
        town.says(reply_to=first, mentions=[town.ann])
        paths = [path for path in fields_of(seen[0]["d"]) if path[0] != "content"]
        assert len(paths) > 50
        for number, path in enumerate(paths):
            spoil = partial(spoilt, path=("d", *path), how=number % 3)
            town.sandbox.faults.gateway.alter(once("MESSAGE_CREATE", spoil))
            town.says(reply_to=first, mentions=[town.ann])
        town.says()
        await town.counted(app, len(paths) + 3)
        await town.nothing_is_missing(app)
        assert not any(record.exc_info for record in caplog.records)


async def test_a_message_that_cannot_be_read_live_is_fetched_before_the_next_counts_as_what_follows(town: Town) -> None:
    async with town.bot() as app:
        first = town.says()
        for number, path in enumerate((("author",), ("mentions", 0, "id"), ("type",), ("id",), ("channel_id",))):
            town.sandbox.faults.gateway.alter(spoiling("MESSAGE_CREATE", *path))
            town.says(reply_to=first)
            await town.counted(app, 3 * number + 2)
            town.says()
            town.says()
            await town.counted(app, 3 * number + 4)


async def test_events_that_spade_does_not_use_are_not_even_parsed(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    wrong: tuple[object, ...] = (None, 7, "x", [], {"guild_id": None, "id": {}})
    unused = ["TYPING_START", "VOICE_STATE_UPDATE", "GUILD_EMOJIS_UPDATE", "MESSAGE_UPDATE", "PRESENCE_UPDATE", "NEW"]
    async with town.bot() as app:
        identified = town.sandbox.gateway.identified
        for name in unused:
            for data in wrong:
                town.sandbox.faults.gateway.send_event(name, data)
        town.says()
        await town.counted(app, 1)
        assert town.sandbox.gateway.identified == identified
    assert told(caplog, gateway_events, gateway, event_socket, guild_refreshes) == []


async def test_a_delete_with_one_bad_id_takes_back_the_others(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    async with town.bot() as app:
        gone = [town.says() for _ in range(3)]
        await town.counted(app, 3)
        heard: list[int] = []
        app.bot.add_listener(_note_deleted(heard), "on_raw_bulk_message_delete")
        town.sandbox.faults.gateway.alter(spoiling("MESSAGE_DELETE_BULK", "ids", 1))
        town.world.messages.delete_many(gone)
        await town.sandbox.until(lambda: heard)
        assert set(heard) == {gone[0].id, gone[2].id}
    assert told(caplog, gateway_events) == ["MESSAGE_DELETE_BULK is not readable as a whole: message ?"]


@pytest.mark.parametrize(
    ("name", "keys"),
    [("MESSAGE_DELETE", ("id",)), ("MESSAGE_DELETE", ("id", "channel_id")), ("MESSAGE_DELETE_BULK", ("ids",))],
)
async def test_a_message_that_was_deleted_unreadably_does_not_stand_before_others(
    town: Town, name: str, keys: tuple[str, ...]
) -> None:
    """Written in between and gone again: the manager answers the one who spoke to them before."""
    mia, bob = town.world.users.add("mia"), town.world.users.add("bob")
    for person in (mia, bob):
        town.world.members.add(town.guild, person)
    async with town.bot() as app:
        async with app.database.writing() as connection:
            await managers.add(connection, town.guild.id, [mia.id])
        town.says(mentions=[mia])
        await town.counted(app, 1)
        between = town.world.messages.post(town.square, bob, "words")
        await town.counted(app, 2)
        for key in keys:
            town.sandbox.faults.gateway.alter(once(name, partial(spoilt, path=("d", key), how=2)))
        if name == "MESSAGE_DELETE":
            town.world.messages.delete(between)
        else:
            town.world.messages.delete_many([between])
        town.clock.set(town.clock.now() + timedelta(seconds=1))
        town.world.messages.post(town.square, mia, "words")
        await town.counted(app, 3)
        answered = f"SELECT count(*) FROM touch WHERE kind = 'answer' AND member_id = {town.ann.id}"
        assert await town.query(app, answered) == 1


def _note_deleted(heard: list[int]) -> Any:
    async def note(event: Any) -> None:
        heard.extend(event.message_ids)

    return note


# What the client remembers.


async def test_a_permission_that_was_given_or_taken_unreadably_is_looked_up(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    async with town.bot() as app:
        for number, key in enumerate(("permission_overwrites", "id", "type", "guild_id"), 1):
            town.sandbox.faults.gateway.alter(spoiling("CHANNEL_UPDATE", "permission_overwrites"))
            town.world.channels.deny_bot(town.square, Permission.VIEW_CHANNEL)
            town.says()
            town.sandbox.faults.gateway.alter(spoiling("CHANNEL_UPDATE", key))
            town.world.channels.allow_bot(town.square, Permission.VIEW_CHANNEL)
            town.says()
            await town.counted(app, 2 * number)
            await town.sandbox.until(lambda: app.follower.caught_up)
    # A channel's guild is known without being told.
    assert sum("cannot be read" in one for one in told(caplog, gateway_events)) == 7


async def test_a_channel_without_overwrites_is_believed_when_asked_for(town: Town) -> None:
    town.sandbox.faults.gateway.alter(
        lambda payload: (
            spoilt(payload, ("d", "channels", 0, "permission_overwrites"), 0)
            if payload["t"] == "GUILD_CREATE"
            else payload
        )
    )
    asked = town.sandbox.faults.requests.alter(
        lambda channels: [spoilt(one, ("permission_overwrites",), 0) for one in channels],
        route="/guilds/{guild_id}/channels",
        times=None,
    )
    async with town.bot() as app:
        town.says()
        await town.counted(app, 1)
    assert asked.hits


async def test_a_channel_whose_making_cannot_be_read_is_recorded_all_the_same(town: Town) -> None:
    async with town.bot() as app:
        town.sandbox.faults.gateway.alter(spoiling("CHANNEL_CREATE", "id"))
        market = town.world.channels.add(town.guild, "market")
        for _ in range(3):
            town.says(market)
        await town.counted(app, 3)


async def test_what_is_heard_while_a_guild_is_read_anew_is_not_forgotten(town: Town) -> None:
    """A channel is made, and a message posted, after REST has told the channels and before the rest is told."""
    made: list[Channel] = []

    def meanwhile() -> None:
        made.append(town.world.channels.add(town.guild, "fountain"))
        town.says(town.square)

    asked = town.sandbox.faults.requests.meanwhile(meanwhile, route="/guilds/{guild_id}/threads/active")
    async with town.bot() as app:
        town.sandbox.faults.gateway.alter(spoiling("CHANNEL_CREATE", "id"))
        town.world.channels.add(town.guild, "well")
        await town.sandbox.until(lambda: asked.hits == 1)
        await town.counted(app, 1)
        guild = app.bot.get_guild(town.guild.id)
        assert guild is not None
        await town.sandbox.until(lambda: not guild.unavailable)
        assert guild.get_channel(made[0].id) is not None
        town.says(made[0])
        await town.counted(app, 2)


async def test_a_channel_removed_while_its_guild_is_read_anew_hides_nothing_that_was_heard_after_it(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    """REST does not list it any more, so that its end says nothing new; the role was told before it was changed."""
    market = town.world.channels.add(town.guild, "market")
    role = town.world.roles.add(town.guild, "Readers", permissions=0)

    def meanwhile() -> None:
        town.world.channels.delete(market)
        town.world.roles.edit(role, permissions=8)

    asked = town.sandbox.faults.requests.meanwhile(meanwhile, route="/guilds/{guild_id}", method="GET")
    async with town.bot() as app:
        guild = app.bot.get_guild(town.guild.id)
        assert guild is not None
        town.sandbox.faults.gateway.alter(spoiling("CHANNEL_CREATE", "id"))
        town.world.channels.add(town.guild, "well")
        await town.sandbox.until(lambda: asked.hits == 1 and not guild.unavailable)
        await town.sandbox.until(lambda: app.follower.guild_caught_up(guild.id))
        assert {one.id: one.permissions.value for one in guild.roles}[role.id] == 8
        assert not [line for line in told(caplog, guild_refreshes) if "could not be read anew" in line]


async def test_a_guild_whose_refresh_fails_midway_is_read_anew_again(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    parse, failing = event_socket.EventSocket.parse, [True]

    async def fails_once(self: event_socket.EventSocket, name: str, data: dict[str, Any]) -> None:
        if name == "GUILD_CREATE" and failing:
            failing.clear()
            raise RuntimeError("planted")
        await parse(self, name, data)

    async with town.bot() as app:
        guild = app.bot.get_guild(town.guild.id)
        assert guild is not None
        monkeypatch.setattr(event_socket.EventSocket, "parse", fails_once)
        town.sandbox.faults.gateway.alter(spoiling("CHANNEL_CREATE", "id"))
        town.world.channels.add(town.guild, "well")
        await town.sandbox.until(lambda: not failing and not guild.unavailable)
        await town.sandbox.until(lambda: app.follower.guild_caught_up(guild.id))


async def test_what_is_heard_of_a_guild_that_is_read_anew_is_noted_to_be_fetched(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever sees the channel next may know of an older message only."""
    noted: list[tuple[int, int]] = []
    said: list[tuple[int, int]] = []
    asked = town.sandbox.faults.requests.meanwhile(
        lambda: said.append((town.square.id, town.says().id)), route="/guilds/{guild_id}/threads/active"
    )
    async with town.bot() as app:
        monkeypatch.setattr(app.follower, "note_out_of_sight", lambda *one: noted.append(one))
        town.sandbox.faults.gateway.alter(spoiling("CHANNEL_CREATE", "id"))
        town.world.channels.add(town.guild, "well")
        await town.sandbox.until(lambda: asked.hits == 1 and noted)
    assert noted == said


async def test_the_clock_hears_the_time_of_a_message_unless_it_just_has(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[datetime] = []
    monkeypatch.setattr(town.clock, "hear_id", heard.append)
    async with town.bot() as app:
        message, _ = town.says(), town.says()
        await town.counted(app, 2)
        assert heard == [moment_of(message.id)]
        town.clock.set(town.clock.now() + timedelta(hours=1))
        later = town.says()
        await town.counted(app, 3)
    assert heard == [moment_of(message.id), moment_of(later.id)]


async def test_a_channel_whose_end_cannot_be_read_is_forgotten(town: Town) -> None:
    async with town.bot() as app:
        market = town.world.channels.add(town.guild, "market")
        town.says(market)
        await town.counted(app, 1)
        town.sandbox.faults.gateway.alter(spoiling("CHANNEL_DELETE", "id"))
        town.world.channels.delete(market)
        await town.sandbox.until(lambda: app.bot.get_channel(market.id) is None)
        await town.sandbox.until(lambda: app.follower.caught_up)


async def test_one_bad_channel_hides_neither_its_guild_nor_itself_for_long(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    market = town.world.channels.add(town.guild, "market")

    def spoil(payload: dict[str, Any]) -> object:
        if payload["t"] == "GUILD_CREATE":
            payload["d"]["emojis"] = [None]
            payload["d"]["channels"][0]["type"] = None
        return payload

    town.sandbox.faults.gateway.alter(spoil)
    caplog.set_level(logging.INFO)
    async with town.bot() as app:
        town.says(market)
        await town.counted(app, 1)
        town.says(town.square)
        await town.counted(app, 2)
    assert any(f"channel {town.square.id} (type)" in one for one in told(caplog, gateway_events))
    assert told(caplog, guild_refreshes) == [f"Guild {town.guild.id} was read anew; not readable: nothing"]


async def test_a_guild_that_cannot_be_read_at_first_does_not_hold_up_the_others(town: Town) -> None:
    other = town.world.guilds.add("Village")
    green = town.world.channels.add(other, "green")
    town.world.members.add(other, town.ann)
    town.sandbox.faults.gateway.alter(
        lambda payload: (
            spoilt(payload, ("d", "roles"), 1)
            if payload["t"] == "GUILD_CREATE" and payload["d"]["id"] == str(town.guild.id)
            else payload
        )
    )
    refused = town.sandbox.faults.requests.alter(lambda _body: [], route="/guilds/{guild_id}", times=3)
    async with town.bot() as app:
        town.says(green)
        await town.counted(app, 1)
        town.says(town.square)
        await town.sandbox.until(lambda: refused.hits == 3)
        await town.counted(app, 2)


# The connection.


@pytest.mark.parametrize(
    "spoil",
    [
        lambda payload: spoilt(payload, ("d", "heartbeat_interval"), 1) if payload["op"] == 10 else payload,
        lambda payload: spoilt(payload, ("d", "session_id"), 0) if payload["t"] == "READY" else payload,
        lambda payload: spoilt(payload, ("d", "resume_gateway_url"), 2) if payload["t"] == "READY" else payload,
        lambda payload: "{not json" if payload["op"] == 10 else payload,
        lambda payload: payload | {"op": 11} if payload["op"] == 10 else payload,
    ],
)
async def test_a_bad_greeting_is_a_failed_connection(
    town: Town, caplog: pytest.LogCaptureFixture, spoil: Change
) -> None:
    tries = []

    def spoil_five(payload: dict[str, Any]) -> object:
        tries.append(payload["op"] == 10)
        return spoil(payload) if sum(tries) <= 5 else payload

    town.sandbox.faults.gateway.alter(spoil_five)
    async with town.bot() as app:
        town.says()
        await town.counted(app, 1)
    assert sum(tries) == 6
    assert len(told(caplog, gateway)) == 1
    assert not any(record.exc_info for record in caplog.records)


async def test_a_text_that_is_no_json_is_sent_once_more(
    town: Town, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "STABLE_SECONDS", 0.0)
    number = town.sandbox.gateway.resumed

    def resumed(times: int) -> bool:
        return town.sandbox.gateway.resumed >= times

    async with town.bot() as app:
        identified = town.sandbox.gateway.identified
        for text in ("{", "[]", "7", "[" * 100_000):
            town.sandbox.faults.gateway.send_text(text)
            number += 1
            await town.sandbox.until(partial(resumed, number))
        town.says()
        await town.counted(app, 1)
        assert town.sandbox.gateway.identified == identified
    assert not any(record.exc_info for record in caplog.records)


async def test_a_message_in_an_odd_envelope_is_fetched(town: Town) -> None:
    changes: list[dict[str, object]] = [{"t": None}, {"t": 7}, {"op": 99}, {"op": None}, {"s": "x"}, {"d": None}]
    async with town.bot() as app:
        for number, change in enumerate(changes, 1):
            town.sandbox.faults.gateway.alter(once("MESSAGE_CREATE", partial(overlaid, change)))
            town.says()
            town.says()
            await town.counted(app, 2 * number)


async def test_what_only_a_lenient_parser_reads_does_not_end_the_connection(town: Town) -> None:
    """Half a character, and numbers that are none or fit nowhere: orjson, with which discord.py reads, refuses them."""
    odd: list[Any] = ["half \ud83d of it", float("nan"), float("inf"), 2**80, -(2**80)]
    async with town.bot() as app:
        identified, resumed = town.sandbox.gateway.identified, town.sandbox.gateway.resumed
        for value in odd:
            town.sandbox.faults.gateway.alter(once("MESSAGE_CREATE", partial(_with_field, value)))
            town.says()
            town.sandbox.faults.gateway.alter(once("CHANNEL_UPDATE", partial(_with_field, value)))
            town.world.channels.edit(town.square, topic="spades")
        town.says()
        await town.counted(app, len(odd) + 1)
        assert (town.sandbox.gateway.identified, town.sandbox.gateway.resumed) == (identified, resumed)


def _with_field(value: object, payload: dict[str, Any]) -> dict[str, Any]:
    return payload | {"d": payload["d"] | {"topic": value, "name": value}}


# History and other answers.


async def test_one_bad_message_of_a_page_is_a_gap_and_the_others_are_recorded(
    town: Town, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gaps, "GAP_RETRY_SECONDS", 0.0)
    monkeypatch.setattr(gaps, "LONGEST_RETRY_SECONDS", 0.0)
    async with town.bot() as app:
        town.says()
        await town.counted(app, 1)
    sent = [town.says() for _ in range(150)]
    bad, without_id, of_bad_type = sent[70], sent[90], sent[91]

    def spoil(page: Any) -> object:
        for raw in page:
            if raw["id"] == str(bad.id):
                raw["author"]["id"] = None
            elif raw["id"] == str(of_bad_type.id):
                raw["type"] = "0"
            elif raw["id"] == str(without_id.id):
                raw["id"] = None
            raw["embeds"] = [None]
            raw["components"] = 7
        return page

    fault = town.sandbox.faults.requests.alter(spoil, route=PAGE_ROUTE, method="GET", times=None)
    async with town.bot() as app:
        await town.counted(app, 148)
        await app.follower.retry_gaps()
        missing = await town.query(app, "SELECT group_concat(first_id || '-' || last_id) FROM known_gap")
        assert missing == f"{bad.id}-{bad.id},{sent[89].id + 1}-{of_bad_type.id}"
        spans = await town.query(app, f"SELECT count(*) FROM span WHERE channel_id = {town.square.id}")
        assert spans == 3
        fault.lift()
        await town.nothing_is_missing(app)
        await town.counted(app, 151)
    said = told(caplog, reading)
    assert f"Message {bad.id} of channel {town.square.id} cannot be read (id)" in said


@pytest.mark.parametrize("target", ["words", {}])
async def test_a_reply_to_what_cannot_be_read_hides_nothing_else_of_its_page(
    town: Town, target: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gaps, "GAP_RETRY_SECONDS", 0.0)
    monkeypatch.setattr(gaps, "LONGEST_RETRY_SECONDS", 0.0)
    async with town.bot() as app:
        first = town.says()
        await town.counted(app, 1)
    town.says()
    reply = town.says(reply_to=first, hides_reference=True)
    town.says()
    fault = town.sandbox.faults.requests.alter(
        lambda _message: target, method="GET", route=f"{PAGE_ROUTE}/{{message_id}}", times=None
    )
    async with town.bot() as app:
        await town.counted(app, 3)
        assert await town.query(app, "SELECT group_concat(first_id || '-' || last_id) FROM known_gap") == (
            f"{reply.id}-{reply.id}"
        )
        fault.lift()
        await town.nothing_is_missing(app)
        await town.counted(app, 4)


async def test_a_page_that_is_no_page_is_an_outage(town: Town) -> None:
    async with town.bot() as app:
        town.says()
        await town.counted(app, 1)
    town.says()
    where = {"route": PAGE_ROUTE, "method": "GET"}
    faults = town.sandbox.faults.requests
    planned = [
        faults.garble("<html>", **where),
        faults.garble(content_type="application/json", **where),
        faults.garble("[]", content_type="", **where),
        faults.alter(lambda _page: {}, **where),
        faults.alter(lambda _page: None, **where),
    ]
    async with town.bot() as app:
        await town.counted(app, 2)
        assert await town.query(app, "SELECT count(*) FROM known_gap") == 0
    assert [fault.hits for fault in planned] == [1] * len(planned)


async def test_one_bad_archived_thread_does_not_hide_the_others(town: Town) -> None:
    async with town.bot() as app:
        threads = [town.world.threads.start(town.square, f"thread {number}", town.ann) for number in range(3)]
        for thread in threads:
            town.says(thread)
        await town.counted(app, 3)
    for thread in threads:
        town.says(thread)
        town.world.archive.add(thread)
    wrong: list[dict[str, object]] = [{"id": None}, {"last_message_id": {}, "message_count": None}, {"owner_id": 0}]

    def spoil(answer: Any) -> object:
        answer["threads"] = [raw | change for raw, change in zip(answer["threads"], wrong, strict=True)]
        return answer

    listed = town.sandbox.faults.requests.alter(spoil, route="/threads/archived/public", times=None)
    async with town.bot() as app:
        await town.counted(app, 5)
        assert listed.hits
        town.sandbox.faults.requests.calm()
    async with town.bot() as app:
        await town.counted(app, 6)


async def test_a_role_that_was_changed_unreadably_is_looked_up(town: Town) -> None:
    role = town.world.roles.add(town.guild, "Readers", permissions=0)
    everyone = town.guild.roles[town.guild.id]
    async with town.bot() as app:
        town.world.roles.give(role, town.sandbox.world.state.bot)
        guild = app.bot.get_guild(town.guild.id)
        assert guild is not None
        for name, key, act in (
            ("GUILD_ROLE_UPDATE", "role", lambda: town.world.roles.edit(role, permissions=8)),
            ("GUILD_MEMBER_UPDATE", "roles", lambda: town.world.roles.take(role, town.sandbox.world.state.bot)),
            ("GUILD_ROLE_CREATE", "role", lambda: town.world.roles.add(town.guild, "New")),
            ("GUILD_ROLE_DELETE", "role_id", lambda: town.world.roles.remove(role)),
        ):
            town.sandbox.faults.gateway.alter(spoiling(name, key))
            act()
            await town.sandbox.until(lambda: guild.unavailable)
            await town.sandbox.until(lambda: not guild.unavailable and app.follower.caught_up)
            assert {one.id: one.permissions.value for one in guild.roles} == {
                one.id: int(one.permissions) for one in town.guild.roles.values()
            }
            assert [one.id for one in guild.me.roles if one.id != everyone.id] == town.guild.members[guild.me.id].roles
        town.says()
        await town.counted(app, 1)


async def test_any_answer_with_another_content_is_an_outage_wherever_it_comes(town: Town) -> None:
    async with town.bot() as app:
        town.sandbox.faults.requests.garble("<html>", route="/gateway")
        with pytest.raises(aiohttp.ClientPayloadError):
            await app.bot.http.request(discord.http.Route("GET", "/gateway"))
        town.sandbox.faults.requests.garble("<html>", content_type="", route="/guilds/{guild_id}")
        with pytest.raises(aiohttp.ClientPayloadError):
            await app.bot.fetch_guild(town.guild.id)
        await app.bot.ask_time()
