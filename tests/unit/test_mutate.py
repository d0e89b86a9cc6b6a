"""The mutator: what each operator changes, what is left alone, which mutants are drawn, and who judges them."""

import ast
from collections import Counter
from pathlib import Path
from textwrap import dedent

import pytest

from tests.mutate.choice import stages
from tests.mutate.coverage_map import CoverageMap
from tests.mutate.equivalent import listed, without_mutant
from tests.mutate.mutant import Mutant
from tests.mutate.sampling import all_mutants, sample, sources, survivors_in
from tests.mutate.sites import defaults_in, mutants_of

ROOT = Path(__file__).resolve().parents[2]


def mutants(text: str) -> list[Mutant]:
    source = text.encode()
    return mutants_of("m.py", source, defaults_in([ast.parse(source)]))


def changed(text: str) -> set[tuple[str, str]]:
    """What is done to a module, and its text afterwards."""
    return {(one.operator, one.applied(text.encode()).decode()) for one in mutants(text)}


@pytest.mark.parametrize(
    ("text", "operator", "becomes"),
    [
        ("a < b", "< → <=", "a <= b"),
        ("a >= b", ">= → >", "a > b"),
        ("(a) == (b)", "== → !=", "(a) != (b)"),
        ("a < b < c", "< → <=", "a < b <= c"),
        ("a is not b", "is not → is", "a is b"),
        ("a not  in b", "not in → in", "a in b"),
        ("a and b and c", "and → or", "a and b or c"),
        ("x = not (a or b)", "not removed", "x = (a or b)"),
        ("x = 3", "constant + 1", "x = 4"),
        ("x = 0.5", "constant - 1", "x = (-0.5)"),
        ("x = True", "True → False", "x = False"),
        ("x = a + b", "+ → -", "x = a - b"),
        ("x //= b", "// → *", "x *= b"),
        ("x = min(a, b)", "min → max", "x = max(a, b)"),
        ("x = func.max(a)", "max → min", "x = func.min(a)"),
        ("q.order_by(a.desc())", "descending dropped", "q.order_by(a)"),
        ("q = q.where(a, b)", "condition dropped", "q = q.where(b)"),
        ("q = q.where(\n    a,\n    b,\n)", "condition dropped", "q = q.where(\n    a,\n)"),
        ("x = {a, b}", "element dropped", "x = {b}"),
        ("x = a in (b, c)", "element dropped", "x = a in (b,)"),
        ("x = a in (b, c, d)", "element dropped", "x = a in (b, d)"),
        ("async def f():\n    await g()\n    return 1", "call dropped", "async def f():\n    pass\n    return 1"),
        ("g(\n    a,\n)\n", "call dropped", "pass\n"),
        ("a.b = c", "assignment dropped", "pass"),
        ("for a in b:\n    continue", "statement dropped", "for a in b:\n    pass"),
        ("if a:\n    raise E(f'{a}')", "statement dropped", "if a:\n    pass"),
        ("if a:\n    b", "condition forced", "if False:\n    b"),
        ("x = a if b else c", "condition forced", "x = a if True else c"),
        ("x = [a for a in b if c]", "condition forced", "x = [a for a in b if True]"),
        ("def f() -> int | None:\n    return a", "returned nothing", "def f() -> int | None:\n    return None"),
        ("def f(*, a=b): ...\nx = f(a=c)", "argument dropped", "def f(*, a=b): ...\nx = f()"),
        ("x = replace(a, b=c, d=e)", "argument dropped", "x = replace(a, d=e)"),
        ("é = a < b", "< → <=", "é = a <= b"),
    ],
)
def test_an_operator_changes_what_it_says_and_nothing_else(text: str, operator: str, becomes: str) -> None:
    assert (operator, becomes) in changed(text)


@pytest.mark.parametrize(
    "text",
    [
        '"""1 < 2"""',
        "def f(a: 'int < 3') -> b < c:\n    x: Literal[1]",
        "log.info('%s', a < b)",
        "if a:\n    log.info('%s', a < b)",
        "class P(Protocol):\n    x = 1\n    def f(self): return 1 < 2",
        "class A:\n    def __repr__(self): return 'a' if 1 < 2 else 'b'",
        "if TYPE_CHECKING:\n    x = 1",
        "@dataclass(frozen=True)\nclass A:\n    pass",
        "assert a < 3",
        "x = f'{a + 1}'",
        "x = zip(a, b, strict=True)",
        "def f() -> int:\n    return a",
        "def f(a): ...\nx = f(a=c)",
        "class A:\n    def __init__(self, a):\n        self.a = a",
        "def f():\n    return a, b",
    ],
)
def test_what_no_test_has_to_notice_is_left_alone(text: str) -> None:
    assert changed(text) == set()


def test_what_an_exception_says_is_left_alone_and_the_exception_is_not() -> None:
    assert changed("raise E('at most', a + 3)") == {("statement dropped", "pass")}


def test_mutants_are_python_again_but_for_the_line_they_change() -> None:
    """All of the code's own: hardly any does not parse, and those are never drawn."""
    modules, found = sources(ROOT), all_mutants(ROOT)
    everything = [mutant for module in found.values() for mutant in module]
    assert len(everything) > 3000
    some = everything[::40]
    assert sum(mutant.parses(modules[mutant.path]) for mutant in some) >= 0.98 * len(some)
    for mutant in some:
        before = modules[mutant.path].splitlines()
        after = mutant.applied(modules[mutant.path]).splitlines()
        kept = len(before) - mutant.last_line
        assert after[: mutant.line - 1] == before[: mutant.line - 1]
        assert not kept or after[-kept:] == before[-kept:]


def test_the_same_seed_draws_the_same_and_another_seed_others() -> None:
    modules, found = sources(ROOT), all_mutants(ROOT)
    drawn = sample(modules, found, 100, seed=1)
    assert drawn == sample(modules, all_mutants(ROOT), 100, seed=1)
    assert len(set(drawn)) == 100
    assert len(set(drawn) & set(sample(modules, found, 100, seed=2))) < 20
    assert all(mutant.parses(modules[mutant.path]) for mutant in drawn)


def test_a_sample_is_spread_over_the_modules_by_how_much_there_is_to_change() -> None:
    modules, found = sources(ROOT), all_mutants(ROOT)
    assert not any("migrations" in path for path in modules)
    drawn = Counter(mutant.path for mutant in sample(modules, found, 200, seed=1))
    whole = sum(len(module) for module in found.values())
    for path, module in found.items():
        assert abs(drawn[path] - 200 * len(module) / whole) < 1


def test_a_listed_mutant_is_found_by_its_line_and_one_of_a_line_that_changed_is_reported(tmp_path: Path) -> None:
    source = "x = a < b\ny = c < d\n"
    found = {"m.py": mutants(source)}
    kept = tmp_path / "kept.toml"
    entry = '[[equivalent]]\npath = "m.py"\nline = "{}"\nbecomes = "{}"\nreason = "{}"\n'
    kept.write_text(entry.format("y = c < d", "y = c <= d", "never equal") + entry.format("x < 1", "x <= 1", "whole"))
    reasons = listed(kept)
    assert reasons[found["m.py"][1].key(source.encode())] == "never equal"
    assert without_mutant(reasons, {"m.py": source.encode()}, found) == [("m.py", "x < 1", "x <= 1")]
    kept.write_text(entry.format("y = c < d", "y = c <= d", ""))
    with pytest.raises(ValueError, match="without a reason"):
        listed(kept)


def test_every_mutant_that_is_listed_as_equivalent_is_one_of_the_codes() -> None:
    assert without_mutant(listed(), sources(ROOT), all_mutants(ROOT)) == []


MODULE = dedent("""\
    LIMIT = 3

    def far(a, b=1):
        if a > LIMIT:
            return b
        return (
            a
            - b
        )
""")


def covered() -> CoverageMap:
    quick, slow = "tests/unit/test_q.py::test_quick", "tests/unit/test_s.py::test_slow[sqlite]"
    whole = CoverageMap(
        {quick: 0.1, slow: 9.0, "tests/e2e/test_e.py::test_e": 0.2, slow.replace("sqlite", "postgresql"): 9}
    )
    for line in (4, 6, 7, 8):
        whole.lines["m.py"][line] = {quick, slow, slow.replace("sqlite", "postgresql")}
    whole.lines["m.py"][5] = {"tests/e2e/test_e.py::test_e"}
    return whole


@pytest.mark.parametrize(
    ("becomes", "tests"),
    [
        ("        + b", [["quick"], ["slow[sqlite]"], ["slow[postgresql]"]]),
        ("    if a >= LIMIT:", [["quick"], ["slow[sqlite]"], ["slow[postgresql]"]]),
        ("LIMIT = 4", [["quick"], ["slow[sqlite]"], ["slow[postgresql]"]]),
        ("def far(a, b=2):", [["quick"], ["slow[sqlite]"], ["e", "slow[postgresql]"]]),
    ],
)
def test_a_mutant_is_judged_by_the_tests_that_run_it_the_cheapest_first(becomes: str, tests: list[list[str]]) -> None:
    """A constant by those that run a line with its name, a default by those that run the function."""
    source = MODULE.encode()
    (mutant,) = [one for one in mutants(MODULE) if becomes in one.applied(source).decode().splitlines()]
    found = stages(mutant, {"m.py": source}, covered())
    assert [[test.partition("::test_")[2] for test in stage] for stage in found] == tests


def test_the_survivors_of_an_earlier_run_are_found_again_after_changes_elsewhere() -> None:
    source = MODULE.encode()
    found = mutants(MODULE)
    survivors = [found[0], found[-1]]
    output = "".join(f"\nsurvived: {one.diff(source)}\n" for one in survivors) + "\nmutate: mutants=2 caught=0\n"
    longer = f"# A line more.\n{MODULE}"
    again = [one for one in mutants(longer) if one.diff_key(longer.encode()) in survivors_in(output)]
    assert [one.diff_key(longer.encode()) for one in again] == [one.diff_key(source) for one in survivors]
