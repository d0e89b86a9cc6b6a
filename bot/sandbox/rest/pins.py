"""Pinned messages."""

from __future__ import annotations

from bot.sandbox.rest.call import Call
from bot.sandbox.rest.messages import shown
from bot.sandbox.rest.routing import Routes
from bot.sandbox.world.permissions import Permission
from bot.sandbox.world.snowflakes import stamp

routes = Routes()


@routes.add("GET", "/channels/{channel_id}/messages/pins")
def list_pins(call: Call) -> object:
    """List the pinned messages, newest first."""
    pinned = [message for message in call.channel().log if message.pinned][::-1]
    items = [{"pinned_at": stamp(m.created_at), "message": shown(call, m)} for m in pinned]
    return {"items": items, "has_more": False}


@routes.add("GET", "/channels/{channel_id}/pins")
def list_pins_the_old_way(call: Call) -> object:
    """List the pinned messages as a plain list."""
    return [shown(call, message) for message in call.channel().log if message.pinned][::-1]


@routes.add("PUT", "/channels/{channel_id}/messages/pins/{message_id}")
@routes.add("PUT", "/channels/{channel_id}/pins/{message_id}")
def pin(call: Call) -> object:
    """Pin a message."""
    return _set(call, pinned=True)


@routes.add("DELETE", "/channels/{channel_id}/messages/pins/{message_id}")
@routes.add("DELETE", "/channels/{channel_id}/pins/{message_id}")
def unpin(call: Call) -> object:
    """Unpin a message."""
    return _set(call, pinned=False)


def _set(call: Call, *, pinned: bool) -> object:
    channel = call.channel()
    call.require(channel, Permission.MANAGE_MESSAGES)
    call.world.messages.pin(call.message(channel), pinned=pinned)
    return None
