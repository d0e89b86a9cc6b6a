"""A job that reads a guild's history: from before Spade came, or again for somebody who became a manager."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class JobKind(StrEnum):
    """What the history is read for."""

    BACKFILL = "backfill"
    """Messages from before the record begins."""
    READ_AGAIN = "read again"
    """The past replies of a new manager; activity is not counted again."""


@dataclass(frozen=True, slots=True)
class HistoryJob:
    """`since` bounds a backfill; `manager_id` is whom a second reading is for.

    One that is neither finished nor cancelled goes on after a restart.
    """

    job_id: int
    guild_id: int
    kind: JobKind
    since: datetime
    manager_id: int | None
    requested_at: datetime
    finished_at: datetime | None = None
    cancelled_at: datetime | None = None
    messages: int = 0
