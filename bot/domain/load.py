"""How the conversations of a week are shared among the managers (docs/rules.md#load)."""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Load:
    """`carriers` is the smallest number of managers who together had half of the conversations."""

    carriers: int
    managers: int


def load_of(conversations: Collection[int]) -> Load | None:
    """The load, from each manager's number of conversations; None with fewer than two managers or no conversations."""
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
