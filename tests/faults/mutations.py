"""Payloads with one field missing or of another type: all that there are, and each of them as Discord would send it.

A mutation that makes a *valid other* value of a field that Spade uses (another number for an id, true for false, a
message fewer in a page) is no mutation here: it says something else, and Spade has to believe it.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.faults.used_fields import says_something_else

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from random import Random

EACH = "[]"
"""The step of a path that stands for any element of a list."""
KINDS = ("missing", "null", "boolean", "number", "text", "list", "object", "huge")
HUGE = 10**39
LONG = "x" * 20_000
_VALUES: dict[str, Any] = {
    "null": None,
    "boolean": True,
    "number": 7,
    "text": "words",
    "list": ["words"],
    "object": {"words": "words"},
}
TEXTS: dict[str, tuple[str | None, str]] = {
    "an HTML page": ("<html><body>Bad things</body></html>", "text/html"),
    "JSON called HTML": (None, "text/html"),
    "half of the JSON": (None, "application/json"),
    "an empty body": ("", "application/json"),
    "no type and no body": ("", ""),
}
"""What comes in place of an answer's JSON: the text, None for its first half, and the content type."""

Path = tuple[str, ...]
Keys = tuple[str | int, ...]


@dataclass(frozen=True, order=True, slots=True)
class Mutation:
    """One change: `where` is an event's name or a request's method and route, `path` the field, () for the whole."""

    where: str
    path: Path
    kind: str

    def __str__(self) -> str:
        return f"{self.where} {'.'.join(self.path) or 'as a whole'}: {self.kind}"


def fields(payload: object) -> Iterator[tuple[Path, object]]:
    """All fields of a payload with their values, the whole of it first; an element of a list is at `EACH`."""
    yield (), payload
    inside: Iterable[tuple[str, object]] = ()
    if isinstance(payload, dict):
        inside = payload.items()
    elif isinstance(payload, list):
        inside = ((EACH, one) for one in payload)
    for name, value in inside:
        for path, found in fields(value):
            yield (name, *path), found


def mutations(where: str, specimens: Iterable[object]) -> list[Mutation]:
    """Every mutation of some payloads that is possible in one of them, sorted."""
    found = {
        Mutation(where, path, kind)
        for specimen in specimens
        for path, value in fields(specimen)
        for kind in KINDS
        if _applies(where, path, kind, value)
    }
    return sorted(found)


def mutated(payload: Any, mutation: Mutation, random: Random) -> Any:
    """A copy of a payload with a mutation, in one of the places where it applies.

    Raises LookupError if there is none.
    """
    fit = [keys for keys, value, holder in _places(payload, mutation.path) if _fits(mutation, value, holder)]
    if not fit:
        raise LookupError(mutation)
    changed = [copy.deepcopy(payload)]
    *before, last = (0, *random.choice(fit))
    holder: Any = changed
    for key in before:
        holder = holder[key]
    if mutation.kind == "missing":
        del holder[last]
    else:
        holder[last] = _other(holder[last], mutation.kind)
    return changed[0]


def _places(payload: Any, path: Path, keys: Keys = (), holder: object = None) -> Iterator[tuple[Keys, object, object]]:
    """Where a path leads to in a payload: the keys and indices there, the value, and what holds it."""
    if not path:
        yield keys, payload, holder
    elif path[0] == EACH and isinstance(payload, list):
        for index, one in enumerate(payload):
            yield from _places(one, path[1:], (*keys, index), payload)
    elif isinstance(payload, dict) and path[0] in payload:
        yield from _places(payload[path[0]], path[1:], (*keys, path[0]), payload)


def _fits(mutation: Mutation, value: object, holder: object) -> bool:
    return _applies(mutation.where, mutation.path, mutation.kind, value, holder)


def _other(value: object, kind: str) -> Any:
    if kind == "huge":
        if _is_number(value):
            return HUGE
        return str(HUGE) if isinstance(value, str) and value.isdecimal() else LONG
    return copy.deepcopy(_VALUES.get(kind))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _applies(where: str, path: Path, kind: str, value: object, holder: object = None) -> bool:
    if kind == "missing":
        if not path:
            return False  # an event without "d", an answer without a body: see TEXTS
    elif _other(value, kind) == value and type(_other(value, kind)) is type(value):
        return False
    return not says_something_else(where, path, kind, value, holder)
