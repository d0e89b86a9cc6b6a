"""Entities as the JSON objects of Discord's API v10."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.sandbox.world.entities import Channel, ChannelType, Guild, Member, PostedMessage, Reference, Role, User
from bot.sandbox.world.permissions import guild_permissions
from bot.sandbox.world.snowflakes import stamp, time_of

if TYPE_CHECKING:
    from bot.sandbox.world.state import State


def user_payload(user: User) -> dict[str, Any]:
    """Return a user object."""
    payload: dict[str, Any] = {
        "id": str(user.id),
        "username": user.name,
        "global_name": user.display_name,
        "avatar": user.avatar,
        "discriminator": "0000" if user.bot or user.webhook else "0",
        "public_flags": 0,
        "flags": 0,
        "primary_guild": None,
    }
    if user.bot or user.webhook:
        payload["bot"] = True
    if user.system:
        payload["system"] = True
    return payload


def own_user_payload(state: State) -> dict[str, Any]:
    """Return the bot's own user object with what only it may see."""
    return user_payload(state.bot) | {
        "mfa_enabled": True,
        "locale": "en-US",
        "verified": True,
        "email": None,
        "bot": True,
    }


def bare_member_payload(member: Member) -> dict[str, Any]:
    """Return a member object without its user."""
    return {
        "avatar": None,
        "banner": None,
        "communication_disabled_until": None,
        "flags": 0,
        "joined_at": stamp(member.joined_at),
        "nick": member.nick,
        "pending": False,
        "premium_since": None,
        "roles": [str(role_id) for role_id in member.roles],
    }


def member_payload(member: Member) -> dict[str, Any]:
    """Return a member object with its user."""
    payload = bare_member_payload(member)
    payload.update(user=user_payload(member.user), mute=False, deaf=False)
    return payload


def role_payload(role: Role) -> dict[str, Any]:
    """Return a role object."""
    payload: dict[str, Any] = {
        "id": str(role.id),
        "name": role.name,
        "permissions": str(int(role.permissions)),
        "position": role.position,
        "color": role.color,
        "colors": {"primary_color": role.color, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "managed": role.bot_id is not None,
        "mentionable": role.mentionable,
        "icon": None,
        "unicode_emoji": None,
        "flags": 0,
    }
    if role.bot_id is not None:
        payload["tags"] = {"bot_id": str(role.bot_id)}
    return payload


def channel_payload(state: State, channel: Channel) -> dict[str, Any]:
    """Return a channel object: of a guild channel, a thread or a DM."""
    last = None if channel.last_message_id is None else str(channel.last_message_id)
    payload: dict[str, Any] = {"id": str(channel.id), "type": int(channel.type), "flags": 0}
    if channel.type != ChannelType.CATEGORY:
        payload["last_message_id"] = last
    if channel.recipient is not None:
        payload["recipients"] = [user_payload(channel.recipient)]
        return payload
    payload["guild_id"] = str(channel.guild_id)
    payload["name"] = channel.name
    payload["parent_id"] = None if channel.parent_id is None else str(channel.parent_id)
    if channel.is_thread:
        payload.update(_thread_fields(state, channel))
        return payload
    payload["position"] = channel.position
    payload["permission_overwrites"] = [
        {"id": str(o.id), "type": o.kind, "allow": str(int(o.allow)), "deny": str(int(o.deny))}
        for o in channel.overwrites.values()
    ]
    if channel.type == ChannelType.CATEGORY:
        return payload
    payload.update(nsfw=False, rate_limit_per_user=0)
    if channel.type == ChannelType.VOICE:
        payload.update(bitrate=64000, user_limit=0, rtc_region=None)
        return payload
    payload.update(topic=channel.topic, default_auto_archive_duration=1440)
    if channel.type == ChannelType.FORUM:
        payload.update(
            available_tags=channel.tags,
            default_reaction_emoji=None,
            default_sort_order=None,
            default_forum_layout=0,
        )
    return payload


def place_payload(channel: Channel) -> dict[str, Any]:
    """Return the ids of a channel and, unless it is a DM, of its guild, as events name them."""
    place: dict[str, Any] = {"channel_id": str(channel.id)}
    if channel.guild_id is not None:
        place["guild_id"] = str(channel.guild_id)
    return place


def _thread_fields(state: State, thread: Channel) -> dict[str, Any]:
    created_at = time_of(thread.id)
    fields: dict[str, Any] = {
        "owner_id": str(thread.owner_id),
        "rate_limit_per_user": 0,
        "message_count": min(50, thread_message_count(thread)),
        "total_message_sent": thread.total_sent,
        "member_count": min(50, len(thread.joined)),
        "thread_metadata": {
            "archived": thread.archived,
            "archive_timestamp": stamp(thread.archived_at or created_at),
            "auto_archive_duration": thread.auto_archive_minutes,
            "locked": thread.locked,
            "create_timestamp": stamp(created_at),
        },
    }
    if thread.type == ChannelType.PRIVATE_THREAD:
        fields["thread_metadata"]["invitable"] = True
    if thread.applied_tags:
        fields["applied_tags"] = [str(tag) for tag in thread.applied_tags]
    if state.bot.id in thread.joined:
        fields["member"] = thread_member_payload(thread, state.bot.id)
    return fields


def thread_message_count(thread: Channel) -> int:
    """Return how many messages a thread holds, not counting the one it was started with."""
    return max(0, len(thread.log) - (thread.id in thread.log))


def thread_member_payload(thread: Channel, user_id: int) -> dict[str, Any]:
    """Return a thread member object."""
    return {
        "id": str(thread.id),
        "user_id": str(user_id),
        "join_timestamp": stamp(thread.joined[user_id]),
        "flags": 0,
    }


def guild_payload(guild: Guild) -> dict[str, Any]:
    """Return a guild object as REST gives it."""
    return {
        "id": str(guild.id),
        "name": guild.name,
        "icon": None,
        "description": None,
        "home_header": None,
        "splash": None,
        "discovery_splash": None,
        "features": ["COMMUNITY"],
        "banner": None,
        "owner_id": str(guild.owner_id),
        "application_id": None,
        "region": "us-east",
        "afk_channel_id": None,
        "afk_timeout": 300,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "widget_enabled": False,
        "widget_channel_id": None,
        "verification_level": 1,
        "roles": [role_payload(role) for role in guild.roles.values()],
        "default_message_notifications": 1,
        "mfa_level": 0,
        "explicit_content_filter": 2,
        "max_presences": None,
        "max_members": 500_000,
        "max_stage_video_channel_users": 50,
        "max_video_channel_users": 25,
        "vanity_url_code": None,
        "premium_tier": 0,
        "premium_subscription_count": 0,
        "preferred_locale": guild.locale,
        "rules_channel_id": None,
        "safety_alerts_channel_id": None,
        "public_updates_channel_id": None,
        "premium_progress_bar_enabled": False,
        "nsfw": False,
        "nsfw_level": 0,
        "emojis": [],
        "stickers": [],
        "incidents_data": None,
    }


def guild_create_payload(state: State, guild: Guild) -> dict[str, Any]:
    """Return a guild object as the gateway gives it: with channels, visible active threads, and the bot.

    Of the members only the bot itself is included, as Discord does for large guilds without the member
    intent.
    """
    me = guild.members[state.bot.id]
    return guild_payload(guild) | {
        "joined_at": stamp(guild.bot_joined_at or me.joined_at),
        "large": len(guild.members) >= 250,
        "unavailable": False,
        "member_count": len(guild.members),
        "voice_states": [],
        "members": [member_payload(me)],
        "channels": [
            {key: value for key, value in channel_payload(state, channel).items() if key != "guild_id"}
            for channel in guild.channels.values()
        ],
        "threads": [channel_payload(state, thread) for thread in state.active_threads(guild)],
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


def reaction_payloads(state: State, message: PostedMessage) -> list[dict[str, Any]]:
    """Return the reactions of a message, in the order they first came."""
    return [
        {
            "emoji": emoji_payload(emoji),
            "count": len(users),
            "count_details": {"burst": 0, "normal": len(users)},
            "burst_colors": [],
            "me_burst": False,
            "me": state.bot.id in users,
            "burst_me": False,
            "burst_count": 0,
        }
        for emoji, users in message.reactions.items()
    ]


def emoji_payload(emoji: str) -> dict[str, Any]:
    """Return an emoji object from a character or `name:id`."""
    name, _, emoji_id = emoji.partition(":")
    return {"id": emoji_id or None, "name": name}


def is_readable_without_grant(state: State, message: PostedMessage) -> bool:
    """Whether content is shown without the Message Content intent: the bot's own, in a DM, or mentioning the bot."""
    return (
        message.author is state.bot
        or state.bot.id in message.mentions
        or state.channels[message.channel_id].guild_id is None
    )


def reference_payload(reference: Reference) -> dict[str, Any]:
    """Return a message reference object."""
    payload: dict[str, Any] = {"type": reference.kind, "channel_id": str(reference.channel_id)}
    if reference.message_id is not None:
        payload["message_id"] = str(reference.message_id)
    if reference.guild_id is not None:
        payload["guild_id"] = str(reference.guild_id)
    return payload


def message_body(state: State, message: PostedMessage, *, content: bool) -> dict[str, Any]:
    """Return a message object without what it refers to; without content unless it may be shown."""
    shown = content or is_readable_without_grant(state, message)
    users = state.users
    body: dict[str, Any] = {
        "id": str(message.id),
        "channel_id": str(message.channel_id),
        "type": message.type,
        "content": message.content if shown else "",
        "author": user_payload(message.author),
        "mentions": [user_payload(users[user_id]) for user_id in message.mentions if user_id in users],
        "mention_roles": [str(role_id) for role_id in message.mention_roles],
        "mention_everyone": message.mention_everyone,
        "attachments": message.attachments if shown else [],
        "embeds": message.embeds if shown else [],
        "components": message.components if shown else [],
        "timestamp": stamp(message.created_at),
        "edited_timestamp": None if message.edited_at is None else stamp(message.edited_at),
        "flags": message.flags,
        "pinned": message.pinned,
        "tts": message.tts,
    }
    if message.nonce is not None:
        body["nonce"] = message.nonce
    if message.webhook_id is not None:
        body["webhook_id"] = str(message.webhook_id)
    if message.interaction_metadata is not None:
        body["application_id"] = str(state.application_id)
        body["interaction_metadata"] = message.interaction_metadata
    if message.interaction is not None:
        body["interaction"] = message.interaction
    if message.poll is not None and shown:
        body["poll"] = message.poll
    if message.reference is not None:
        body["message_reference"] = reference_payload(message.reference)
    if message.snapshot is not None:
        snapshot = message.snapshot
        if not shown:
            snapshot = snapshot | {"content": "", "embeds": [], "attachments": [], "components": []}
        body["message_snapshots"] = [{"message": snapshot}]
    return body


def snapshot_payload(state: State, message: PostedMessage) -> dict[str, Any]:
    """Return what a forward carries of the message it forwards."""
    body = message_body(state, message, content=True)
    keys = (
        "type",
        "content",
        "mentions",
        "mention_roles",
        "attachments",
        "embeds",
        "timestamp",
        "edited_timestamp",
        "flags",
        "components",
    )
    return {key: body[key] for key in keys}


def message_payload(state: State, message: PostedMessage, *, content: bool) -> dict[str, Any]:
    """Return a message object as REST gives it.

    A reply carries `referenced_message` as an object, as null when its target is gone, or not at all if
    the message hides it.
    """
    payload = message_body(state, message, content=content)
    reference = message.reference
    if (
        reference is not None
        and reference.kind == 0
        and reference.message_id is not None
        and not message.hides_reference
    ):
        channel = state.channels.get(reference.channel_id)
        target = None if channel is None else channel.log.get(reference.message_id)
        payload["referenced_message"] = None if target is None else message_body(state, target, content=content)
    if message.reactions:
        payload["reactions"] = reaction_payloads(state, message)
    if message.thread_id is not None and message.thread_id in state.channels:
        payload["thread"] = channel_payload(state, state.channels[message.thread_id])
    return payload


def message_event(state: State, message: PostedMessage, *, content: bool) -> dict[str, Any]:
    """Return a message object as the gateway gives it: with the guild and the members concerned."""
    payload = message_payload(state, message, content=content)
    channel = state.channels[message.channel_id]
    payload["channel_type"] = int(channel.type)
    guild = state.guild_of(channel)
    if guild is None:
        return payload
    payload["guild_id"] = str(guild.id)
    author = guild.members.get(message.author.id)
    if author is not None and message.webhook_id is None:
        payload["member"] = bare_member_payload(author) | {"mute": False, "deaf": False}
    for mention in payload["mentions"]:
        member = guild.members.get(int(mention["id"]))
        if member is not None:
            mention["member"] = bare_member_payload(member) | {"mute": False, "deaf": False}
    return payload


def permissions_text(guild: Guild, member: Member) -> str:
    """Return a member's guild-wide permissions as the decimal text Discord uses."""
    return str(int(guild_permissions(guild, member)))
