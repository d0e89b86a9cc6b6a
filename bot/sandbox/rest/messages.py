"""Messages of a channel: pages, single ones, sending, editing, deleting."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bot.sandbox.bodies.composing import compose, revise
from bot.sandbox.bodies.errors import ApiError
from bot.sandbox.rest.call import Call, snowflake
from bot.sandbox.rest.routing import Routes
from bot.sandbox.world.entities import ChannelType
from bot.sandbox.world.intents import Intent
from bot.sandbox.world.payloads import message_payload
from bot.sandbox.world.permissions import Permission

if TYPE_CHECKING:
    from bot.sandbox.world.entities import Channel, PostedMessage

routes = Routes()
NONCE_MINUTES = 5
SILENT = frozenset({ChannelType.CATEGORY, ChannelType.FORUM})


def shown(call: Call, message: PostedMessage) -> dict[str, Any]:
    """Return a message object; content of others only with the Message Content grant."""
    return message_payload(call.state, message, content=bool(call.state.granted & Intent.MESSAGE_CONTENT))


@routes.add("GET", "/channels/{channel_id}/messages")
def list_messages(call: Call) -> object:
    """Return one page, newest first; without Read Message History, an empty one."""
    channel = call.channel()
    if channel.type in SILENT:
        raise ApiError(50008)
    limit = call.number("limit", 50, 1, 100)
    if not call.state.bot_may(channel, Permission.READ_MESSAGE_HISTORY):
        return []
    log = channel.log
    if "around" in call.query:
        page = log.around(snowflake("around", call.query["around"]), limit)
    elif "before" in call.query:
        page = log.before(snowflake("before", call.query["before"]), limit)
    elif "after" in call.query:
        page = log.after(snowflake("after", call.query["after"]), limit)
    else:
        page = log.newest(limit)
    return [shown(call, message) for message in page]


@routes.add("POST", "/channels/{channel_id}/messages/bulk-delete")
def bulk_delete(call: Call) -> object:
    """Delete 2 to 100 messages, none older than two weeks."""
    channel = call.channel()
    call.require(channel, Permission.MANAGE_MESSAGES)
    ids = [int(message_id) for message_id in call.fields.get("messages") or []]
    if not 2 <= len(ids) <= 100:
        raise ApiError(50016)
    found = [message for message in (channel.log.get(i) for i in ids) if message is not None]
    oldest = call.state.now() - timedelta(days=14)
    if any(message.created_at < oldest for message in found):
        raise ApiError(50034)
    if found:
        call.world.messages.delete_many(found)
    return None


@routes.add("GET", "/channels/{channel_id}/messages/{message_id}")
def get_message(call: Call) -> object:
    """Return one message."""
    channel = call.channel()
    if not call.state.bot_may(channel, Permission.READ_MESSAGE_HISTORY):
        raise ApiError(50013)
    return shown(call, call.message(channel))


@routes.add("POST", "/channels/{channel_id}/messages")
def create_message(call: Call) -> object:
    """Send a message. With `enforce_nonce`, a repeated nonce returns the earlier message."""
    channel = call.channel()
    check_may_send(call, channel)
    fields = call.fields
    earlier = _sent_before(call, channel, fields)
    if earlier is not None:
        return message_payload(call.state, earlier, content=True)
    message = compose(call.state, channel, fields, call.files)
    if message.embeds and not call.state.bot_may(channel, Permission.EMBED_LINKS):
        message.embeds = []
    if call.files and not call.state.bot_may(channel, Permission.ATTACH_FILES):
        raise ApiError(50013)
    return message_payload(call.state, call.world.messages.put(message), content=True)


def check_may_send(call: Call, channel: Channel) -> None:
    """Check that the bot can send messages in a channel.

    Raises:
        ApiError: 50007 for a DM that is closed or without a shared guild, 50001/50013 for permissions,
            50008 for a channel without messages, 50083 for a locked thread.
    """
    state = call.state
    recipient = channel.recipient
    if recipient is not None:
        if not recipient.dms_open or not state.shares_guild(recipient):
            raise ApiError(50007)
        return
    if channel.type in SILENT:
        raise ApiError(50008)
    in_thread = Permission.SEND_MESSAGES_IN_THREADS if channel.is_thread else Permission.SEND_MESSAGES
    call.require(channel, in_thread)
    if channel.archived and channel.locked and not state.bot_may(channel, Permission.MANAGE_THREADS):
        raise ApiError(50083)


def _sent_before(call: Call, channel: Channel, fields: dict[str, Any]) -> PostedMessage | None:
    nonce = fields.get("nonce")
    if nonce is None or not fields.get("enforce_nonce"):
        return None
    since = call.state.now() - timedelta(minutes=NONCE_MINUTES)
    for message in channel.log.newest(200):
        recent = message.author is call.state.bot and message.created_at >= since
        if recent and message.nonce is not None and str(message.nonce) == str(nonce):
            return message
    return None


@routes.add("PATCH", "/channels/{channel_id}/messages/{message_id}")
def edit_message(call: Call) -> object:
    """Edit a message of the bot."""
    channel = call.channel()
    message = call.message(channel)
    if message.author is not call.state.bot:
        raise ApiError(50005)
    revise(call.state, message, call.fields, call.files)
    call.world.messages.touch(message)
    return message_payload(call.state, message, content=True)


@routes.add("DELETE", "/channels/{channel_id}/messages/{message_id}")
def delete_message(call: Call) -> object:
    """Delete a message; those of others need Manage Messages, and in a DM only the bot's can be deleted."""
    channel = call.channel()
    message = call.message(channel)
    if message.author is not call.state.bot:
        if channel.type == ChannelType.DM:
            raise ApiError(50003)
        call.require(channel, Permission.MANAGE_MESSAGES)
    call.world.messages.delete(message)
    return None
