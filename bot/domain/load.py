"""How the conversations of a week are shared among the managers."""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Load:
    """The fewest managers who carry half of the conversations, and how many managers there are."""

    carriers: int
    managers: int


def load_of(conversations: Collection[int]) -> Load | None:
    """The load from each manager's number of conversations; None for a single manager, and without conversations."""
    total = sum(conversations)
    if len(conversations) < 2 or not total:
        return None
    carried = carriers = 0
    for own in sorted(conversations, reverse=True):
        carried += own
        carriers += 1
        if 2 * carried >= total:
            break
    return Load(carriers, len(conversations))
