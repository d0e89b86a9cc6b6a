"""Which tests can notice a mutant."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Mapping
from functools import cache
from itertools import accumulate

from tests.mutate.coverage_map import CoverageMap
from tests.mutate.mutant import Mutant

QUICK_SECONDS = 3.0
SLOW_SECONDS = 40.0
OTHER_SECONDS = 80.0
"""How much of the tests' own time goes into a mutant: the cheapest first, the rest, then what is far away."""

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def stages(mutant: Mutant, modules: Mapping[str, bytes], covered: CoverageMap) -> list[list[str]]:
    """The tests that run what a mutant changes, in stages; each only if the one before has not noticed anything.

    Tests on PostgreSQL and of the whole bot come last: what SQLite's tests let pass, they seldom catch.
    """
    tests = sorted(_all(mutant, modules, covered), key=lambda test: (covered.seconds.get(test, 1.0), test))
    near = [test for test in tests if not _is_far(test)]
    quick = _within(near, covered, QUICK_SECONDS)
    slow = _within(near[len(quick) :], covered, SLOW_SECONDS)
    far = _within([test for test in tests if _is_far(test)], covered, OTHER_SECONDS)
    return [stage for stage in (quick, slow, far) if stage]


def _is_far(test: str) -> bool:
    return test.startswith("tests/e2e/") or "postgresql" in test.partition("[")[2]


def _within(tests: list[str], covered: CoverageMap, seconds: float) -> list[str]:
    sums = accumulate(covered.seconds.get(test, 1.0) for test in tests)
    return [
        test for number, (test, total) in enumerate(zip(tests, sums, strict=True)) if total <= seconds or not number
    ]


def _all(mutant: Mutant, modules: Mapping[str, bytes], covered: CoverageMap) -> Collection[str]:
    path = _path_to(mutant.path, modules[mutant.path], mutant)
    statement = path[-1]
    function = next((one for one in reversed(path) if isinstance(one, _Function)), None)
    if function is None:
        return _by_name(path, mutant, covered, modules)
    if statement is function:  # a default of an argument, which is made once, when the module is imported
        return covered.of_lines(mutant.path, function.body[0].lineno, function.end_lineno or function.lineno)
    return covered.of_lines(mutant.path, statement.lineno, _last_of_head(statement))


def _by_name(
    path: list[ast.stmt], mutant: Mutant, covered: CoverageMap, modules: Mapping[str, bytes]
) -> Collection[str]:
    """What is made when a module is imported shows where its name is used, and to those who import the module."""
    names: set[str] = set()
    for statement in path:
        match statement:
            case ast.Assign(targets=targets):
                names |= {target.id for target in targets if isinstance(target, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
            case _:
                pass
    importers = covered.of_importers(mutant.path)
    if not names:
        return covered.of_module(mutant.path) | importers
    word = re.compile(r"\b(" + "|".join(sorted(names)) + r")\b")
    return importers | {
        test
        for module, lines in covered.lines.items()
        for number, text in enumerate(modules.get(module, b"").decode().splitlines(), 1)
        if number in lines and word.search(text)
        for test in lines[number]
    }


def _last_of_head(statement: ast.stmt) -> int:
    """The last line of a statement, without the statements in it."""
    body = getattr(statement, "body", None)
    last = statement.end_lineno or statement.lineno
    return max(statement.lineno, body[0].lineno - 1) if body else last


def _path_to(name: str, source: bytes, mutant: Mutant) -> list[ast.stmt]:
    """The statements that a mutant lies in, from the outside in."""
    found: list[ast.stmt] = []
    within: ast.AST = _tree(name, source)
    while True:
        inner = next((one for one in _statements(within) if one.lineno <= mutant.line <= (one.end_lineno or 0)), None)
        if inner is None:
            return found
        found.append(inner)
        within = inner


def _statements(node: ast.AST) -> list[ast.stmt]:
    found: list[ast.stmt] = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            found.append(child)
        elif isinstance(child, ast.excepthandler | ast.match_case):
            found += _statements(child)
    return found


@cache
def _tree(_name: str, source: bytes) -> ast.Module:
    return ast.parse(source)
