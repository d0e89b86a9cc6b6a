"""Runs of many programs, drawn from a seed and shrunken by Hypothesis."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import HypothesisException

from tests.histories.play import Outcome, empty_database, play
from tests.histories.steps import Program, programs

BATCH = 50
"""How many programs are drawn from one seed."""


@dataclass
class Batch:
    """What the runs of one seed came to. `failed` is the shrunken program that fails, with its differences."""

    seed: int
    runs: int = 0
    steps: int = 0
    kills: int = 0
    failed: Program | None = None
    lines: tuple[str, ...] = ()

    def report(self) -> str:
        """The shrunken program, what differs, and how to repeat it."""
        program = "".join(f"    {step!r},\n" for step in self.failed or ())
        found = "".join(f"  {line}\n" for line in self.lines)
        return (
            f"seed {self.seed} differs:\n{found}program = (\n{program})\n"
            f"repeat: python -m tests.histories --runs {BATCH} --seed {self.seed}"
        )


@dataclass
class _Count:
    batch: Batch
    smallest: dict[Program, Outcome] = field(default_factory=dict)

    def add(self, program: Program, outcome: Outcome) -> None:
        if self.batch.failed is None:
            self.batch.runs += 1
            self.batch.steps += outcome.steps
            self.batch.kills += outcome.kills
        if outcome.lines:
            # Hypothesis plays the smallest one last.
            self.batch.failed, self.batch.lines = program, outcome.lines


@contextmanager
def workplace() -> Iterator[Path]:
    """An empty database in a folder of its own, in memory where there is such a place, and a quiet log."""
    memory = Path("/dev/shm")
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with tempfile.TemporaryDirectory(prefix="spade-histories-", dir=memory if memory.is_dir() else None) as made:
            yield empty_database(Path(made))
    finally:
        logging.disable(level)


def run_batch(seed_of: int, runs: int, empty: Path, *, shrink: bool = True) -> Batch:
    """Play programs until one differs, and shrink that one."""
    batch = Batch(seed_of)
    count = _Count(batch)

    @seed(seed_of)
    @settings(
        max_examples=runs,
        database=None,
        deadline=None,
        derandomize=False,
        report_multiple_bugs=False,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
    )
    @given(programs())
    def all_agree(program: Program) -> None:
        outcome = play(program, empty)
        count.add(program, outcome)
        assert not outcome.lines

    try:
        all_agree()
    except AssertionError:
        assert batch.failed is not None
    except HypothesisException as error:
        if batch.failed is None:
            raise
        batch.lines = (*batch.lines, f"({type(error).__name__})")
    return batch


def run_alone(asked: tuple[int, int, bool]) -> Batch:
    """The same in a process that does nothing else: the seed, the number of runs, whether to shrink."""
    with workplace() as empty:
        return run_batch(asked[0], asked[1], empty, shrink=asked[2])
