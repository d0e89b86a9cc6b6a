"""Channels: reading, changing and deleting them, and the typing indicator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.sandbox.bodies.errors import ApiError, Problems
from bot.sandbox.rest.call import Call
from bot.sandbox.rest.routing import Reply, Routes
from bot.sandbox.world.entities import ChannelType
from bot.sandbox.world.payloads import channel_payload
from bot.sandbox.world.permissions import Permission

if TYPE_CHECKING:
    from bot.sandbox.world.entities import Channel

routes = Routes()


@routes.add("GET", "/channels/{channel_id}")
def get_channel(call: Call) -> object:
    """Return a channel, a thread or a DM."""
    return channel_payload(call.state, call.channel())


@routes.add("PATCH", "/channels/{channel_id}")
def edit_channel(call: Call) -> object:
    """Change a channel's name or topic, or a thread's name and archive state."""
    channel = call.channel()
    fields = call.fields
    name = fields.get("name")
    if name is not None:
        problems = Problems()
        problems.between(("name",), name, 1, 100)
        problems.raise_if_any()
    if channel.is_thread:
        if channel.owner_id != call.state.bot.id:
            call.require(channel, Permission.MANAGE_THREADS)
        _edit_thread(call, channel)
    else:
        call.require(channel, Permission.MANAGE_CHANNELS)
    if name is not None or "topic" in fields:
        call.world.channels.edit(channel, name=name, topic=fields.get("topic"))
    return channel_payload(call.state, channel)


def _edit_thread(call: Call, thread: Channel) -> None:
    fields = call.fields
    if fields.get("auto_archive_duration"):
        thread.auto_archive_minutes = fields["auto_archive_duration"]
    if fields.get("archived") is not None or fields.get("locked") is not None:
        archived = thread.archived if fields.get("archived") is None else bool(fields["archived"])
        archive = call.world.archive
        change = archive.add if archived else archive.remove
        change(thread, locked=fields.get("locked"))


@routes.add("DELETE", "/channels/{channel_id}")
def delete_channel(call: Call) -> object:
    """Delete a channel or a thread; for a DM nothing is deleted."""
    channel = call.channel()
    payload = channel_payload(call.state, channel)
    if channel.type == ChannelType.DM:
        return payload
    call.require(channel, Permission.MANAGE_THREADS if channel.is_thread else Permission.MANAGE_CHANNELS)
    call.world.channels.delete(channel)
    return payload


@routes.add("POST", "/guilds/{guild_id}/channels")
def create_channel(call: Call) -> object:
    """Make a guild channel."""
    guild = call.guild()
    fields = call.fields
    problems = Problems()
    problems.between(("name",), fields.get("name"), 1, 100)
    problems.raise_if_any()
    parent = fields.get("parent_id")
    channel = call.world.channels.add(
        guild,
        fields["name"],
        kind=ChannelType(fields.get("type") or 0),
        parent=None if parent is None else int(parent),
        topic=fields.get("topic"),
    )
    return Reply(201, channel_payload(call.state, channel))


@routes.add("POST", "/channels/{channel_id}/typing")
def typing(call: Call) -> object:
    """Accept the typing indicator; it has no effect."""
    channel = call.channel()
    if channel.recipient is not None and not channel.recipient.dms_open:
        raise ApiError(50007)
    return None
