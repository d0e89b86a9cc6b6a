"""Waiting: a member's message that asks for a manager's answer, and when it stops waiting (R8)."""

from dataclasses import dataclass
from datetime import datetime

from bot.domain.snowflake import moment_of


@dataclass(frozen=True, slots=True)
class WaitingEntry:
    """A message that waits.

    `addressed` are the people it addresses who were managers when it was recorded; empty when it only
    opens a thread, and then it waits for the whole team. `reply_to_id` is the manager's message it replies
    to, and None when the message names a manager in any other way too.
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
