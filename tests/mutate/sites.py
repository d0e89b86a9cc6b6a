"""Where a module can be changed, and into what."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.mutate.mutant import Mutant

COMPARISONS = {
    "<": "<=",
    "<=": "<",
    ">": ">=",
    ">=": ">",
    "==": "!=",
    "!=": "==",
    "is": "is not",
    "is not": "is",
    "in": "not in",
    "not in": "in",
}
_COMPARISON = re.compile(rb"not\s+in\b|is\s+not\b|is\b|in\b|<=|>=|==|!=|<|>")
ARITHMETIC: Mapping[type[ast.operator], tuple[bytes, str]] = {
    ast.Add: (b"+", "-"),
    ast.Sub: (b"-", "+"),
    ast.Mult: (b"*", "/"),
    ast.Div: (b"/", "*"),
    ast.FloorDiv: (b"//", "*"),
    ast.Mod: (b"%", "*"),
    ast.BitOr: (b"|", "&"),
    ast.BitAnd: (b"&", "|"),
}
EXTREMES = {"min": "max", "max": "min", "any": "all", "all": "any"}
CONDITIONS = {"where", "and_", "or_", "having"}
"""Calls in SQL whose arguments are conditions."""

_Positioned = ast.expr | ast.stmt | ast.keyword

Defaults = Mapping[str, frozenset[str]]
"""By the name of what is called: the keyword arguments that can be left out."""


def defaults_in(trees: Sequence[ast.Module]) -> Defaults:
    """Which keyword arguments of the functions and dataclasses in some modules have a default."""
    found: dict[str, set[str]] = {}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found.setdefault(node.name, set()).update(_with_default(node.args))
            elif isinstance(node, ast.ClassDef):
                fields = found.setdefault(node.name, set())
                for part in node.body:
                    if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name) and part.value:
                        fields.add(part.target.id)
                    elif isinstance(part, ast.FunctionDef) and part.name == "__init__":
                        fields.update(_with_default(part.args))
    return {name: frozenset(names) for name, names in found.items()}


def _with_default(arguments: ast.arguments) -> Iterator[str]:
    positional = [*arguments.posonlyargs, *arguments.args]
    yield from (one.arg for one in positional[len(positional) - len(arguments.defaults) :])
    pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    yield from (one.arg for one, default in pairs if default is not None)


def mutants_of(path: str, source: bytes, defaults: Defaults) -> list[Mutant]:
    """Every mutant of a module, in the order of its text.

    Some of them may turn out not to parse (`Mutant.parses`), where the text between two nodes holds a bracket.
    """
    return sorted(set(_Finder(path, source, defaults).all()))


@dataclass(frozen=True, slots=True)
class _Around:
    """What a node stands in."""

    function: ast.FunctionDef | ast.AsyncFunctionDef | None = None
    parent: ast.AST | None = None


class _Finder:
    """Walks one module. What a test has no business to notice is left out.

    That is: docstrings, logging, `__repr__`, bodies of protocols, `TYPE_CHECKING`, decorators, annotations,
    assertions, what an exception says, and text.
    """

    def __init__(self, path: str, source: bytes, defaults: Defaults) -> None:
        self._path = path
        self._source = source
        self._defaults = defaults
        self._lines = [0]
        for line in source.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))

    def all(self) -> Iterator[Mutant]:
        yield from self._within(ast.parse(self._source), _Around())

    # Walking

    def _within(self, node: ast.AST, around: _Around) -> Iterator[Mutant]:
        if _left_out(node):
            return
        yield from self._at(node, around)
        function = node if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else around.function
        inside = _Around(function, node)
        for child in _children(node):
            yield from self._within(child, inside)

    def _at(self, node: ast.AST, around: _Around) -> Iterator[Mutant]:
        match node:
            case ast.Compare():
                yield from self._compare(node)
            case ast.BoolOp():
                yield from self._bool_op(node)
            case ast.UnaryOp(op=ast.Not()):
                yield self._change(self._start(node), self._start(node) + len(b"not "), "", "not removed")
            case ast.Constant():
                yield from self._constant(node)
            case ast.BinOp():
                yield from self._arithmetic(node, self._end(node.left), self._start(node.right))
            case ast.AugAssign():
                yield from self._arithmetic(node, self._end(node.target), self._start(node.value))
            case ast.If() if _only_logs(node):
                pass
            case ast.If() | ast.IfExp():
                yield self._replace(node.test, "True", "condition forced")
                yield self._replace(node.test, "False", "condition forced")
            case ast.comprehension():
                yield from (self._replace(condition, "True", "condition forced") for condition in node.ifs)
            case ast.Return(value=ast.expr()) if _may_be_none(around.function) and not _is_none(node.value):
                yield self._replace(node.value, "None", "returned nothing")
            case ast.Continue() | ast.Break() | ast.Return(value=None) | ast.Raise() | ast.Delete():
                yield self._replace(node, "pass", "statement dropped")
            case ast.Expr(value=ast.Call() | ast.Await(value=ast.Call())):
                yield self._replace(node, "pass", "call dropped")
            case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]) if not _constructs(around.function):
                yield self._replace(node, "pass", "assignment dropped")
            case ast.Call():
                yield from self._call(node)
            case ast.Set():
                yield from self._elements(node.elts, "element dropped")
            case ast.Tuple(ctx=ast.Load(), elts=[_, _]) if _is_collection(around.parent):
                yield from (self._one_left(node.elts, left, "element dropped") for left in node.elts)
            case ast.Tuple(ctx=ast.Load()) | ast.List(ctx=ast.Load()) if _is_collection(around.parent):
                yield from self._elements(node.elts, "element dropped")
            case _:
                pass

    # Operators

    def _compare(self, node: ast.Compare) -> Iterator[Mutant]:
        for left, right in pairwise([node.left, *node.comparators]):
            begin, end = self._end(left), self._start(right)
            found = _COMPARISON.search(self._source, begin, end)
            if found is not None:
                name = b" ".join(found.group().split()).decode()
                yield self._change(found.start(), found.end(), COMPARISONS[name], f"{name} → {COMPARISONS[name]}")

    def _bool_op(self, node: ast.BoolOp) -> Iterator[Mutant]:
        old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in pairwise(node.values):
            found = re.compile(rf"\b{old}\b".encode()).search(self._source, self._end(left), self._start(right))
            if found is not None:
                yield self._change(found.start(), found.end(), new, f"{old} → {new}")

    def _constant(self, node: ast.Constant) -> Iterator[Mutant]:
        if isinstance(node.value, bool):
            yield self._replace(node, str(not node.value), f"{node.value} → {not node.value}")
        elif isinstance(node.value, int | float):
            yield self._replace(node, f"{node.value + 1}", "constant + 1")
            less = node.value - 1
            yield self._replace(node, f"{less}" if less >= 0 else f"({less})", "constant - 1")

    def _arithmetic(self, node: ast.BinOp | ast.AugAssign, begin: int, end: int) -> Iterator[Mutant]:
        if type(node.op) not in ARITHMETIC:
            return
        sign, other = ARITHMETIC[type(node.op)]
        at = self._source.find(sign, begin, end)
        if at >= 0:
            yield self._change(at, at + len(sign), other, f"{sign.decode()} → {other}")

    def _call(self, node: ast.Call) -> Iterator[Mutant]:
        name = _called(node)
        if name in EXTREMES:
            end = self._end(node.func)
            yield self._change(end - len(name), end, EXTREMES[name], f"{name} → {EXTREMES[name]}")
        if name == "desc" and isinstance(node.func, ast.Attribute):
            yield self._change(self._end(node.func.value), self._end(node), "", "descending dropped")
        if name in CONDITIONS:
            yield from self._elements(node.args, "condition dropped")
        everything = sorted([*node.args, *node.keywords], key=self._start)
        for keyword in node.keywords:
            optional = keyword.arg in self._defaults.get(name, ()) or (
                name == "replace" and not isinstance(node.func, ast.Attribute)
            )
            if keyword.arg is not None and optional:
                yield self._without(everything, everything.index(keyword), "argument dropped")

    def _elements(self, elements: Sequence[ast.expr], operator: str) -> Iterator[Mutant]:
        if len(elements) > 1:
            yield from (self._without(elements, number, operator) for number in range(len(elements)))

    # Positions

    def _without(self, elements: Sequence[_Positioned], number: int, operator: str) -> Mutant:
        """One of several that commas stand between goes, with a comma."""
        one = elements[number]
        if number:
            return self._change(self._end(elements[number - 1]), self._end(one), "", operator)
        end = self._start(elements[1]) if len(elements) > 1 else self._end(one)
        return self._change(self._start(one), end, "", operator)

    def _one_left(self, pair: Sequence[ast.expr], left: ast.expr, operator: str) -> Mutant:
        """Of a tuple of two, a tuple of one."""
        text = self._source[self._start(left) : self._end(left)].decode() + ","
        return self._change(self._start(pair[0]), self._end(pair[1]), text, operator)

    def _replace(self, node: _Positioned, text: str, operator: str) -> Mutant:
        return self._change(self._start(node), self._end(node), text, operator)

    def _change(self, start: int, end: int, text: str, operator: str) -> Mutant:
        line = self._source.count(b"\n", 0, start) + 1
        last_line = line + self._source.count(b"\n", start, end)
        return Mutant(self._path, start, end, text, operator, line, last_line)

    def _start(self, node: _Positioned) -> int:
        return self._lines[node.lineno - 1] + node.col_offset

    def _end(self, node: _Positioned) -> int:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._lines[node.end_lineno - 1] + node.end_col_offset


def _left_out(node: ast.AST) -> bool:
    match node:
        case ast.Assert() | ast.Import() | ast.ImportFrom() | ast.JoinedStr() | ast.Expr(value=ast.Constant()):
            return True
        case ast.FunctionDef(name="__repr__" | "__str__"):
            return True
        case ast.ClassDef():
            return any(_name(base) == "Protocol" for base in node.bases)
        case ast.If(test=test):
            return _name(test) == "TYPE_CHECKING"
        case ast.Call() | ast.Expr(value=ast.Call()):
            return _logs(node.value if isinstance(node, ast.Expr) else node)
        case _:
            return False


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """What is looked into below a node."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield from node.args.defaults
            yield from (default for default in node.args.kw_defaults if default is not None)
            yield from node.body
        case ast.ClassDef():
            yield from node.body
        case ast.AnnAssign():
            if node.value is not None:
                yield node.value
        case ast.Raise():
            pass  # what it says
        case ast.Call():
            yield from (child for child in ast.iter_child_nodes(node) if not _is_strict(child))
        case _:
            yield from ast.iter_child_nodes(node)


def _is_strict(node: ast.AST) -> bool:
    """`zip(…, strict=True)` is an assertion."""
    return isinstance(node, ast.keyword) and node.arg == "strict"


def _name(node: ast.AST) -> str:
    """The last part of a dotted name; empty for what has none."""
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            return node.attr
        case ast.Subscript():
            return _name(node.value)
        case _:
            return ""


def _called(node: ast.Call) -> str:
    return _name(node.func)


def _logs(call: ast.expr) -> bool:
    root = call.func if isinstance(call, ast.Call) else call
    while isinstance(root, ast.Attribute):
        root = root.value
    return isinstance(root, ast.Name) and root.id in {"log", "logging", "warnings"}


def _only_logs(node: ast.If) -> bool:
    return not node.orelse and all(isinstance(one, ast.Expr) and _logs(one.value) for one in node.body)


def _may_be_none(function: ast.FunctionDef | ast.AsyncFunctionDef | None) -> bool:
    """Whether a function's annotation says that it may return None, among other things."""
    returns = function.returns if function is not None else None
    parts = [returns] if returns is not None else []
    while parts and isinstance(parts[-1], ast.BinOp):
        last = parts.pop()
        assert isinstance(last, ast.BinOp)
        parts += [last.right, last.left]
    return len(parts) > 1 and any(_is_none(part) for part in parts)


def _is_none(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _constructs(function: ast.FunctionDef | ast.AsyncFunctionDef | None) -> bool:
    return function is not None and function.name == "__init__"


def _is_collection(parent: ast.AST | None) -> bool:
    """Whether a tuple or list in this place is a collection of like things, not several results or arguments."""
    match parent:
        case ast.Compare() | ast.Starred() | ast.ExceptHandler() | ast.Lambda() | ast.Assign() | ast.AnnAssign():
            return True
        case ast.For() | ast.comprehension():
            return True
        case ast.Call(func=ast.Attribute(attr="where" | "in_" | "join")):
            return True
        case ast.Call(func=ast.Name(id="frozenset" | "set" | "sorted" | "max" | "min" | "any" | "all")):
            return True
        case _:
            return False
