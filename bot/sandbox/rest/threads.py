"""Threads: starting them, their members, and the archive."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from bot.sandbox.bodies.composing import compose
from bot.sandbox.bodies.errors import ApiError, Problems
from bot.sandbox.rest.call import Call
from bot.sandbox.rest.routing import Reply, Routes
from bot.sandbox.world.entities import ChannelType
from bot.sandbox.world.payloads import channel_payload, member_payload, message_payload, thread_member_payload
from bot.sandbox.world.permissions import Permission
from bot.sandbox.world.snowflakes import EPOCH

if TYPE_CHECKING:
    from bot.sandbox.world.entities import Channel

routes = Routes()


@routes.add("POST", "/channels/{channel_id}/messages/{message_id}/threads")
def start_on_message(call: Call) -> object:
    """Start a thread on a message."""
    channel = call.channel()
    call.require(channel, Permission.CREATE_PUBLIC_THREADS)
    message = call.message(channel)
    if message.thread_id is not None:
        raise ApiError(160004)
    _check_name(call)
    thread = call.world.threads.start(channel, call.fields["name"], call.state.bot, message=message)
    return Reply(201, channel_payload(call.state, thread))


@routes.add("POST", "/channels/{channel_id}/threads")
def start(call: Call) -> object:
    """Start a thread without a message, or open a forum post with one."""
    channel = call.channel()
    _check_name(call)
    world, state, fields = call.world, call.state, call.fields
    if channel.type == ChannelType.FORUM:
        call.require(channel, Permission.SEND_MESSAGES)
        thread = world.threads.load(channel, fields["name"], state.bot)
        message = compose(state, thread, fields.get("message") or {}, call.files)
        message.id = thread.id
        world.threads.announce(thread)
        world.messages.put(message)
        created = channel_payload(state, thread)
        return Reply(201, created | {"message": message_payload(state, message, content=True)})
    private = fields.get("type") == ChannelType.PRIVATE_THREAD
    call.require(channel, Permission.CREATE_PRIVATE_THREADS if private else Permission.CREATE_PUBLIC_THREADS)
    thread = world.threads.start(channel, fields["name"], state.bot, private=private)
    return Reply(201, channel_payload(state, thread))


def _check_name(call: Call) -> None:
    problems = Problems()
    problems.between(("name",), call.fields.get("name"), 1, 100)
    problems.raise_if_any()


# Members


def _thread(call: Call) -> Channel:
    channel = call.channel()
    if not channel.is_thread:
        raise ApiError(50024)
    return channel


@routes.add("GET", "/channels/{channel_id}/thread-members")
def thread_members(call: Call) -> object:
    """List the members of a thread."""
    thread = _thread(call)
    return [thread_member_payload(thread, user_id) for user_id in thread.joined]


@routes.add("PUT", "/channels/{channel_id}/thread-members/@me")
def join(call: Call) -> object:
    """Let the bot join a thread."""
    call.world.threads.join(_thread(call), call.state.bot)
    return None


@routes.add("DELETE", "/channels/{channel_id}/thread-members/@me")
def leave(call: Call) -> object:
    """Let the bot leave a thread."""
    call.world.threads.leave(_thread(call), call.state.bot)
    return None


@routes.add("GET", "/channels/{channel_id}/thread-members/{user_id}")
def thread_member(call: Call) -> object:
    """Return one member of a thread."""
    thread, user_id = _thread(call), call.id("user_id")
    if user_id not in thread.joined:
        raise ApiError(10007)
    payload = thread_member_payload(thread, user_id)
    guild = call.state.guild_of(thread)
    if call.query.get("with_member") in {"1", "true", "True"} and guild is not None:
        payload["member"] = member_payload(guild.members[user_id])
    return payload


@routes.add("PUT", "/channels/{channel_id}/thread-members/{user_id}")
def add_member(call: Call) -> object:
    """Add a user to a thread."""
    call.world.threads.join(_thread(call), call.id("user_id"))
    return None


@routes.add("DELETE", "/channels/{channel_id}/thread-members/{user_id}")
def remove_member(call: Call) -> object:
    """Remove a user from a thread."""
    call.world.threads.leave(_thread(call), call.id("user_id"))
    return None


# The archive


@routes.add("GET", "/channels/{channel_id}/threads/archived/public")
def archived_public(call: Call) -> object:
    """List archived public threads, last archived first."""
    return _archive(call, {ChannelType.PUBLIC_THREAD, ChannelType.NEWS_THREAD})


@routes.add("GET", "/channels/{channel_id}/threads/archived/private")
def archived_private(call: Call) -> object:
    """List archived private threads, last archived first; needs Manage Threads."""
    call.require(call.channel(), Permission.MANAGE_THREADS)
    return _archive(call, {ChannelType.PRIVATE_THREAD})


@routes.add("GET", "/channels/{channel_id}/users/@me/threads/archived/private")
def archived_joined(call: Call) -> object:
    """List archived private threads the bot has joined, newest first."""
    return _archive(call, {ChannelType.PRIVATE_THREAD}, joined=True)


def _archive(call: Call, kinds: set[ChannelType], *, joined: bool = False) -> dict[str, Any]:
    state, channel = call.state, call.channel()
    call.require(channel, Permission.READ_MESSAGE_HISTORY)
    limit = call.number("limit", 50, 1, 100)
    found = [t for t in state.threads_of(channel) if t.archived and t.type in kinds]
    before = call.query.get("before")
    if joined:
        found = [thread for thread in found if state.bot.id in thread.joined]
        found = [thread for thread in found if before is None or thread.id < int(before)]
    else:
        end = None if before is None else datetime.fromisoformat(before)
        found.sort(key=lambda thread: (thread.archived_at or EPOCH, thread.id), reverse=True)
        found = [t for t in found if end is None or (t.archived_at or EPOCH) < end]
    page = found[:limit]
    return {
        "threads": [channel_payload(state, thread) for thread in page],
        "members": [thread_member_payload(t, state.bot.id) for t in page if state.bot.id in t.joined],
        "has_more": len(found) > limit,
    }
