"""A small Discord server in memory: what it has, what it shows Spade, and what an export of it holds.

Beside each message and channel stands what Spade can have seen of it, for the plain calculation (`oracle.py`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any

from bot.domain.message import Message, MessageKind
from bot.domain.snowflake import first_id_at, moment_of
from bot.domain.stretch import Place
from bot.services.record.channel_snapshot import ChannelSnapshot
from bot.services.record.history import PAGE, GoneChannelError, NoMessagesError, UnreadableHistoryError

GUILD = 7_000
PEOPLE = (101, 102, 201, 202, 203, 204)
"""Anna and Ben, Mia, Noah, Ole and Pia. Anna manages from the beginning."""
BOT = 901
STARTS_AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
"""When Spade comes; a Monday."""
_BEFORE = timedelta(hours=6)


class Kind(Enum):
    """What sort of message it is, with its number, its name in exports and what Spade makes of it."""

    SAID = (0, "Default", MessageKind.DEFAULT)
    REPLY = (19, "Reply", MessageKind.REPLY)
    FORWARD = (0, "Default", MessageKind.FORWARD)
    JOINED = (7, "GuildMemberJoin", MessageKind.OTHER)
    ALERT = (24, "24", MessageKind.OTHER)
    CREATED = (18, "ThreadCreated", MessageKind.OTHER)
    STARTER = (21, "21", MessageKind.OTHER)

    @property
    def counted(self) -> bool:
        return self in {Kind.SAID, Kind.REPLY, Kind.FORWARD}


class Sort(Enum):
    TEXT = "GuildTextChat"
    FORUM = "GuildForum"
    THREAD = "GuildPublicThread"


@dataclass(eq=False)
class Post:
    """A message.

    may: Spade was once in a position to record it. heard: Spade received it, and everything in its channel since.
    known: that lasted until it was written.
    imported: it was in a file of an import that was completed, of a channel that counted then.
    heard_gone: its delete was received and written; None if that is not certain.
    """

    message_id: int
    channel: Channel
    author: int
    kind: Kind = Kind.SAID
    mentions: frozenset[int] = frozenset()
    names_bot: bool = False
    crowd: bool = False
    to: Post | None = None
    deleted: bool = False
    heard_gone: bool | None = False
    may: bool = False
    heard: bool = False
    known: bool = False
    imported: bool = False

    @property
    def person(self) -> int | None:
        return None if self.author == BOT else self.author

    @property
    def counted(self) -> bool:
        return self.person is not None and self.kind.counted

    def seen(self) -> Message:
        """As Spade reads it now; a notice is written by nobody whom a reply to it could address."""
        target = self.to if self.kind is Kind.REPLY else None
        gone = target is None or target.deleted or target.kind is Kind.ALERT
        return Message(
            message_id=self.message_id,
            author_id=self.person,
            kind=self.kind.value[2],
            mentions=self.mentions if self.counted else frozenset(),
            mentions_no_person=self.names_bot and self.counted,
            mentions_crowd=self.crowd and self.counted,
            reply_to_id=target.message_id if target is not None else None,
            reply_to_author_id=None if gone or target is None else target.person,
        )

    def exported(self) -> dict[str, Any]:
        names = [*sorted(self.mentions), *([BOT] if self.names_bot else [])]
        document: dict[str, Any] = {
            "id": str(self.message_id),
            "type": self.kind.value[1],
            "timestamp": moment_of(self.message_id).isoformat(),
            "content": "@everyone" if self.crowd else "x",
            "author": {"id": str(self.author), "isBot": self.author == BOT},
            "attachments": [],
            "embeds": [],
            "stickers": [],
            "mentions": [{"id": str(one), "isBot": one == BOT} for one in names],
        }
        where = {"channelId": str(self.channel.channel_id), "guildId": str(GUILD)}
        if self.kind is Kind.REPLY and self.to is not None:
            document["reference"] = {"messageId": str(self.to.message_id), **where, "type": "Default"}
        if self.kind is Kind.FORWARD:
            document["reference"] = {"messageId": str(self.message_id - 1), **where, "type": "Forward"}
        return document


@dataclass(eq=False)
class Channel:
    """A channel, forum or thread.

    owed_from: everything from this position on has to be on record; None before Spade saw the channel.
    may_from: nothing before this position may be on record, but by export files.
    """

    channel_id: int
    sort: Sort
    parent: Channel | None = None
    owner: int | None = None
    started_on: Post | None = None
    posts: list[Post] = field(default_factory=list)
    view: bool = True
    history: bool = True
    archived_at: datetime | None = None
    deleted: bool = False
    heard_gone: bool | None = False
    owed_from: int | None = None
    may_from: int = 0

    @property
    def permitting(self) -> Channel:
        return self.parent or self

    @property
    def is_thread(self) -> bool:
        return self.sort is Sort.THREAD

    @property
    def is_post(self) -> bool:
        return self.parent is not None and self.parent.sort is Sort.FORUM

    @property
    def alive(self) -> list[Post]:
        return [post for post in self.posts if not post.deleted]

    @property
    def place(self) -> Place:
        if not self.is_thread:
            return Place(GUILD, self.channel_id)
        return Place(
            GUILD,
            self.channel_id,
            is_thread=True,
            opener_id=self.owner if self.is_post else None,
            parent_id=self.permitting.channel_id,
            opener_known=self.is_post,
        )

    def snapshot(self, *, stale: bool = False) -> ChannelSnapshot:
        newest = max((post.message_id for post in self.posts), default=0)  # Discord's stays when it is deleted
        return ChannelSnapshot(self.place, newest, stale and self.sort is not Sort.FORUM)


@dataclass(eq=False)
class File:
    """An export file: which messages of a channel it holds, and what can be told from it.

    begins: it certainly begins with the channel. whole: nothing between its first and last message is left out.
    """

    path: Path
    channel: Channel
    posts: tuple[Post, ...]
    begins: bool
    whole: bool
    exported_at: datetime


class World:
    """The server. A `History` and a `ChannelSource` for Spade's services.

    `available` is False during an outage. `excluded` is what Spade's settings say.
    """

    def __init__(self) -> None:
        self.now = STARTS_AT - _BEFORE
        self.available = True
        self.excluded: frozenset[int] = frozenset()
        self.channels: list[Channel] = []
        self._numbers = 0
        self.requests = 0
        for sort in (Sort.TEXT, Sort.TEXT, Sort.FORUM):
            self.make(sort)

    # What happens.

    def pass_by(self, **time: float) -> None:
        self.now += timedelta(**time)

    def new_id(self) -> int:
        self._numbers += 1
        return first_id_at(self.now) + self._numbers % 4000

    def make(self, sort: Sort, **known: Any) -> Channel:
        channel = Channel(known.pop("channel_id", None) or self.new_id(), sort, **known)
        self.channels.append(channel)
        return channel

    def post(self, channel: Channel, author: int, kind: Kind = Kind.SAID, **said: Any) -> Post:
        post = Post(said.pop("message_id", None) or self.new_id(), channel, author, kind, **said)
        channel.posts.append(post)
        return post

    def delete(self, channel: Channel) -> None:
        for one in self.channels:
            if channel in (one, one.parent):
                one.deleted = True

    # What there is.

    def with_messages(self) -> list[Channel]:
        return [one for one in self.channels if one.sort is not Sort.FORUM and not one.deleted]

    def of_sort(self, *sorts: Sort) -> list[Channel]:
        return [one for one in self.channels if one.sort in sorts and not one.deleted]

    def by_id(self, channel_id: int) -> Channel | None:
        return next((one for one in self.channels if one.channel_id == channel_id), None)

    def visible(self, channel: Channel) -> bool:
        return self.available and channel.permitting.view and not channel.deleted

    def readable(self, channel: Channel) -> bool:
        return self.visible(channel) and channel.permitting.history

    def counts(self, channel: Channel) -> bool:
        return channel.channel_id not in self.excluded and channel.permitting.channel_id not in self.excluded

    def visible_snapshots(self) -> list[ChannelSnapshot]:
        """The visible channels and active threads, each channel before its threads."""
        found = [one for one in self.channels if self.visible(one) and one.archived_at is None]
        return [one.snapshot() for one in sorted(found, key=lambda one: one.is_thread)]

    def archive_of(self, channel: Channel) -> list[Channel]:
        found = [one for one in self.channels if one.parent is channel and one.archived_at and not one.deleted]
        return sorted(found, key=lambda one: one.archived_at or STARTS_AT, reverse=True)

    # As a history.

    def _of(self, channel_id: int) -> Channel:
        channel = self._there(channel_id)
        if channel.sort is Sort.FORUM:
            raise NoMessagesError("a forum")
        if not self.readable(channel):
            raise UnreadableHistoryError("not for Spade")
        return channel

    def _there(self, channel_id: int) -> Channel:
        self.requests += 1
        channel = self.by_id(channel_id)
        if not self.available:
            raise UnreadableHistoryError("an outage")
        if channel is None or channel.deleted:
            raise GoneChannelError("404 Unknown Channel")
        return channel

    async def after(self, place: Place, after_id: int) -> tuple[Message, ...]:
        found = [post for post in self._of(place.channel_id).alive if post.message_id > after_id]
        return tuple(post.seen() for post in sorted(found, key=lambda post: post.message_id)[:PAGE])

    async def before(self, place: Place, before_id: int, limit: int) -> tuple[Message, ...]:
        found = [post for post in self._of(place.channel_id).alive if post.message_id < before_id]
        return tuple(post.seen() for post in sorted(found, key=lambda post: post.message_id)[-limit:])

    async def opener(self, place: Place) -> int | None:
        channel = self._of(place.channel_id)
        if not channel.is_thread:
            return None
        home = channel if channel.is_post else channel.permitting
        first = next((post for post in home.alive if post.message_id == channel.channel_id), None)
        return first.person if first is not None else channel.owner

    async def place(self, guild_id: int, channel_id: int) -> Place:
        channel = self._there(channel_id)
        if channel.sort is Sort.FORUM:
            raise NoMessagesError("a forum")
        if channel.is_thread and not self.visible(channel):
            raise UnreadableHistoryError("not for Spade")
        return channel.place

    # As a source of channels.

    def shown(self, guild_id: int) -> Sequence[ChannelSnapshot] | None:
        return self.visible_snapshots() if self.available else None

    async def archived(self, guild_id: int, channel_id: int, since_id: int) -> tuple[Sequence[ChannelSnapshot], bool]:
        channel = self._there(channel_id)
        if not self.readable(channel):
            raise UnreadableHistoryError("not for Spade")
        found = [
            one.snapshot()
            for one in self.archive_of(channel)
            if one.archived_at is not None and one.archived_at >= moment_of(since_id)
        ]
        return [one for one in found if one.last_message_id >= since_id], True

    # Exports.

    def export(
        self,
        channel: Channel,
        folder: Path,
        *,
        after: datetime | None = None,
        authors: Collection[int] | None = None,
        halves: bool = False,
    ) -> Iterator[File]:
        """Write one file about a channel as it is now, or two parts of it; after a moment or by some authors only."""
        posts = [
            post
            for post in sorted(channel.alive, key=lambda post: post.message_id)
            if (after is None or post.message_id >= first_id_at(after)) and (authors is None or post.author in authors)
        ]
        parts = [posts[: len(posts) // 2 + 1], posts[len(posts) // 2 + 1 :]] if halves else [posts]
        for number, part in enumerate(parts, start=1):
            name = f"{len(list(folder.iterdir()))} - x [{channel.channel_id}]"
            path = folder / f"{name}{f' [part {number}]' if halves else ''}.json"
            document = {
                "guild": {"id": str(GUILD), "name": "g"},
                "channel": {
                    "id": str(channel.channel_id),
                    "type": channel.sort.value,
                    "categoryId": str(channel.parent.channel_id if channel.parent else 1),
                    "name": "x",
                },
                "dateRange": {"after": after and after.isoformat(), "before": None},
                "exportedAt": self.now.isoformat(),
                "messages": [post.exported() for post in part],
                "messageCount": len(part),
            }
            path.write_text(json.dumps(document))
            begins = number == 1 and (after is None or first_id_at(after) <= channel.channel_id) and authors is None
            yield File(path, channel, tuple(part), begins, authors is None, self.now)
