"""The same record through the gateway and through an import gives the same figures."""

import asyncio
import json
import sqlite3
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bot.clock import DrivenClock, SystemClock
from bot.domain.rules import Rules
from bot.exports.archive import Archive
from bot.sandbox import Sandbox
from bot.sandbox.sample.player import Player
from bot.sandbox.sample.record import CommunityRecord, bundled_record
from bot.services.digest.report import Reporter
from bot.services.record.imports import Importer
from bot.store import managers
from bot.store.database import open_database
from tests.support.stage import PATIENCE, Stage, connected

MANAGERS = (1329767395471659287, 421905984642345381, 974674265817651310)


def write_exports(record: CommunityRecord, folder: Path) -> None:
    """The record as DiscordChatExporter would save it."""
    kinds = {0: "Default", 1: "Reply", 2: "ChannelNameChange", 3: "Default"}
    people = [
        {"id": str(person_id), "name": name, "isBot": number in record.bots}
        for number, (person_id, name) in enumerate(record.people)
    ]
    by_post: dict[int, list[dict[str, Any]]] = {}
    for line in record.lines:
        message: dict[str, Any] = {
            "id": str(line.message_id),
            "type": kinds[line.kind],
            "content": "words",
            "author": people[line.author],
            "mentions": [people[number] for number in line.named],
        }
        if line.kind == 1:
            message["reference"] = {"type": "Default", "messageId": str(line.reply_to_id) if line.reply_to_id else None}
        if line.kind == 3:
            message["forwardedMessage"] = {"content": "words"}
        by_post.setdefault(line.post, []).append(message)
    for number, messages in by_post.items():
        post = record.posts[number]
        document = {
            "guild": {"id": str(record.guild_id), "name": record.guild_name},
            "channel": {"id": str(post.post_id), "type": "GuildPublicThread"},
            "exportedAt": "2026-04-24T06:10:00+00:00",
            "messages": messages,
        }
        (folder / f"{post.post_id}.json").write_text(json.dumps(document))


async def weeks(database_url: str, guild_id: int) -> list[dict[str, Any]]:
    """Every week's digest."""
    database = await open_database(database_url, write=False)
    try:
        reporter = Reporter(database, Rules())
        mondays = [date(2025, 12, 29) + timedelta(weeks=week) for week in range(17)]
        reports = [await reporter.week(guild_id, monday) for monday in mondays]
    finally:
        await database.close()
    return [report.document() for report in reports if report]


async def through_the_gateway(record: CommunityRecord, database: Path) -> None:
    clock = DrivenClock(record.lines[0].sent_at - timedelta(days=1))
    async with Sandbox(now=clock.now) as sandbox:
        player = Player(sandbox.world, record)
        async with connected(sandbox, clock, database) as app:
            async with app.database.writing() as connection:
                await managers.add(connection, record.guild_id, MANAGERS)
            on = Stage(clock, sandbox, app)
            for number, line in enumerate(record.lines):
                clock.set(line.sent_at)
                player.play(line)
                if number % 200 == 0:
                    await sandbox.drained()
            await on.heard(record.lines[-1].message_id)


async def through_an_import(record: CommunityRecord, folder: Path, database: Path) -> None:
    write_exports(record, folder)
    store = await open_database(f"sqlite:///{database}", write=True)
    try:
        importer = Importer(store, Rules(), SystemClock())
        with Archive([folder]) as archive:
            await importer.run(archive, record.guild_id, MANAGERS, ZoneInfo("UTC"))
    finally:
        await store.close()


def test_gateway_and_import_agree_to_the_last_digit(tmp_path: Path) -> None:
    record = bundled_record()
    (tmp_path / "exports").mkdir()
    asyncio.run(through_an_import(record, tmp_path / "exports", tmp_path / "imported.db"))
    asyncio.run(asyncio.wait_for(through_the_gateway(record, tmp_path / "played.db"), 10 * PATIENCE))
    imported = asyncio.run(weeks(f"sqlite:///{tmp_path / 'imported.db'}", record.guild_id))
    played = asyncio.run(weeks(f"sqlite:///{tmp_path / 'played.db'}", record.guild_id))
    assert len(imported) == 17
    assert sum(week["team"]["conversations"] for week in imported) > 300
    assert played == imported
    for table in ("touch", "waiting", "waiting_for", "activity", "member"):
        assert rows(tmp_path / "played.db", table) == rows(tmp_path / "imported.db", table), table


def rows(database: Path, table: str) -> list[tuple[Any, ...]]:
    """Everything in a table, in order."""
    with closing(sqlite3.connect(database)) as connection:
        return sorted(connection.execute(f"SELECT * FROM {table}"), key=repr)
