"""Suggestions for an option of a command, while a person types."""

from collections.abc import Iterable
from itertools import islice

from discord import app_commands

_MOST = 25
"""Discord's limit."""


def suggestions(texts: Iterable[str]) -> list[app_commands.Choice[str]]:
    """The first of these texts, as many as Discord shows; each stands for itself."""
    return [app_commands.Choice(name=text, value=text) for text in islice(texts, _MOST)]
