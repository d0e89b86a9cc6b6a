"""JSON as text, as discord.py reads and writes it too: with orjson."""

import json

import orjson


def value_of(text: str) -> object:
    """What a text says. Raises ValueError if it is no JSON, RecursionError if it is nested too deeply.

    orjson refuses some of what the standard library reads, such as half of a surrogate pair in a name.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)


def text_of(value: object) -> str:
    """A text that orjson reads, unless a number in it is infinite. What no encoding can write is replaced."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode()
