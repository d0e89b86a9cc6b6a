"""Groups of keys of the configuration: reading them, and one sentence about what is wrong with one.

msgspec judges a value and says no more than that; what is expected instead is told from the type of its key.
"""

import difflib
import re
import typing
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct, structs

from bot import strict_yaml
from bot.config_error import ConfigError
from bot.redaction import redact
from bot.strict_yaml import YamlDocument, dotted

NORMAL_FORM = "normal form"
"""In the `extra` of a key's Meta: a function that brings its value into that form, or raises ConfigError."""

_GUILD_KEYS = {
    **dict.fromkeys(("time_zone", "timezone", "managers", "digest_channel", "excluded_channels"), "/setup"),
    **dict.fromkeys(("channels", "guild", "guilds", "ignore"), "/setup"),
    **dict.fromkeys(("hour", "hours", "days", "weekdays"), "/nudges"),
}


class Contradiction(Struct, frozen=True):
    """Two keys of a group whose values do not go together. The relation stands between them in the sentence."""

    low: str
    relation: str
    high: str


class Section(Struct, frozen=True):
    """A group of keys."""

    def contradictions(self) -> Iterator[Contradiction]:
        """Which keys contradict each other."""
        return iter(())


_Kind = TypeVar("_Kind", bound=Section)
_Values = Mapping[str, object]
_Keys = Mapping[strict_yaml.Path, Any]
"""The type of every key."""


def section_of(kind: type[_Kind], values: _Values, document: YamlDocument) -> _Kind:
    """A group of keys with the values of a document. What is not named, or empty, has its default.

    Raises:
        ConfigError: The problem nearest to the top of the document: its line, and how to fix it.
    """
    reading = _Reading(document, dict(_keys(kind)))
    section = reading.section(kind, values, ())
    if reading.problems:
        line, sentence = min(reading.problems, key=lambda problem: problem[0])
        raise ConfigError(f"line {line}: {sentence}")
    return section


class _Reading:
    """Collects the problems of a document: lines and sentences."""

    def __init__(self, document: YamlDocument, keys: _Keys) -> None:
        self._lines = document.lines
        self._keys = keys
        self.problems: list[tuple[int, str]] = []

    def section(self, kind: type[_Kind], values: _Values, path: strict_yaml.Path) -> _Kind:
        """The group, with the default in place of each value that has a problem."""
        before = len(self.problems)
        given = {}
        for name, value in values.items():
            here = (*path, name)
            try:
                if here not in self._keys:
                    raise ConfigError(f"there is no key {dotted(here)}; {_suggestion(here, self._keys)}")  # noqa: TRY301
                given[name] = self._value(here, value)
            except ConfigError as error:
                self.problems.append((self._lines[here], str(error)))
        section = kind(**given)
        if len(self.problems) == before:
            self.problems += (self._contradiction(section, one, path) for one in section.contradictions())
        return section

    def _value(self, path: strict_yaml.Path, value: object) -> object:
        key = self._keys[path]
        if _is_section(key):
            if value is None or isinstance(value, dict):
                return self.section(key, value or {}, path)
            raise ConfigError(_wrong_value(path, key, value))
        try:
            converted = msgspec.convert(value, key)
        except msgspec.ValidationError:
            raise ConfigError(_wrong_value(path, key, value)) from None
        normal_form = (_meta(key).extra or {}).get(NORMAL_FORM)
        if normal_form is None:
            return converted
        try:
            return normal_form(converted)
        except ConfigError as error:
            raise ConfigError(f"{dotted(path)}: {error}") from None

    def _contradiction(self, section: Section, one: Contradiction, path: strict_yaml.Path) -> tuple[int, str]:
        low, high = (*path, one.low), (*path, one.high)
        line = max(self._lines.get(low, 0), self._lines.get(high, 0))
        values = getattr(section, one.low), getattr(section, one.high)
        return line, f"{dotted(low)} ({values[0]}) {one.relation} {dotted(high)} ({values[1]})"


def _wrong_value(path: strict_yaml.Path, key: Any, value: object) -> str:  # noqa: ANN401 - a type
    if value is None:
        return f"{dotted(path)} has no value; give it {_expectation(key)} or delete the line"
    sentence = f"{dotted(path)} must be {_expectation(key)}, not {_shown(value)}"
    near = difflib.get_close_matches(str(value).lower(), _choices(key), n=1)
    return f"{sentence}; did you mean {near[0]}?" if near else sentence


def _expectation(key: Any) -> str:  # noqa: ANN401 - a type
    kind = _kind(key)
    if kind is bool:
        return "true or false"
    if kind is int or kind is float:
        bounds = _meta(key)
        return f"a {'whole ' if kind is int else ''}number from {bounds.ge} to {bounds.le}"
    if choices := _choices(key):
        return f"one of {', '.join(choices)}"
    return "text" if kind is str else "a group of keys, indented below it"


def _kind(key: Any) -> Any:  # noqa: ANN401 - types
    """The type of a key without what is said of it besides."""
    return typing.get_args(key)[0] if typing.get_origin(key) is Annotated else key


def _meta(key: Any) -> Meta:  # noqa: ANN401 - a type
    """What is said of a key besides its type."""
    return typing.get_args(key)[1] if typing.get_origin(key) is Annotated else Meta()


def _choices(key: Any) -> tuple[str, ...]:  # noqa: ANN401 - a type
    return typing.get_args(key) if typing.get_origin(key) is Literal else ()


def _is_section(key: Any) -> bool:  # noqa: ANN401 - a type
    return isinstance(key, type) and issubclass(key, Section)


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


def _keys(kind: type[Section], path: strict_yaml.Path = ()) -> Iterator[tuple[strict_yaml.Path, Any]]:
    """Every key of a group, nested ones included, and its type."""
    for field in structs.fields(kind):
        yield (*path, field.name), field.type
        if _is_section(field.type):
            yield from _keys(field.type, (*path, field.name))
