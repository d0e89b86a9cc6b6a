"""Users: the bot itself, others, and opening DMs."""

from __future__ import annotations

from bot.sandbox.bodies.errors import ApiError
from bot.sandbox.rest.call import Call
from bot.sandbox.rest.routing import Routes
from bot.sandbox.world.payloads import channel_payload, own_user_payload, permissions_text, user_payload

routes = Routes()


@routes.add("GET", "/users/@me")
def me(call: Call) -> object:
    """Return the bot's own user."""
    return own_user_payload(call.state)


@routes.add("PATCH", "/users/@me")
def edit_me(call: Call) -> object:
    """Rename the bot."""
    call.state.bot.name = call.fields.get("username") or call.state.bot.name
    return own_user_payload(call.state)


@routes.add("GET", "/users/@me/guilds")
def my_guilds(call: Call) -> object:
    """List the guilds the bot is in."""
    state = call.state
    return [
        {
            "id": str(guild.id),
            "name": guild.name,
            "icon": None,
            "banner": None,
            "owner": guild.owner_id == state.bot.id,
            "permissions": permissions_text(guild, guild.members[state.bot.id]),
            "features": [],
        }
        for guild in state.guilds.values()
        if state.bot_in(guild)
    ]


@routes.add("DELETE", "/users/@me/guilds/{guild_id}")
def leave_guild(call: Call) -> object:
    """Leave a guild."""
    call.world.guilds.kick_bot(call.guild())
    return None


@routes.add("POST", "/users/@me/channels")
def open_dm(call: Call) -> object:
    """Open the DM with a user. It succeeds even if the user accepts no DMs; sending a message then fails."""
    user_id = int(call.fields.get("recipient_id") or 0)
    user = call.state.users.get(user_id)
    if user is None or user is call.state.bot:
        raise ApiError(10013)
    if user.bot or user.webhook:
        raise ApiError(50007)
    return channel_payload(call.state, call.world.dms.channel_with(user))


@routes.add("GET", "/users/{user_id}")
def get_user(call: Call) -> object:
    """Return any user."""
    user = call.state.users.get(call.id("user_id"))
    if user is None:
        raise ApiError(10013)
    return user_payload(user)
