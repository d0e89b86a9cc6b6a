"""Fields of Discord's JSON objects, each with the type it must have."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.domain.snowflake import HIGHEST_ID

Json = dict[str, Any]
_DIGITS = len(str(HIGHEST_ID))


class MalformedError(Exception):
    """A field that is needed is missing, null or of another type. The message is the name of that field."""


def object_of(value: object, what: str) -> Json:
    """A value that must be an object; `what` names it in the error."""
    if not isinstance(value, dict):
        raise MalformedError(what)
    return value


def objects_of(value: object, what: str) -> list[Json]:
    """A value that must be a list of objects."""
    return [object_of(one, what) for one in list_of(value, what)]


def list_of(value: object, what: str) -> Sequence[object]:
    """A value that must be a list, of whatever it may be."""
    if not isinstance(value, list):
        raise MalformedError(what)
    return value


def id_of(value: object, what: str) -> int:
    """A value that must be an id, as Discord writes it (a text of digits) or as a number."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= _DIGITS:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= HIGHEST_ID:
        raise MalformedError(what)
    return value


def ids_of(value: object, what: str) -> list[int]:
    """A value that must be a list of ids."""
    return [id_of(one, what) for one in list_of(value, what)]


def child(raw: Mapping[str, Any], key: str) -> Json:
    """A field that must be an object."""
    return object_of(raw.get(key), key)


def children(raw: Mapping[str, Any], key: str) -> list[Json]:
    """A field that must be a list of objects."""
    return objects_of(raw.get(key), key)


def identity(raw: Mapping[str, Any], key: str = "id") -> int:
    """A field that must be an id."""
    return id_of(raw.get(key), key)


def identities(raw: Mapping[str, Any], key: str) -> list[int]:
    """A field that must be a list of ids."""
    return ids_of(raw.get(key), key)


def optional_identity(raw: Mapping[str, Any], key: str) -> int | None:
    """A field that is an id, or null, or missing."""
    return None if raw.get(key) is None else identity(raw, key)


def readable_identity(raw: object, key: str = "id") -> int | None:
    """A field's id if it can be read; None for anything else, and if `raw` is no object."""
    if not isinstance(raw, dict):
        return None
    try:
        return identity(raw, key)
    except MalformedError:
        return None


def number(raw: Mapping[str, Any], key: str) -> int:
    """A field that must be a whole number, not negative."""
    value = raw.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise MalformedError(key)
    return value


def truth(raw: Mapping[str, Any], key: str) -> bool:
    """A field that must be true or false."""
    value = raw.get(key)
    if not isinstance(value, bool):
        raise MalformedError(key)
    return value


def flag(raw: Mapping[str, Any], key: str) -> bool:
    """A field that is true or false, or missing, which means false."""
    return truth(raw, key) if key in raw else False


def bits(raw: Mapping[str, Any], key: str) -> str:
    """A field that must be a set of permissions: a text of digits, or a number."""
    value = raw.get(key)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= HIGHEST_ID:
        return str(value)
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 100:
        return value
    raise MalformedError(key)


def text(raw: Mapping[str, Any], key: str) -> str:
    """A field that must be a text. What no encoding can write is replaced in it."""
    value = raw.get(key)
    if not isinstance(value, str):
        raise MalformedError(key)
    return value.encode("utf-8", "replace").decode("utf-8")


def text_or(raw: Mapping[str, Any], key: str, default: str) -> str:
    """A field's text; `default` for anything else. For what is only shown to people."""
    return text(raw, key) if isinstance(raw.get(key), str) else default


def moment(raw: Mapping[str, Any], key: str) -> datetime:
    """A field that must be a moment with its time zone."""
    try:
        found = datetime.fromisoformat(text(raw, key))
    except ValueError:
        raise MalformedError(key) from None
    if found.tzinfo is None:
        raise MalformedError(key)
    return found


def optional_moment(raw: Mapping[str, Any], key: str) -> str | None:
    """A field that is a moment, or null, or missing; as Discord writes it."""
    return None if raw.get(key) is None else moment(raw, key).isoformat()
