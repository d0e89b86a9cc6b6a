"""`python -m tests.fuzz [--seconds N] [--seed N] [--cases N] [--only TARGET [--case NAME]]`."""

import argparse
import itertools
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from random import Random

from tests.fuzz import configuration, exports, record, words

Target = Callable[[Random, Path], None]

TARGETS: Mapping[str, Target] = {
    "exports": exports.fuzz,
    "configuration": configuration.fuzz,
    "names": words.fuzz_names,
    "answers": words.fuzz_answers,
    "options": words.fuzz_options,
    "buttons": words.fuzz_buttons,
    "record": record.fuzz,
}
_SHOWN = 20
_A_TURN = 25
"""How many cases of a target follow one another; of the one with a database, one."""


def fuzz(only: str | None, cases: Iterator[str], going: Callable[[int], bool]) -> tuple[Counter[str], int]:
    """Play cases on every target, or on one, until it is enough; how many of each, and how many failed."""
    played: Counter[str] = Counter()
    failures = 0
    with tempfile.TemporaryDirectory(prefix="spade-fuzz-") as folder:
        for target in TARGETS:
            Path(folder, target).mkdir()
        for case in cases:
            turn = [(target, 1 if TARGETS[target] is record.fuzz else _A_TURN) for target in TARGETS]
            for target, name in (
                [(only, case)] if only else [(target, f"{case}.{n}") for target, count in turn for n in range(count)]
            ):
                if not going(played.total()):
                    return played, failures
                played[target] += 1
                try:
                    TARGETS[target](Random(f"{target}/{name}"), Path(folder, target))
                except Exception:  # noqa: BLE001 - whatever it is, it is what is looked for
                    failures += 1
                    if failures <= _SHOWN:
                        print(f"failed; replay: python -m tests.fuzz --only {target} --case {name}")
                        traceback.print_exc(limit=-3, file=sys.stdout)
    return played, failures


def main() -> int:
    """Play, and print one line at the end; 1 when something failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long")
    parser.add_argument("--cases", type=int, help="how many in all, in place of how long")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=TARGETS)
    parser.add_argument("--case", help="one case, as a failure names it")
    given = parser.parse_args()
    cases = iter([given.case]) if given.case else (f"{given.seed}-{number}" for number in itertools.count())
    end = time.monotonic() + given.seconds
    going = (lambda played: played < given.cases) if given.cases else (lambda _: time.monotonic() < end)
    played, failures = fuzz(given.only, cases, going)
    print(", ".join(f"{target} {count:,}" for target, count in played.items()))
    print(f"fuzz: cases={played.total()} failures={failures}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
