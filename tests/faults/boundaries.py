"""A fixed piece of recording, in a process that kills itself before the n-th SQLite statement."""

from __future__ import annotations

import asyncio
import os
import signal
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.message import Message, MessageKind
from bot.domain.rules import Rules
from bot.domain.snowflake import first_id_at
from bot.domain.stretch import Place, Stretch
from bot.services.record.recorder import Recorder
from bot.store import managers
from bot.store.database import Database, open_database
from tests.support.no_context import NoContext

GUILD, MANAGER, COLLEAGUE = 1, 11, 12
ANN, BEN, CAT = 21, 22, 23
BEGAN = datetime(2026, 3, 2, 12, tzinfo=UTC)


def at(minute: float) -> int:
    """The id of a message written so many minutes after the beginning."""
    return first_id_at(BEGAN + timedelta(minutes=minute))


GENERAL, THREAD = at(-10), at(5)
GONE = at(3)

_GENERAL = (
    Message(at(0), ANN),
    Message(at(1), MANAGER, MessageKind.REPLY, mentions=frozenset({ANN}), reply_to_id=at(0), reply_to_author_id=ANN),
    Message(at(2), ANN, MessageKind.REPLY, reply_to_id=at(1), reply_to_author_id=MANAGER),
    Message(GONE, COLLEAGUE, mentions=frozenset({BEN})),
    Message(at(4), BEN, mentions=frozenset({MANAGER, COLLEAGUE})),
    Message(at(5), CAT),
    Message(at(6), MANAGER, MessageKind.REPLY, reply_to_id=at(5), reply_to_author_id=CAT),
    Message(at(7), None),
)
_THREAD = (Message(at(5.5), CAT), Message(at(6.5), COLLEAGUE), Message(at(24 * 60), CAT))


def _stretch(place: Place, messages: tuple[Message, ...], first_id: int, last_id: int) -> Stretch:
    within = tuple(message for message in messages if first_id <= message.message_id <= last_id)
    before = tuple(message for message in messages if message.message_id < first_id)
    return Stretch(place, first_id, last_id, within, before, place.channel_id)


_IN_GENERAL = Place(GUILD, GENERAL)
_IN_THREAD = Place(GUILD, THREAD, is_thread=True, opener_id=CAT, parent_id=GENERAL)
STRETCHES = (
    _stretch(_IN_GENERAL, _GENERAL, GENERAL, at(1)),
    _stretch(_IN_THREAD, _THREAD, THREAD, at(7)),
    _stretch(_IN_GENERAL, _GENERAL, at(4), at(7)),  # leaves a hole
    _stretch(_IN_GENERAL, _GENERAL, at(0), at(8)),  # fills it and meets both sides
    _stretch(_IN_THREAD, _THREAD, at(7) + 1, at(24 * 60)),
)


async def prepare(path: str) -> None:
    """A database that knows its managers and nothing else."""
    database = await open_database(f"sqlite:///{path}", write=True)
    async with database.writing() as connection:
        await managers.add(connection, GUILD, [MANAGER, COLLEAGUE])
    await database.close()


async def record_everything(database: Database) -> None:
    """Record every stretch, then take back what was deleted."""
    recorder = Recorder(database, Rules())
    for stretch in STRETCHES:
        await recorder.record(stretch, NoContext())
    await recorder.take_back([GONE])


def record_until(path: str, boundary: int) -> None:
    """Do that in this process, and kill it with SIGKILL before the statement of that number, counted from 1."""
    asyncio.run(_record_until(path, boundary))


async def _record_until(path: str, boundary: int) -> None:
    database = await open_database(f"sqlite:///{path}", write=True)
    async with database._writer.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
    left = boundary

    def before(_statement: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    await driver.set_trace_callback(before)
    await record_everything(database)
    await driver.set_trace_callback(None)
    await database.close()
