"""A community's record, and playing it into a sandbox's world message by message."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from bot.sandbox.snowflakes import time_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from bot.sandbox.entities import Channel, Guild, PostedMessage, User
    from bot.sandbox.world import World

PLACEHOLDER = "(the sample has no text)"
_REPLY, _OTHER, _FORWARD = 1, 2, 3
_RENAMED = 4  # Discord's type for a channel that got another name


@dataclass(frozen=True, slots=True)
class RecordLine:
    """One message of a record: ids and links only. `kind` is 0 plain, 1 reply, 2 other, 3 forward."""

    message_id: int
    post: int
    author: int
    kind: int
    reply_to_id: int = 0
    named: Sequence[int] = ()

    @property
    def sent_at(self) -> datetime:
        """When it was sent, from its id."""
        return time_of(self.message_id)


@dataclass(frozen=True, slots=True)
class RecordPost:
    """A forum post: its id, its forum's, and the person (by number) who opened it."""

    post_id: int
    forum_id: int
    opener: int


@dataclass(frozen=True, slots=True)
class CommunityRecord:
    """A whole record, its lines in order of time. People are referred to by their number."""

    guild_id: int
    guild_name: str
    forums: tuple[tuple[int, str], ...]
    people: tuple[tuple[int, str], ...]
    bots: frozenset[int]
    posts: tuple[RecordPost, ...]
    lines: tuple[RecordLine, ...]

    def between(self, since: datetime, until: datetime) -> Iterator[RecordLine]:
        """The lines from `since` up to `until`."""
        return (line for line in self.lines if since <= line.sent_at < until)


def bundled_record() -> CommunityRecord:
    """The record that comes with the project; its source and licence stand beside it."""
    data: dict[str, Any] = json.loads(gzip.decompress((files("bot.sandbox.sample") / "community.json.gz").read_bytes()))
    return CommunityRecord(
        guild_id=data["guild"]["id"],
        guild_name=data["guild"]["name"],
        forums=tuple((forum_id, name) for forum_id, name in data["forums"]),
        people=tuple((person_id, name) for person_id, name in data["people"]),
        bots=frozenset(data["bots"]),
        posts=tuple(RecordPost(*row) for row in data["posts"]),
        lines=tuple(RecordLine(*row) for row in data["messages"]),
    )


@dataclass(slots=True)
class Player:
    """Builds a record's guild in a world and plays its lines, each at the moment the caller chooses."""

    world: World
    record: CommunityRecord
    guild: Guild = field(init=False)
    _users: list[User] = field(init=False)

    def __post_init__(self) -> None:
        record, world = self.record, self.world
        self._users = [
            world.add_user(f"member{number}", display_name=name, user_id=person_id, bot=number in record.bots)
            for number, (person_id, name) in enumerate(record.people)
        ]
        self.guild = world.add_guild(record.guild_name, guild_id=record.guild_id)
        # When somebody came is not in the record; with their first message they were there.
        came_at: dict[int, datetime] = {}
        for line in record.lines:
            came_at.setdefault(line.author, line.sent_at)
        for number, user in enumerate(self._users):
            world.add_member(self.guild, user, joined_at=came_at.get(number))
        for forum_id, name in record.forums:
            world.add_channel(self.guild, name, kind="forum", channel_id=forum_id)

    def load_until(self, moment: datetime) -> int:
        """Put everything before a moment into the past, telling nobody; returns the number of messages."""
        by_post: dict[int, list[RecordLine]] = {}
        for line in self.record.lines:
            if line.sent_at >= moment:
                break
            by_post.setdefault(line.post, []).append(line)
        for number, lines in by_post.items():
            thread = self._thread(number, quietly=True)
            for line in lines:  # one by one, because a reply looks for its target in the channel
                self.world.load_messages(thread, [self._message(thread, line)])
        return sum(map(len, by_post.values()))

    def play(self, line: RecordLine) -> PostedMessage:
        """Let a line be written now."""
        return self.world.put(self._message(self._thread(line.post, quietly=False), line))

    def _thread(self, number: int, *, quietly: bool) -> Channel:
        post = self.record.posts[number]
        thread = self.world.channels.get(post.post_id)
        if thread is None:
            opener = self._users[post.opener]
            # What it was about is not in the record: it goes by who opened it, and when.
            name = f"{opener.display_name}, {time_of(post.post_id):%-d %B}"
            thread = self.world.load_thread(post.forum_id, name, opener, thread_id=post.post_id)
            if not quietly:
                self.world.announce_thread(thread)
        return thread

    def _message(self, thread: Channel, line: RecordLine) -> PostedMessage:
        author = self._users[line.author]
        # What was forwarded is not in the record; something has to be.
        forwarded = self.world.draft(thread, author, PLACEHOLDER) if line.kind == _FORWARD else None
        return self.world.draft(
            thread,
            author,
            "" if line.kind == _FORWARD else PLACEHOLDER,
            reply_to=line.reply_to_id or None if line.kind == _REPLY else None,
            mentions=[self._users[number] for number in line.named],
            type=_RENAMED if line.kind == _OTHER else (19 if line.kind == _REPLY else None),
            forward=forwarded,
            message_id=line.message_id,
        )
