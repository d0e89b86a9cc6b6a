"""Asking before something is lost for good."""

import sys

import typer

from bot.cli.failure import Failure


def confirm(question: str, unasked: str) -> None:
    """Go on only when somebody at a terminal says yes; where nobody can be asked, `unasked` is the failure."""
    if not sys.stdin.isatty():
        raise Failure(f"{unasked}: add --yes to answer now", status=2)
    typer.confirm(question, abort=True, err=True)
