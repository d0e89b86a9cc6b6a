"""Ids that are remembered for a while."""

from collections.abc import Callable, Iterable
from time import monotonic

KEPT_SECONDS = 900.0
"""How long an id is remembered at least."""
MOST_KEPT = 500_000
"""The most ids that are remembered at all."""


class RecentIds:
    """A set of ids that forgets: each is in it for `KEPT_SECONDS`, up to twice as long, from when it was last added.

    If more than half of `MOST_KEPT` ids are added in that time, the oldest are forgotten earlier.
    """

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._newer: set[int] = set()
        self._older: set[int] = set()
        self._began = now()

    def __contains__(self, one: object) -> bool:
        return one in self._newer or one in self._older

    def __len__(self) -> int:
        """How many ids are kept in memory; one that was added twice may count twice."""
        return len(self._newer) + len(self._older)

    def add(self, ids: Iterable[int]) -> None:
        """Remember ids from now on."""
        for one in ids:
            if self._now() - self._began >= KEPT_SECONDS or len(self._newer) >= MOST_KEPT // 2:
                self._older, self._newer, self._began = self._newer, set(), self._now()
            self._newer.add(one)
