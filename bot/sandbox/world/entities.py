"""The entities of Discord: users, guilds, roles, members, channels, messages. They hold data and send no events."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from bot.sandbox.world.snowflakes import time_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime


class ChannelType(IntEnum):
    """Discord's channel types that the sandbox knows."""

    TEXT = 0
    DM = 1
    VOICE = 2
    CATEGORY = 4
    NEWS = 5
    NEWS_THREAD = 10
    PUBLIC_THREAD = 11
    PRIVATE_THREAD = 12
    FORUM = 15


class MessageType(IntEnum):
    """Discord's message types that the sandbox itself makes; any other number may be posted too."""

    DEFAULT = 0
    PINNED = 6
    JOIN = 7
    THREAD_CREATED = 18
    REPLY = 19
    CHAT_INPUT_COMMAND = 20
    THREAD_STARTER = 21
    CONTEXT_MENU_COMMAND = 23


EPHEMERAL = 1 << 6
LOADING = 1 << 7
HAS_THREAD = 1 << 5
IS_COMPONENTS_V2 = 1 << 15
HAS_SNAPSHOT = 1 << 14
THREADS = frozenset({ChannelType.NEWS_THREAD, ChannelType.PUBLIC_THREAD, ChannelType.PRIVATE_THREAD})


@dataclass(slots=True, eq=False)
class User:
    """A person, a bot, or the author a webhook writes under."""

    id: int
    name: str
    display_name: str | None = None
    bot: bool = False
    webhook: bool = False
    system: bool = False
    dms_open: bool = True
    avatar: str | None = None


@dataclass(slots=True, eq=False)
class Role:
    """A role of a guild; the one whose id is the guild's is @everyone."""

    id: int
    guild_id: int
    name: str
    permissions: int
    position: int
    mentionable: bool = False
    color: int = 0
    bot_id: int | None = None


@dataclass(slots=True, eq=False)
class Member:
    """A user in a guild."""

    guild_id: int
    user: User
    joined_at: datetime
    roles: list[int] = field(default_factory=list)
    nick: str | None = None

    @property
    def id(self) -> int:
        """The user's id."""
        return self.user.id


@dataclass(slots=True)
class Overwrite:
    """What a channel allows and denies to one role (kind 0) or one member (kind 1)."""

    id: int
    kind: int
    allow: int = 0
    deny: int = 0


@dataclass(slots=True)
class Reference:
    """The message that another one refers to: a reply's target (kind 0) or a forward's source (kind 1)."""

    channel_id: int
    message_id: int | None
    guild_id: int | None = None
    kind: int = 0


@dataclass(slots=True)
class Pings:
    """Whom a message notified, after allowed_mentions and permissions were applied."""

    users: frozenset[int] = frozenset()
    roles: frozenset[int] = frozenset()
    everyone: bool = False

    def __bool__(self) -> bool:
        return bool(self.users or self.roles or self.everyone)


@dataclass(slots=True, eq=False)
class PostedMessage:
    """A message. `embeds`, `components` and `attachments` are Discord's JSON shapes."""

    id: int
    channel_id: int
    author: User
    content: str = ""
    type: int = 0
    mentions: tuple[int, ...] = ()
    mention_roles: tuple[int, ...] = ()
    mention_everyone: bool = False
    reference: Reference | None = None
    hides_reference: bool = False
    snapshot: dict[str, Any] | None = None
    embeds: list[dict[str, Any]] = field(default_factory=list)
    components: list[dict[str, Any]] = field(default_factory=list)
    attachments: list[dict[str, Any]] = field(default_factory=list)
    flags: int = 0
    edited_at: datetime | None = None
    pinned: bool = False
    tts: bool = False
    nonce: str | int | None = None
    pings: Pings = field(default_factory=Pings)
    reactions: dict[str, list[int]] = field(default_factory=dict)
    thread_id: int | None = None
    webhook_id: int | None = None
    interaction: dict[str, Any] | None = None
    interaction_metadata: dict[str, Any] | None = None
    poll: dict[str, Any] | None = None

    @property
    def created_at(self) -> datetime:
        """The time in the message's id, in UTC."""
        return time_of(self.id)

    @property
    def ephemeral(self) -> bool:
        """Whether only the person whose interaction made the message sees it."""
        return bool(self.flags & EPHEMERAL)

    @property
    def loading(self) -> bool:
        """Whether the message is the placeholder of a deferred response."""
        return bool(self.flags & LOADING)

    def controls(self) -> list[dict[str, Any]]:
        """Return every button and select of the message in reading order."""
        return [item for item in walk(self.components) if item["type"] in {2, 3, 5, 6, 7, 8}]

    def button(self, label_or_id: str) -> dict[str, Any]:
        """Return the button with a label or custom_id.

        Raises:
            LookupError: If the message has no such button; the error names those it has.
        """
        buttons = [item for item in self.controls() if item["type"] == 2]
        for item in buttons:
            if label_or_id in (item.get("custom_id"), item.get("label")):
                return item
        raise LookupError(f"no button {label_or_id!r} among {[item.get('label') for item in buttons]}")


def walk(components: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield components and all components inside them, in reading order."""
    for item in components:
        yield item
        yield from walk(item.get("components", ()))
        for key in ("accessory", "component"):
            if isinstance(item.get(key), dict):
                yield from walk((item[key],))


class MessageLog:
    """The messages of one channel in the order of their ids; pages are found by bisection."""

    __slots__ = ("_by_id", "_ids")

    def __init__(self) -> None:
        self._ids: list[int] = []
        self._by_id: dict[int, PostedMessage] = {}

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[PostedMessage]:
        return (self._by_id[i] for i in self._ids)

    def __contains__(self, message_id: object) -> bool:
        return message_id in self._by_id

    def get(self, message_id: int) -> PostedMessage | None:
        """Return a message, or None if the log does not hold it."""
        return self._by_id.get(message_id)

    def add(self, message: PostedMessage) -> None:
        """Insert a message in the order of ids.

        Raises:
            ValueError: If the log holds a message with this id.
        """
        if message.id in self._by_id:
            raise ValueError(f"message {message.id} is already in channel {message.channel_id}")
        if not self._ids or message.id > self._ids[-1]:
            self._ids.append(message.id)
        else:
            insort(self._ids, message.id)
        self._by_id[message.id] = message

    def load(self, messages: Iterable[PostedMessage]) -> int:
        """Insert many messages at once; return how many were new. A message with a known id replaces the old one."""
        before = len(self._by_id)
        self._by_id.update((message.id, message) for message in messages)
        self._ids = sorted(self._by_id)
        return len(self._ids) - before

    def remove(self, message_id: int) -> PostedMessage | None:
        """Remove a message and return it, or None if the log does not hold it."""
        message = self._by_id.pop(message_id, None)
        if message is not None:
            del self._ids[bisect_left(self._ids, message_id)]
        return message

    def newest(self, limit: int) -> list[PostedMessage]:
        """Return the newest messages, newest first."""
        return self._page(len(self._ids) - limit, len(self._ids))

    def before(self, message_id: int, limit: int) -> list[PostedMessage]:
        """Return the messages just below an id, newest first."""
        end = bisect_left(self._ids, message_id)
        return self._page(end - limit, end)

    def after(self, message_id: int, limit: int) -> list[PostedMessage]:
        """Return the messages just above an id, newest first."""
        start = bisect_right(self._ids, message_id)
        return self._page(start, start + limit)

    def around(self, message_id: int, limit: int) -> list[PostedMessage]:
        """Return the messages on both sides of an id, newest first."""
        middle = bisect_left(self._ids, message_id)
        start = max(0, middle - limit // 2)
        return self._page(start, start + limit)

    def _page(self, start: int, end: int) -> list[PostedMessage]:
        return [self._by_id[i] for i in reversed(self._ids[max(0, start) : max(0, end)])]


@dataclass(slots=True, eq=False)
class Channel:
    """A guild channel, a thread or a DM; `log` holds its messages."""

    id: int
    type: int
    name: str = ""
    guild_id: int | None = None
    parent_id: int | None = None
    position: int = 0
    topic: str | None = None
    overwrites: dict[int, Overwrite] = field(default_factory=dict)
    log: MessageLog = field(default_factory=MessageLog)
    last_message_id: int | None = None
    tags: list[dict[str, Any]] = field(default_factory=list)
    recipient: User | None = None
    owner_id: int = 0
    archived: bool = False
    locked: bool = False
    archived_at: datetime | None = None
    auto_archive_minutes: int = 4320
    total_sent: int = 0
    joined: dict[int, datetime] = field(default_factory=dict)
    applied_tags: list[int] = field(default_factory=list)

    @property
    def is_thread(self) -> bool:
        """Whether it is a thread or a forum post."""
        return self.type in THREADS

    @property
    def messages(self) -> list[PostedMessage]:
        """All its messages, oldest first."""
        return list(self.log)


@dataclass(slots=True, eq=False)
class Guild:
    """A server: its people, roles, channels and threads by id."""

    id: int
    name: str
    owner_id: int
    roles: dict[int, Role] = field(default_factory=dict)
    members: dict[int, Member] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)
    threads: dict[int, Channel] = field(default_factory=dict)
    unavailable: bool = False
    bot_joined_at: datetime | None = None
    locale: str = "en-US"
