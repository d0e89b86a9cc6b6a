"""A few of very many mutants: the same ones for the same seed and the same code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from itertools import takewhile
from pathlib import Path
from random import Random

from tests.mutate.mutant import Mutant
from tests.mutate.sites import defaults_in, mutants_of

ROOMS = ("bot/domain", "bot/store", "bot/services")
LEFT_OUT = "bot/store/migrations"
"""What an old schema was is history: it must not be changed any more, and no test describes it."""


def sources(tree: Path) -> dict[str, bytes]:
    """The modules that are changed, by their path within a tree."""
    found = {}
    for room in ROOMS:
        for path in sorted((tree / room).rglob("*.py")):
            name = path.relative_to(tree).as_posix()
            if not name.startswith(LEFT_OUT):
                found[name] = path.read_bytes()
    return found


def all_mutants(tree: Path) -> dict[str, list[Mutant]]:
    """Every mutant of a tree, by module."""
    defaults = defaults_in([ast.parse(path.read_bytes()) for path in sorted((tree / "bot").rglob("*.py"))])
    return {path: mutants_of(path, source, defaults) for path, source in sources(tree).items()}


def sample(modules: Mapping[str, bytes], mutants: Mapping[str, list[Mutant]], count: int, seed: int) -> list[Mutant]:
    """So many mutants that parse, spread over the modules by how many each has."""
    chosen: list[Mutant] = []
    for path, share in _shares({path: len(found) for path, found in mutants.items()}, count).items():
        shuffled = list(mutants[path])
        Random(f"{seed} {path}").shuffle(shuffled)
        chosen += _first(share, (one for one in shuffled if one.parses(modules[path])))
    return sorted(chosen)


def _shares(sizes: Mapping[str, int], count: int) -> dict[str, int]:
    """Shares of a count in proportion to sizes, whole numbers by the largest remainder."""
    whole = sum(sizes.values())
    exact = {path: count * size / whole for path, size in sizes.items()} if whole else {}
    shares = {path: int(share) for path, share in exact.items()}
    left = min(count, whole) - sum(shares.values())
    by_remainder = sorted(exact, key=lambda path: (shares[path] - exact[path], path))
    return shares | {path: shares[path] + 1 for path in by_remainder[:left]}


def _first(count: int, found: Iterator[Mutant]) -> list[Mutant]:
    return [one for _, one in zip(range(count), found, strict=False)]


def survivors_in(output: str) -> frozenset[str]:
    """The survivors that an earlier run printed at its end, each as `Mutant.diff_key` gives it."""
    blocks = re.split(r"^survived: ", output, flags=re.MULTILINE)[1:]
    found = set()
    for block in blocks:
        head, *lines = block.splitlines()
        changes = list(takewhile(lambda line: line.startswith(("+", "-")), lines))
        found.add("\n".join([head.partition(":")[0], *changes]))
    return frozenset(found)
