"""Roles, members, channels, threads and guilds, cut down to what Spade uses, in the shape that discord.py reads.

Each function raises MalformedError if something that Spade uses cannot be read. discord.py needs some fields that
Spade does not use: these get a fixed value. The lists of a guild lose the elements that cannot be read.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.discord_io.payload.fields import (
    Json,
    MalformedError,
    bits,
    child,
    children,
    flag,
    identities,
    identity,
    list_of,
    number,
    object_of,
    optional_identity,
    optional_moment,
    readable_identity,
    text_or,
    truth,
)
from bot.domain.snowflake import moment_of

_TEXT, _VOICE, _CATEGORY, _NEWS, _STAGE, _FORUM, _MEDIA = 0, 2, 4, 5, 13, 15, 16
CHANNELS = frozenset({_TEXT, _VOICE, _CATEGORY, _NEWS, _STAGE, _FORUM, _MEDIA})
PUBLIC_THREADS = frozenset({10, 11})
PRIVATE_THREAD = 12
_THREADS = PUBLIC_THREADS | {PRIVATE_THREAD}
_OVERWRITTEN = frozenset({0, 1})  # a role, a member


@dataclass(slots=True)
class Lost:
    """The elements of a payload that could not be read, as a person may look for them: what, which, why."""

    elements: list[str] = field(default_factory=list)

    def readable(self, raw: object, what: str, read: Callable[[Json], Json | None]) -> list[Json]:
        """Those elements of a list that can be read, without those for which `read` gives None."""
        found: list[Json] = []
        for one in list_of(raw, what):
            try:
                clean = read(object_of(one, what))
            except MalformedError as error:
                self.elements.append(f"{what} {readable_identity(one) or '?'} ({error})")
            else:
                found += [] if clean is None else [clean]
        return found


def user(raw: Mapping[str, Any]) -> Json:
    """A user."""
    user_id = identity(raw)
    return {
        "id": str(user_id),
        "username": text_or(raw, "username", str(user_id)),
        "global_name": text_or(raw, "global_name", "") or None,
        "discriminator": "0",
        "avatar": None,
        "bot": flag(raw, "bot"),
        "system": flag(raw, "system"),
    }


def member(raw: Mapping[str, Any]) -> Json:
    """A member of a guild, with the user."""
    return {
        "user": user(child(raw, "user")),
        "roles": [str(role_id) for role_id in identities(raw, "roles")],
        "nick": text_or(raw, "nick", "") or None,
        "joined_at": optional_moment(raw, "joined_at"),
        "communication_disabled_until": optional_moment(raw, "communication_disabled_until"),
        "flags": 0,
    }


def role(raw: Mapping[str, Any]) -> Json:
    """A role."""
    role_id = identity(raw)
    return {
        "id": str(role_id),
        "name": text_or(raw, "name", str(role_id)),
        "permissions": bits(raw, "permissions"),
        "position": _number_or_zero(raw, "position"),
    }


def channel(raw: Mapping[str, Any]) -> Json | None:
    """A channel of a guild; None if it is of a type that Spade does not know."""
    kind = number(raw, "type")
    if kind not in CHANNELS:
        return None
    channel_id = identity(raw)
    clean: Json = {
        "id": str(channel_id),
        "type": kind,
        "name": text_or(raw, "name", str(channel_id)),
        "position": _number_or_zero(raw, "position"),
        "parent_id": readable_identity(raw, "parent_id"),  # a category, which decides nothing
        "permission_overwrites": [_overwrite(one) for one in children(raw, "permission_overwrites")],
    }
    if kind in {_VOICE, _STAGE}:
        clean |= {"bitrate": 64_000, "user_limit": 0}
    if kind != _CATEGORY:
        clean["last_message_id"] = optional_identity(raw, "last_message_id")
    return clean


def thread(raw: Mapping[str, Any]) -> Json | None:
    """A thread; None if it is of a type that Spade does not know."""
    kind = number(raw, "type")
    if kind not in _THREADS:
        return None
    thread_id, metadata = identity(raw), child(raw, "thread_metadata")
    return {
        "id": str(thread_id),
        "type": kind,
        "parent_id": str(identity(raw, "parent_id")),
        "owner_id": str(identity(raw, "owner_id")),
        "name": text_or(raw, "name", str(thread_id)),
        "last_message_id": optional_identity(raw, "last_message_id"),
        "message_count": 0,
        "member_count": 0,
        "thread_metadata": {
            "archived": truth(metadata, "archived"),
            "auto_archive_duration": 1440,
            "archive_timestamp": moment_of(thread_id).isoformat(),
            "locked": metadata.get("locked") is True,
        },
    }


def guild(raw: Mapping[str, Any], own_id: int, lost: Lost) -> Json:
    """A guild as GUILD_CREATE has it, with one member: Spade. Elements that cannot be read are added to `lost`.

    Without the role of everybody, or Spade as a member, no permission can be told: these must be readable.
    """
    guild_id = identity(raw)
    clean = guild_itself(raw, lost)
    if raw.get("unavailable") is not None:
        clean["unavailable"] = raw["unavailable"] is True
    own = _of_user(raw.get("members"), own_id)
    clean |= {
        "channels": lost.readable(raw.get("channels"), "channel", channel),
        "threads": lost.readable(raw.get("threads"), "thread", thread),
        "members": [member(one) for one in own],
    }
    if not own or not any(one["id"] == str(guild_id) for one in clean["roles"]):
        raise MalformedError("members" if not own else "roles")
    return clean


def guild_itself(raw: Mapping[str, Any], lost: Lost) -> Json:
    """What belongs to a guild alone, as GUILD_UPDATE has it: its name, its owner and its roles."""
    guild_id = identity(raw)
    clean: Json = {
        "id": str(guild_id),
        "name": text_or(raw, "name", str(guild_id)),
        "owner_id": optional_identity(raw, "owner_id"),
        "roles": lost.readable(raw.get("roles"), "role", role),
    }
    if not any(one["id"] == clean["id"] for one in clean["roles"]):
        raise MalformedError("roles")
    return clean


def _of_user(raw: object, user_id: int) -> list[Json]:
    """The members in a list who are this user."""
    return [one for one in list_of(raw, "members") if isinstance(one, dict) and _user_id_of(one) == user_id]


def _user_id_of(raw: Mapping[str, Any]) -> int | None:
    return readable_identity(raw.get("user"))


def _overwrite(raw: Mapping[str, Any]) -> Json:
    kind = number(raw, "type")
    if kind not in _OVERWRITTEN:
        raise MalformedError("permission_overwrites")
    return {"id": str(identity(raw)), "type": kind, "allow": bits(raw, "allow"), "deny": bits(raw, "deny")}


def _number_or_zero(raw: Mapping[str, Any], key: str) -> int:
    """For what decides no more than an order on the screen."""
    try:
        return number(raw, key)
    except MalformedError:
        return 0
