"""JSON as text, between the gateway and discord.py."""

import json
import math

import discord
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.discord_io.payload.json_text import text_of, value_of

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def test_discord_py_uses_orjson() -> None:
    assert discord.utils.HAS_ORJSON


@given(VALUES)
def test_whatever_is_written_can_be_read_by_orjson(value: object) -> None:
    orjson.loads(text_of(value))


def test_half_a_character_is_read_and_is_replaced_when_written() -> None:
    name = value_of('{"name": "half \\ud83d of it"}')
    assert name == {"name": "half \ud83d of it"}
    assert value_of(text_of(name)) == {"name": "half ? of it"}


def test_numbers_that_are_none_or_fit_nowhere_are_read_and_written() -> None:
    for text in ("NaN", "Infinity", "1e999", str(2**64 - 1), str(2**80)):
        found = value_of(f'{{"n": {text}}}')
        assert isinstance(found, dict)
        json.loads(text_of(found))
    assert value_of(text_of(math.nan)) is None
    assert value_of(text_of(2**64 - 1)) == 2**64 - 1


def test_what_is_no_json_raises() -> None:
    for text in ("", "{", "{not json", "[1,]"):
        with pytest.raises(ValueError, match="column"):
            value_of(text)
    with pytest.raises(RecursionError):
        value_of("[" * 100_000)
