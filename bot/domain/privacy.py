"""A summary of what is stored about one person in one guild."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class StoredFacts:
    """Counts of the stored rows, and some single facts.

    `messages` counts messages on `days` days from `first_on` to `last_on`. `touches` counts touches by manager id,
    `waiting` their own waiting messages, `nudges` the DMs that named them, `set_aside` the managers who snoozed,
    dismissed or handed them over, `imported` the messages in export files that are theirs or name them.
    `recorded_since` is when they last returned, if they had opted out or were erased: nothing from before is on record.
    `left_at` is when they were found to have left. `proxied`: they write through a proxy bot. `manages`: they are on
    the manager list; `acted` counts the rows about them as a manager. `ignored`: they are on the ignore list.
    """

    person_id: int
    opted_out_at: datetime | None = None
    forgotten: bool = False
    recorded_since: datetime | None = None
    messages: int = 0
    days: int = 0
    first_on: date | None = None
    last_on: date | None = None
    touches: Mapping[int, int] = field(default_factory=dict)
    waiting: int = 0
    nudges: int = 0
    set_aside: int = 0
    imported: int = 0
    left_at: datetime | None = None
    proxied: bool = False
    manages: bool = False
    acted: int = 0
    ignored: bool = False

    @property
    def nothing(self) -> bool:
        """Whether nothing at all is stored."""
        return not (
            self.opted_out_at
            or self.messages
            or self.touches
            or self.waiting
            or self.nudges
            or self.set_aside
            or self.imported
            or self.left_at
            or self.proxied
            or self.manages
            or self.acted
            or self.ignored
        )
