"""A job that reads a guild's history: from before Spade joined, or again for a new manager."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class JobKind(StrEnum):
    """Why the history is read."""

    BACKFILL = "backfill"
    """Messages from before the record begins."""
    READ_AGAIN = "read again"
    """Past touches of a new manager, and what waited for them; activity is not counted again."""


@dataclass(frozen=True, slots=True)
class HistoryJob:
    """One job. `since` is how far back a backfill goes; `manager_id` is the new manager of a second reading.

    A job that is neither finished nor cancelled continues after a restart.
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
