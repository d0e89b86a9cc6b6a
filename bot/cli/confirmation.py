"""The question before a command deletes or replaces data."""

import sys

import typer

from bot.cli.failure import Failure


def confirm(question: str, unasked: str) -> None:
    """Ask at the terminal and abort unless the answer is yes; without a terminal, raise Failure with `unasked`."""
    if not sys.stdin.isatty():
        raise Failure(f"{unasked}: add --yes to answer now", status=2)
    typer.confirm(question, abort=True, err=True)
