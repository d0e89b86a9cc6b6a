"""The gateway events that Spade uses, each cut down to what it uses, in the shape that discord.py's parsers read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from yarl import URL

from bot.discord_io.payload import places
from bot.discord_io.payload.fields import (
    Json,
    MalformedError,
    bits,
    child,
    identities,
    identity,
    list_of,
    number,
    objects_of,
    optional_identity,
    readable_identity,
    text,
)
from bot.discord_io.payload.places import Lost


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a reader knows besides the event.

    `own_id` is Spade's, 0 before READY. `knows_guild` tells whether the client does; `guild_of_channel` and
    `guild_of_role` tell a guild's id by what is in it, as far as the client knows. Elements that cannot be read are
    added to `lost`.
    """

    own_id: int
    knows_guild: Callable[[int], bool]
    guild_of_channel: Callable[[int], int | None]
    guild_of_role: Callable[[int], int | None]
    lost: Lost


Reader = Callable[[Json, Surroundings], Json | None]


def _ready(raw: Json, known: Surroundings) -> Json:
    address = URL(text(raw, "resume_gateway_url"))
    if address.scheme not in {"ws", "wss"} or not address.host:
        raise MalformedError("resume_gateway_url")
    clean = {
        "user": places.user(child(raw, "user")),
        "session_id": text(raw, "session_id"),
        "resume_gateway_url": str(address),
        "guilds": known.lost.readable(
            raw.get("guilds"), "guild", lambda one: {"id": str(identity(one)), "unavailable": True}
        ),
    }
    application = raw.get("application")
    if isinstance(application, dict) and readable_identity(application) is not None:
        clean["application"] = {"id": str(identity(application)), "flags": 0}
    return clean


def _resumed(_raw: Json, _known: Surroundings) -> Json:
    return {}


def _guild_create(raw: Json, known: Surroundings) -> Json | None:
    return None if raw.get("unavailable") is True else places.guild(raw, known.own_id, known.lost)


def _guild_update(raw: Json, known: Surroundings) -> Json:
    _known_guild(raw, known)
    return places.guild_itself(raw, known.lost)


def _guild_delete(raw: Json, known: Surroundings) -> Json:
    gone = {"id": str(_known_guild(raw, known))}
    if raw.get("unavailable") is None:
        return gone  # Spade was removed
    return gone | {"unavailable": raw["unavailable"] is not False}  # anything odd is an outage: it deletes nothing


def _channel_create(raw: Json, known: Surroundings) -> Json | None:
    clean = places.channel(raw)
    return None if clean is None else clean | {"guild_id": _guild_id(raw, known)}


def _channel_update(raw: Json, known: Surroundings) -> Json | None:
    clean = _channel_create(raw, known)
    if clean is not None and known.guild_of_channel(int(clean["id"])) is None:
        raise MalformedError("id")  # the client discards an update of what it does not know
    return clean


def _channel_delete(raw: Json, known: Surroundings) -> Json | None:
    if number(raw, "type") not in places.CHANNELS:
        return None
    if known.guild_of_channel(identity(raw)) is None:
        raise MalformedError("id")
    return {"id": str(identity(raw)), "type": raw["type"], "guild_id": _guild_id(raw, known)}


def _thread(raw: Json, known: Surroundings) -> Json | None:
    clean = places.thread(raw)
    if clean is None:
        return None
    return clean | {"guild_id": _guild_id(raw, known), "newly_created": raw.get("newly_created") is True}


def _thread_delete(raw: Json, known: Surroundings) -> Json:
    return {"id": str(identity(raw)), "type": 11, "parent_id": "0", "guild_id": _guild_id(raw, known)}


def _thread_list_sync(raw: Json, known: Surroundings) -> Json:
    guild_id = str(_known_guild(raw, known, "guild_id"))
    threads = known.lost.readable(raw.get("threads"), "thread", places.thread)
    clean: Json = {"guild_id": guild_id, "threads": [one | {"guild_id": guild_id} for one in threads]}
    if "channel_ids" in raw:
        clean["channel_ids"] = identities(raw, "channel_ids")
    return clean


def _role_create(raw: Json, known: Surroundings) -> Json:
    guild_id, clean = _known_guild(raw, known, "guild_id"), places.role(child(raw, "role"))
    _require_younger(int(clean["id"]), guild_id)
    return {"role": clean, "guild_id": str(guild_id)}


def _role_update(raw: Json, known: Surroundings) -> Json:
    clean = places.role(child(raw, "role"))
    return {"role": clean, "guild_id": _guild_of_role(int(clean["id"]), known)}


def _role_delete(raw: Json, known: Surroundings) -> Json:
    role_id = identity(raw, "role_id")
    return {"role_id": str(role_id), "guild_id": _guild_of_role(role_id, known)}


def _member_update(raw: Json, known: Surroundings) -> Json:
    if identity(child(raw, "user")) != known.own_id:
        raise MalformedError("user")  # without the members intent Discord tells of Spade alone
    return places.member(raw) | {"guild_id": str(_known_guild(raw, known, "guild_id"))}


def _members_chunk(raw: Json, known: Surroundings) -> Json:
    # Whoever is left out is looked up by a request before they count as somebody who has left.
    clean: Json = {
        "guild_id": str(identity(raw, "guild_id")),
        "members": known.lost.readable(raw.get("members"), "member", places.member),
        "chunk_index": number(raw, "chunk_index"),
        "chunk_count": number(raw, "chunk_count"),
    }
    return clean | ({} if raw.get("nonce") is None else {"nonce": text(raw, "nonce")})


def _message_delete(raw: Json, _known: Surroundings) -> Json:
    channel_id = readable_identity(raw, "channel_id") or 0
    _require_younger(identity(raw), channel_id)
    return {"id": str(identity(raw)), "channel_id": channel_id}


def _message_delete_bulk(raw: Json, known: Surroundings) -> Json:
    found = [readable_identity({"id": one}) for one in list_of(raw.get("ids"), "ids")]
    known.lost.elements += ["message ?" for one in found if one is None]
    return {
        "ids": [one for one in found if one is not None],
        "channel_id": readable_identity(raw, "channel_id") or 0,
    }


def _reaction(raw: Json, _known: Surroundings) -> Json | None:
    if raw.get("guild_id") is None:
        return None
    return {
        "guild_id": str(identity(raw, "guild_id")),
        "user_id": str(identity(raw, "user_id")),
        "message_id": str(identity(raw, "message_id")),
        "channel_id": readable_identity(raw, "channel_id") or 0,
        "emoji": {"id": None, "name": "?"},
        "type": 0,
    }


def _interaction(raw: Json, _known: Surroundings) -> Json:
    """An interaction as it is: discord.py reads most of it. What it reads later, in a task of its own, is checked."""
    for key in ("id", "application_id"):
        identity(raw, key)
    text(raw, "token")
    for key in ("guild_id", "channel_id"):
        optional_identity(raw, key)
    if "app_permissions" in raw:
        bits(raw, "app_permissions")
    member = child(raw, "member") if "member" in raw else None
    if member is not None:
        bits(member, "permissions")
    identity(child(raw if member is None else member, "user"))
    kind = number(raw, "type")
    if kind in _WITH_DATA:
        data = child(raw, "data")
        if kind in _COMMANDS:
            text(data, "name")
            optional_identity(data, "guild_id")
            _check_target(data)
            _check_options(data)
        else:
            text(data, "custom_id")
    return raw


_COMMANDS = frozenset({2, 4})
_WITH_DATA = _COMMANDS | {3, 5}
_TARGETS = {1: (), 2: ("users",), 3: ("messages",)}
"""Of a command, a command on a user and one on a message: which of the resolved objects its target is among."""
_WITH_OPTIONS = frozenset({1, 2})  # a command of a group, a group of a group


def _check_target(data: Json) -> None:
    kind = number(data, "type")
    if kind not in _TARGETS:
        raise MalformedError("type")
    for among in _TARGETS[kind]:
        child(child(child(data, "resolved"), among), str(identity(data, "target_id")))


def _check_options(raw: Mapping[str, Any], depth: int = 3) -> None:
    if "options" not in raw or not depth:
        return
    for option in objects_of(raw["options"], "options"):
        text(option, "name")
        if number(option, "type") in _WITH_OPTIONS:
            _check_options(option, depth - 1)
        elif "value" not in option:
            raise MalformedError("value")


def _guild_id(raw: Json, known: Surroundings) -> str:
    """The id of a channel's guild, as the client knows it or else as the event says."""
    channel_id = identity(raw)
    guild_id = known.guild_of_channel(channel_id) or _known_guild(raw, known, "guild_id")
    _require_younger(channel_id, guild_id)
    return str(guild_id)


def _known_guild(raw: Json, known: Surroundings, key: str = "id") -> int:
    """A guild's id. One that the client does not know would be discarded without a word."""
    guild_id = identity(raw, key)
    if not known.knows_guild(guild_id):
        raise MalformedError(key)
    return guild_id


def _guild_of_role(role_id: int, known: Surroundings) -> str:
    guild_id = known.guild_of_role(role_id)
    if guild_id is None:
        raise MalformedError("role")
    return str(guild_id)


def _require_younger(one_id: int, whole_id: int) -> None:
    """Nothing is older than what it is in: an id that says so is none."""
    if one_id < whole_id:
        raise MalformedError("id")


MESSAGE = "MESSAGE_CREATE"
"""Read by `bot/discord_io/payload/message.py`, and not by discord.py at all."""

HANDSHAKE: Mapping[str, Reader] = {"READY": _ready, "RESUMED": _resumed}
STATE: Mapping[str, Reader] = {
    "GUILD_CREATE": _guild_create,
    "GUILD_UPDATE": _guild_update,
    "GUILD_DELETE": _guild_delete,
    "GUILD_ROLE_CREATE": _role_create,
    "GUILD_ROLE_UPDATE": _role_update,
    "GUILD_ROLE_DELETE": _role_delete,
    "GUILD_MEMBER_UPDATE": _member_update,
    "CHANNEL_CREATE": _channel_create,
    "CHANNEL_UPDATE": _channel_update,
    "CHANNEL_DELETE": _channel_delete,
    "THREAD_CREATE": _thread,
    "THREAD_UPDATE": _thread,
    "THREAD_DELETE": _thread_delete,
    "THREAD_LIST_SYNC": _thread_list_sync,
}
"""What the client remembers: while one of these is missing, it is wrong about its guild."""
PASSING: Mapping[str, Reader] = {
    "GUILD_MEMBERS_CHUNK": _members_chunk,
    "MESSAGE_DELETE": _message_delete,
    "MESSAGE_DELETE_BULK": _message_delete_bulk,
    "MESSAGE_REACTION_ADD": _reaction,
    "INTERACTION_CREATE": _interaction,
}
"""What is passed on and not remembered."""
DELETES = frozenset({"MESSAGE_DELETE", "MESSAGE_DELETE_BULK"})
READERS: Mapping[str, Reader] = {**HANDSHAKE, **STATE, **PASSING}
USED = frozenset({MESSAGE, *READERS})
"""Every event that Spade uses. No other one reaches discord.py's parsers."""


def guild_of(name: str, clean: Json) -> int:
    """The guild that an event of STATE is about, once it was read: it names it itself."""
    return identity(clean, _guild_key(name))


def guild_named_by(name: str, raw: object, known: Surroundings) -> int | None:
    """The guild that an event is about, as far as its ids or what the client knows tell it."""
    if not isinstance(raw, dict):
        return None
    if name.startswith("GUILD_ROLE"):
        role_id = readable_identity(raw, "role_id") or readable_identity(raw.get("role"))
        by_content = None if role_id is None else known.guild_of_role(role_id)
    else:
        channel_id = readable_identity(raw)
        by_content = None if channel_id is None else known.guild_of_channel(channel_id)
    if by_content is not None:
        return by_content
    found = readable_identity(raw, _guild_key(name))
    return found if found is not None and known.knows_guild(found) else None


def _guild_key(name: str) -> str:
    return "id" if name in {"GUILD_CREATE", "GUILD_UPDATE", "GUILD_DELETE"} else "guild_id"


def ids_in(raw: object) -> str:
    """The ids that can be read in an event, for the log: never a name or what somebody wrote."""
    if not isinstance(raw, dict):
        return "no ids"
    found = {key: readable_identity(raw, key) for key in ("guild_id", "channel_id", "id", "message_id", "role_id")}
    return ", ".join(f"{key} {one}" for key, one in found.items() if one is not None) or "no ids"
