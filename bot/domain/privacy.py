"""What is stored about one person in one guild, summed up for that person."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class StoredFacts:
    """Counts of what there is, and the few facts that say themselves.

    `messages` is how many they wrote on `days` days, `first_on` to `last_on`. `touches` counts the managers' messages
    to them by who wrote, `waiting` their own that waited for an answer, `nudges` the DMs to managers that named them,
    `set_aside` the managers who snoozed, dismissed or handed them over. `left_at`: when they were found to have left.
    `manages`: they are on the manager list, and `acted` counts what is stored of them there. `ignored`: they are on the
    list of people who are never counted.
    """

    person_id: int
    opted_out_at: datetime | None = None
    forgotten: bool = False
    messages: int = 0
    days: int = 0
    first_on: date | None = None
    last_on: date | None = None
    touches: Mapping[int, int] = field(default_factory=dict)
    waiting: int = 0
    nudges: int = 0
    set_aside: int = 0
    left_at: datetime | None = None
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
            or self.left_at
            or self.manages
            or self.acted
            or self.ignored
        )
