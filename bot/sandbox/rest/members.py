"""Members of a guild."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.sandbox.bodies.errors import ApiError
from bot.sandbox.rest.call import Call, snowflake
from bot.sandbox.rest.routing import Routes
from bot.sandbox.world.intents import Intent
from bot.sandbox.world.payloads import member_payload
from bot.sandbox.world.permissions import Permission, guild_permissions

if TYPE_CHECKING:
    from bot.sandbox.world.entities import Guild, Member

routes = Routes()


@routes.add("GET", "/guilds/{guild_id}/members/search")
def search_members(call: Call) -> object:
    """Find members whose name or nickname begins with a text."""
    text = call.query.get("query", "").lower()
    limit = call.number("limit", 1, 1, 1000)
    found = [
        member
        for member in call.guild().members.values()
        if member.user.name.lower().startswith(text) or (member.nick or "").lower().startswith(text)
    ]
    return [member_payload(member) for member in found[:limit]]


@routes.add("GET", "/guilds/{guild_id}/members")
def list_members(call: Call) -> object:
    """List members by id; it needs the members intent."""
    guild = call.guild()
    if not call.state.granted & Intent.GUILD_MEMBERS:
        raise ApiError(50001)
    limit = call.number("limit", 1, 1, 1000)
    after = snowflake("after", call.query.get("after", "0"))
    found = sorted((m for m in guild.members.values() if m.id > after), key=lambda member: member.id)
    return [member_payload(member) for member in found[:limit]]


@routes.add("GET", "/guilds/{guild_id}/members/{user_id}")
def get_member(call: Call) -> object:
    """Return one member."""
    return member_payload(_member(call, call.guild()))


@routes.add("PATCH", "/guilds/{guild_id}/members/@me")
def edit_own_member(call: Call) -> object:
    """Change the bot's nickname."""
    member = call.guild().members[call.state.bot.id]
    member.nick = call.fields.get("nick")
    return member_payload(member)


@routes.add("PUT", "/guilds/{guild_id}/members/{user_id}/roles/{role_id}")
def give_role(call: Call) -> object:
    """Give a role to a member."""
    guild = _managed(call)
    role = guild.roles.get(call.id("role_id"))
    if role is None:
        raise ApiError(10011)
    call.world.roles.give(role, _member(call, guild))
    return None


@routes.add("DELETE", "/guilds/{guild_id}/members/{user_id}/roles/{role_id}")
def take_role(call: Call) -> object:
    """Take a role from a member."""
    guild = _managed(call)
    role = guild.roles.get(call.id("role_id"))
    if role is None:
        raise ApiError(10011)
    call.world.roles.take(role, _member(call, guild))
    return None


def _member(call: Call, guild: Guild) -> Member:
    user_id = call.id("user_id")
    if user_id not in call.state.users:
        raise ApiError(10013)
    if user_id not in guild.members:
        raise ApiError(10007)
    return guild.members[user_id]


def _managed(call: Call) -> Guild:
    guild = call.guild()
    if not guild_permissions(guild, guild.members[call.state.bot.id]) & Permission.MANAGE_ROLES:
        raise ApiError(50013)
    return guild
