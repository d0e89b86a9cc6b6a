"""`python -m tests.mutate [--seed N] [--count N] [--jobs N] [--only PREFIX] [--again LOG] [--list]`."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.mutate import equivalent
from tests.mutate.coverage_map import CACHE, mapped
from tests.mutate.judging import Verdict, compile_tests, copy_tree, judge_all
from tests.mutate.sampling import all_mutants, sample, sources, survivors_in

ROOT = Path(__file__).resolve().parents[2]
ENOUGH = 0.95


def main() -> int:
    """Judge a sample; 0 when enough of it was noticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutate", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="which sample")
    parser.add_argument("--count", type=int, default=200, help="how many mutants")
    parser.add_argument("--jobs", type=int, default=2, help="how many at once")
    parser.add_argument("--only", default="", help="modules whose path begins with this")
    parser.add_argument("--again", type=Path, help="only the survivors in the output of an earlier run")
    parser.add_argument("--list", action="store_true", help="show the sample and run nothing")
    given = parser.parse_args()
    modules, mutants = sources(ROOT), all_mutants(ROOT)
    reasons = equivalent.listed()
    stale = equivalent.without_mutant(reasons, modules, mutants)
    if stale:
        for path, line, becomes in stale:
            print(f"equivalent.toml: no mutant of {path} makes\n-{line}\n+{becomes}")
        return 2
    chosen = {path: found for path, found in mutants.items() if path.startswith(given.only)}
    if given.again is None:
        drawn = sample(modules, chosen, given.count, given.seed)
    else:
        wanted = survivors_in(given.again.read_text(encoding="utf-8"))
        drawn = [one for found in chosen.values() for one in found if one.diff_key(modules[one.path]) in wanted]
    if given.list:
        for mutant in drawn:
            print(mutant.diff(modules[mutant.path]))
        return 0
    judged = [mutant for mutant in drawn if mutant.key(modules[mutant.path]) not in reasons]
    began = time.monotonic()

    def tell(verdict: Verdict) -> None:
        how = f"survived {verdict.output}" if verdict.by is None else f"caught by {verdict.by}"
        print(f"{verdict.mutant.path}:{verdict.mutant.line} {verdict.mutant.operator}: {how} "
              f"({verdict.tests} tests, {verdict.seconds:.1f} s)", flush=True)  # fmt: skip

    folder = Path(tempfile.mkdtemp(prefix="spade-mutate-"))
    try:
        trees = [folder / str(number) for number in range(given.jobs)]
        copy_tree(ROOT, trees[0])
        covered = mapped(trees[0], ROOT / CACHE, given.jobs)
        compile_tests(trees[0])
        for tree in trees[1:]:
            copy_tree(trees[0], tree)
        mapped_in = time.monotonic() - began
        verdicts = judge_all(trees, judged, modules, covered, tell)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for test in covered.failed:
        print(f"not used, because it fails in a copy of the tree: {test}")
    survivors = [verdict.mutant for verdict in verdicts if verdict.by is None]
    for mutant in survivors:
        print(f"\nsurvived: {mutant.diff(modules[mutant.path])}")
    hung = sum(verdict.hung for verdict in verdicts)
    print(f"\n{mapped_in:.0f} s for the map, {time.monotonic() - began - mapped_in:.0f} s for the mutants; {hung} hung")
    caught, left = len(judged) - len(survivors), len(drawn) - len(judged)
    print(f"mutate: mutants={len(drawn)} caught={caught} equivalent={left} survived={len(survivors)} seed={given.seed}")
    return 0 if caught + left >= ENOUGH * len(drawn) else 1


if __name__ == "__main__":
    sys.exit(main())
