"""Guilds, their channels, roles and active threads."""

from __future__ import annotations

from bot.sandbox.bodies.errors import ApiError
from bot.sandbox.rest.call import Call
from bot.sandbox.rest.routing import Routes
from bot.sandbox.world.payloads import (
    channel_payload,
    guild_payload,
    role_payload,
    thread_member_payload,
)

routes = Routes()


@routes.add("GET", "/guilds/{guild_id}")
def get_guild(call: Call) -> object:
    """Return a guild."""
    guild = call.guild()
    payload = guild_payload(guild)
    if call.query.get("with_counts") in {"1", "true", "True"}:
        payload["approximate_member_count"] = len(guild.members)
        payload["approximate_presence_count"] = 0
    return payload


@routes.add("GET", "/guilds/{guild_id}/channels")
def guild_channels(call: Call) -> object:
    """List the channels of a guild, without threads; hidden ones too, as Discord does."""
    return [channel_payload(call.state, channel) for channel in call.guild().channels.values()]


@routes.add("GET", "/guilds/{guild_id}/threads/active")
def guild_active_threads(call: Call) -> object:
    """List all active threads the bot can see."""
    state = call.state
    threads = state.active_threads(call.guild())
    members = [thread_member_payload(t, state.bot.id) for t in threads if state.bot.id in t.joined]
    return {
        "threads": [channel_payload(state, thread) for thread in threads],
        "members": members,
        "has_more": False,
    }


@routes.add("GET", "/guilds/{guild_id}/roles")
def guild_roles(call: Call) -> object:
    """List the roles of a guild."""
    return [role_payload(role) for role in call.guild().roles.values()]


@routes.add("GET", "/guilds/{guild_id}/roles/{role_id}")
def guild_role(call: Call) -> object:
    """Return one role."""
    role = call.guild().roles.get(call.id("role_id"))
    if role is None:
        raise ApiError(10011)
    return role_payload(role)
