"""Which gateway events reach discord.py, and what is left of them."""

import importlib
import pkgutil
from typing import Any

import discord
import pytest
from discord.ext import commands

import cogs
from bot.client import SpadeBot
from bot.discord_io.payload import events
from bot.discord_io.payload.events import READERS, USED, Surroundings
from bot.discord_io.payload.fields import MalformedError
from bot.discord_io.payload.places import Lost

SPADE, GUILD, CHANNEL, ROLE = 90, 1000, 2000, 3000
FROM: dict[str, set[str]] = {
    "on_connect": {"READY"},
    "on_ready": {"READY", "GUILD_CREATE"},
    "on_guild_available": {"GUILD_CREATE"},
    "on_guild_join": {"GUILD_CREATE"},
    "on_guild_remove": {"GUILD_DELETE"},
    "on_guild_unavailable": {"GUILD_DELETE"},
    "on_message_unread": {"MESSAGE_CREATE"},
    "on_raw_message_delete": {"MESSAGE_DELETE"},
    "on_raw_bulk_message_delete": {"MESSAGE_DELETE_BULK"},
    "on_raw_reaction_add": {"MESSAGE_REACTION_ADD"},
    "on_guild_channel_create": {"CHANNEL_CREATE"},
    "on_guild_channel_update": {"CHANNEL_UPDATE"},
    "on_guild_channel_delete": {"CHANNEL_DELETE"},
    "on_thread_create": {"THREAD_CREATE"},
    "on_thread_join": {"THREAD_CREATE", "THREAD_UPDATE", "THREAD_LIST_SYNC"},
    "on_thread_update": {"THREAD_UPDATE"},
    "on_raw_thread_delete": {"THREAD_DELETE"},
    "on_guild_role_update": {"GUILD_ROLE_UPDATE"},
    "on_guild_role_delete": {"GUILD_ROLE_DELETE"},
    "on_member_update": {"GUILD_MEMBER_UPDATE"},
    "on_interaction": {"INTERACTION_CREATE"},
}
"""The gateway events that make a listener's event. A new listener has to be entered here."""
OF_ITSELF = {"on_error", "on_disconnect"}
"""What the client's own methods are called for without an event."""
FOR_DISCORD_PY = {"RESUMED", "GUILD_UPDATE", "GUILD_ROLE_CREATE", "GUILD_MEMBERS_CHUNK"}
"""What discord.py remembers, or is waiting for, without a listener."""


def listened_to() -> set[str]:
    modules = [importlib.import_module(f"cogs.{one.name}") for one in pkgutil.iter_modules(cogs.__path__)]
    found = {name for name in vars(SpadeBot) if name.startswith("on_")} - OF_ITSELF
    for module in modules:
        for one in vars(module).values():
            if isinstance(one, type) and issubclass(one, commands.Cog):
                found |= {name for name, _ in one.__cog_listeners__}
    return found


def test_the_events_used_are_those_of_the_listeners_and_what_discord_py_needs() -> None:
    assert set(FROM) >= listened_to()
    assert set().union(*(FROM[name] for name in listened_to())) | FOR_DISCORD_PY == USED


def test_discord_py_knows_every_event_that_it_is_given() -> None:
    known = {name.removeprefix("parse_").upper() for name in dir(discord.state.ConnectionState) if "parse_" in name}
    assert set(READERS) <= known


def around() -> Surroundings:
    return Surroundings(
        own_id=SPADE,
        knows_guild=lambda guild_id: guild_id == GUILD,
        guild_of_channel=lambda channel_id: GUILD if channel_id == CHANNEL else None,
        guild_of_role=lambda role_id: GUILD if role_id in {GUILD, ROLE} else None,
        lost=Lost(),
    )


def role(role_id: int = ROLE) -> dict[str, Any]:
    return {"id": str(role_id), "permissions": "1024", "name": "Team", "position": 1, "colors": None, "tags": 7}


def channel(channel_id: int = CHANNEL, **more: Any) -> dict[str, Any]:
    overwrite = {"id": str(ROLE), "type": 0, "allow": "0", "deny": "1024"}
    return {"id": str(channel_id), "type": 0, "permission_overwrites": [overwrite], "topic": [], **more}


def thread(thread_id: int = 2500) -> dict[str, Any]:
    metadata = {"archived": False, "archive_timestamp": None, "auto_archive_duration": "x"}
    return {
        "id": str(thread_id),
        "type": 11,
        "parent_id": str(CHANNEL),
        "owner_id": "5",
        "last_message_id": None,
        "member": 3,
        "thread_metadata": metadata,
    }


def guild() -> dict[str, Any]:
    return {
        "id": str(GUILD),
        "name": None,
        "unavailable": False,
        "roles": [role(GUILD), role()],
        "channels": [channel(), channel(2001, type=99), channel(2002, type=2)],
        "threads": [thread()],
        "members": [{"user": {"id": str(SPADE), "bot": True}, "roles": [str(ROLE)], "avatar": 5}, {"user": None}],
        "emojis": [None],
        "stickers": "x",
        "voice_states": [{}],
        "presences": None,
        "stage_instances": [7],
    }


def test_a_guild_is_read_whatever_is_wrong_with_what_spade_does_not_use() -> None:
    known = around()
    clean = READERS["GUILD_CREATE"](guild(), known)
    assert clean is not None
    assert known.lost.elements == []
    assert (clean["name"], clean["unavailable"]) == (str(GUILD), False)
    assert [one["id"] for one in clean["channels"]] == ["2000", "2002"]  # a type that Spade does not know is left out
    assert [one["user"]["id"] for one in clean["members"]] == [str(SPADE)]
    assert not {"emojis", "stickers", "voice_states", "presences", "stage_instances"} & set(clean)


@pytest.mark.parametrize("wrong", [None, 7, "x", [], {"id": None}, {"id": "12"}])
@pytest.mark.parametrize("where", ["roles", "channels", "threads"])
def test_one_element_that_cannot_be_read_does_not_hide_the_others(where: str, wrong: object) -> None:
    known, raw = around(), guild()
    raw[where] += [wrong]
    clean = READERS["GUILD_CREATE"](raw, known)
    whole = READERS["GUILD_CREATE"](guild(), around())
    assert clean == whole
    assert len(known.lost.elements) == 1


@pytest.mark.parametrize("key", ["id", "roles", "channels", "threads", "members", "owner_id"])
def test_a_guild_without_what_permissions_need_cannot_be_read(key: str) -> None:
    wrong: tuple[object, ...] = ("x", 7.5, True, [] if key in {"roles", "members"} else {})
    for value in wrong:
        with pytest.raises(MalformedError):
            READERS["GUILD_CREATE"](guild() | {key: value}, around())


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("CHANNEL_UPDATE", channel(guild_id=None) | {"permission_overwrites": None}),
        ("CHANNEL_UPDATE", channel(CHANNEL + 7, guild_id=str(GUILD))),
        ("CHANNEL_UPDATE", channel() | {"last_message_id": "x"}),
        ("CHANNEL_CREATE", channel(5, guild_id=str(GUILD))),
        ("CHANNEL_CREATE", channel(2600, guild_id="77")),
        ("CHANNEL_CREATE", channel(2600, guild_id=str(GUILD)) | {"type": None}),
        ("CHANNEL_DELETE", {"id": None, "type": 0, "guild_id": str(GUILD)}),
        ("THREAD_CREATE", thread() | {"guild_id": str(GUILD), "thread_metadata": None}),
        ("THREAD_LIST_SYNC", {"guild_id": str(GUILD), "threads": None}),
        ("GUILD_ROLE_CREATE", {"guild_id": str(GUILD), "role": role() | {"permissions": None}}),
        ("GUILD_ROLE_UPDATE", {"guild_id": str(GUILD), "role": role(ROLE + 1)}),
        ("GUILD_ROLE_DELETE", {"guild_id": str(GUILD), "role_id": None}),
        ("GUILD_MEMBER_UPDATE", {"guild_id": str(GUILD), "user": {"id": "7"}, "roles": []}),
        ("GUILD_MEMBERS_CHUNK", {"guild_id": "1", "members": None, "chunk_index": 0, "chunk_count": 1}),
        ("GUILD_DELETE", {"id": "77"}),
        ("MESSAGE_DELETE", {"id": "7", "channel_id": str(CHANNEL)}),
        ("MESSAGE_REACTION_ADD", {"guild_id": str(GUILD), "user_id": None, "message_id": "3"}),
        ("READY", {"user": {"id": "90"}, "session_id": None, "resume_gateway_url": "ws://x/", "guilds": []}),
        ("READY", {"user": {"id": "90"}, "session_id": "s", "resume_gateway_url": "x", "guilds": []}),
    ],
)
def test_an_event_that_would_be_misread_is_refused(name: str, raw: dict[str, Any]) -> None:
    with pytest.raises(MalformedError):
        READERS[name](raw, around())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("id",), None),
        (("application_id",), True),
        (("application_id",), None),
        (("token",), 7),
        (("app_permissions",), True),
        (("member", "permissions"), True),
        (("member", "user", "id"), "x"),
        (("guild_id",), "x"),
        (("data", "name"), None),
        (("data", "options"), [None]),
    ],
)
def test_an_interaction_that_would_be_misread_is_refused(path: tuple[str, ...], value: object) -> None:
    raw: dict[str, Any] = {
        "id": "1",
        "application_id": "2",
        "token": "t",
        "type": 2,
        "guild_id": str(GUILD),
        "channel_id": str(CHANNEL),
        "app_permissions": "8",
        "member": {"permissions": "8", "user": {"id": "3"}},
        "data": {"type": 1, "name": "status", "options": []},
    }
    assert READERS["INTERACTION_CREATE"](raw, around()) == raw
    place = raw
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(MalformedError):
        READERS["INTERACTION_CREATE"](raw, around())


def test_an_event_that_lacks_its_guild_is_placed_by_what_the_client_knows() -> None:
    assert (READERS["CHANNEL_UPDATE"](channel(), around()) or {})["guild_id"] == str(GUILD)
    assert events.guild_named_by("CHANNEL_UPDATE", {"id": str(CHANNEL), "guild_id": None}, around()) == GUILD
    assert events.guild_named_by("GUILD_ROLE_UPDATE", {"role": {"id": str(ROLE)}}, around()) == GUILD
    assert events.guild_named_by("GUILD_UPDATE", {"id": "77"}, around()) is None
    assert events.guild_named_by("THREAD_UPDATE", None, around()) is None


def test_an_outage_that_cannot_be_told_from_a_removal_is_an_outage() -> None:
    read = READERS["GUILD_DELETE"]
    assert read({"id": str(GUILD)}, around()) == {"id": str(GUILD)}
    wrong: tuple[object, ...] = (True, "x", 1, [], {})
    for odd in wrong:
        assert (read({"id": str(GUILD), "unavailable": odd}, around()) or {})["unavailable"] is True


def test_ids_are_logged_and_nothing_else() -> None:
    said = events.ids_in(
        {"id": "5", "guild_id": 6, "channel_id": None, "content": "hello", "author": {"username": "mia"}}
    )
    assert said == "guild_id 6, id 5"
    assert events.ids_in([1]) == "no ids"
