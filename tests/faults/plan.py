"""Which mutations a run makes: all there are, shuffled, each once, until enough were made."""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING, Any

from tests.faults.mutations import TEXTS, Mutation, mutated, mutations

if TYPE_CHECKING:
    from random import Random

    from tests.faults.specimens import Specimens

_AT_LOGIN = frozenset(
    {
        "GET /users/@me",
        "GET /applications/@me",
        "GET /oauth2/applications/@me",
        "GET /gateway/bot",
        "PUT /applications/{application_id}/commands",
    }
)
"""Answers that come only while a process starts."""


class Plan:
    """The mutations of one run. `made` are those that were, in their order; `only` leaves out all others."""

    def __init__(self, specimens: Specimens, random: Random, count: int, only: str = "") -> None:
        self._random = random
        self.routes = sorted(specimens.answers.keys() - _AT_LOGIN)
        found = [one for where, payloads in specimens.events.items() for one in mutations(where, payloads)]
        for where in self.routes:
            found += mutations(where, specimens.answers[where])
            found += [Mutation(where, (), text) for text in TEXTS]
        found = sorted(one for one in found if only in str(one))
        random.shuffle(found)
        self.distinct = len(found)
        self.count = min(count, len(found))
        self.made: list[Mutation] = []
        self._order = deque(found)
        self._left: dict[str, dict[Mutation, None]] = {}
        for one in found:
            self._left.setdefault(one.where, {})[one] = None

    def done(self, pending: int) -> bool:
        """Whether enough were made, of which so many are yet to strike, or none is left."""
        return len(self.made) - pending >= self.count or not self._order

    @property
    def by_side(self) -> Counter[str]:
        """How many events and how many answers were mutated."""
        return Counter("answers" if " " in one.where else "events" for one in self.made)

    def next(self) -> Mutation | None:
        """The next one in the order that was not made; None if none is left. It is given once, but for `later`."""
        while self._order:
            one = self._order.popleft()
            if one in self._left[one.where]:
                return one
        return None

    def later(self, mutation: Mutation) -> None:
        """Give a mutation again after all others."""
        self._order.append(mutation)

    def take(self, where: str, payload: Any) -> tuple[Mutation, Any] | None:
        """Make the first mutation that fits a payload; None if none does."""
        for one in self._left.get(where, ()):
            if one.kind in TEXTS:
                continue
            try:
                changed = mutated(payload, one, self._random)
            except LookupError:
                continue
            self.note(one)
            return one, changed
        return None

    def note(self, mutation: Mutation) -> None:
        """A mutation was made."""
        del self._left[mutation.where][mutation]
        self.made.append(mutation)

    def withdraw(self, mutation: Mutation) -> None:
        """A mutation that was noted as made was not made after all."""
        self.made.remove(mutation)
