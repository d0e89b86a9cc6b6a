"""Forms of the page: the options of slash commands, and modals."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from bot.sandbox.web.markup import rendered
from bot.sandbox.web.parts import Part, select_of
from bot.sandbox.web.viewpoint import SelectOption

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from bot.sandbox.interactions.responses import Response
    from bot.sandbox.web.viewpoint import Viewpoint

_WHOLE, _BOOLEAN, _USER, _CHANNEL, _ROLE, _ANYBODY, _NUMBER = 4, 5, 6, 7, 8, 9, 10


@dataclass(frozen=True, slots=True)
class Input:
    """One option of a command. `kind` is text, number, choice or suggest."""

    name: str
    words: str
    kind: str
    type: int
    required: bool
    options: tuple[SelectOption, ...] = ()
    least: object = None
    most: object = None
    shortest: int | None = None
    longest: int | None = None


@dataclass(frozen=True, slots=True)
class OfferedCommand:
    """A slash command without subcommands, or one subcommand."""

    path: tuple[str, ...]
    words: str
    options: tuple[dict[str, Any], ...]

    @property
    def name(self) -> str:
        """The full name, without the slash."""
        return " ".join(self.path)


def entries_of(commands: Iterable[dict[str, Any]]) -> Iterator[OfferedCommand]:
    """Every command that can be run; each subcommand counts as one."""
    for command in commands:
        yield from _entries((str(command["name"]),), command)


def _entries(path: tuple[str, ...], node: dict[str, Any]) -> Iterator[OfferedCommand]:
    options = node.get("options") or []
    steps = [option for option in options if option["type"] in {1, 2}]
    for step in steps:
        yield from _entries((*path, str(step["name"])), step)
    if not steps:
        yield OfferedCommand(path, str(node.get("description") or ""), tuple(options))


def inputs_of(view: Viewpoint, entry: OfferedCommand) -> tuple[Input, ...]:
    """The inputs for the options of a command."""
    return tuple(_input(view, option) for option in entry.options)


def _input(view: Viewpoint, option: dict[str, Any]) -> Input:
    kind = option["type"]
    options = tuple(_options(view, option))
    shown = "choice" if options else "number" if kind in {_WHOLE, _NUMBER} else "text"
    return Input(
        name=str(option["name"]),
        words=str(option.get("description") or ""),
        kind="suggest" if option.get("autocomplete") else shown,
        type=kind,
        required=bool(option.get("required")),
        options=options,
        least=option.get("min_value"),
        most=option.get("max_value"),
        shortest=option.get("min_length"),
        longest=option.get("max_length"),
    )


def _options(view: Viewpoint, option: dict[str, Any]) -> Iterable[SelectOption]:
    if option.get("choices"):
        return [SelectOption(str(choice["value"]), str(choice["name"])) for choice in option["choices"]]
    kinds: dict[int, Callable[[], Iterable[SelectOption]]] = {
        _BOOLEAN: lambda: (SelectOption("true", "True"), SelectOption("false", "False")),
        _USER: view.people,
        _CHANNEL: lambda: view.channels(option.get("channel_types")),
        _ROLE: view.roles,
        _ANYBODY: lambda: chain(view.people(), view.roles()),
    }
    return kinds.get(option["type"], tuple)()


def values_of(entry: OfferedCommand, given: Mapping[str, Any]) -> dict[str, object]:
    """The options that were filled in, converted to their types.

    Raises:
        ValueError: If a number is invalid.
    """
    values: dict[str, object] = {}
    for option in entry.options:
        name = option["name"]
        text = str(given.get(f"value.{name}") or given.get(f"option.{name}") or "")
        if text:
            values[name] = _value(option["type"], text)
    return values


def _value(kind: int, text: str) -> object:
    if kind == _WHOLE:
        return int(text)
    if kind == _NUMBER:
        return float(text)
    return text == "true" if kind == _BOOLEAN else text


@dataclass(frozen=True, slots=True)
class ModalField:
    """A part of a modal: a text to read, a text input, or a select."""

    words: Markup = field(default_factory=Markup)
    name: str = ""
    label: str = ""
    description: str = ""
    long: bool = False
    value: str = ""
    placeholder: str = ""
    required: bool = True
    shortest: int | None = None
    longest: int | None = None
    select: Part | None = None


def modal_fields_of(view: Viewpoint, opened: Response) -> Iterator[ModalField]:
    """The parts of a modal, from top to bottom."""
    for item in (opened.modal or {}).get("components", ()):
        yield from _modal_fields(view, item, "", "")


def _modal_fields(view: Viewpoint, item: dict[str, Any], label: str, description: str) -> Iterator[ModalField]:
    if item["type"] == 10:
        yield ModalField(words=rendered(str(item.get("content", "")), view.markup_context))
        return
    label = str(item.get("label") or label)
    description = str(item.get("description") or description)
    inner = [*item.get("components", ()), *([item["component"]] if isinstance(item.get("component"), dict) else [])]
    for child in inner:
        yield from _modal_fields(view, child, label, description)
    if "custom_id" not in item:
        return
    select = None if item["type"] == 4 else select_of(view, item | {"label": label}, "modal")
    yield ModalField(
        name=str(item["custom_id"]),
        label=label,
        description=description,
        long=item.get("style") == 2,
        value=str(item.get("value") or ""),
        placeholder=str(item.get("placeholder") or ""),
        required=bool(item.get("required", True)),
        shortest=item.get("min_length"),
        longest=item.get("max_length"),
        select=select,
    )
