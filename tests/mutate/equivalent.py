"""Mutants that nobody could tell from the program, each with the reason, in `equivalent.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.mutate.mutant import Mutant

LISTED = Path(__file__).with_name("equivalent.toml")

Key = tuple[str, str, str]


def listed(path: Path = LISTED) -> dict[Key, str]:
    """The reasons, by path, line and what the line becomes."""
    entries = tomllib.loads(path.read_text(encoding="utf-8")).get("equivalent", [])
    found = {(entry["path"], entry["line"], entry["becomes"]): entry["reason"] for entry in entries}
    if len(found) != len(entries):
        raise ValueError(f"{path.name} lists a mutant twice")
    if not all(reason.strip() for reason in found.values()):
        raise ValueError(f"{path.name} lists a mutant without a reason")
    return found


def without_mutant(
    entries: Iterable[Key], modules: Mapping[str, bytes], mutants: Mapping[str, Iterable[Mutant]]
) -> list[Key]:
    """Entries that stand for no mutant any more, because the line they are about has changed."""
    there = {mutant.key(modules[path]) for path, found in mutants.items() for mutant in found}
    return sorted(set(entries) - there)
