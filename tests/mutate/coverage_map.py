"""Which tests run which lines: from one run of each test file, kept for as long as nothing of it changes.

A file's result is kept under a hash of the code it tests, of what tests share, and of the file itself, so that
after a change to one test file only that file is run again.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from coverage import CoverageData

CACHE = Path(".mutate")
SUITES = ("tests/unit", "tests/integration", "tests/e2e")
STARTS_PROCESSES = ("faults", "process", "page", "catch_up", "under_load", "interruption", "mutate", "house")
"""Parts of the names of test files that show nothing here: they run the bot in other processes, or not at all."""
_SETTINGS = """[run]
source = bot
concurrency = thread,greenlet
data_file = {data}
"""
_SHARED = (
    "bot",
    "cogs",
    "tests/support",
    "tests/oracle",
    "tests/simulate",
    "tests/fuzz",
    "tests/conftest.py",
    "tests/openapi.py",
)


@dataclass(slots=True)
class CoverageMap:
    """How long each test takes, in seconds, and which tests run which line of which module."""

    seconds: dict[str, float] = field(default_factory=dict)
    lines: dict[str, dict[int, set[str]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))
    failed: list[str] = field(default_factory=list)
    imported: dict[str, set[str]] = field(default_factory=dict)
    """By test file, the names of the modules it imports itself, `bot.store.tables` as well as `bot.store`."""

    def of_importers(self, path: str) -> set[str]:
        """The tests in files that import a module themselves."""
        module = path.removesuffix(".py").replace("/", ".")
        return {test for test in self.seconds if module in self.imported.get(test.partition("::")[0], ())}

    def of_lines(self, path: str, first: int, last: int) -> set[str]:
        """The tests that run any of these lines."""
        lines = self.lines.get(path, {})
        return {test for number in range(first, last + 1) for test in lines.get(number, ())}

    def of_module(self, path: str) -> set[str]:
        """The tests that run anything of a module."""
        return {test for tests in self.lines.get(path, {}).values() for test in tests}


def mapped(tree: Path, cache: Path, jobs: int) -> CoverageMap:
    """The map of a tree. Test files without a current result are run in it, so many at once."""
    cache.mkdir(parents=True, exist_ok=True)
    shared = _digest(tree, _SHARED)
    results = {}
    for suite in SUITES:
        for path in sorted((tree / suite).rglob("test_*.py")):
            if not any(part in path.stem for part in STARTS_PROCESSES):
                name = path.relative_to(tree).as_posix()
                own = hashlib.sha256(path.read_bytes() + shared.encode()).hexdigest()[:16]
                results[name] = cache / f"{path.parent.name}-{path.stem}-{own}.json"
    stale = [name for name, result in results.items() if not result.exists()]
    if stale:
        print(f"mutate: finding out which lines {len(stale)} test files run", flush=True)
        _run(tree, cache, stale, results, jobs)
    kept = {result.name for result in results.values()}
    for old in cache.glob("*.json"):
        if old.name not in kept:
            old.unlink()
    whole = _merged(json.loads(result.read_text()) for result in results.values())
    whole.imported = {name: _imported(ast.parse((tree / name).read_bytes())) for name in results}
    return whole


def _imported(module: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def _digest(tree: Path, names: Iterable[str]) -> str:
    total = hashlib.sha256()
    for name in names:
        top = tree / name
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file() and "__pycache__" not in path.parts:
                total.update(path.relative_to(tree).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def _run(tree: Path, cache: Path, names: Collection[str], results: dict[str, Path], jobs: int) -> None:
    data, settings, times = (cache / name for name in ("coverage.data", "coverage.ini", "times.jsonl"))
    for old in (*cache.glob("coverage.data*"), *cache.glob("times.jsonl")):
        old.unlink()
    settings.write_text(_SETTINGS.format(data=data.resolve()))
    command = [sys.executable, "-m", "pytest", "-p", "tests.mutate.stopwatch", f"--stopwatch={times.resolve()}"]
    command += [
        *(["-n", str(jobs), "--dist", "worksteal"] if len(names) > 1 else []),
        "-o",
        "addopts=--import-mode=importlib",
    ]
    command += ["--cov=bot", f"--cov-config={settings.resolve()}", "--cov-context=test", "--cov-report=", "-q", *names]
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    ended = subprocess.run(
        command, cwd=tree, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if not times.exists() or not data.exists():
        raise RuntimeError(f"the tests do not run:\n{ended.stdout[-3000:]}")
    for name, found in _by_file(tree, data, times, names).items():
        results[name].write_text(json.dumps(found))


def _by_file(tree: Path, data: Path, times: Path, names: Iterable[str]) -> dict[str, dict[str, object]]:
    seconds: Counter[str] = Counter()
    failed: set[str] = set()
    skipped: set[str] = set()
    for line in times.read_text().splitlines():
        test, took, outcome = json.loads(line)
        seconds[test] += took
        if outcome != "passed":
            (failed if outcome == "failed" else skipped).add(test)
    lines: dict[str, dict[str, dict[int, list[str]]]] = {name: {} for name in names}
    covered = CoverageData(str(data))
    covered.read()
    for measured in covered.measured_files():
        path = Path(measured).resolve().relative_to(tree.resolve()).as_posix()
        for line, contexts in covered.contexts_by_lineno(measured).items():
            for test in {context.partition("|")[0] for context in contexts} - {""}:
                file = test.partition("::")[0]
                if file in lines and test not in failed | skipped:
                    lines[file].setdefault(path, {}).setdefault(line, []).append(test)
    return {
        name: {
            "seconds": {
                test: round(took, 3)
                for test, took in seconds.items()
                if test.startswith(f"{name}::") and test not in failed | skipped
            },
            "failed": sorted(test for test in failed if test.startswith(f"{name}::")),
            "lines": lines[name],
        }
        for name in names
    }


def _merged(results: Iterable[dict[str, dict[str, dict[str, list[str]]]]]) -> CoverageMap:
    whole = CoverageMap()
    for result in results:
        whole.seconds.update(result["seconds"])
        whole.failed += result["failed"]
        for path, lines in result["lines"].items():
            for line, tests in lines.items():
                whole.lines[path][int(line)].update(tests)
    return whole
