"""Events that Discord sends to a bot with Spade's intents, or might, and of which Spade makes nothing.

They are written after Discord's documentation of the gateway; the ids are those of a real place of the sandbox.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.sandbox.world.payloads import (
    bare_member_payload,
    channel_payload,
    guild_payload,
    member_payload,
    role_payload,
    thread_member_payload,
    user_payload,
)

if TYPE_CHECKING:
    from bot.sandbox import Channel, Guild, PostedMessage, User
    from bot.sandbox.world.state import State

_AT = "2026-03-02T12:00:00.000000+00:00"
_NUMBER = "1234567890123456789"
Events = dict[str, dict[str, Any]]


def foreign_events(state: State, guild: Guild, room: Channel, thread: Channel, message: PostedMessage) -> Events:
    """One whole payload of each, about a guild, a channel and a thread of it, and a message by a member."""
    member = guild.members[message.author.id]
    user = user_payload(message.author)
    place = {"guild_id": str(guild.id), "channel_id": str(room.id)}
    return {
        **_about_messages(place, message, user, member_payload(member)),
        **_about_moderation(place, user, str(message.id)),
        **_about_integrations(place, user),
        **_about_voice(place, user, member_payload(member)),
        **_about_scheduled_events(place, user),
        **_about_things_for_sale(str(guild.id), str(message.author.id)),
        **_about_people(guild, user, bare_member_payload(member), place),
        **_about_threads(state, guild, thread),
        "GUILD_UPDATE": guild_payload(guild),
        "USER_UPDATE": user_payload(state.bot) | {"verified": True, "mfa_enabled": True, "email": None},
        "GUILD_ROLE_CREATE": {"guild_id": str(guild.id), "role": role_payload(guild.roles[guild.id])},
    }


def _emoji() -> dict[str, Any]:
    return {"id": None, "name": "🌱", "animated": False}


def _about_messages(
    place: dict[str, Any], message: PostedMessage, user: dict[str, Any], member: dict[str, Any]
) -> Events:
    reaction = place | {"message_id": str(message.id), "emoji": _emoji(), "burst": False, "type": 0}
    vote = place | {"user_id": user["id"], "message_id": str(message.id), "answer_id": 1}
    author = {"message_author_id": user["id"], "user_id": user["id"]}
    return {
        "MESSAGE_REACTION_ADD": reaction | author | {"member": member, "burst_colors": ["#aabbcc"]},
        "MESSAGE_REACTION_REMOVE": reaction | {"user_id": user["id"]},
        "MESSAGE_REACTION_REMOVE_EMOJI": place | {"message_id": str(message.id), "emoji": _emoji()},
        "MESSAGE_REACTION_REMOVE_ALL": place | {"message_id": str(message.id)},
        "MESSAGE_POLL_VOTE_ADD": vote,
        "MESSAGE_POLL_VOTE_REMOVE": vote,
        "CHANNEL_PINS_UPDATE": place | {"last_pin_timestamp": _AT},
        "TYPING_START": place | {"user_id": user["id"], "timestamp": 1_772_000_000, "member": member},
    }


def _about_moderation(place: dict[str, Any], user: dict[str, Any], message_id: str) -> Events:
    action = {"type": 1, "metadata": {"channel_id": place["channel_id"], "custom_message": "no"}}
    rule = {
        "id": _NUMBER,
        "guild_id": place["guild_id"],
        "name": "words",
        "creator_id": user["id"],
        "event_type": 1,
        "trigger_type": 1,
        "trigger_metadata": {
            "keyword_filter": ["bad"],
            "regex_patterns": [],
            "presets": [1],
            "allow_list": [],
            "mention_total_limit": 5,
            "mention_raid_protection_enabled": False,
        },
        "actions": [action],
        "enabled": True,
        "exempt_roles": [place["guild_id"]],
        "exempt_channels": [place["channel_id"]],
    }
    executed = place | {
        "action": action,
        "rule_id": _NUMBER,
        "rule_trigger_type": 1,
        "user_id": user["id"],
        "message_id": message_id,
        "alert_system_message_id": _NUMBER,
        "content": "",
        "matched_keyword": "bad",
        "matched_content": "",
    }
    entry = {
        "id": _NUMBER,
        "guild_id": place["guild_id"],
        "user_id": user["id"],
        "target_id": user["id"],
        "action_type": 24,
        "changes": [{"key": "nick", "old_value": "a", "new_value": "b"}],
        "options": {"channel_id": place["channel_id"], "count": "1", "message_id": message_id},
        "reason": "why not",
    }
    return {
        "AUTO_MODERATION_RULE_CREATE": rule,
        "AUTO_MODERATION_RULE_UPDATE": rule,
        "AUTO_MODERATION_RULE_DELETE": rule,
        "AUTO_MODERATION_ACTION_EXECUTION": executed,
        "GUILD_AUDIT_LOG_ENTRY_CREATE": entry,
        "GUILD_BAN_ADD": {"guild_id": place["guild_id"], "user": user},
        "GUILD_BAN_REMOVE": {"guild_id": place["guild_id"], "user": user},
    }


def _about_integrations(place: dict[str, Any], user: dict[str, Any]) -> Events:
    application = {
        "id": _NUMBER,
        "name": "an app",
        "icon": None,
        "description": "",
        "bot": user | {"bot": True, "id": _NUMBER},
    }
    integration = {
        "guild_id": place["guild_id"],
        "id": _NUMBER,
        "name": "an app",
        "type": "discord",
        "enabled": True,
        "user": user,
        "account": {"id": _NUMBER, "name": "an app"},
        "application": application,
        "scopes": ["bot", "applications.commands"],
    }
    permission = {"id": place["guild_id"], "type": 1, "permission": True}
    return {
        "GUILD_INTEGRATIONS_UPDATE": {"guild_id": place["guild_id"]},
        "INTEGRATION_CREATE": integration,
        "INTEGRATION_UPDATE": integration,
        "INTEGRATION_DELETE": {"id": _NUMBER, "guild_id": place["guild_id"], "application_id": _NUMBER},
        "WEBHOOKS_UPDATE": place,
        "APPLICATION_COMMAND_PERMISSIONS_UPDATE": {
            "id": _NUMBER,
            "application_id": _NUMBER,
            "guild_id": place["guild_id"],
            "permissions": [permission],
        },
        "INVITE_CREATE": place
        | {
            "code": "seedling",
            "created_at": _AT,
            "expires_at": None,
            "inviter": user,
            "max_age": 3600,
            "max_uses": 1,
            "target_type": 1,
            "target_user": user,
            "target_application": application,
            "temporary": False,
            "uses": 0,
        },
        "INVITE_DELETE": place | {"code": "seedling"},
    }


def _about_voice(place: dict[str, Any], user: dict[str, Any], member: dict[str, Any]) -> Events:
    stage = place | {
        "id": _NUMBER,
        "topic": "talk",
        "privacy_level": 2,
        "discoverable_disabled": False,
        "guild_scheduled_event_id": None,
    }
    sound = {
        "name": "quack",
        "sound_id": _NUMBER,
        "volume": 0.5,
        "emoji_id": None,
        "emoji_name": "🦆",
        "guild_id": place["guild_id"],
        "available": True,
        "user": user,
    }
    return {
        "VOICE_STATE_UPDATE": place
        | {
            "user_id": user["id"],
            "member": member,
            "session_id": "voice",
            "deaf": False,
            "mute": False,
            "self_deaf": False,
            "self_mute": True,
            "self_stream": False,
            "self_video": False,
            "suppress": False,
            "request_to_speak_timestamp": None,
        },
        "VOICE_SERVER_UPDATE": {"token": "voice", "guild_id": place["guild_id"], "endpoint": "voice.example"},
        "VOICE_CHANNEL_EFFECT_SEND": place
        | {
            "user_id": user["id"],
            "emoji": _emoji(),
            "animation_type": 0,
            "animation_id": 3,
            "sound_id": 1,
            "sound_volume": 0.5,
        },
        "VOICE_CHANNEL_STATUS_UPDATE": {
            "id": place["channel_id"],
            "guild_id": place["guild_id"],
            "status": "reading aloud",
        },
        "STAGE_INSTANCE_CREATE": stage,
        "STAGE_INSTANCE_UPDATE": stage,
        "STAGE_INSTANCE_DELETE": stage,
        "GUILD_SOUNDBOARD_SOUND_CREATE": sound,
        "GUILD_SOUNDBOARD_SOUND_UPDATE": sound,
        "GUILD_SOUNDBOARD_SOUND_DELETE": {"sound_id": _NUMBER, "guild_id": place["guild_id"]},
        "GUILD_SOUNDBOARD_SOUNDS_UPDATE": {"soundboard_sounds": [sound], "guild_id": place["guild_id"]},
        "SOUNDBOARD_SOUNDS": {"soundboard_sounds": [sound], "guild_id": place["guild_id"]},
    }


def _about_scheduled_events(place: dict[str, Any], user: dict[str, Any]) -> Events:
    event = place | {
        "id": _NUMBER,
        "creator_id": user["id"],
        "name": "planting",
        "description": None,
        "scheduled_start_time": _AT,
        "scheduled_end_time": None,
        "privacy_level": 2,
        "status": 1,
        "entity_type": 3,
        "entity_id": None,
        "entity_metadata": {"location": "the garden"},
        "creator": user,
        "user_count": 3,
        "image": None,
        "recurrence_rule": {"start": _AT, "end": None, "frequency": 2, "interval": 1, "by_weekday": [0]},
    }
    interest = {"guild_scheduled_event_id": _NUMBER, "user_id": user["id"], "guild_id": place["guild_id"]}
    return {
        "GUILD_SCHEDULED_EVENT_CREATE": event,
        "GUILD_SCHEDULED_EVENT_UPDATE": event,
        "GUILD_SCHEDULED_EVENT_DELETE": event,
        "GUILD_SCHEDULED_EVENT_USER_ADD": interest,
        "GUILD_SCHEDULED_EVENT_USER_REMOVE": interest,
    }


def _about_things_for_sale(guild_id: str, user_id: str) -> Events:
    entitlement = {
        "id": _NUMBER,
        "sku_id": _NUMBER,
        "application_id": _NUMBER,
        "user_id": user_id,
        "guild_id": guild_id,
        "type": 8,
        "deleted": False,
        "consumed": False,
        "starts_at": _AT,
        "ends_at": None,
    }
    subscription = {
        "id": _NUMBER,
        "user_id": user_id,
        "sku_ids": [_NUMBER],
        "renewal_sku_ids": [],
        "entitlement_ids": [_NUMBER],
        "current_period_start": _AT,
        "current_period_end": _AT,
        "status": 0,
        "canceled_at": None,
    }
    kinds = ("CREATE", "UPDATE", "DELETE")
    return {
        **{f"ENTITLEMENT_{kind}": entitlement for kind in kinds},
        **{f"SUBSCRIPTION_{kind}": subscription for kind in kinds},
    }


def _about_people(guild: Guild, user: dict[str, Any], member: dict[str, Any], place: dict[str, Any]) -> Events:
    emoji = {
        "id": _NUMBER,
        "name": "spade",
        "roles": [str(guild.id)],
        "user": user,
        "require_colons": True,
        "managed": False,
        "animated": False,
        "available": True,
    }
    sticker = {
        "id": _NUMBER,
        "name": "spade",
        "description": None,
        "tags": "spade",
        "type": 2,
        "format_type": 1,
        "available": True,
        "guild_id": str(guild.id),
        "user": user,
        "sort_value": 1,
    }
    activity = {
        "name": "gardening",
        "type": 0,
        "url": None,
        "created_at": 1_772_000_000_000,
        "timestamps": {"start": 1_772_000_000_000},
        "application_id": _NUMBER,
        "details": None,
        "state": None,
        "emoji": {"name": "🌱"},
        "party": {"id": "party", "size": [1, 2]},
        "assets": {"large_image": "large", "large_text": "text"},
        "buttons": ["dig"],
    }
    presence = {"user": {"id": user["id"]}, "guild_id": str(guild.id), "status": "idle", "activities": [activity]}
    return {
        "PRESENCE_UPDATE": presence | {"client_status": {"desktop": "idle"}},
        "GUILD_MEMBER_ADD": member | {"user": user, "guild_id": str(guild.id)},
        "GUILD_MEMBER_REMOVE": {"user": user | {"id": _NUMBER}, "guild_id": str(guild.id)},
        "GUILD_MEMBERS_CHUNK": {
            "guild_id": str(guild.id),
            "members": [member | {"user": user}],
            "chunk_index": 0,
            "chunk_count": 1,
            "not_found": [_NUMBER],
            "presences": [presence],
            "nonce": "nobody asked",
        },
        "GUILD_EMOJIS_UPDATE": {"guild_id": str(guild.id), "emojis": [emoji]},
        "GUILD_STICKERS_UPDATE": {"guild_id": str(guild.id), "stickers": [sticker]},
        "CHANNEL_INFO": {"guild_id": place["guild_id"], "channels": [{"id": place["channel_id"], "status": None}]},
        "RATE_LIMITED": {"opcode": 8, "retry_after": 1.0, "meta": {"guild_id": str(guild.id), "nonce": "nobody"}},
        "AN_EVENT_OF_TOMORROW": {"guild_id": str(guild.id), "user": user, "things": [{"id": _NUMBER}]},
    }


def _about_threads(state: State, guild: Guild, thread: Channel) -> Events:
    owner: User = state.users[thread.owner_id or guild.owner_id]
    joined = thread_member_payload(thread, owner.id)
    return {
        "THREAD_LIST_SYNC": {
            "guild_id": str(guild.id),
            "channel_ids": [str(one) for one in guild.channels],
            "threads": [channel_payload(state, one) for one in state.active_threads(guild)],
            "members": [joined],
        },
        "THREAD_MEMBER_UPDATE": joined | {"guild_id": str(guild.id)},
        "THREAD_MEMBERS_UPDATE": {
            "id": str(thread.id),
            "guild_id": str(guild.id),
            "member_count": 2,
            "added_members": [joined | {"member": member_payload(guild.members[owner.id]), "presence": None}],
            "removed_member_ids": [_NUMBER],
        },
    }
