"""A job that reads a guild's history: from before Spade joined, or again for a new manager."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.span import Span


class JobKind(StrEnum):
    """Why the history is read."""

    BACKFILL = "backfill"
    """Messages from before the record begins."""
    READ_AGAIN = "read again"
    """Past touches of a new manager, and what waited for them; activity is not counted again."""


class LeftOut(StrEnum):
    """Why a job could not read all of a channel when it last tried."""

    FORBIDDEN = "forbidden"
    """Spade does not see the channel, or may not read its history."""
    UNANSWERED = "unanswered"
    """The requests, or what was to be done with the answers, failed."""
    UNREADABLE = "unreadable"
    """A message or thread, or another by which it is judged, came in a form that cannot be read."""


@dataclass(frozen=True, slots=True)
class HistoryJob:
    """One job. `since` is how far back a backfill goes; `manager_id` is the new manager of a second reading.

    A job that is neither finished nor cancelled goes on, also after a restart. `listed`: it is on record what the job
    has to read, in `channels` channels and threads.
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
    listed: bool = False
    channels: int = 0


@dataclass(frozen=True, slots=True)
class Unread:
    """What a job has still to read of one channel or thread: these stretches of its messages.

    `archive`: a backfill has still to find the channel's archived threads. `left_out` tells why the last try failed;
    None before the first.
    """

    channel_id: int
    parent_id: int | None = None
    stretches: tuple[Span, ...] = ()
    archive: bool = False
    left_out: LeftOut | None = None
