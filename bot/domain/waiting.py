"""Waiting: a member's message that asks for a manager's answer, and when it stops waiting (R8)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.snowflake import moment_of


@dataclass(frozen=True, slots=True)
class WaitingEntry:
    """A message that waits.

    `addressed` are the people it addresses who are managers; empty when it only opens a thread, or when nobody
    it addressed is a manager any more: then it waits for the whole team. `reply_to_id` is the manager's message
    it replies to, if it is a Reply to one.
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
        """Whether this manager is asked: by name, or as one of the team."""
        return not self.addressed or manager_id in self.addressed


@dataclass(frozen=True, slots=True)
class WaitingState:
    """An entry with what became of it.

    `answered_at` is the first touch that ends it, None without one. `closed_at` is when a manager's reaction or
    *Done* set it aside; that counts for nudges and lists, never for figures. `wrote_back_to` are the managers
    who had touched the member in the very message this one replies to.
    """

    entry: WaitingEntry
    answered_at: datetime | None = None
    closed_at: datetime | None = None
    wrote_back_to: frozenset[int] = frozenset()

    @property
    def closed(self) -> bool:
        """Whether it was set aside at some time."""
        return self.closed_at is not None

    def closed_by(self, moment: datetime) -> bool:
        """Whether it had been set aside before `moment`, or at it."""
        return self.closed_at is not None and self.closed_at <= moment

    def open_at(self, moment: datetime, expires: timedelta) -> bool:
        """Whether it waits at `moment`: already written, not answered before, and not expired."""
        written_at = self.entry.written_at
        return written_at < moment < written_at + expires and (self.answered_at is None or self.answered_at >= moment)
