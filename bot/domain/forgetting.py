"""People who must not be recorded: those who opted out and those who were erased (docs/rules.md#privacy)."""

import hmac
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from hashlib import sha256


def mark_of(key: bytes, guild_id: int, person_id: int) -> str:
    """The mark of an erased person: a keyed hash of guild and person, as hexadecimal text."""
    return hmac.new(key, f"{guild_id}:{person_id}".encode(), sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Forgotten:
    """The people of a guild who were erased. Supports `in` for a person's id, but cannot list the ids."""

    guild_id: int
    key: bytes = b""
    marks: AbstractSet[str] = frozenset()

    def __contains__(self, person_id: object) -> bool:
        return bool(self.marks) and isinstance(person_id, int) and self.mark(person_id) in self.marks

    def mark(self, person_id: int) -> str:
        """The mark that is stored for a person when they are erased."""
        return mark_of(self.key, self.guild_id, person_id)


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """Everybody in a guild who must not be recorded. Supports `in`."""

    opted_out: AbstractSet[int] = frozenset()
    forgotten: Forgotten = field(default_factory=lambda: Forgotten(0))

    def __contains__(self, person_id: object) -> bool:
        return person_id in self.opted_out or person_id in self.forgotten
