"""Taking messages in: live ones through the one door, catching up after downtime, importing exports."""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from itertools import islice
from pathlib import Path
from random import Random

from bot.clock import DrivenClock
from bot.domain.message import Message, MessageKind
from bot.domain.rules import Rules
from bot.domain.snowflake import first_id_at, moment_of
from bot.domain.stretch import Place, Stretch
from bot.exports.archive import Archive
from bot.services.record.follower import Follower
from bot.services.record.history_context import HistoryContext
from bot.services.record.imports import Importer
from bot.services.record.recorder import Recorder
from bot.store.database import Database, open_database
from tests.bench.guild import CHANNELS, GUILD, NOW, Size, channel_id, manager_id, member_id
from tests.bench.measure import Cost, measured
from tests.support.channel_log import ChannelLog

_BATCH = 500
_PLAIN = """
CREATE TABLE plain (message_id INTEGER PRIMARY KEY, channel_id INTEGER, author_id INTEGER, kind TEXT) STRICT
"""


def talk(size: Size, messages: int, seed: int = 3) -> list[tuple[Place, list[Message]]]:
    """What is said after the record ends, channel by channel."""
    rng = Random(seed)
    rooms = CHANNELS - 3  # those at the beginning are excluded
    said = []
    for room in range(3, CHANNELS):
        position = first_id_at(NOW) + room  # no id twice
        written: list[Message] = []
        for _ in range(messages // rooms):
            position += rng.randrange(1, 60_000) << 22
            managed = rng.random() < 0.03
            author = manager_id(rng.randrange(size.managers)) if managed else member_id(rng.randrange(size.members))
            answered = rng.choice(written[-20:]) if written and rng.random() < 0.3 else None
            written.append(
                Message(
                    message_id=position,
                    author_id=author,
                    kind=MessageKind.REPLY if answered else MessageKind.DEFAULT,
                    mentions=frozenset(),
                    mentions_no_person=False,
                    mentions_crowd=False,
                    reply_to_id=answered.message_id if answered else None,
                    reply_to_author_id=answered.author_id if answered else None,
                )
            )
        said.append((Place(GUILD, channel_id(room)), written))
    return said


async def door(path: Path, size: Size, messages: int) -> tuple[Cost, float]:
    """Record live messages in batches of 500; and how long it takes to only write them down, as often and as safely."""
    said = talk(size, messages)
    database = await open_database(f"sqlite:///{path}", write=True)
    try:
        cost = await measured(lambda: _record(database, said), tries=1)
    finally:
        await database.close()
    return cost, _write_down(path.with_suffix(".plain"), said)


async def _record(database: Database, said: list[tuple[Place, list[Message]]]) -> None:
    recorder, context = Recorder(database, Rules()), HistoryContext(ChannelLog())
    for place, messages in said:
        position = first_id_at(NOW)
        for start in range(0, len(messages), _BATCH):
            batch = tuple(messages[start : start + _BATCH])
            before = tuple(messages[max(0, start - 50) : start])
            first = before[0].message_id if before else 0
            recorded = await recorder.record(
                Stretch(place, position + 1, batch[-1].message_id, batch, before, first), context
            )
            assert recorded.messages == len(batch)
            position = batch[-1].message_id


def _write_down(path: Path, said: list[tuple[Place, list[Message]]]) -> float:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute(_PLAIN)
        started = time.perf_counter()
        for place, messages in said:
            for start in range(0, len(messages), _BATCH):
                rows = [
                    (one.message_id, place.channel_id, one.author_id, one.kind.value)
                    for one in messages[start : start + _BATCH]
                ]
                database.execute("BEGIN IMMEDIATE")
                database.executemany("INSERT INTO plain VALUES (?, ?, ?, ?)", rows)
                database.execute("COMMIT")
        return time.perf_counter() - started


async def catch_up(path: Path, size: Size, messages: int) -> Cost:
    """Fetch what was missed in every channel, from a history that answers at once."""
    log = ChannelLog()
    said = talk(size, messages, seed=4)
    said = [(place, [_later(one) for one in written]) for place, written in said]
    for place, written in said:
        log.post(place, *written)
    database = await open_database(f"sqlite:///{path}", write=True)
    try:
        follower = Follower(database, Recorder(database, Rules()), log, DrivenClock(NOW), hold_seconds=0)
        session = follower.session

        async def work() -> None:
            await follower.catch_up([log.snapshot(place) for place, _ in said], session)
            assert follower.behind(GUILD) == 0

        return await measured(work, tries=1)
    finally:
        await database.close()


def _later(message: Message) -> Message:
    """The same far behind what the door has recorded."""
    shift = int(timedelta(days=90) / timedelta(milliseconds=1)) << 22
    return Message(
        message_id=message.message_id + shift,
        author_id=message.author_id,
        kind=MessageKind.DEFAULT,
        mentions=frozenset(),
        mentions_no_person=False,
        mentions_crowd=False,
        reply_to_id=None,
        reply_to_author_id=None,
    )


def write_export(path: Path, messages: int, *, indented: bool) -> None:
    """A file as DiscordChatExporter writes it, of one busy channel."""
    indent, separators = (2, (",", ": ")) if indented else (None, (",", ":"))
    head = {
        "guild": {"id": str(GUILD), "name": "A server", "iconUrl": "https://cdn.example/icons/1.png"},
        "channel": {"id": str(channel_id(5)), "type": "GuildTextChat", "category": "Talk", "name": "general"},
        "dateRange": {"after": None, "before": None},
        "exportedAt": NOW.isoformat(),
    }
    with path.open("w", encoding="utf-8") as file:
        file.write(json.dumps(head, indent=indent, separators=separators)[:-1].rstrip("\n "))
        file.write(',"messages":[')
        for number, one in enumerate(islice(_records(), messages)):
            file.write("," * (number > 0))
            file.write(json.dumps(one, indent=indent, separators=separators))
        file.write(f'],"messageCount":{messages}}}')


def _records() -> Iterator[dict[str, object]]:
    rng = Random(5)
    position, newest = first_id_at(NOW), list[int]()
    while True:
        position += rng.randrange(1, 60_000) << 22
        author = manager_id(rng.randrange(5)) if rng.random() < 0.1 else member_id(rng.randrange(4000))
        reply = bool(newest) and rng.random() < 0.3
        moment = moment_of(position).isoformat()
        yield {
            "id": str(position),
            "type": "Reply" if reply else "Default",
            "timestamp": moment,
            "timestampEdited": None,
            "callEndedTimestamp": None,
            "isPinned": False,
            "content": "words " * rng.randrange(1, 25),
            "author": {
                "id": str(author),
                "name": "somebody",
                "discriminator": "0000",
                "nickname": "Somebody",
                "color": None,
                "isBot": False,
                "roles": [{"id": "1", "name": "A role", "color": None, "position": 1}],
                "avatarUrl": "https://cdn.example/avatars/1.png",
            },
            "attachments": [],
            "embeds": [],
            "stickers": [],
            "reactions": [],
            "mentions": [],
            **({"reference": {"messageId": str(rng.choice(newest[-20:])), "channelId": "1"}} if reply else {}),
        }
        newest = [*newest[-20:], position]


async def import_export(export: Path, path: Path) -> Cost:
    """Import one file into a database of its own."""

    async def work() -> None:
        database = await open_database(f"sqlite:///{path}", write=True)
        try:
            with Archive([export]) as archive:
                importer = Importer(database, Rules(), DrivenClock(NOW))
                outcome = await importer.run(archive, GUILD, [manager_id(number) for number in range(5)])
                assert outcome.new == archive.messages > 0
        finally:
            await database.close()

    return await measured(work, tries=1)
