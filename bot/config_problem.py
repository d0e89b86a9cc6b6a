"""Pydantic's validation errors in one sentence: where the problem is, what it is, and how to fix it."""

import difflib
import re
import typing
from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from bot import strict_yaml
from bot.redaction import redact
from bot.strict_yaml import dotted

_Keys = Mapping[strict_yaml.Path, FieldInfo]

_GUILD_KEYS = {
    **dict.fromkeys(("time_zone", "timezone", "managers", "digest_channel", "excluded_channels"), "/setup"),
    **dict.fromkeys(("channels", "guild", "guilds", "ignore"), "/setup"),
    **dict.fromkeys(("hour", "hours", "days", "weekdays"), "/nudges"),
}


def first_problem(error: ValidationError, document: strict_yaml.YamlDocument, settings: type[BaseModel]) -> str:
    """The problem nearest to the top of the document: its line, and how to fix it."""
    keys = dict(_keys(settings))
    found = [_problem(details, document, keys) for details in error.errors()]
    line, sentence = min(found, key=lambda problem: problem[0])
    return f"line {line}: {sentence}"


def _problem(details: ErrorDetails, document: strict_yaml.YamlDocument, keys: _Keys) -> tuple[int, str]:
    path = details["loc"]
    context = details.get("ctx", {})
    if details["type"] == "conflict":
        low, high = (*path, context["low"]), (*path, context["high"])
        line = max(document.lines.get(low, 0), document.lines.get(high, 0))
        return line, f"{dotted(low)} {context['relation']} {dotted(high)} ({context['value']})"
    line = document.lines[path]
    if details["type"] == "extra_forbidden":
        return line, f"there is no key {dotted(path)}; {_suggestion(path, keys)}"
    if details["type"] == "value_error":
        return line, f"{dotted(path)}: {context['error']}"
    return line, _wrong_value(path, keys[path], details["input"])


def _wrong_value(path: strict_yaml.Path, key: FieldInfo, value: object) -> str:
    if value is None:
        return f"{dotted(path)} has no value; give it {_expectation(key)} or delete the line"
    sentence = f"{dotted(path)} must be {_expectation(key)}, not {_shown(value)}"
    near = difflib.get_close_matches(str(value).lower(), _choices(key), n=1)
    return f"{sentence}; did you mean {near[0]}?" if near else sentence


def _expectation(key: FieldInfo) -> str:
    if key.annotation is bool:
        return "true or false"
    if key.annotation is int or key.annotation is float:
        low = next(bound.ge for bound in key.metadata if hasattr(bound, "ge"))
        high = next(bound.le for bound in key.metadata if hasattr(bound, "le"))
        return f"a {'whole ' if key.annotation is int else ''}number from {low} to {high}"
    if choices := _choices(key):
        return f"one of {', '.join(choices)}"
    return "text" if key.annotation is str else "a group of keys, indented below it"


def _choices(key: FieldInfo) -> tuple[str, ...]:
    return typing.get_args(key.annotation) if typing.get_origin(key.annotation) is Literal else ()


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a group of keys"
    if isinstance(value, list):
        return "a list"
    return repr(redact(value)[:60]) if isinstance(value, str) else str(value)


def _suggestion(path: strict_yaml.Path, keys: _Keys) -> str:
    """A suggestion for a key that does not exist."""
    wanted = re.sub(r"\W", "_", str(path[-1]).lower())
    if wanted in _GUILD_KEYS:
        return f"each server has its own, set in Discord with {_GUILD_KEYS[wanted]}"
    everywhere = list(keys)
    here = [known for known in everywhere if known[:-1] == path[:-1]]
    for candidates, cutoff in ((everywhere, 1.0), (here, 0.6), (everywhere, 0.8)):
        named = {str(known[-1]): known for known in candidates}
        near = difflib.get_close_matches(wanted, named, n=1, cutoff=cutoff)
        if near:
            return f"did you mean {dotted(named[near[0]])}?"
    return f"here it can be {', '.join(str(known[-1]) for known in here)}"


def _keys(section: type[BaseModel], path: strict_yaml.Path = ()) -> Iterator[tuple[strict_yaml.Path, FieldInfo]]:
    """Every key of a group of settings, nested ones included."""
    for name, key in section.model_fields.items():
        yield (*path, name), key
        if isinstance(key.annotation, type) and issubclass(key.annotation, BaseModel):
            yield from _keys(key.annotation, (*path, name))
