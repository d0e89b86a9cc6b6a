"""Threads and forum posts: how they begin, fall asleep and wake up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.sandbox.entities import (
    HAS_THREAD,
    Channel,
    ChannelType,
    Member,
    MessageType,
    PostedMessage,
    Reference,
    User,
)
from bot.sandbox.intents import Intent
from bot.sandbox.payloads import channel_payload, thread_member_payload
from bot.sandbox.posts import Posts

if TYPE_CHECKING:
    from datetime import datetime


class Threads(Posts):
    """The part of the world that is threads."""

    def start_thread(
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

        On a message, the thread has the message's id and begins with a message of type 21 by the same
        author. Without one, a system message of type 18 with the thread's id stands in the parent, unless
        the thread is private.
        """
        parent, owner = self.channel(parent), self.user(owner)
        if message is not None:
            thread_id = message.id
        thread = self._make(parent, name, owner, thread_id, private=private)
        thread.auto_archive_minutes = auto_archive_minutes
        if message is not None:
            message.flags |= HAS_THREAD
            message.thread_id = thread.id
        self.announce_thread(thread)
        if message is not None:
            self.update(message)
            self.put(self._repeat(thread, message))
        elif not private:
            notice = self.draft(
                parent, owner, name, mentions=(), type=int(MessageType.THREAD_CREATED), message_id=thread.id
            )
            notice.reference = Reference(thread.id, None, thread.guild_id)
            self.put(notice)
        return thread

    def create_post(
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
        forum, author = self.channel(forum), self.user(author)
        thread = self._make(forum, title, author, post_id, private=False)
        self.announce_thread(thread)
        self.post(thread, author, content, message_id=thread.id, **details)
        return thread

    def load_thread(
        self,
        parent: Channel | int,
        name: str,
        owner: User | Member | int,
        *,
        thread_id: int | None = None,
        private: bool = False,
        archived_at: datetime | None = None,
    ) -> Channel:
        """Put a past thread in place without telling anyone and without a first message."""
        thread = self._make(self.channel(parent), name, self.user(owner), thread_id, private=private)
        if archived_at is not None:
            thread.archived, thread.archived_at = True, archived_at
        return thread

    def archive_thread(self, thread: Channel | int, *, archived: bool = True, locked: bool | None = None) -> None:
        """Archive a thread or take it out of the archive."""
        thread = self.channel(thread)
        thread.archived = archived
        thread.archived_at = self.now()
        thread.locked = thread.locked if locked is None else locked
        self._thread_event("THREAD_UPDATE", thread)

    def revive(self, thread: Channel) -> None:
        """Take a thread out of the archive and tell the bot."""
        self.archive_thread(thread, archived=False)

    def join_thread(self, thread: Channel | int, user: User | Member | int) -> None:
        """Make a user a member of a thread; the bot is told of itself, or of others with the member intent."""
        thread, user = self.channel(thread), self.user(user)
        if user.id in thread.joined:
            return
        thread.joined[user.id] = self.now()
        if user is self.bot:
            self._thread_event("THREAD_CREATE", thread)
            return
        data = {
            "id": str(thread.id),
            "guild_id": str(thread.guild_id),
            "member_count": len(thread.joined),
            "added_members": [thread_member_payload(thread, user.id)],
        }
        self.emit("THREAD_MEMBERS_UPDATE", Intent.GUILD_MEMBERS, data, channel=thread)

    def leave_thread(self, thread: Channel | int, user: User | Member | int) -> None:
        """Take a user out of a thread."""
        thread, user = self.channel(thread), self.user(user)
        if thread.joined.pop(user.id, None) is None:
            return
        data = {
            "id": str(thread.id),
            "guild_id": str(thread.guild_id),
            "member_count": len(thread.joined),
            "removed_member_ids": [str(user.id)],
        }
        intent = Intent.GUILDS if user is self.bot else Intent.GUILD_MEMBERS
        self.emit("THREAD_MEMBERS_UPDATE", intent, data, channel=thread)

    def _make(self, parent: Channel, name: str, owner: User, thread_id: int | None, *, private: bool) -> Channel:
        guild = self.guild_of(parent)
        if guild is None or parent.is_thread:
            raise LookupError("a thread starts in a guild channel")
        kind = ChannelType.PUBLIC_THREAD
        if private:
            kind = ChannelType.PRIVATE_THREAD
        elif parent.type == ChannelType.NEWS:
            kind = ChannelType.NEWS_THREAD
        made = self.ids.make() if thread_id is None else thread_id
        if made in self.channels:
            raise ValueError(f"there is a channel {made} already")
        thread = Channel(made, kind, name, guild.id, parent_id=parent.id, owner_id=owner.id)
        thread.joined[owner.id] = self.now()
        guild.threads[thread.id] = thread
        self.channels[thread.id] = thread
        if parent.type == ChannelType.FORUM:
            parent.last_message_id = max(parent.last_message_id or 0, thread.id)
        return thread

    def _repeat(self, thread: Channel, message: PostedMessage) -> PostedMessage:
        first = self.draft(
            thread,
            message.author,
            mentions=(),
            type=int(MessageType.THREAD_STARTER),
            message_id=thread.id,
        )
        first.reference = Reference(message.channel_id, message.id, thread.guild_id)
        return first

    def announce_thread(self, thread: Channel) -> None:
        """Tell the bot of a new thread."""
        data = channel_payload(self, thread) | {"newly_created": True}
        self.emit("THREAD_CREATE", Intent.GUILDS, data, channel=thread)

    def _thread_event(self, name: str, thread: Channel) -> None:
        self.emit(name, Intent.GUILDS, channel_payload(self, thread), channel=thread)
