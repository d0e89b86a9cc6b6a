"""Due work that did not succeed: what it is, why, and when it is tried again."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Work(StrEnum):
    """The kinds of due work that belong to one guild, or to one manager in it.

    Those that deliver something have the value of its `DeliveryKind`.
    """

    RECORDING = "recording"
    NUDGE = "nudge"
    DIGEST = "digest"
    PERSONAL_DIGEST = "personal digest"
    RETENTION = "retention"


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of due work: of a guild, for one manager in it, or of the whole process.

    `work` is a `Work`; for the whole process the name that the schedule calls it by; or what only the log names.
    """

    work: str
    guild_id: int | None = None
    manager_id: int | None = None

    def __str__(self) -> str:
        """The piece as the log names it."""
        guild = f" of server {self.guild_id}" if self.guild_id is not None else ""
        manager = f" for manager {self.manager_id}" if self.manager_id is not None else ""
        return f"{self.work}{guild}{manager}"


class Cause(StrEnum):
    """Why a piece of work did not succeed.

    Discord refused it, or did not answer a question; the database, the deadline, or a fault in Spade.
    """

    DISCORD = "Discord"
    UNANSWERED = "unanswered"
    DATABASE = "database"
    DEADLINE = "deadline"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class FailedWork:
    """A piece of work that failed the last `count` times, first at `since`.

    It is not tried again before `again_at`. `reason` is Discord's own; None for other causes.
    """

    piece: Piece
    cause: Cause
    since: datetime
    count: int
    again_at: datetime
    reason: str | None = None
