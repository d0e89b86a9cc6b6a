"""Threads and forum posts: starting them, and their members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.sandbox.world.entities import (
    HAS_THREAD,
    Channel,
    ChannelType,
    Member,
    MessageType,
    PostedMessage,
    Reference,
    User,
)
from bot.sandbox.world.intents import Intent
from bot.sandbox.world.payloads import channel_payload, thread_member_payload

if TYPE_CHECKING:
    from datetime import datetime

    from bot.sandbox.world.events import Events
    from bot.sandbox.world.messages import Messages
    from bot.sandbox.world.state import State


class Threads:
    """The threads of all channels. For archiving them see `ThreadArchive`, for deleting `ChannelRegistry`.

    `names_starter`: the message of type 21 bears the name of whoever starts the thread, not of the author of the
    message that it is started on. Discord's documentation does not say which; a client must not rely on either.
    """

    def __init__(self, state: State, events: Events, messages: Messages) -> None:
        self._state = state
        self._events = events
        self._messages = messages
        self.names_starter = False

    def start(
        self,
        parent: Channel | int,
        name: str,
        owner: User | Member | int,
        *,
        message: PostedMessage | None = None,
        private: bool = False,
        thread_id: int | None = None,
        auto_archive_minutes: int = 4320,
    ) -> Channel:
        """Start a thread, on a message or without one.

        On a message, the thread has the message's id and begins with a message of type 21. Without one, a system
        message of type 18 with the thread's id is placed in the parent, unless the thread is private.

        Raises:
            LookupError: If the parent is no guild channel.
            ValueError: If a channel has the thread's id already.
        """
        parent, owner = self._state.channel(parent), self._state.user(owner)
        if message is not None:
            thread_id = message.id
        thread = self._make(parent, name, owner, thread_id, private=private)
        thread.auto_archive_minutes = auto_archive_minutes
        if message is not None:
            message.flags |= HAS_THREAD
            message.thread_id = thread.id
        self.announce(thread)
        if message is not None:
            self._messages.update(message)
            self._messages.put(self._repeat(thread, message, owner if self.names_starter else message.author))
        elif not private:
            notice = self._messages.draft(
                parent, owner, name, mentions=(), type=int(MessageType.THREAD_CREATED), message_id=thread.id
            )
            notice.reference = Reference(thread.id, None, thread.guild_id)
            self._messages.put(notice)
        return thread

    def open_post(
        self,
        forum: Channel | int,
        title: str,
        author: User | Member | int,
        content: str = "",
        *,
        post_id: int | None = None,
        **details: Any,
    ) -> Channel:
        """Open a post in a forum: a thread whose first message has the thread's id."""
        forum, author = self._state.channel(forum), self._state.user(author)
        thread = self._make(forum, title, author, post_id, private=False)
        self.announce(thread)
        self._messages.post(thread, author, content, message_id=thread.id, **details)
        return thread

    def load(
        self,
        parent: Channel | int,
        name: str,
        owner: User | Member | int,
        *,
        thread_id: int | None = None,
        private: bool = False,
        archived_at: datetime | None = None,
    ) -> Channel:
        """Make a past thread without an event and without a first message."""
        thread = self._make(self._state.channel(parent), name, self._state.user(owner), thread_id, private=private)
        if archived_at is not None:
            thread.archived, thread.archived_at = True, archived_at
        return thread

    def announce(self, thread: Channel) -> None:
        """Send THREAD_CREATE for a new thread."""
        data = channel_payload(self._state, thread) | {"newly_created": True}
        self._events.emit("THREAD_CREATE", Intent.GUILDS, data, channel=thread)

    def join(self, thread: Channel | int, user: User | Member | int) -> None:
        """Make a user a member of a thread.

        For the bot itself THREAD_CREATE is sent, for others THREAD_MEMBERS_UPDATE with the members intent.
        """
        thread, user = self._state.channel(thread), self._state.user(user)
        if user.id in thread.joined:
            return
        thread.joined[user.id] = self._state.now()
        if user is self._state.bot:
            self._events.emit("THREAD_CREATE", Intent.GUILDS, channel_payload(self._state, thread), channel=thread)
            return
        data = {
            "id": str(thread.id),
            "guild_id": str(thread.guild_id),
            "member_count": len(thread.joined),
            "added_members": [thread_member_payload(thread, user.id)],
        }
        self._events.emit("THREAD_MEMBERS_UPDATE", Intent.GUILD_MEMBERS, data, channel=thread)

    def leave(self, thread: Channel | int, user: User | Member | int) -> None:
        """Remove a user from a thread; if the user is not in it, nothing happens."""
        thread, user = self._state.channel(thread), self._state.user(user)
        if thread.joined.pop(user.id, None) is None:
            return
        data = {
            "id": str(thread.id),
            "guild_id": str(thread.guild_id),
            "member_count": len(thread.joined),
            "removed_member_ids": [str(user.id)],
        }
        intent = Intent.GUILDS if user is self._state.bot else Intent.GUILD_MEMBERS
        self._events.emit("THREAD_MEMBERS_UPDATE", intent, data, channel=thread)

    def _make(self, parent: Channel, name: str, owner: User, thread_id: int | None, *, private: bool) -> Channel:
        guild = self._state.guild_of(parent)
        if guild is None or parent.is_thread:
            raise LookupError("a thread starts in a guild channel")
        kind = ChannelType.PUBLIC_THREAD
        if private:
            kind = ChannelType.PRIVATE_THREAD
        elif parent.type == ChannelType.NEWS:
            kind = ChannelType.NEWS_THREAD
        made = self._state.ids.make() if thread_id is None else thread_id
        if made in self._state.channels:
            raise ValueError(f"there is a channel {made} already")
        thread = Channel(made, kind, name, guild.id, parent_id=parent.id, owner_id=owner.id)
        thread.joined[owner.id] = self._state.now()
        guild.threads[thread.id] = thread
        self._state.channels[thread.id] = thread
        if parent.type == ChannelType.FORUM:
            parent.last_message_id = max(parent.last_message_id or 0, thread.id)
        return thread

    def _repeat(self, thread: Channel, message: PostedMessage, author: User) -> PostedMessage:
        first = self._messages.draft(
            thread,
            author,
            mentions=(),
            type=int(MessageType.THREAD_STARTER),
            message_id=thread.id,
        )
        first.reference = Reference(message.channel_id, message.id, thread.guild_id)
        return first
