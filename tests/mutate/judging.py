"""Plants mutants in copies of the tree and has the tests run."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.mutate.choice import stages
from tests.mutate.coverage_map import CoverageMap
from tests.mutate.mutant import Mutant

NOT_COPIED = shutil.ignore_patterns(".git", ".venv", ".mutate", ".mypy_cache", ".ruff_cache", ".hypothesis", "*.db")
START_SECONDS = 30.0
"""What a run may take besides its tests, on a busy machine."""
CONTROLS = 10
CHANCE_SECONDS = 1.0
"""A test that takes longer may have failed by chance, so it has to fail twice."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mutant. `by` is the test that noticed it; None: it survived the tests that were run."""

    mutant: Mutant
    by: str | None
    tests: int
    seconds: float
    hung: bool = False
    output: str = ""


def copy_tree(tree: Path, to: Path) -> None:
    """A copy in which anything can be changed."""
    shutil.copytree(tree, to, ignore=NOT_COPIED)


def compile_tests(tree: Path) -> None:
    """Have pytest keep what it makes of the tests, so that no run has to make it again."""
    suites = ["tests/unit", "tests/integration", "tests/e2e"]
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *suites]
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    subprocess.run(command, cwd=tree, env=environment, stdout=subprocess.DEVNULL, check=True)


class Worker:
    """A warm process in a copy of the tree (`worker.py`)."""

    def __init__(self, tree: Path) -> None:
        environment = {**os.environ, "PYTHONPATH": str(tree)}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.mutate.worker", str(tree)], cwd=tree, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self._answer()

    def run(self, tests: Mapping[str, float], mutant: Mutant | None = None, source: bytes = b"") -> dict[str, Any]:
        """Run tests, cheapest first, with a mutant in its module; without one, on the tree as it is."""
        job: dict[str, Any] = {"tests": tests, "limit": START_SECONDS + 2 * sum(tests.values())}
        if mutant is not None:
            job |= {"path": mutant.path, "source": mutant.applied(source).decode()}
        assert self._process.stdin is not None
        print(json.dumps(job), file=self._process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the process that runs the tests has ended")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def check_control(worker: Worker, covered: CoverageMap) -> None:
    """Without a mutant, tests must run and pass: otherwise a failure would show nothing."""
    cheapest = sorted(covered.seconds.items(), key=lambda one: (one[1], one[0]))
    tests = dict(cheapest[:CONTROLS] + cheapest[len(cheapest) // 2 :][:CONTROLS])
    answer = worker.run(tests)
    if answer["failed"] or answer["hung"] or answer["ran"] < len(tests):
        raise RuntimeError(f"without any mutant {answer['failed']} fails:\n{answer['output']}")


def judge(worker: Worker, mutant: Mutant, modules: Mapping[str, bytes], covered: CoverageMap) -> Verdict:
    """Run the tests that can notice a mutant until one does. One that hangs is noticed."""
    began, source, ran = time.monotonic(), modules[mutant.path], 0
    for stage in stages(mutant, modules, covered):
        tests = {test: covered.seconds.get(test, 1.0) for test in stage}
        answer = worker.run(tests, mutant, source)
        ran += answer["ran"]
        failed, hung = answer["failed"], answer["hung"]
        if failed in tests and tests[failed] > CHANCE_SECONDS and "Timeout" not in answer["output"]:
            again = worker.run({failed: tests[failed]}, mutant, source)
            failed, hung = again["failed"], again["hung"]
        if failed or hung:
            took = time.monotonic() - began
            return Verdict(mutant, failed or "a run that hung", ran, took, hung, answer["output"])
    return Verdict(mutant, None, ran, time.monotonic() - began)


def judge_all(
    trees: Sequence[Path],
    mutants: Sequence[Mutant],
    modules: Mapping[str, bytes],
    covered: CoverageMap,
    tell: Callable[[Verdict], None],
) -> list[Verdict]:
    """Judge mutants, one at a time in each copy of the tree."""
    left: queue.SimpleQueue[Mutant] = queue.SimpleQueue()
    for mutant in mutants:
        left.put(mutant)
    verdicts: list[Verdict] = []
    failures: list[BaseException] = []

    def work(tree: Path) -> None:
        try:
            worker = Worker(tree)
            check_control(worker, covered)
            while not failures:
                try:
                    mutant = left.get_nowait()
                except queue.Empty:
                    break
                try:
                    verdict = judge(worker, mutant, modules, covered)
                except RuntimeError as error:
                    verdict = Verdict(mutant, None, 0, 0.0, output=f"not judged: {error}")
                    worker.close()
                    worker = Worker(tree)
                verdicts.append(verdict)
                tell(verdict)
            worker.close()
        except Exception as error:  # noqa: BLE001 - raised again in the thread that waits for this one
            failures.append(error)

    threads = [threading.Thread(target=work, args=(tree,)) for tree in trees]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return sorted(verdicts, key=lambda verdict: verdict.mutant)
