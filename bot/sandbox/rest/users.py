"""Users: the bot itself, others, and opening DMs."""

from __future__ import annotations

from bot.sandbox.errors import ApiError
from bot.sandbox.exchange import Call, Routes
from bot.sandbox.payloads import channel_payload, own_user_payload, permissions_text, user_payload

routes = Routes()


@routes.add("GET", "/users/@me")
def me(call: Call) -> object:
    """Return the bot's own user."""
    return own_user_payload(call.world)


@routes.add("PATCH", "/users/@me")
def edit_me(call: Call) -> object:
    """Rename the bot."""
    call.world.bot.name = call.fields.get("username") or call.world.bot.name
    return own_user_payload(call.world)


@routes.add("GET", "/users/@me/guilds")
def my_guilds(call: Call) -> object:
    """List the guilds the bot is in."""
    world = call.world
    return [
        {
            "id": str(guild.id),
            "name": guild.name,
            "icon": None,
            "banner": None,
            "owner": guild.owner_id == world.bot.id,
            "permissions": permissions_text(guild, guild.members[world.bot.id]),
            "features": [],
        }
        for guild in world.guilds.values()
        if world.bot_in(guild)
    ]


@routes.add("DELETE", "/users/@me/guilds/{guild_id}")
def leave_guild(call: Call) -> object:
    """Leave a guild."""
    call.world.kick_bot(call.guild())
    return None


@routes.add("POST", "/users/@me/channels")
def open_dm(call: Call) -> object:
    """Open the DM with a user. It succeeds even when the user accepts no DMs: sending does not."""
    user_id = int(call.fields.get("recipient_id") or 0)
    user = call.world.users.get(user_id)
    if user is None or user is call.world.bot:
        raise ApiError(10013)
    if user.bot or user.webhook:
        raise ApiError(50007)
    return channel_payload(call.world, call.world.dm_with(user))


@routes.add("GET", "/users/{user_id}")
def get_user(call: Call) -> object:
    """Return any user."""
    user = call.world.users.get(call.id("user_id"))
    if user is None:
        raise ApiError(10013)
    return user_payload(user)
