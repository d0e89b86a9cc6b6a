"""Statements that are made once, and executed with other values each time.

To make a statement of five conditions costs SQLAlchemy more than to have it executed.
"""

from collections.abc import Callable
from functools import cache
from inspect import signature
from typing import Any

from sqlalchemy import BindParameter, Executable, bindparam

_PREFIX = "given_"
"""Keeps the names apart from those of columns, which SQLAlchemy uses in UPDATE."""

Given = BindParameter[Any]
"""What stands for a value."""
Filled = tuple[Any, dict[str, Any]]
"""A statement and its values: the arguments of `execute`."""


def prepared(build: Callable[..., Executable]) -> Callable[..., Filled]:
    """A function that fills in the statement that `build` makes.

    `build` is called once, with a parameter of the statement in place of each value; one that is the whole argument of
    `in_` or `not_in` stands for a list. So it can compare columns with them, and do nothing else with them.
    """
    names = tuple(signature(build).parameters)

    @cache
    def statement() -> Executable:
        parameters: list[Given] = [bindparam(_PREFIX + name) for name in names]
        return build(*parameters)

    def filled(*values: object) -> Filled:
        return statement(), {_PREFIX + name: value for name, value in zip(names, values, strict=True)}

    return filled
