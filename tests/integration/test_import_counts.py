"""What is counted by files and by Discord: each message once, for its author, on the day it was first counted."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.domain.message import DELETED_USER_ID, Message, MessageKind
from bot.domain.rules import Rules
from bot.domain.snowflake import first_id_at
from bot.domain.stretch import Place, Stretch
from bot.services.record.recorder import Recorder
from bot.store import activity, forgetting, people, tables
from bot.store.activity import Trace
from bot.store.database import Database
from tests.imports.history import GUILD, MANAGERS
from tests.imports.record import import_paths
from tests.support.exported import (
    ANNA,
    CHANNEL,
    LATER,
    MIA,
    NOAH,
    OLE,
    PIA,
    START,
    Exports,
    at,
    entry,
    messages_of,
    touches,
    waiting,
)
from tests.support.no_context import NoContext
from tests.support.rows import days_written

ROOM = Place(GUILD, CHANNEL)
THREAD = Place(GUILD, at(0), is_thread=True, parent_id=CHANNEL, opener_id=MIA)
QUESTION = Message(at(0), MIA, mentions=frozenset({ANNA}))
TALK = (Message(at(1), MIA), Message(at(2), ANNA))
STARTER = Message(at(0), ANNA, MessageKind.OTHER)
"""What Discord shows in the thread of the question: a message of type 21, by whoever started the thread."""


async def told(database: Database, place: Place, *messages: Message, until: float) -> int:
    """Discord tells a channel from its beginning; returns how many messages were new."""
    stretch = Stretch(place, place.channel_id, at(until), messages, (), 0)
    return (await Recorder(database, Rules()).record(stretch, NoContext())).messages


async def imported(database: Database, *paths: Path, zone: str = "UTC") -> None:
    await import_paths(database, paths, MANAGERS, zone)


async def days_of(database: Database) -> list[tuple[int, date, int]]:
    async with database.reading() as connection:
        return [row[1:] for row in await days_written(connection)]


def starter(by: int) -> dict[str, Any]:
    return entry(0, by, type="21", reference={"messageId": str(at(0))})


async def test_a_threads_copy_of_type_21_is_not_the_message_that_it_stands_for(
    database: Database, exports: Exports
) -> None:
    await imported(database, exports.thread(starter(NOAH), entry(1, ANNA), opened=0))
    assert await messages_of(database) == {ANNA: 1}
    await told(database, ROOM, QUESTION, until=5)
    assert await messages_of(database) == {ANNA: 1, MIA: 1}


async def test_what_files_did_not_count_discord_counts(database: Database, exports: Exports) -> None:
    await imported(database, exports.file(entry(0, DELETED_USER_ID), entry(1, NOAH)))
    async with database.writing() as connection:
        await forgetting.erase_as_member(connection, GUILD, NOAH)
    await told(database, ROOM, QUESTION, Message(at(1), NOAH), until=5)
    assert await messages_of(database) == {MIA: 1, NOAH: 1}


async def test_a_thread_that_discord_told_takes_no_message_from_its_channel(
    database: Database, exports: Exports
) -> None:
    await imported(database, exports.file(entry(0, MIA, mentions=[ANNA])))
    await told(database, THREAD, STARTER, *TALK, until=5)
    assert await messages_of(database) == {MIA: 2, ANNA: 1}
    await imported(database, exports.thread(starter(ANNA), entry(1, MIA), entry(2, ANNA), opened=0))
    assert await messages_of(database) == {MIA: 2, ANNA: 1}
    assert await waiting(database) == [(0, MIA), (1, MIA)]
    assert await touches(database) == [(2, "thread", ANNA, MIA)]


@pytest.mark.parametrize(
    "order",
    [
        ("thread", "room told", "room"),
        ("room told", "thread", "room"),
        ("thread", "thread told", "room"),
        ("thread", "thread told", "room told", "room"),
        ("room", "thread", "room told"),
        ("thread", "room", "thread told"),
    ],
)
async def test_a_message_that_a_thread_repeats_in_full_counts_once_and_waits(
    database: Database, exports: Exports, order: Sequence[str]
) -> None:
    """Older files repeat the message that a thread was started on as any other."""
    question = entry(0, MIA, mentions=[ANNA])
    await imported(database, exports.file(channel=CHANNEL + 1))  # the managers, and nothing else
    for step in order:
        match step:
            case "thread":
                await imported(database, exports.thread(question, entry(1, MIA), entry(2, ANNA), opened=0))
            case "room":
                await imported(database, exports.file(question))
            case "room told":
                await told(database, ROOM, QUESTION, until=5)
            case _:
                await told(database, THREAD, STARTER, *TALK, until=5)
        known = {one for done in order[: order.index(step) + 1] for one in done.split()}
        assert await messages_of(database) == ({MIA: 2, ANNA: 1} if "thread" in known else {MIA: 1})
        assert (0, MIA) in await waiting(database)
    async with database.reading() as connection:
        query = select(tables.waiting.c.channel_id).where(tables.waiting.c.message_id == at(0))
        where = await connection.scalar(query)
    assert where == (THREAD.channel_id if order == ("thread", "thread told", "room") else CHANNEL)
    assert await touches(database) == [(2, "thread", ANNA, MIA)]


async def test_a_message_stays_on_the_day_it_was_counted_whatever_zone_comes(
    database: Database, exports: Exports
) -> None:
    late = 11.5 * 60  # 23:30 in UTC, the next day in Tokyo
    day = START.date()
    thread = exports.thread(entry(late, MIA), opened=late)
    await imported(database, thread)
    await imported(database, exports.file(entry(late, MIA)), zone="Asia/Tokyo")
    assert await days_of(database) == [(MIA, day, 1)]
    await imported(database, exports.file(entry(late, NOAH), exported=LATER), zone="Asia/Tokyo")
    assert await days_of(database) == [(NOAH, day, 1)]
    await told(database, ROOM, Message(at(late), NOAH), until=late + 1)
    assert await days_of(database) == [(NOAH, day, 1)]


async def test_who_is_nobody_in_a_newer_file_leaves_no_day_behind(database: Database, exports: Exports) -> None:
    late = 11.5 * 60
    await imported(database, exports.file(entry(late, MIA)))
    await imported(database, exports.file(entry(late, DELETED_USER_ID), exported=LATER), zone="Asia/Tokyo")
    assert await days_of(database) == []


async def test_who_loses_a_message_to_somebody_else_keeps_what_discord_told(
    database: Database, exports: Exports
) -> None:
    """When it was is known by the day; a person of whom nothing is left is forgotten, but for what is noted of them."""
    day = 24 * 60
    await imported(database, exports.file(entry(0, MIA), entry(9 * day, MIA), entry(1, NOAH), entry(2, OLE)))
    async with database.writing() as connection:
        await people.set_proxied(connection, GUILD, NOAH, proxied=True)
    recorder = Recorder(database, Rules())
    stretch = Stretch(ROOM, at(4 * day), at(6 * day), (Message(at(5 * day), MIA),), (), 0)
    await recorder.record(stretch, NoContext())
    others = (entry(0, PIA), entry(9 * day, PIA), entry(1, PIA), entry(2, PIA))
    await imported(database, exports.file(*others, exported=LATER))
    async with database.reading() as connection:
        traces = await activity.traces(connection, GUILD, [MIA, NOAH, OLE])
        assert await people.proxied(connection, GUILD) == {NOAH}
        known = set(await connection.scalars(select(tables.member.c.member_id)))
    fifth = first_id_at(datetime(2026, 6, 6, tzinfo=UTC))
    assert traces == {MIA: Trace(fifth, CHANNEL, fifth, CHANNEL)}
    assert known == {MIA, NOAH, PIA}
