"""People who must not be recorded, and at which times: those who opted out or were erased (docs/rules.md#privacy)."""

import hmac
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256

_MILLISECOND = timedelta(milliseconds=1)
_MOST_KNOWN = 10_000
"""Of how many people of a guild it is kept in memory what they object to."""
_NEVER = datetime.min.replace(tzinfo=UTC)


class Scope(StrEnum):
    """What of a person must not be recorded."""

    PERSON = "person"
    """All of it, what they do as a manager as well."""
    MEMBER = "member"
    """What they do as a member: whoever is on the manager list and opts out stays a manager."""


def mark_of(key: bytes, guild_id: int, person_id: int, scope: Scope = Scope.PERSON) -> str:
    """The mark of a person: a keyed hash of guild and person, as hexadecimal text. Each scope has a mark of its own."""
    of_scope = "" if scope is Scope.PERSON else f":{scope}"
    return hmac.new(key, f"{guild_id}:{person_id}{of_scope}".encode(), sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Objection:
    """The times of which nothing about a person may be recorded, now or later.

    `until_at` is when they last let themselves be recorded again, None if they never did: what lies before it is
    objected to, and its own millisecond as well. If it is `lasting`, they have objected again since, and to all times.
    """

    until_at: datetime | None = None
    lasting: bool = True

    def covers(self, moment: datetime) -> bool:
        """Whether nothing of this moment may be recorded."""
        return self.lasting or (self.until_at is not None and moment <= self.until_at)

    def taken_back(self, at: datetime) -> "Objection":
        """The same once they let themselves be recorded from `at` on. Later than all before, even if `at` is not."""
        return Objection(at if self.until_at is None else max(at, self.until_at + _MILLISECOND), lasting=False)

    @property
    def order(self) -> tuple[datetime, bool]:
        """Of two objections of one person, the one with the greater order is what they wanted last."""
        return self.until_at or _NEVER, self.lasting

    def newer_than(self, other: "Objection | None") -> bool:
        """Whether it is what the person wanted after the other, or there is no other."""
        return other is None or self.order > other.order


@dataclass(frozen=True, slots=True)
class Forgotten:
    """The objections of a guild that are kept by mark.

    Supports `in` for the id of a person who was erased and has not returned, but cannot list the ids.
    """

    guild_id: int
    key: bytes = b""
    marks: Mapping[str, Objection] = field(default_factory=dict)

    def __contains__(self, person_id: object) -> bool:
        objection = self.objection(person_id, Scope.PERSON) if isinstance(person_id, int) else None
        return objection is not None and objection.lasting

    def mark(self, person_id: int, scope: Scope = Scope.PERSON) -> str:
        """The mark under which a person's objection is stored."""
        return mark_of(self.key, self.guild_id, person_id, scope)

    def objection(self, person_id: int, scope: Scope) -> Objection | None:
        """A person's objection of exactly this scope; None if there never was one."""
        return self.marks.get(self.mark(person_id, scope)) if self.marks else None


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """Who in a guild must not be recorded, and of which moments.

    `opted_out` are those who have opted out and not returned. Supports `in` for the id of a person about whom nothing
    may be recorded now. That is asked of a member; `as_member` and `as_manager` ask about a moment.
    """

    opted_out: AbstractSet[int] = frozenset()
    forgotten: Forgotten = field(default_factory=lambda: Forgotten(0))
    _known: dict[int, tuple[Objection | None, Objection | None]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    def __contains__(self, person_id: object) -> bool:
        return person_id in self.opted_out or person_id in self.forgotten

    @property
    def nobody(self) -> bool:
        """Whether there is nobody of whom anything must not be recorded."""
        return not self.opted_out and not self.forgotten.marks

    def as_member(self, person_id: int, moment: datetime) -> bool:
        """Whether what a person wrote or received as a member at a moment must not be recorded."""
        objection = self.objection(person_id, Scope.MEMBER)
        return objection is not None and objection.covers(moment)

    def as_manager(self, person_id: int, moment: datetime) -> bool:
        """Whether what a person wrote or received as a manager at a moment must not be recorded."""
        objection = self.objection(person_id, Scope.PERSON)
        return objection is not None and objection.covers(moment)

    def recorded_since(self, person_id: int) -> datetime | None:
        """When a person last returned; None if they never did, or must not be recorded now."""
        objection = self.objection(person_id, Scope.MEMBER)
        return None if objection is None or objection.lasting else objection.until_at

    def objection(self, person_id: int, scope: Scope) -> Objection | None:
        """What a person objects to in this scope; an objection of the whole person is one of the member as well."""
        if self.nobody:
            return None
        if person_id not in self._known:  # a hash is slow, and the same people are asked about many times
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[person_id] = self._objections(person_id)
        whole, as_member = self._known[person_id]
        return whole if scope is Scope.PERSON else as_member

    def _objections(self, person_id: int) -> tuple[Objection | None, Objection | None]:
        whole = self.forgotten.objection(person_id, Scope.PERSON)
        found = [one for one in (whole, self.forgotten.objection(person_id, Scope.MEMBER)) if one is not None]
        if not found and person_id not in self.opted_out:
            return None, None
        until_at = max((one.until_at for one in found if one.until_at is not None), default=None)
        return whole, Objection(until_at, person_id in self.opted_out or any(one.lasting for one in found))
