"""`python -m tests.histories [--runs N] [--seed K] [--jobs N] [--kills] [--no-shrink]`: random histories, and kills.

`--kills` also plays every story with a kill between every two of its transactions.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.histories.runs import BATCH, run_alone
from tests.histories.stories import STORIES, tell_alone


def _batches(runs: int, seed: int, *, shrink: bool) -> Iterator[tuple[int, int, bool]]:
    for number, first in enumerate(range(0, runs, BATCH)):
        yield seed + number, min(BATCH, runs - first), shrink


def main() -> None:
    """Play what was asked for; the last line sums it up."""
    parser = argparse.ArgumentParser(prog="python -m tests.histories", description=__doc__)
    parser.add_argument("--runs", type=int, default=50, help="how many programs")
    parser.add_argument("--seed", type=int, default=1, help=f"of the first {BATCH} of them; the next have the next")
    parser.add_argument("--jobs", type=int, default=1, help="how many at once")
    parser.add_argument("--kills", action="store_true", help="play the stories, too, with every kill there can be")
    parser.add_argument("--story", choices=sorted(STORIES), action="append", help="with --kills: only these")
    parser.add_argument("--no-shrink", action="store_true", help="do not look for the smallest program that differs")
    given = parser.parse_args()
    silent = 0
    runs, steps, kills, stories = 0, 0, 0, 0
    with ProcessPoolExecutor(given.jobs, mp_context=get_context("spawn")) as workers:
        for told in workers.map(tell_alone, (given.story or STORIES) if given.kills else ()):
            stories += 1
            kills += told.kills
            silent += len(told.differing)
            for line in told.report():
                print(line)
        for batch in workers.map(run_alone, _batches(given.runs, given.seed, shrink=not given.no_shrink)):
            runs += batch.runs
            steps += batch.steps
            kills += batch.kills
            if batch.failed is not None:
                silent += 1
                print(batch.report())
    print(f"histories: runs={runs} steps={steps} kills={kills} stories={stories} silent={silent} seed={given.seed}")
    sys.exit(silent > 0)


if __name__ == "__main__":
    main()
