"""Commands from the shell, each a process of its own, beside a Python that does nothing."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

from tests.bench.answers import WEEK
from tests.bench.guild import GUILD, LARGE, make, part_of
from tests.bench.measure import MEGABYTE, Spent, process
from tests.bench.row import Figure, Row, at_most, beside
from tests.bench.sizes import Sizes

NAME = "commands"
HELP, DIGEST = "spade --help", "spade digest"
_PARTS = 1000
"""A small database: some fourteen thousand messages."""
_GOALS = {HELP: 0.25, DIGEST: 0.6}
_NOTHING = ("-c", "pass")
_BARE = "python -c pass"


def commands(sizes: Sizes, folder: Path) -> Row:
    """Time on the wall, for that is the goal; CPU and memory beside it."""
    path = folder / "commands.db"
    asyncio.run(make(path, part_of(LARGE, _PARTS)))
    asked = {
        HELP: ("-m", "bot", "--help"),
        DIGEST: (
            "-m",
            "bot",
            "digest",
            "--guild",
            str(GUILD),
            "--week",
            WEEK.isoformat(),
            "--database",
            f"sqlite:///{path}",
        ),
    }
    return row({name: in_turn(arguments, folder, sizes) for name, arguments in asked.items()})


def in_turn(arguments: Sequence[str], folder: Path, sizes: Sizes) -> list[tuple[Spent, Spent]]:
    """Pairs of a command and a Python that does nothing."""
    found: list[tuple[Spent, Spent]] = []
    process(arguments, folder)  # once before, so that the files are in the system's memory
    began = time.monotonic()
    while len(found) < sizes.pairs and not (found and time.monotonic() - began > sizes.seconds):
        found.append((process(arguments, folder), process(_NOTHING, folder)))
    return found


def row(found: dict[str, list[tuple[Spent, Spent]]]) -> Row:
    """The row of these pairs."""
    figures: list[Figure] = []
    for name, pairs in found.items():
        figures += [
            beside(
                f"{name}, on the wall",
                "s",
                _BARE,
                [(one.wall, other.wall) for one, other in pairs],
                at_most(_GOALS[name]),
            ),
            beside(f"{name}, CPU", "s", _BARE, [(one.cpu, other.cpu) for one, other in pairs]),
            beside(
                f"{name}, memory", "MB", _BARE, [(one.peak / MEGABYTE, other.peak / MEGABYTE) for one, other in pairs]
            ),
        ]
    return Row(NAME, tuple(figures))
