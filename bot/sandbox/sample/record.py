"""The record of a community: who wrote when, where, and in reply to what. It has no texts."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from bot.sandbox.world.snowflakes import time_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

REPLY, OTHER, FORWARD = 1, 2, 3


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
        """The time in its id, in UTC."""
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
        """The lines from `since` to before `until`."""
        return (line for line in self.lines if since <= line.sent_at < until)


def bundled_record() -> CommunityRecord:
    """Load the record that is packaged with the project; SOURCE.md names its source and licence."""
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
