"""Rows of several guilds, taken apart."""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Row


def grouped(rows: Iterable[Row[Any]], guild_ids: Collection[int]) -> dict[int, frozenset[int]]:
    """Rows of a guild and an id, as the ids of each of these guilds; empty for one without rows."""
    found: dict[int, set[int]] = {guild_id: set() for guild_id in guild_ids}
    for row in rows:
        guild_id, one = tuple(row)
        found[guild_id].add(one)
    return {guild_id: frozenset(ids) for guild_id, ids in found.items()}
