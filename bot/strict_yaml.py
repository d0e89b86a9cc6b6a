"""A strict subset of YAML, and the line of every key.

Only `true` and `false` are booleans, and only plain decimal numbers are numbers; every other scalar that is not empty
is text: `09:00`, `on`, `010`, `1e3`, `2026-03-02`. Anchors, aliases, merge keys, tags, further documents and duplicate
keys are errors. PyYAML parses; the rest is our own, since no loader of it or of ruamel.yaml is as strict and keeps the
lines.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from yaml import MarkedYAMLError, SafeLoader
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceStartEvent,
)
from yaml.reader import ReaderError

Path = tuple[str | int, ...]
"""The keys and list positions that lead to a value."""

_EMPTY = ("", "~", "null")
_BOOLEANS = {"true": True, "false": False}
# The number of digits is limited because Python refuses to convert very long ones.
_WHOLE = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,18}")
_DEEPEST = 20


class StrictYamlError(Exception):
    """The text is not YAML, or not in the strict subset: the line, the problem and how to fix it."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line}: {problem}")
        self.line = line
        self.problem = problem


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """The value of a document (dicts, lists, text, numbers, booleans, None) and the line of every path in it."""

    value: object
    lines: dict[Path, int] = field(default_factory=dict)


def read(text: str) -> YamlDocument:
    """Parse one document; an empty text gives None. Raises StrictYamlError and no other error."""
    loader = None
    try:
        loader = SafeLoader(text)
        return _Composition(loader).document()
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise StrictYamlError(
            line, f"the character {chr(error.character)!r} is not allowed in YAML; delete it"
        ) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise StrictYamlError(mark.line + 1 if mark else 1, _syntax_problem(error)) from None
    except (ValueError, OverflowError):  # PyYAML converts the numbers of escapes and directives unchecked
        raise StrictYamlError(
            loader.line + 1 if loader else 1, "this is not valid YAML (a number is out of range)"
        ) from None
    finally:
        if loader is not None:
            loader.dispose()


def legible(text: str) -> str:
    """The text for use in a sentence: shortened, and quoted if it is not printable or has outer spaces."""
    short = text if len(text) <= 60 else text[:57] + "..."
    return short if short.isprintable() and short.strip() == short != "" else repr(short)


def dotted(path: Path) -> str:
    """The path in dotted notation: `rules.nudge.snooze_days`."""
    return ".".join(legible(str(part)) for part in path)


def _syntax_problem(error: MarkedYAMLError) -> str:
    problem = error.problem or error.context or "unreadable"
    if r"'\t'" in problem:
        return "a tab cannot indent YAML; use spaces"
    return f"this is not valid YAML ({legible(problem)}); check the indentation, the colons and the quotes here"


class _Composition:
    """Builds the document from the parser's events.

    PyYAML's composer and constructor are not used: they resolve more scalars than this subset, let a later key replace
    an earlier one, and recurse without a limit.
    """

    def __init__(self, loader: SafeLoader) -> None:
        self._events = _events(loader)
        self._lines: dict[Path, int] = {}

    def document(self) -> YamlDocument:
        value: object = None
        documents = 0
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise StrictYamlError(_line(event), "a second document starts here; keep one, without `---`")
            elif isinstance(event, NodeEvent):
                value = self._value(event, ())
        return YamlDocument(value, self._lines)

    def _value(self, event: Event, path: Path) -> object:
        line = _line(event)
        self._lines.setdefault(path, line)
        _refuse_unsupported(event, path)
        if len(path) > _DEEPEST:
            raise StrictYamlError(line, f"more than {_DEEPEST} levels deep; Spade has no key as deep as that")
        if isinstance(event, ScalarEvent):
            return _scalar(event)
        if isinstance(event, SequenceStartEvent):
            return [self._value(entry, (*path, position)) for position, entry in enumerate(self._until_end())]
        return self._mapping(path)

    def _mapping(self, path: Path) -> dict[str, object]:
        mapping: dict[str, object] = {}
        for event in self._until_end():
            _refuse_unsupported(event, path)
            if not isinstance(event, ScalarEvent):
                raise StrictYamlError(_line(event), "a key must be a plain word, not a list or a group of keys")
            _scalar(event)
            key_path = (*path, event.value)
            if event.value == "<<" and event.style is None:
                raise StrictYamlError(_line(event), "merge keys (`<<`) are not used here; write the keys out")
            if event.value in mapping:
                raise StrictYamlError(
                    _line(event),
                    f"{dotted(key_path)} is given twice, first on line {self._lines[key_path]}; keep one of them",
                )
            self._lines[key_path] = _line(event)
            mapping[event.value] = self._value(next(self._events), key_path)
        return mapping

    def _until_end(self) -> Iterator[Event]:
        """The first event of each entry of the current collection; the caller must consume the whole entry."""
        for event in self._events:
            if isinstance(event, CollectionEndEvent):
                return
            yield event


def _events(loader: SafeLoader) -> Iterator[Event]:
    while loader.check_event():
        yield loader.get_event()  # type: ignore[no-untyped-call]


def _line(event: Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _refuse_unsupported(event: Event, path: Path) -> None:
    where = dotted(path) or "the file"
    if isinstance(event, AliasEvent):
        raise StrictYamlError(_line(event), f"aliases (`*{event.anchor}`) are not used here; write {where} out")
    if not isinstance(event, ScalarEvent | SequenceStartEvent | MappingStartEvent):
        return
    if event.anchor is not None:
        raise StrictYamlError(_line(event), f"anchors (`&{event.anchor}`) are not used here; delete it at {where}")
    if event.tag is not None:
        raise StrictYamlError(_line(event), f"tags (`{legible(event.tag)}`) are not used here; delete it at {where}")


def _scalar(event: ScalarEvent) -> object:
    text: str = event.value
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise StrictYamlError(_line(event), f"{legible(text)} holds half a character; delete its escape")
    if event.style is not None:  # quotes and blocks are always text
        return text
    if text in _EMPTY:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text):
        return float(text)
    return text
