"""Reactions to messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.sandbox.world.entities import Channel, ChannelType, Member, PostedMessage, User
from bot.sandbox.world.intents import Intent
from bot.sandbox.world.payloads import emoji_payload, member_payload, place_payload

if TYPE_CHECKING:
    from bot.sandbox.world.events import Events
    from bot.sandbox.world.state import State


class Reactions:
    """The reactions to all messages. An `emoji` is a character or `name:id`."""

    def __init__(self, state: State, events: Events) -> None:
        self._state = state
        self._events = events

    def add(self, message: PostedMessage, user: User | Member | int, emoji: str) -> None:
        """Let a user react; if the user has reacted with this emoji already, nothing happens."""
        user = self._state.user(user)
        users = message.reactions.setdefault(emoji, [])
        if user.id not in users:
            users.append(user.id)
            self._emit("MESSAGE_REACTION_ADD", message, user, emoji)

    def remove(self, message: PostedMessage, user: User | Member | int, emoji: str) -> None:
        """Remove a user's reaction; without one, nothing happens."""
        user = self._state.user(user)
        users = message.reactions.get(emoji, [])
        if user.id in users:
            users.remove(user.id)
            if not users:
                del message.reactions[emoji]
            self._emit("MESSAGE_REACTION_REMOVE", message, user, emoji)

    def clear(self, message: PostedMessage, emoji: str | None = None) -> None:
        """Remove all reactions, or all with one emoji."""
        channel = self._state.channels[message.channel_id]
        data = place_payload(channel) | {"message_id": str(message.id)}
        name = "MESSAGE_REACTION_REMOVE_ALL"
        if emoji is None:
            message.reactions.clear()
        else:
            message.reactions.pop(emoji, None)
            data["emoji"] = emoji_payload(emoji)
            name = "MESSAGE_REACTION_REMOVE_EMOJI"
        self._events.emit(name, _intent_of(channel), data, channel=channel)

    def _emit(self, name: str, message: PostedMessage, user: User, emoji: str) -> None:
        channel = self._state.channels[message.channel_id]
        guild = self._state.guild_of(channel)
        data: dict[str, Any] = place_payload(channel) | {
            "user_id": str(user.id),
            "message_id": str(message.id),
            "emoji": emoji_payload(emoji),
            "burst": False,
            "type": 0,
        }
        if name == "MESSAGE_REACTION_ADD":
            data["message_author_id"] = str(message.author.id)
            if guild is not None and user.id in guild.members:
                data["member"] = member_payload(guild.members[user.id])
        self._events.emit(name, _intent_of(channel), data, channel=channel)


def _intent_of(channel: Channel) -> Intent:
    """Return the intent that brings a channel's reactions."""
    if channel.type == ChannelType.DM:
        return Intent.DIRECT_MESSAGE_REACTIONS
    return Intent.GUILD_MESSAGE_REACTIONS
