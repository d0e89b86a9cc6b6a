"""Small random histories of a guild, and random ways of cutting them into export files and commands."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from bot.domain.message import DELETED_USER_ID
from bot.domain.snowflake import first_id_at

GUILD = 900_000_000_000_000_001
ANNA, BEN = 100_000_000_000_000_001, 100_000_000_000_000_002
MANAGERS = (ANNA, BEN)
MEMBERS = tuple(200_000_000_000_000_000 + number for number in range(1, 6))
BOT = 300_000_000_000_000_001
START = datetime(2026, 6, 1, 12, tzinfo=UTC)
EXPORTED = ("2026-07-01T00:00:00+00:00", "2026-07-08T00:00:00+00:00")
"""The times of the first and the second export."""
CATEGORY = 800_000_000_000_000_000

Entry = dict[str, Any]


@dataclass
class Channel:
    """A channel with the copies of its messages in the first and in the second export, oldest first."""

    channel_id: int
    kind: str = "GuildTextChat"
    parent_id: int = CATEGORY
    entries: list[tuple[Entry, Entry]] = field(default_factory=list)


@dataclass(frozen=True)
class File:
    """An export file: some of a channel's messages, from the first or the second export."""

    channel: Channel
    wanted: tuple[int, ...]
    export: int
    begins: bool

    def write(self, folder: Path, number: int) -> Path:
        """Write it to `folder`."""
        entries = [self.channel.entries[one][self.export] for one in self.wanted]
        first = min((int(one["id"]) for one in entries), default=0)
        after = None if self.begins else (_moment(first) - timedelta(milliseconds=1)).isoformat()
        document = {
            "guild": {"id": str(GUILD)},
            "channel": {
                "id": str(self.channel.channel_id),
                "type": self.channel.kind,
                "categoryId": str(self.channel.parent_id),
            },
            "dateRange": {"after": after, "before": None},
            "exportedAt": EXPORTED[self.export],
            "messages": entries,
        }
        path = folder / f"{number}.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        return path


class Story:
    """A history made by `random`: two channels, and threads on a message, on none and of a forum."""

    def __init__(self, random: Random, length: int) -> None:
        self._random = random
        self._seconds = 0
        self._used = 0
        self.channels = [Channel(self._next_id()), Channel(self._next_id())]
        for _ in range(length):
            choice = random.random()
            if choice < 0.08:
                self._open_thread()
            else:
                self._write(random.choice(self.channels))

    def _next_id(self) -> int:
        self._seconds += self._random.choice((1, 5, 20, 60, 119, 121, 400, 4000))
        self._used += 1
        return first_id_at(START + timedelta(seconds=self._seconds)) + self._used

    def _author(self) -> int:
        return self._random.choices((*MANAGERS, *MEMBERS, BOT), (6, 4, 4, 3, 2, 2, 2, 1))[0]

    def _write(self, channel: Channel, author: int | None = None, message_id: int | None = None) -> int:
        random = self._random
        message_id = message_id or self._next_id()
        author = author or self._author()
        mentions = random.sample((*MANAGERS, *MEMBERS, BOT), random.choice((0, 0, 0, 1, 1, 2, 3)))
        entry = _entry(message_id, author, mentions, content=random.choice(("x", "x", "x", "@everyone")))
        written = [int(one["id"]) for one, _ in channel.entries]
        kind = random.random()
        if written and kind < 0.45:
            target = random.choice((*written, random.choice(self._all_ids()), 1))
            entry |= {"type": "Reply", "reference": {"type": "Default", "messageId": str(target)}}
        elif kind < 0.5:
            entry |= {"reference": {"type": "Forward", "messageId": "1"}}
        elif kind < 0.56:
            entry |= {"type": random.choice(("GuildMemberJoin", "ChannelNameChange"))}
        channel.entries.append((entry, self._later(entry)))
        return message_id

    def _later(self, entry: Entry) -> Entry:
        """The same message in the second export: edited, or its author's account deleted, if anything."""
        choice = self._random.random()
        if choice < 0.08:
            return entry | {"author": _person(DELETED_USER_ID)}
        if choice < 0.16:
            return entry | {"mentions": [_person(self._random.choice((*MANAGERS, *MEMBERS)))]}
        return entry

    def _all_ids(self) -> list[int]:
        return [int(one["id"]) for channel in self.channels for one, _ in channel.entries] or [1]

    def _open_thread(self) -> None:
        random = self._random
        parent = self.channels[random.randrange(2)]
        choice = random.random()
        if choice < 0.35 and parent.entries:
            taken = {channel.channel_id for channel in self.channels}
            free = [int(one["id"]) for one, _ in parent.entries if int(one["id"]) not in taken]
            if not free:
                return
            thread = Channel(random.choice(free), "GuildPublicThread", parent.channel_id)
            starter = _entry(self._next_id(), self._author(), [], type="21")
            starter |= {"reference": {"type": "Default", "messageId": str(thread.channel_id)}}
            thread.entries.append((starter, starter))
        elif choice < 0.6:
            thread = Channel(self._next_id(), "GuildPublicThread", parent.channel_id)
            author = self._author()
            if random.random() < 0.5:
                parent.entries.append(2 * (_entry(thread.channel_id, author, [], type="ThreadCreated"),))
            self._write(thread, author)
        else:
            thread = Channel(self._next_id(), "GuildPublicThread", CATEGORY + 1)
            self._write(thread, message_id=thread.channel_id)
        self.channels.append(thread)

    def files(self) -> list[File]:
        """Files that overlap, repeat, or were made with a message filter; not all of the history need be in them."""
        random, made = self._random, []
        for channel in self.channels:
            count = len(channel.entries)
            for _ in range(random.choice((1, 1, 2, 3))):
                first = random.choice((0, random.randint(0, count)))
                last = random.choice((count, random.randint(first, count)))
                wanted = tuple(range(first, last))
                if random.random() < 0.25:
                    people = set(random.sample((*MANAGERS, *MEMBERS), 3))
                    wanted = tuple(one for one in wanted if int(channel.entries[one][0]["author"]["id"]) in people)
                if wanted or random.random() < 0.2:
                    made.append(File(channel, wanted, random.randrange(2), random.random() < 0.5))
        random.shuffle(made)
        return made

    def commands(self, files: Sequence[Path]) -> list[list[Path]]:
        """The files in another order and in a random number of commands; some of them come twice."""
        random = self._random
        ordered = [*files, *random.sample(list(files), len(files) // 3)]
        random.shuffle(ordered)
        commands: list[list[Path]] = [[]]
        for path in ordered:
            if commands[-1] and random.random() < 0.5:
                commands.append([])
            commands[-1].append(path)
        return commands


def _moment(message_id: int) -> datetime:
    return datetime(2015, 1, 1, tzinfo=UTC) + timedelta(milliseconds=message_id >> 22)


def _person(person_id: int) -> Entry:
    return {"id": str(person_id), "isBot": person_id == BOT}


def _entry(message_id: int, author: int, mentions: Sequence[int], **more: Any) -> Entry:
    people = [_person(one) for one in mentions]
    entry = {"id": str(message_id), "type": "Default", "content": "x", "author": _person(author), "mentions": people}
    return entry | more
