"""Which stretches of channels a database says are on record, and which it knows to be missing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from bot.sandbox import PostedMessage

SPANS, GAPS = "span", "known_gap"


def outside(database: Path, messages: Iterable[PostedMessage], *tables: str) -> list[int]:
    """The ids of those messages that lie in no stretch of these tables."""
    by_channel: dict[int, list[tuple[int, int]]] = {}
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        for table in tables:
            for channel_id, first_id, last_id in connection.execute(
                f"SELECT channel_id, first_id, last_id FROM {table}"
            ):
                by_channel.setdefault(channel_id, []).append((first_id, last_id))
    return [
        message.id
        for message in messages
        if not any(first <= message.id <= last for first, last in by_channel.get(message.channel_id, ()))
    ]
