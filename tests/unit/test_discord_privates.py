"""What is built on discord.py's classes keeps to their public side, and takes none of their private names.

Ruff's SLF001 finds `other._private`; a subclass could still use `self._connection`.
"""

import ast
import importlib
import inspect
import textwrap
from collections.abc import Iterator
from pathlib import Path

import discord
import pytest
from discord.ext import commands

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path for folder in ("bot", "cogs") for path in (ROOT / folder).rglob("*.py"))
OURS = ("bot.", "cogs.", __name__)


def built_on_discord() -> Iterator[type]:
    for path in MODULES:
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[:2] == ("bot", "sandbox") or "migrations" in parts or "class " not in path.read_text(encoding="utf-8"):
            continue
        name = ".".join(parts).removesuffix(".__init__")
        for _, one in inspect.getmembers(importlib.import_module(name), inspect.isclass):
            if one.__module__ == name and any(base.__module__.startswith("discord") for base in one.__mro__):
                yield one


def private_names(one: type) -> tuple[set[str], set[str]]:
    """The private names that a class uses of itself, and those that it makes."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(one)))
    used: set[str] = set()
    made = {name for name in vars(one) if is_private(name)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in {"self", "cls"} and is_private(node.attr):
            (made if isinstance(node.ctx, ast.Store) else used).add(node.attr)
    return used, made


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def trespasses(one: type) -> list[str]:
    """The private names of discord.py that a class uses, or takes for something else."""
    ours = [base for base in one.__mro__ if base.__module__.startswith(OURS)]
    theirs = [base for base in one.__mro__ if base.__module__.startswith("discord")]
    made = set().union(*(private_names(base)[1] for base in ours))
    their_names = set().union(*(private_names(base)[1] for base in theirs))
    used = private_names(one)[0]
    return sorted(f"{one.__name__}.{name}" for name in (used - made) | (made & their_names))


def test_classes_built_on_discord_keep_to_its_public_side() -> None:
    found = list(built_on_discord())
    assert {"SpadeBot", "SpadeTree", "Control", "GuildCog", "Tracking", "Controls"} <= {one.__name__ for one in found}
    assert [name for one in found for name in trespasses(one)] == []


class Patching(commands.Bot):
    def patch(self) -> object:
        return self._connection.parsers


class Taking(discord.Client):
    def __init__(self) -> None:
        self._connection = self._listeners = None


@pytest.mark.parametrize(
    ("planted", "found"),
    [(Patching, ["Patching._connection"]), (Taking, ["Taking._connection", "Taking._listeners"])],
)
def test_the_search_finds_what_was_planted(planted: type, found: list[str]) -> None:
    assert trespasses(planted) == found
