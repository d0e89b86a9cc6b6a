"""The import of a large export file."""

from pathlib import Path

from tests.bench import parsing
from tests.bench.measure import MEGABYTE
from tests.bench.row import Of, Row, alone, at_least, at_most, beside
from tests.bench.sizes import Sizes


def imports(sizes: Sizes, _folder: Path) -> Row:
    """`spade import` of one file, beside decoding it."""
    name = f"import of {sizes.exported:,} messages"
    try:
        found = parsing.compare(sizes.exported, min(sizes.pairs, 3), sizes.seconds)
    except ModuleNotFoundError as error:
        return Row(name, why=f"{error.name} is not installed")
    speeds = [(ours / MEGABYTE, theirs / MEGABYTE) for ours, theirs in found.pairs]
    return Row(
        f"{name} ({found.size // MEGABYTE:,} MB)",
        (
            beside("read", "MB per CPU second", "msgspec", speeds, at_least(0.4, Of.RATIO) if sizes.full else None),
            alone("CPU", "s", [one.cpu for one in found.imports]),
            alone("on the wall", "s", [one.wall for one in found.imports]),
            alone("memory", "MB", [one.peak / MEGABYTE for one in found.imports], at_most(120.0)),
        ),
    )
