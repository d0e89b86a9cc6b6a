"""Waiting: a member's message that asks for an answer, and when that ends (docs/rules.md#waiting)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.snowflake import moment_of


@dataclass(frozen=True, slots=True)
class WaitingEntry:
    """A message that waits.

    `addressed` are the managers it addresses. It is empty if the message only opens a thread, or if none of the people
    it addressed is a manager any more: then it waits for the whole team. `reply_to_id` is set if it is a Reply to a
    manager's message.
    """

    message_id: int
    channel_id: int
    member_id: int
    addressed: frozenset[int]
    reply_to_id: int | None = None

    @property
    def written_at(self) -> datetime:
        """When the member wrote it."""
        return moment_of(self.message_id)

    def waits_for(self, manager_id: int) -> bool:
        """Whether it waits for this manager, by name or as part of the team."""
        return not self.addressed or manager_id in self.addressed


@dataclass(frozen=True, slots=True)
class WaitingState:
    """An entry with its outcome.

    `answered_at` is the time of the first touch that ends it, None if there is none. `closed_at` is when it was set
    aside by a manager's reaction, *Done* or *Mark answered*; this affects nudges and lists, never figures.
    `wrote_back_to` are the managers who touched the member by the message that this one replies to.
    """

    entry: WaitingEntry
    answered_at: datetime | None = None
    closed_at: datetime | None = None
    wrote_back_to: frozenset[int] = frozenset()

    @property
    def closed(self) -> bool:
        """Whether it was ever set aside."""
        return self.closed_at is not None

    def closed_by(self, moment: datetime) -> bool:
        """Whether it was set aside at or before `moment`."""
        return self.closed_at is not None and self.closed_at <= moment

    def open_at(self, moment: datetime, expires: timedelta) -> bool:
        """Whether it waits at `moment`: written before, not answered before, not expired. Ignores `closed_at`."""
        written_at = self.entry.written_at
        return written_at < moment < written_at + expires and (self.answered_at is None or self.answered_at >= moment)
