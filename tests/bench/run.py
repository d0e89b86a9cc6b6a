"""`python -m tests.bench [--quick] [ROW…]`: every row of the table, each figure beside a yardstick in the same run.

Seconds are CPU seconds unless a figure says "on the wall". What can be compared between machines are the ratios. Every
row is measured in processes of its own, so that its memory and its caches are its own.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from tests.bench import report
from tests.bench.answers import answers
from tests.bench.commands import commands
from tests.bench.demo import demo
from tests.bench.filesize import filesize
from tests.bench.gateway import gateway
from tests.bench.imports import imports
from tests.bench.measure import apart, cpu
from tests.bench.row import Row
from tests.bench.sizes import FULL, QUICK, Sizes
from tests.bench.statements import statement
from tests.bench.ticks import tick

Measure = Callable[[Sizes, Path], Row | tuple[Row, ...]]

ROWS: Mapping[str, Measure] = {
    "statement": statement,
    "demo": demo,
    "gateway": gateway,
    "tick": tick,
    "answers": answers,
    "import": imports,
    "size": filesize,
    "commands": commands,
}
"""What is measured, in the order of the table. Some measure several of its rows."""


def main() -> int:
    """Measure everything; 1 if a row could not be measured. Whether goals are met is said, and is no failure."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller and less often; not for the history")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"only these of {', '.join(ROWS)}; nothing is written")
    given = parser.parse_args()
    if unknown := set(given.rows) - ROWS.keys():
        parser.error(f"there is no row {', '.join(sorted(unknown))}: the rows are {', '.join(ROWS)}")
    sizes, began = QUICK if given.quick else FULL, time.monotonic()
    chosen = {name: measure for name, measure in ROWS.items() if not given.rows or name in given.rows}
    rows = measured(sizes, chosen)
    found = report.Report(*report.this_commit(), report.this_machine(), time.monotonic() - began, sizes.full, rows)
    if not given.rows:
        report.save(found)
    print(f"\n{report.table(rows)}\n\n{found.last_line()}")
    return 0 if all(row.figures for row in rows) else 1


def measured(sizes: Sizes, chosen: Mapping[str, Measure]) -> Sequence[Row]:
    """The rows of these; one that fails is a row that says why."""
    rows: list[Row] = []
    for name, measure in chosen.items():
        began, spent = time.monotonic(), cpu()
        with tempfile.TemporaryDirectory(prefix="spade-bench-", ignore_cleanup_errors=True) as folder:
            try:
                found = apart(partial(measure, sizes, Path(folder)))
            except Exception as error:  # noqa: BLE001 - whatever failed, the other rows are measured
                found = Row(name, why=f"{type(error).__name__}: {' '.join(str(error).split())[:200]}")
        rows += found if isinstance(found, tuple) else (found,)
        print(f"{name}: {time.monotonic() - began:.0f} s, CPU {cpu() - spent:.0f} s", flush=True)
    return rows
