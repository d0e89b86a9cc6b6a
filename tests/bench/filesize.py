"""How many bytes of the database a message takes, once it is recorded."""

import asyncio
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random

from bot.domain.message import Message, MessageKind
from bot.domain.rules import Rules
from bot.domain.snowflake import first_id_at, moment_of
from bot.domain.stretch import Place, Stretch
from bot.services.record.history_context import HistoryContext
from bot.services.record.recorder import Recorder
from bot.store.database import open_database
from tests.bench import schema
from tests.bench.guild import GUILD, NOW, channel_id, manager_id, member_id
from tests.bench.measure import apart
from tests.bench.row import Row, at_most, beside
from tests.bench.sizes import Sizes
from tests.support.channel_log import ChannelLog

_BATCH = 500
_BEFORE = 50
"""How many messages before a batch are known with it."""
_MANAGERS, _BY_MANAGERS = 5, 0.05
_SMALL = 20
"""How many times smaller the small community is: its messages, and its people."""
_MESSAGES_EACH = 100
_DAYS = 180


def filesize(sizes: Sizes, _folder: Path) -> Row:
    """Of a large community and of a small one, beside the same facts in two tables of their own."""
    found = []
    for name, messages in (("large community", sizes.recorded), ("small community", sizes.recorded // _SMALL)):
        folder = _folder / name.partition(" ")[0]
        folder.mkdir()
        pair = apart(partial(_sizes, folder, messages))
        limit = at_most(10.0) if sizes.full and messages == sizes.recorded else None
        found.append(beside(f"{name}, {messages:,} messages", "bytes each", "bare facts", [pair], limit))
    return Row("database bytes per message", tuple(found))


def _sizes(folder: Path, messages: int) -> tuple[float, float]:
    said = _said(messages)
    count = sum(len(written) for _, written in said)
    ours = asyncio.run(_recorded(folder / "ours.db", said))
    return ours / count, _plain(folder / "plain.db", said) / count


def _said(messages: int) -> list[tuple[Place, list[Message]]]:
    """Half a year in which few write much and many little, a few messages at a time, channel by channel."""
    rng, people = Random(6), messages // _MESSAGES_EACH
    rooms = min(60, max(3, people // 50))
    written: dict[int, list[tuple[int, int]]] = defaultdict(list)
    total = 0
    while total < messages:
        writes_much = int(_MANAGERS + people * rng.random() ** 8)
        author = rng.randrange(_MANAGERS) if rng.random() < _BY_MANAGERS else writes_much
        room, position = rng.randrange(rooms), first_id_at(NOW - timedelta(seconds=rng.randrange(_DAYS * 86_400)))
        for _ in range(min(1 + int(rng.expovariate(0.35)), messages - total)):
            position += rng.randrange(5_000, 90_000) << 22
            written[room].append((position + rng.randrange(1 << 22), author))
            total += 1
    return [(Place(GUILD, channel_id(room)), _messages(sorted(said), rng)) for room, said in sorted(written.items())]


def _messages(said: list[tuple[int, int]], rng: Random) -> list[Message]:
    messages: list[Message] = []
    for position, number in said:
        author = manager_id(number) if number < _MANAGERS else member_id(number)
        target = rng.choice(messages[-10:]) if messages and rng.random() < 0.3 else None
        messages.append(
            Message(
                message_id=position,
                author_id=author,
                kind=MessageKind.REPLY if target else MessageKind.DEFAULT,
                reply_to_id=target and target.message_id,
                reply_to_author_id=target and target.author_id,
            )
        )
    return messages


async def _recorded(path: Path, said: list[tuple[Place, list[Message]]]) -> int:
    """Record them as they come from Discord; returns how many bytes the file has when it is rewritten."""
    await schema.make(path, _managers)
    database = await open_database(f"sqlite:///{path}", write=True)
    try:
        recorder, context = Recorder(database, Rules()), HistoryContext(ChannelLog())
        for place, messages in said:
            for stretch in _stretches(place, messages):
                assert (await recorder.record(stretch, context)).messages == len(stretch.messages)
        await database.rewrite()
        await database.empty_log()
    finally:
        await database.close()
    return path.stat().st_size


def _managers(database: sqlite3.Connection) -> None:
    people = [(GUILD, manager_id(number)) for number in range(_MANAGERS)]
    schema.insert(database, "manager", "guild_id, manager_id", people)


def _stretches(place: Place, messages: list[Message]) -> Iterator[Stretch]:
    position = place.channel_id
    for start in range(0, len(messages), _BATCH):
        batch = tuple(messages[start : start + _BATCH])
        before = tuple(messages[max(0, start - _BEFORE) : start])
        first = before[0].message_id if before else 0
        yield Stretch(place, position + 1, batch[-1].message_id, batch, before, first)
        position = batch[-1].message_id


def _plain(path: Path, said: list[tuple[Place, list[Message]]]) -> int:
    """The same facts, as integers in tables that are their own index: who wrote how much on a day, and the replies."""
    counts: Counter[tuple[int, int]] = Counter()
    replies = []
    managers = {manager_id(number) for number in range(_MANAGERS)}
    for _, messages in said:
        for one in messages:
            counts[one.author_id, moment_of(one.message_id).toordinal()] += 1
            if one.author_id in managers and one.reply_to_author_id not in {None, *managers}:
                replies.append((one.message_id, one.author_id, one.reply_to_author_id, one.reply_to_id))
    with closing(sqlite3.connect(path)) as database:
        database.execute(
            "CREATE TABLE activity (member INTEGER, day INTEGER, messages INTEGER, PRIMARY KEY (member, day)) "
            "WITHOUT ROWID"
        )
        database.execute(
            "CREATE TABLE touch (message INTEGER PRIMARY KEY, manager INTEGER, member INTEGER, target INTEGER) "
            "WITHOUT ROWID"
        )
        database.executemany("INSERT INTO activity VALUES (?, ?, ?)", [(*key, count) for key, count in counts.items()])
        database.executemany("INSERT INTO touch VALUES (?, ?, ?, ?)", replies)
        database.commit()
        database.execute("VACUUM")
    return path.stat().st_size
