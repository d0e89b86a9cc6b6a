"""What files tell first is counted, stored and judged many messages at a time, as if it were done one by one."""

from collections.abc import Callable, Collection
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bot.domain.message import Message
from bot.services.record.first_copies import odd_places
from bot.store import forgetting, guilds, judged_messages, staging
from bot.store.database import Database
from bot.store.judged_messages import JudgedMessage
from bot.store.staged_piece import StagedPiece
from tests.imports.history import GUILD, MANAGERS, MEMBERS, START, Story
from tests.imports.record import Rows, differences, import_paths, on_record
from tests.support.exported import ANNA, MIA, NOAH, Exports, at, entry


async def record_with_objections(database: Database, random: Random, commands: list[list[Path]], zone: str) -> Rows:
    """The record of some commands, where one member has opted out, and another has been forgotten and is back."""
    async with database.writing() as connection:
        await guilds.purge(connection, GUILD)
    for number, paths in enumerate(commands):
        await import_paths(database, paths, MANAGERS, zone)
        if not number:
            async with database.writing() as connection:
                await forgetting.set_opted_out(
                    connection, GUILD, MEMBERS[0], START + timedelta(days=random.randrange(9))
                )
                await forgetting.remember(connection, GUILD, MEMBERS[1])
    return await on_record(database)


async def test_many_at_a_time_are_recorded_as_one_by_one(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if database.dialect != "sqlite":
        pytest.skip("nothing here depends on the database")
    monkeypatch.setattr(staging, "PIECE", 7)
    at_once = 0

    def noted(piece: StagedPiece, stored: Any, is_free: Callable[[int], bool]) -> set[int]:
        nonlocal at_once
        found = odd_places(piece, stored, is_free)
        at_once += len(piece) - len(found)
        return found

    for seed in range(4):
        story = Story(Random(seed), 80)
        folder = tmp_path / str(seed)
        folder.mkdir()
        commands = story.commands([file.write(folder, number) for number, file in enumerate(story.files())])
        records: list[Rows] = []
        for places in (noted, lambda piece, *_: set(range(len(piece)))):
            monkeypatch.setattr("bot.services.record.evidence.odd_places", places)
            records.append(
                await record_with_objections(database, Random(seed), commands, ("UTC", "America/St_Johns")[seed % 2])
            )
        assert not differences(*records)
    assert at_once > 100


async def test_messages_that_nobody_has_told_anything_of_are_not_looked_at_one_by_one(
    database: Database, exports: Exports, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor are they read for judging, but for those that concern managers and what was before a possible answer."""
    monkeypatch.delattr(StagedPiece, "copy")
    read: list[Message] = []
    messages_of = judged_messages.messages_of

    async def noted(connection: Any, channel_id: int, message_ids: Collection[int]) -> list[JudgedMessage]:
        found = await messages_of(connection, channel_id, message_ids)
        read.extend(one.message for one in found)
        return found

    monkeypatch.setattr(judged_messages, "messages_of", noted)
    said = [entry(minute, (MIA, NOAH)[minute % 2]) for minute in range(40)]
    said += [entry(41, MIA, mentions=[ANNA]), entry(41.5, ANNA), entry(60, ANNA)]
    assert (await import_paths(database, [exports.file(*said)], MANAGERS)) is not None
    assert [one.message_id for one in read] == [at(41), at(41.5)]
