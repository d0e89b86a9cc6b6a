"""People whom Spade must not record: those who opted out, and those who asked to be forgotten (§1, R3)."""

import hmac
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from hashlib import sha256


def mark_of(key: bytes, guild_id: int, person_id: int) -> str:
    """What is remembered of somebody who was forgotten: a keyed hash of their id, another one in every guild."""
    return hmac.new(key, f"{guild_id}:{person_id}".encode(), sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Forgotten:
    """The people of a guild who were erased. It can say whether somebody is among them, and not who is."""

    guild_id: int
    key: bytes = b""
    marks: AbstractSet[str] = frozenset()

    def __contains__(self, person_id: object) -> bool:
        return bool(self.marks) and isinstance(person_id, int) and self.mark(person_id) in self.marks

    def mark(self, person_id: int) -> str:
        """What is remembered of a person when they are erased."""
        return mark_of(self.key, self.guild_id, person_id)


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """Everybody in a guild about whom nothing may be written down."""

    opted_out: AbstractSet[int] = frozenset()
    forgotten: Forgotten = field(default_factory=lambda: Forgotten(0))

    def __contains__(self, person_id: object) -> bool:
        return person_id in self.opted_out or person_id in self.forgotten
