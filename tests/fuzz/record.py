"""One channel's messages, cut, shuffled, repeated and overlapping: through a real database always the same record."""

import asyncio
from itertools import pairwise
from pathlib import Path
from random import Random

from sqlalchemy import delete

from bot.domain.message import Message, MessageKind
from bot.domain.rules import Rules
from bot.domain.span import Span
from bot.domain.stretch import Place, Stretch
from bot.services.record.history_context import HistoryContext
from bot.services.record.recorder import Recorder
from bot.store import managers
from bot.store.database import Database, open_database
from tests.support.channel_log import ChannelLog
from tests.support.messages import ANNA, BEN, CHANNEL, GUILD, MIA, NOAH, OLE, PIA, at, channel, thread
from tests.support.rows import RECORD, rows

_PAUSES = (0.1, 0.5, 1.0, 2.0, 2.0 + 1 / 60_000, 4.0, 10.0, 90.0, 1500.0)
_MENTIONS = ((), (), (), (MIA,), (ANNA,), (ANNA, MIA), (MIA, NOAH, BEN), (PIA,))
_KINDS = (*[MessageKind.DEFAULT] * 6, *[MessageKind.REPLY] * 3, MessageKind.FORWARD, MessageKind.OTHER)


def fuzz(rng: Random, folder: Path) -> None:
    """At once, and in pieces."""
    place = rng.choice((channel(), thread(MIA), thread(None), thread(ANNA)))
    asyncio.run(_compare(rng, folder, place, _talk(rng)))


async def _compare(rng: Random, folder: Path, place: Place, messages: tuple[Message, ...]) -> None:
    whole = Span(CHANNEL, messages[-1].message_id)
    pieces = _pieces(rng, whole, [message.message_id for message in messages])
    log = ChannelLog()
    log.post(place, *messages)
    found = []
    for name, spans in (("whole", [whole]), ("pieces", pieces)):
        database = await open_database(f"sqlite:///{folder / name}.db", write=True)
        try:
            await _emptied(database)
            recorder, context = Recorder(database, Rules()), HistoryContext(log)
            for span in spans:
                held = tuple(message for message in messages if span.holds(message.message_id))
                stretch = Stretch(place, span.first_id, span.last_id, held, (), span.first_id)
                await recorder.record(stretch, context)
            found.append(await rows(database))
        finally:
            await database.close()
    assert found[0] == found[1], pieces


async def _emptied(database: Database) -> None:
    async with database.writing() as connection:
        for table in reversed(RECORD):
            await connection.execute(delete(table))
        await managers.add(connection, GUILD, [ANNA, BEN])


def _pieces(rng: Random, whole: Span, ids: list[int]) -> list[Span]:
    """Spans that cover the whole, some of them more than once, in any order."""
    bounds = [
        whole.first_id,
        *(one + rng.randrange(2) for one in rng.sample(ids, rng.randrange(len(ids)))),
        whole.last_id + 1,
    ]
    edges = sorted({bound for bound in bounds if whole.first_id <= bound <= whole.last_id + 1})
    pieces = [Span(first, last - 1) for first, last in pairwise(edges)]
    for _ in range(rng.randrange(4)):
        first, last = sorted((rng.choice(ids), rng.choice([*ids, whole.last_id])))
        pieces.append(Span(first, last))
    rng.shuffle(pieces)
    return pieces


def _talk(rng: Random) -> tuple[Message, ...]:
    minutes, said = 0.0, list[Message]()
    for _ in range(rng.randrange(1, 16)):
        minutes += rng.choice(_PAUSES)
        kind = rng.choice(_KINDS)
        target = rng.choice([*said, None]) if kind is MessageKind.REPLY else None
        said.append(
            Message(
                message_id=at(minutes),
                author_id=rng.choice((ANNA, BEN, MIA, NOAH, OLE, MIA, ANNA, None)),
                kind=kind,
                mentions=frozenset(rng.choice(_MENTIONS)),
                mentions_no_person=rng.random() < 0.1,
                mentions_crowd=rng.random() < 0.1,
                reply_to_id=target.message_id if target else None,
                reply_to_author_id=target.author_id if target else None,
            )
        )
    return tuple(said)
