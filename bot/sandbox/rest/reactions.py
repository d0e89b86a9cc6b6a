"""Reactions to messages."""

from __future__ import annotations

from bot.sandbox.bodies.errors import ApiError
from bot.sandbox.rest.call import Call, snowflake
from bot.sandbox.rest.routing import Routes
from bot.sandbox.world.payloads import user_payload
from bot.sandbox.world.permissions import Permission

routes = Routes()
ALL = "/channels/{channel_id}/messages/{message_id}/reactions"
ONE = ALL + "/{emoji_name}"


@routes.add("PUT", ONE + "/@me")
def react(call: Call) -> object:
    """Add the bot's reaction."""
    channel = call.channel()
    call.require(channel, Permission.READ_MESSAGE_HISTORY)
    message, emoji = call.message(channel), call.params["emoji_name"]
    if not emoji or (emoji.isascii() and ":" not in emoji):
        raise ApiError(10014)
    if emoji not in message.reactions:
        call.require(channel, Permission.ADD_REACTIONS)
    call.world.reactions.add(message, call.state.bot, emoji)
    return None


@routes.add("DELETE", ONE + "/@me")
def unreact(call: Call) -> object:
    """Remove the bot's reaction."""
    call.world.reactions.remove(call.message(call.channel()), call.state.bot, call.params["emoji_name"])
    return None


@routes.add("DELETE", ONE + "/{user_id}")
def unreact_other(call: Call) -> object:
    """Remove the reaction of another user."""
    channel = call.channel()
    call.require(channel, Permission.MANAGE_MESSAGES)
    call.world.reactions.remove(call.message(channel), call.id("user_id"), call.params["emoji_name"])
    return None


@routes.add("GET", ONE)
def who_reacted(call: Call) -> object:
    """List the users who reacted with an emoji, by id."""
    message = call.message(call.channel())
    limit = call.number("limit", 25, 1, 100)
    after = snowflake("after", call.query.get("after", "0"))
    users = sorted(user for user in message.reactions.get(call.params["emoji_name"], []) if user > after)
    return [user_payload(call.state.users[user]) for user in users[:limit]]


@routes.add("DELETE", ONE)
def clear_one(call: Call) -> object:
    """Remove all reactions with an emoji."""
    channel = call.channel()
    call.require(channel, Permission.MANAGE_MESSAGES)
    call.world.reactions.clear(call.message(channel), call.params["emoji_name"])
    return None


@routes.add("DELETE", ALL)
def clear_all(call: Call) -> object:
    """Remove all reactions."""
    channel = call.channel()
    call.require(channel, Permission.MANAGE_MESSAGES)
    call.world.reactions.clear(call.message(channel))
    return None
