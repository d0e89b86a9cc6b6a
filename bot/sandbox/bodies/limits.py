"""Discord's limits on message, modal and command bodies, with its error shapes."""

from __future__ import annotations

import re
from typing import Any

from bot.sandbox.bodies.errors import ApiError, Problems
from bot.sandbox.world.entities import IS_COMPONENTS_V2

CONTENT = 2000
EMBEDS = 10
EMBED_TOTAL = 6000
FIELDS = 25
ROWS = 5
BUTTONS_PER_ROW = 5
OPTIONS = 25
NONCE = 25
FILES = 10
COMMAND_NAME = re.compile(r"^[-_'\w]{1,32}$")
SELECTS = frozenset({3, 5, 6, 7, 8})


def check_message(body: dict[str, Any], *, files: int = 0, editing: bool = False) -> None:
    """Refuse a message body Discord would refuse.

    Raises:
        ApiError: 50035 with the errors nested at their keys, or 50006 if the message would be empty.
    """
    problems = Problems()
    problems.longest(("content",), body.get("content"), CONTENT)
    nonce = body.get("nonce")
    if isinstance(nonce, str):
        problems.longest(("nonce",), nonce, NONCE)
    if files > FILES:
        problems.between(("attachments",), [None] * files, 0, FILES)
    _check_embeds(problems, body.get("embeds") or [])
    components = body.get("components") or []
    if (body.get("flags") or 0) & IS_COMPONENTS_V2:
        _check_layout(problems, body, components)
    else:
        check_rows(problems, components)
    problems.raise_if_any()
    if not editing and not files and not _says_something(body):
        raise ApiError(50006)


def _says_something(body: dict[str, Any]) -> bool:
    content = body.get("content")
    filled = isinstance(content, str) and content.strip() != ""
    forward = (body.get("message_reference") or {}).get("type") == 1
    return filled or forward or any(body.get(key) for key in ("embeds", "components", "sticker_ids", "poll"))


def _check_embeds(problems: Problems, embeds: list[dict[str, Any]]) -> None:
    if len(embeds) > EMBEDS:
        problems.add(("embeds",), "BASE_TYPE_MAX_LENGTH", f"Must be {EMBEDS} or fewer in length.")
    total = 0
    for index, embed in enumerate(embeds):
        at = ("embeds", index)
        problems.longest((*at, "title"), embed.get("title"), 256)
        problems.longest((*at, "description"), embed.get("description"), 4096)
        footer, author = embed.get("footer") or {}, embed.get("author") or {}
        problems.longest((*at, "footer", "text"), footer.get("text"), 2048)
        problems.longest((*at, "author", "name"), author.get("name"), 256)
        fields = embed.get("fields") or []
        if len(fields) > FIELDS:
            problems.add((*at, "fields"), "BASE_TYPE_MAX_LENGTH", f"Must be {FIELDS} or fewer in length.")
        for number, field in enumerate(fields):
            problems.between((*at, "fields", number, "name"), field.get("name") or None, 1, 256)
            problems.between((*at, "fields", number, "value"), field.get("value") or None, 1, 1024)
        texts = [embed.get("title"), embed.get("description"), footer.get("text"), author.get("name")]
        texts += [field.get(key) for field in fields for key in ("name", "value")]
        total += sum(len(text) for text in texts if isinstance(text, str))
    if total > EMBED_TOTAL:
        problems.add(("embeds",), "MAX_EMBED_SIZE_EXCEEDED", f"Embed size exceeds maximum size of {EMBED_TOTAL}")


def check_rows(problems: Problems, components: list[dict[str, Any]]) -> None:
    """Note what is wrong with the action rows of a message."""
    if len(components) > ROWS:
        problems.add(("components",), "BASE_TYPE_BAD_LENGTH", f"Must be between 1 and {ROWS} in length.")
    seen: set[str] = set()
    for index, row in enumerate(components):
        at: tuple[str | int, ...] = ("components", index)
        if row.get("type") != 1:
            problems.add((*at, "type"), "UNION_TYPE_CHOICES", 'Value of field "type" must be one of (1,).')
            continue
        _check_row(problems, at, row, seen)


def _check_row(problems: Problems, at: tuple[str | int, ...], row: dict[str, Any], seen: set[str]) -> None:
    items = row.get("components") or []
    width = sum(BUTTONS_PER_ROW if item.get("type") in SELECTS else 1 for item in items)
    if not items:
        problems.add((*at, "components"), "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
    elif width > BUTTONS_PER_ROW:
        problems.add(at, "COMPONENT_LAYOUT_WIDTH_EXCEEDED", "The specified component exceeds the maximum width")
    for number, item in enumerate(items):
        check_control(problems, (*at, "components", number), item, seen)


def check_control(problems: Problems, at: tuple[str | int, ...], item: dict[str, Any], seen: set[str]) -> None:
    """Note what is wrong with one button or select; `seen` holds the custom_ids met so far."""
    custom_id = item.get("custom_id")
    if custom_id is not None:
        problems.between((*at, "custom_id"), custom_id, 1, 100)
        if custom_id in seen:
            problems.add(
                (*at, "custom_id"),
                "COMPONENT_CUSTOM_ID_DUPLICATED",
                "Component custom id cannot be duplicated",
            )
        seen.add(custom_id)
    if item.get("type") == 2:
        problems.longest((*at, "label"), item.get("label"), 80)
        link = item.get("style") == 5
        if link != bool(item.get("url")) or (not link and item.get("style") != 6 and custom_id is None):
            problems.add(at, "BUTTON_COMPONENT_INVALID", "A link button needs a url, any other a custom id")
        if item.get("label") is None and item.get("emoji") is None and item.get("style") != 6:
            problems.add((*at, "label"), "BASE_TYPE_REQUIRED", "A label or emoji is required")
    elif item.get("type") in SELECTS:
        _check_select(problems, at, item)


def _check_select(problems: Problems, at: tuple[str | int, ...], item: dict[str, Any]) -> None:
    problems.between((*at, "custom_id"), item.get("custom_id"), 1, 100)
    problems.longest((*at, "placeholder"), item.get("placeholder"), 150)
    if item.get("type") != 3:
        return
    options = item.get("options") or []
    problems.between((*at, "options"), options, 1, OPTIONS)
    values: set[str] = set()
    for number, option in enumerate(options):
        problems.between((*at, "options", number, "label"), option.get("label"), 1, 100)
        problems.between((*at, "options", number, "value"), option.get("value"), 1, 100)
        problems.longest((*at, "options", number, "description"), option.get("description"), 100)
        if option.get("value") in values:
            problems.add(
                (*at, "options", number, "value"),
                "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
                "The specified option value is already used",
            )
        values.add(option.get("value"))


def _check_layout(problems: Problems, body: dict[str, Any], components: list[dict[str, Any]]) -> None:
    for key in ("content", "embeds"):
        if body.get(key):
            problems.add(
                (key,),
                "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
                f"The '{key}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2",
            )
    seen: set[str] = set()
    count = _check_nested(problems, ("components",), components, seen)
    if count > 40:
        problems.add(("components",), "BASE_TYPE_BAD_LENGTH", "Must be 40 or fewer in total.")


def _check_nested(problems: Problems, at: tuple[str | int, ...], items: list[dict[str, Any]], seen: set[str]) -> int:
    count = 0
    for index, item in enumerate(items):
        here = (*at, index)
        count += 1
        if item.get("type") == 1:
            _check_row(problems, here, item, seen)
            count += len(item.get("components") or [])
        elif item.get("type") == 2:
            check_control(problems, here, item, seen)
        elif item.get("components"):
            count += _check_nested(problems, (*here, "components"), item["components"], seen)
        if item.get("accessory"):
            count += _check_nested(problems, (*here, "accessory"), [item["accessory"]], seen)
    return count


def check_modal(data: dict[str, Any]) -> None:
    """Refuse a modal Discord would refuse.

    Raises:
        ApiError: 50035 with the errors nested at their keys.
    """
    problems = Problems()
    problems.between(("data", "custom_id"), data.get("custom_id"), 1, 100)
    problems.between(("data", "title"), data.get("title"), 1, 45)
    problems.between(("data", "components"), data.get("components"), 1, 5)
    problems.raise_if_any()


def check_command(command: dict[str, Any]) -> None:
    """Refuse an application command Discord would refuse.

    Raises:
        ApiError: 50035 with the errors nested at their keys.
    """
    problems = Problems()
    note_command(problems, (), command)
    problems.raise_if_any()


def note_command(problems: Problems, at: tuple[str | int, ...], command: dict[str, Any]) -> None:
    """Note what is wrong with a command definition."""
    kind = command.get("type") or 1
    name = command.get("name")
    problems.between((*at, "name"), name, 1, 32)
    if kind == 1:
        if not isinstance(name, str) or not COMMAND_NAME.match(name) or name != name.lower():
            problems.add((*at, "name"), "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
        problems.between((*at, "description"), command.get("description"), 1, 100)
        _note_options(problems, at, command.get("options") or [])
    elif command.get("description"):
        problems.add(
            (*at, "description"),
            "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION",
            "Context menu commands cannot have a description",
        )


def _note_options(problems: Problems, at: tuple[str | int, ...], options: list[dict[str, Any]]) -> None:
    if len(options) > OPTIONS:
        problems.add((*at, "options"), "BASE_TYPE_MAX_LENGTH", f"Must be {OPTIONS} or fewer in length.")
    seen: set[object] = set()
    optional_before = False
    for index, option in enumerate(options):
        here = (*at, "options", index)
        name = option.get("name")
        if not isinstance(name, str) or not COMMAND_NAME.match(name) or name != name.lower():
            problems.add((*here, "name"), "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
        if name in seen:
            problems.add((*here, "name"), "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS", "Option name taken")
        seen.add(name)
        problems.between((*here, "description"), option.get("description"), 1, 100)
        required = bool(option.get("required"))
        if required and optional_before:
            problems.add(
                here,
                "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
                "Required options must be placed before non-required options",
            )
        optional_before = optional_before or not required
        choices = option.get("choices") or []
        if len(choices) > OPTIONS:
            problems.add((*here, "choices"), "BASE_TYPE_MAX_LENGTH", f"Must be {OPTIONS} or fewer in length.")
        for number, choice in enumerate(choices):
            problems.between((*here, "choices", number, "name"), choice.get("name"), 1, 100)
        if option.get("options"):
            _note_options(problems, here, option["options"])


def check_choices(choices: list[dict[str, Any]]) -> None:
    """Refuse autocomplete suggestions Discord would refuse.

    Raises:
        ApiError: 50035 with the errors nested at their keys.
    """
    problems = Problems()
    if len(choices) > OPTIONS:
        problems.add(("data", "choices"), "BASE_TYPE_MAX_LENGTH", f"Must be {OPTIONS} or fewer in length.")
    for number, choice in enumerate(choices):
        problems.between(("data", "choices", number, "name"), choice.get("name"), 1, 100)
        problems.longest(("data", "choices", number, "value"), choice.get("value"), 100)
    problems.raise_if_any()
