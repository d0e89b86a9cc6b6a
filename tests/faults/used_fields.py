"""Which fields Spade uses, and which other values of them are well formed and so say something else.

A field that is not used changes nothing, whatever it holds. A used field that cannot be known makes its message
unreadable. What is well formed must be believed, so a run does not send it.
"""

from __future__ import annotations

from typing import Any

Path = tuple[str, ...]

PAGE = "GET /channels/{channel_id}/messages"
ONE_MESSAGE = "GET /channels/{channel_id}/messages/{message_id}"
_PERSON: tuple[Path, ...] = ((), ("id",), ("bot",), ("system",))
_OF_A_MESSAGE: frozenset[Path] = frozenset(
    {
        (),
        ("id",),
        ("channel_id",),
        ("guild_id",),
        ("type",),
        ("webhook_id",),
        ("mention_everyone",),
        ("mentions",),
        ("mention_roles",),
        ("mention_roles", "[]"),
        ("message_reference",),
        ("message_reference", "type"),
        ("message_reference", "message_id"),
        ("referenced_message",),
        ("referenced_message", "id"),
        ("referenced_message", "type"),
        ("referenced_message", "webhook_id"),
        *(("author", *path) for path in _PERSON),
        *(("mentions", "[]", *path) for path in _PERSON),
        *(("referenced_message", "author", *path) for path in _PERSON),
    }
)
_MAY_BE_MISSING = frozenset({"bot", "system", "webhook_id", "referenced_message", "last_message_id", "unavailable"})
"""Without one of these an object is whole, and says something else."""
_MAY_BE_NULL = frozenset({"referenced_message", "webhook_id", "last_message_id", "parent_id", "archive_timestamp"})
_REFERENCE = "message_reference"
_REPLY = 19


def is_used(where: str, path: Path) -> bool:
    """Whether Spade uses a field of a message; of anything else, yes."""
    if where == PAGE:
        return not path or path[1:] in _OF_A_MESSAGE
    return where not in {"MESSAGE_CREATE", ONE_MESSAGE} or path in _OF_A_MESSAGE


def says_something_else(where: str, path: Path, kind: str, value: object, holder: object) -> bool:
    """Whether a mutation makes another valid value, or takes away what need not be there.

    `holder` is the object that the field is in, None if that is not known.
    """
    return is_used(where, path) and _is_well_formed(path, kind, value, holder)


def _is_well_formed(  # noqa: PLR0911 - one answer a kind
    path: Path, kind: str, value: object, holder: object
) -> bool:
    name = path[-1] if path else ""
    texts = isinstance(value, str) and not name.endswith(("id", "timestamp", "_at", "url"))
    number: Any = isinstance(value, int | float) and not isinstance(value, bool)
    digits = isinstance(value, str) and value.isdecimal()
    match kind:
        case "missing":
            return name == "[]" or name in _MAY_BE_MISSING or _names_no_reply(path, holder)
        case "null":
            return name in _MAY_BE_NULL
        case "boolean":
            return isinstance(value, bool)
        case "number":
            return number or digits
        case "text":
            return texts
        case "huge":
            return name == "type" or (texts and not digits)
        case _:
            return False


def _names_no_reply(path: Path, holder: object) -> bool:
    """Whether what is missing is a reference that need not be there, or its type, which then is that of a reply."""
    if path[-2:] == (_REFERENCE, "type"):
        return True
    return path[-1:] == (_REFERENCE,) and isinstance(holder, dict) and holder.get("type") != _REPLY
