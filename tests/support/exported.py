"""Export files of a small server, and what stands on record of them."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bot.domain.snowflake import first_id_at, moment_of
from bot.store import tables
from bot.store.database import Database
from tests.imports.history import GUILD, MANAGERS
from tests.support.rows import days_written

ANNA, BEN = MANAGERS
MIA, NOAH, OLE, PIA = (200_000_000_000_000_000 + number for number in range(1, 5))
START = datetime(2026, 6, 1, 12, tzinfo=UTC)
EXPORTED = "2026-06-30T00:00:00+00:00"
LATER = "2026-07-30T00:00:00+00:00"
CHANNEL, CATEGORY = 800_000_000_000_000_010, 800_000_000_000_000_001
TEXT, THREAD = "GuildTextChat", "GuildPublicThread"


def at(minute: float) -> int:
    """The id of a message that was sent then."""
    return first_id_at(START + timedelta(minutes=minute)) + 1


def entry(minute: float, author: int, *, mentions: Sequence[int] = (), **more: Any) -> dict[str, Any]:
    """A message that somebody sent in that minute."""
    return {
        "id": str(at(minute)),
        "type": "Default",
        "content": "x",
        "author": {"id": str(author)},
        "mentions": [{"id": str(one)} for one in mentions],
    } | more


def reply(minute: float, author: int, to: float, **more: Any) -> dict[str, Any]:
    """A Reply to the message of another minute."""
    return entry(minute, author, type="Reply", reference={"messageId": str(at(to))}, **more)


class Exports:
    """Writes export files of one guild."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._count = 0

    def file(
        self,
        *entries: dict[str, Any],
        channel: int = CHANNEL,
        kind: str = TEXT,
        category: int | None = CATEGORY,
        after: float | None = None,
        exported: str | None = EXPORTED,
    ) -> Path:
        self._count += 1
        path = self.folder / f"{self._count}.json"
        moment = None if after is None else (START + timedelta(minutes=after)).isoformat()
        where = {} if category is None else {"categoryId": str(category)}
        document = {
            "guild": {"id": str(GUILD)},
            "channel": {"id": str(channel), "type": kind} | where,
            "dateRange": {"after": moment, "before": None},
            "exportedAt": exported,
            "messages": entries,
        }
        path.write_text(json.dumps(document), encoding="utf-8")
        return path

    def thread(self, *entries: dict[str, Any], opened: float, category: int | None = CHANNEL, **more: Any) -> Path:
        """A thread that was started at that minute, in CHANNEL; with `category` None, the file does not say where."""
        return self.file(*entries, channel=at(opened), kind=THREAD, category=category, **more)


async def touches(database: Database) -> list[tuple[float, str, int, int]]:
    """Minute, kind, manager and member of each touch."""
    async with database.reading() as connection:
        rows = (await connection.execute(select(tables.touch).order_by(tables.touch.c.message_id))).all()
    return [((row.touched_at - START) / timedelta(minutes=1), row.kind, row.manager_id, row.member_id) for row in rows]


async def waiting(database: Database) -> list[tuple[float, int]]:
    """Minute and author of each message of a member that waits."""
    async with database.reading() as connection:
        rows = (await connection.execute(select(tables.waiting).order_by(tables.waiting.c.message_id))).all()
    return [
        ((moment_of(row.message_id) - START) / timedelta(minutes=1), row.member_id)
        for row in rows
        if row.member_id not in MANAGERS
    ]


async def messages_of(database: Database) -> dict[int, int]:
    """How many messages each person wrote."""
    found: dict[int, int] = {}
    async with database.reading() as connection:
        for _, person, _, messages in await days_written(connection):
            found[person] = found.get(person, 0) + messages
    return found
