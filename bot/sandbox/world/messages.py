"""Messages: posting, editing, deleting and pinning them, and loading past ones without an event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.sandbox.world.entities import (
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
from bot.sandbox.world.intents import Intent
from bot.sandbox.world.mentions import mentions_in
from bot.sandbox.world.payloads import message_event, place_payload, snapshot_payload
from bot.sandbox.world.snowflakes import stamp

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.sandbox.world.archive import ThreadArchive
    from bot.sandbox.world.events import Events
    from bot.sandbox.world.state import State


class Messages:
    """The messages of all channels. A person needs no permission here to write; the bot's are checked by REST."""

    def __init__(self, state: State, events: Events, archive: ThreadArchive) -> None:
        self._state = state
        self._events = events
        self._archive = archive

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
        """Make a message without placing it in its channel.

        Its mentions are read from the content unless `mentions`, `mention_roles` or `mention_everyone` are
        given; a reply also mentions its target's author unless `ping_reply` is off or `mentions` is given. A
        `reply_to` given as an id may be that of a message that was deleted or never existed. `hides_reference`
        leaves `referenced_message` out of the payload (unknown, rather than deleted).
        """
        state = self._state
        channel, author = state.channel(channel), state.user(author)
        named = mentions_in(state, channel, content)
        message = PostedMessage(
            state.ids.make() if message_id is None else message_id,
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
        who = list(named.users) if mentions is None else [state.user(user).id for user in mentions]
        if reply_to is not None:
            target_id = reply_to if isinstance(reply_to, int) else reply_to.id
            message.type = int(MessageType.REPLY) if type is None else type
            message.reference = Reference(channel.id, target_id, channel.guild_id)
            target = channel.log.get(target_id)
            if mentions is None and ping_reply and target is not None:
                who.append(target.author.id)
        if forward is not None:
            source = state.channel(forward.channel_id)
            message.reference = Reference(source.id, forward.id, source.guild_id, kind=1)
            message.snapshot = snapshot_payload(state, forward)
            message.flags |= HAS_SNAPSHOT
        message.mentions = tuple(dict.fromkeys(who))
        message.pings = Pings(frozenset(message.mentions), frozenset(message.mention_roles), message.mention_everyone)
        return message

    def post(
        self, channel: Channel | int, author: User | Member | int, content: str = "", **details: Any
    ) -> PostedMessage:
        """Make a message and place it in its channel: MESSAGE_CREATE. The details are those of `draft`."""
        return self.put(self.draft(channel, author, content, **details))

    def put(self, message: PostedMessage) -> PostedMessage:
        """Place a message in its channel: MESSAGE_CREATE. An archived thread is reopened by it.

        Raises:
            ValueError: If the channel holds a message with this id.
        """
        channel = self._state.channels[message.channel_id]
        if channel.archived and message.type != MessageType.THREAD_STARTER:
            self._archive.remove(channel)
        channel.log.add(message)
        channel.last_message_id = max(channel.last_message_id or 0, message.id)
        if channel.is_thread and message.id != channel.id:
            channel.total_sent += 1
        self._emit("MESSAGE_CREATE", message)
        return message

    def load(self, channel: Channel | int, messages: Iterable[PostedMessage]) -> int:
        """Place past messages in a channel without events; returns how many messages were new.

        The messages come from `draft` or are made as `PostedMessage` with their own ids.
        """
        channel = self._state.channel(channel)
        count = channel.log.load(messages)
        newest = channel.log.newest(1)
        if newest:
            channel.last_message_id = max(channel.last_message_id or 0, newest[0].id)
        if channel.is_thread:
            channel.total_sent += count
        return count

    def edit(self, message: PostedMessage, content: str) -> None:
        """Change a message's text."""
        message.content = content
        self.touch(message)

    def touch(self, message: PostedMessage) -> None:
        """Mark a message as edited now: MESSAGE_UPDATE."""
        message.edited_at = self._state.now()
        self._emit("MESSAGE_UPDATE", message)

    def update(self, message: PostedMessage) -> None:
        """Send MESSAGE_UPDATE for a change that is not an edit (a thread, an embed)."""
        self._emit("MESSAGE_UPDATE", message)

    def delete(self, message: PostedMessage) -> None:
        """Delete one message.

        Raises:
            LookupError: If its channel does not hold it.
        """
        channel = self._state.channels[message.channel_id]
        if channel.log.remove(message.id) is None:
            raise LookupError(f"message {message.id} is not in {channel.name}")
        data = place_payload(channel) | {"id": str(message.id)}
        self._events.emit("MESSAGE_DELETE", _intent_of(channel), data, channel=channel)

    def delete_many(self, messages: Iterable[PostedMessage]) -> None:
        """Delete several messages of one channel with one event."""
        messages = list(messages)
        channel = self._state.channels[messages[0].channel_id]
        gone = [str(m.id) for m in messages if channel.log.remove(m.id) is not None]
        data = place_payload(channel) | {"ids": gone}
        self._events.emit("MESSAGE_DELETE_BULK", _intent_of(channel), data, channel=channel)

    def pin(self, message: PostedMessage, *, pinned: bool = True) -> None:
        """Pin a message, or unpin it."""
        message.pinned = pinned
        channel = self._state.channels[message.channel_id]
        data = place_payload(channel) | {"last_pin_timestamp": stamp(self._state.now())}
        self._events.emit("CHANNEL_PINS_UPDATE", Intent.GUILDS, data, channel=channel)
        self._emit("MESSAGE_UPDATE", message)

    def _emit(self, name: str, message: PostedMessage) -> None:
        channel = self._state.channels[message.channel_id]
        self._events.emit(
            name,
            _intent_of(channel),
            lambda content: message_event(self._state, message, content=content),
            channel=channel,
            message=message,
        )


def _intent_of(channel: Channel) -> Intent:
    """Return the intent that brings a channel's messages."""
    return Intent.DIRECT_MESSAGES if channel.type == ChannelType.DM else Intent.GUILD_MESSAGES
