"""Messages: posting, editing, deleting, reacting, and loading a past without telling anyone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.sandbox.entities import (
    HAS_SNAPSHOT,
    Channel,
    ChannelType,
    Member,
    MessageType,
    Pings,
    PostedMessage,
    Reference,
    User,
)
from bot.sandbox.intents import Intent
from bot.sandbox.mentions import named_in
from bot.sandbox.payloads import emoji_payload, member_payload, message_body, message_event
from bot.sandbox.rooms import Rooms
from bot.sandbox.snowflakes import stamp

if TYPE_CHECKING:
    from collections.abc import Iterable


class Posts(Rooms):
    """The part of the world that is messages. What a person writes needs no permission here."""

    def draft(
        self,
        channel: Channel | int,
        author: User | Member | int,
        content: str = "",
        *,
        reply_to: PostedMessage | int | None = None,
        ping_reply: bool = True,
        hides_reference: bool = False,
        mentions: Iterable[User | Member | int] | None = None,
        mention_roles: Iterable[int] | None = None,
        mention_everyone: bool | None = None,
        forward: PostedMessage | None = None,
        type: int | None = None,  # noqa: A002  (Discord's own name for it)
        message_id: int | None = None,
        embeds: Iterable[dict[str, Any]] = (),
        attachments: Iterable[dict[str, Any]] = (),
        poll: dict[str, Any] | None = None,
    ) -> PostedMessage:
        """Make a message that stands nowhere yet.

        Whom it names is read from the content unless `mentions`, `mention_roles` or `mention_everyone` say
        it; a reply also names its target's author unless `ping_reply` is off or `mentions` is given. A
        `reply_to` given as an id may be one that never existed or is gone. `hides_reference` leaves
        `referenced_message` out of the payload (unknown, rather than deleted).
        """
        channel, author = self.channel(channel), self.user(author)
        named = named_in(self, channel, content)
        message = PostedMessage(
            self.ids.make() if message_id is None else message_id,
            channel.id,
            author,
            content,
            type=int(MessageType.DEFAULT) if type is None else type,
            mention_roles=named.roles if mention_roles is None else tuple(mention_roles),
            mention_everyone=named.everyone if mention_everyone is None else mention_everyone,
            hides_reference=hides_reference,
            embeds=list(embeds),
            attachments=list(attachments),
            poll=poll,
            webhook_id=author.id if author.webhook else None,
        )
        who = list(named.users) if mentions is None else [self.user(user).id for user in mentions]
        if reply_to is not None:
            target_id = reply_to if isinstance(reply_to, int) else reply_to.id
            message.type = int(MessageType.REPLY) if type is None else type
            message.reference = Reference(channel.id, target_id, channel.guild_id)
            target = channel.log.get(target_id)
            if mentions is None and ping_reply and target is not None:
                who.append(target.author.id)
        if forward is not None:
            source = self.channel(forward.channel_id)
            message.reference = Reference(source.id, forward.id, source.guild_id, kind=1)
            message.snapshot = self._snapshot(forward)
            message.flags |= HAS_SNAPSHOT
        message.mentions = tuple(dict.fromkeys(who))
        message.pings = Pings(frozenset(message.mentions), frozenset(message.mention_roles), message.mention_everyone)
        return message

    def post(
        self, channel: Channel | int, author: User | Member | int, content: str = "", **details: Any
    ) -> PostedMessage:
        """Write a message and tell the bot; the details are those of `draft`."""
        return self.put(self.draft(channel, author, content, **details))

    def put(self, message: PostedMessage) -> PostedMessage:
        """Place a made message in its channel and tell the bot."""
        channel = self.channels[message.channel_id]
        if channel.archived and message.type != MessageType.THREAD_STARTER:
            self.revive(channel)
        channel.log.add(message)
        channel.last_message_id = max(channel.last_message_id or 0, message.id)
        if channel.is_thread and message.id != channel.id:
            channel.total_sent += 1
        self._message_event("MESSAGE_CREATE", message)
        return message

    def load_messages(self, channel: Channel | int, messages: Iterable[PostedMessage]) -> int:
        """Put a past into a channel without telling anyone; returns how many messages were new.

        The messages come from `draft` or are made as `PostedMessage` with their own ids.
        """
        channel = self.channel(channel)
        count = channel.log.load(messages)
        newest = channel.log.newest(1)
        if newest:
            channel.last_message_id = max(channel.last_message_id or 0, newest[0].id)
        if channel.is_thread:
            channel.total_sent += count
        return count

    def revive(self, thread: Channel) -> None:
        """Take a thread out of the archive."""
        thread.archived = False
        thread.archived_at = self.now()

    def edit(self, message: PostedMessage, content: str) -> None:
        """Change a message's text."""
        message.content = content
        self.touch(message)

    def touch(self, message: PostedMessage) -> None:
        """Mark a message as edited now and tell the bot."""
        message.edited_at = self.now()
        self._message_event("MESSAGE_UPDATE", message)

    def update(self, message: PostedMessage) -> None:
        """Tell the bot that something about a message changed that is not an edit (a thread, an embed)."""
        self._message_event("MESSAGE_UPDATE", message)

    def delete(self, message: PostedMessage) -> None:
        """Delete one message."""
        channel = self.channels[message.channel_id]
        if channel.log.remove(message.id) is None:
            raise LookupError(f"message {message.id} is not in {channel.name}")
        data = self._place(channel) | {"id": str(message.id)}
        self.emit("MESSAGE_DELETE", self.message_intent(channel), data, channel=channel)

    def delete_many(self, messages: Iterable[PostedMessage]) -> None:
        """Delete several messages of one channel with one event."""
        messages = list(messages)
        channel = self.channels[messages[0].channel_id]
        gone = [str(m.id) for m in messages if channel.log.remove(m.id) is not None]
        data = self._place(channel) | {"ids": gone}
        self.emit("MESSAGE_DELETE_BULK", self.message_intent(channel), data, channel=channel)

    def react(self, message: PostedMessage, user: User | Member | int, emoji: str) -> None:
        """Let a user react; `emoji` is a character or `name:id`."""
        user = self.user(user)
        users = message.reactions.setdefault(emoji, [])
        if user.id not in users:
            users.append(user.id)
            self._reaction_event("MESSAGE_REACTION_ADD", message, user, emoji)

    def unreact(self, message: PostedMessage, user: User | Member | int, emoji: str) -> None:
        """Take a user's reaction back; without one, nothing happens."""
        user = self.user(user)
        users = message.reactions.get(emoji, [])
        if user.id in users:
            users.remove(user.id)
            if not users:
                del message.reactions[emoji]
            self._reaction_event("MESSAGE_REACTION_REMOVE", message, user, emoji)

    def clear_reactions(self, message: PostedMessage, emoji: str | None = None) -> None:
        """Remove all reactions, or all with one emoji."""
        channel = self.channels[message.channel_id]
        data = self._place(channel) | {"message_id": str(message.id)}
        name = "MESSAGE_REACTION_REMOVE_ALL"
        if emoji is None:
            message.reactions.clear()
        else:
            message.reactions.pop(emoji, None)
            data["emoji"] = emoji_payload(emoji)
            name = "MESSAGE_REACTION_REMOVE_EMOJI"
        self.emit(name, self.reaction_intent(channel), data, channel=channel)

    def pin(self, message: PostedMessage, *, pinned: bool = True) -> None:
        """Pin a message, or take the pin off."""
        message.pinned = pinned
        channel = self.channels[message.channel_id]
        data = self._place(channel) | {"last_pin_timestamp": stamp(self.now())}
        self.emit("CHANNEL_PINS_UPDATE", Intent.GUILDS, data, channel=channel)
        self._message_event("MESSAGE_UPDATE", message)

    def message_intent(self, channel: Channel) -> Intent:
        """Return the intent that brings a channel's messages."""
        return Intent.DIRECT_MESSAGES if channel.type == ChannelType.DM else Intent.GUILD_MESSAGES

    def reaction_intent(self, channel: Channel) -> Intent:
        """Return the intent that brings a channel's reactions."""
        if channel.type == ChannelType.DM:
            return Intent.DIRECT_MESSAGE_REACTIONS
        return Intent.GUILD_MESSAGE_REACTIONS

    def _message_event(self, name: str, message: PostedMessage) -> None:
        channel = self.channels[message.channel_id]
        self.emit(
            name,
            self.message_intent(channel),
            lambda content: message_event(self, message, content=content),
            channel=channel,
            message=message,
        )

    def _reaction_event(self, name: str, message: PostedMessage, user: User, emoji: str) -> None:
        channel = self.channels[message.channel_id]
        guild = self.guild_of(channel)
        data = self._place(channel) | {
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
        self.emit(name, self.reaction_intent(channel), data, channel=channel)

    def _place(self, channel: Channel) -> dict[str, Any]:
        place: dict[str, Any] = {"channel_id": str(channel.id)}
        if channel.guild_id is not None:
            place["guild_id"] = str(channel.guild_id)
        return place

    def _snapshot(self, message: PostedMessage) -> dict[str, Any]:
        body = message_body(self, message, content=True)
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
